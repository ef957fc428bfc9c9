hanse_stage(deal SOURCES
  deal/amount.c deal/amount_text.c deal/coupon.c deal/coupon_def.c deal/export.c deal/export_build.c deal/export_case.c
  deal/export_report.c deal/issuer.c deal/ledger.c deal/offer.c deal/order.c deal/order_check.c deal/order_event.c
  deal/order_event_build.c deal/presentation.c deal/pricing.c deal/pricing_tax.c deal/redemption.c deal/reserve.c
  deal/settle.c deal/share.c deal/unit.c
  DEPENDS hs_identity)

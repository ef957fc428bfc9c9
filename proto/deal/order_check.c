/* Whether an order says the truth about the offers and coupons that it cites. */
#include "deal/order.h"
#include "deal/pricing.h"
#include "deal/rules.h"

static const struct hs_offer *offer_find(const struct hs_order_refs *refs, ProtobufCBinaryData id)
{
    for (size_t i = 0; i < refs->offer_count; i++)
        if (hs_bytes_equal(HS_VIEW(refs->offers[i].id), hs_pb_bytes(id)))
            return &refs->offers[i];
    return NULL;
}

static enum hs_err line_check(const struct hs_order *order, size_t line, const struct hs_order_refs *refs,
                              struct hs_price_line *out)
{
    const Hanse__OrderLine *cited = order->msg->lines[line];
    const struct hs_offer *offer = offer_find(refs, cited->offer_id);
    HS_REQUIRE(offer != NULL, HS_ERR_OFFER_UNKNOWN);
    HS_TRY(hs_offer_check_live(offer, hs_hdr_created(order->msg->hdr)));
    *out = (struct hs_price_line){.offer_id = offer->id, .offer = offer->msg, .quantity = cited->quantity};
    return HS_OK;
}

static enum hs_err coupon_check(const struct hs_order *order, size_t index, const struct hs_order_refs *refs,
                                struct hs_price_coupon *out)
{
    struct hs_id id;
    HS_REQUIRE(hs_rule_id(order->msg->coupon_ids[index], &id), HS_ERR_ORDER_INVALID);
    const struct hs_order_coupon *cited = hs_order_refs_coupon(refs, &id);
    HS_REQUIRE(cited != NULL, HS_ERR_COUPON_UNKNOWN);
    HS_REQUIRE(hs_key_equal(&cited->coupon.holder, &order->signer.key), HS_ERR_COUPON_WRONG_HOLDER);
    HS_TRY(hs_coupon_def_check_time(&cited->def, hs_hdr_created(order->msg->hdr)));
    *out = (struct hs_price_coupon){.coupon_id = id, .def = cited->def.msg};
    return HS_OK;
}

enum hs_err hs_order_check(const struct hs_order *order, const struct hs_order_refs *refs,
                           struct hs_arena *arena)
{
    struct hs_price_line lines[HS_ORDER_LINES_MAX];
    struct hs_price_coupon coupons[HS_ORDER_DISCOUNTS_MAX];
    const Hanse__OrderRequest *msg = order->msg;
    for (size_t i = 0; i < msg->n_lines; i++)
        HS_TRY(line_check(order, i, refs, &lines[i]));
    for (size_t i = 0; i < msg->n_coupon_ids; i++)
        HS_TRY(coupon_check(order, i, refs, &coupons[i]));
    Hanse__Totals *totals;
    HS_TRY(hs_price(lines, msg->n_lines, coupons, msg->n_coupon_ids, arena, &totals));
    HS_TRY(hs_totals_check(totals, msg->expected));
    return HS_OK;
}

enum hs_err hs_order_check_now(const struct hs_order *order, const struct hs_order_refs *refs,
                               struct hs_time now)
{
    HS_TRY(hs_hdr_window(order->msg->hdr, 0, now));
    for (size_t i = 0; i < order->msg->n_lines; i++) {
        const struct hs_offer *offer = offer_find(refs, order->msg->lines[i]->offer_id);
        HS_REQUIRE(offer != NULL, HS_ERR_OFFER_UNKNOWN);
        int64_t end = offer->msg->hdr->not_after_ms;
        /* now - grace cannot overflow: times are not negative */
        HS_REQUIRE(end == 0 || now.ms - HS_ORDER_GRACE_MS < end, HS_ERR_OFFER_EXPIRED);
    }
    return HS_OK;
}

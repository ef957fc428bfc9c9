#include "deal/offer.h"

#include "deal/pricing.h"
#include "deal/rules.h"

static enum hs_err offer_check(const Hanse__Offer *msg)
{
    HS_REQUIRE(msg->title[0] != '\0' && hs_rule_text(msg->title, HS_NAME_MAX), HS_ERR_MALFORMED);
    HS_REQUIRE(hs_rule_text(msg->sku, HS_CODE_MAX) && hs_rule_text(msg->gtin, HS_CODE_MAX), HS_ERR_MALFORMED);
    HS_REQUIRE(hs_rule_text(msg->lang, HS_CODE_MAX) && hs_rule_text(msg->category, HS_CODE_MAX),
               HS_ERR_MALFORMED);
    HS_REQUIRE(msg->tax_bp <= HS_BASIS_POINTS && msg->not_before_ms >= 0, HS_ERR_MALFORMED);
    HS_REQUIRE(msg->max_quantity == 0 || msg->min_quantity <= msg->max_quantity, HS_ERR_MALFORMED);
    HS_REQUIRE(msg->min_quantity <= HS_QUANTITY_MAX, HS_ERR_MALFORMED);
    struct hs_amount price;
    HS_TRY(hs_amount_read(msg->price, &price));
    HS_REQUIRE(price.minor >= 0, HS_ERR_AMOUNT);
    return HS_OK;
}

enum hs_err hs_offer_build(Hanse__Offer *offer, const struct hs_author *author, struct hs_time not_after,
                           struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_TRY(offer_check(offer));
    return hs_object_make(HS_KIND_OFFER, &offer->base, author, &(struct hs_hdr_spec){.not_after = not_after},
                          arena, out);
}

enum hs_err hs_offer_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_arena *arena,
                          struct hs_offer *out)
{
    struct hs_expect expect = {.kind = HS_KIND_OFFER, .roles = HS_ROLE_BIT(HANSE__ROLE__ROLE_MERCHANT)};
    ProtobufCMessage *msg;
    struct hs_offer offer = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_device(chain, obj, &expect, arena, &msg, &offer.signer));
    offer.msg = (const Hanse__Offer *)msg;
    HS_TRY(offer_check(offer.msg));
    offer.id = hs_object_id(obj);
    *out = offer;
    return HS_OK;
}

enum hs_err hs_offer_check_live(const struct hs_offer *offer, struct hs_time at)
{
    enum hs_err err = hs_hdr_window(offer->msg->hdr, offer->msg->not_before_ms, at);
    return err == HS_OK ? HS_OK : HS_ERR_OFFER_EXPIRED;
}

/* Coupon definitions: what a kind of coupon gives, to whom, until when. */
#include "deal/coupon.h"
#include "deal/pricing.h"
#include "deal/rules.h"
#include "wire/unpack.h"

static enum hs_err scope_check(const Hanse__CouponDef *def)
{
    HS_REQUIRE(def->n_offers <= HS_ORDER_LINES_MAX, HS_ERR_MALFORMED);
    for (size_t i = 0; i < def->n_offers; i++) {
        HS_REQUIRE(def->offers[i].len == HS_HASH_LEN, HS_ERR_MALFORMED);
        for (size_t j = 0; j < i; j++)
            HS_REQUIRE(!hs_bytes_equal(hs_pb_bytes(def->offers[i]), hs_pb_bytes(def->offers[j])),
                       HS_ERR_MALFORMED);
    }
    return HS_OK;
}

/* currency "" takes on the first amount's, and every other must have it. */
static enum hs_err optional_check(const Hanse__Amount *in, char currency[static 4])
{
    if (in == NULL)
        return HS_OK;
    struct hs_amount amount;
    HS_TRY(hs_amount_read(in, &amount));
    HS_REQUIRE(amount.minor >= 0, HS_ERR_AMOUNT);
    if (currency[0] == '\0')
        memcpy(currency, amount.currency, sizeof amount.currency);
    HS_REQUIRE(memcmp(currency, amount.currency, sizeof amount.currency) == 0, HS_ERR_CURRENCY);
    return HS_OK;
}

static enum hs_err value_check(const Hanse__CouponDef *def)
{
    char currency[4] = "";
    struct hs_amount amount;
    if (def->kind == HANSE__COUPON_KIND__COUPON_PERCENT) {
        HS_REQUIRE(def->percent_bp >= 1 && def->percent_bp <= HS_BASIS_POINTS, HS_ERR_MALFORMED);
        HS_REQUIRE(def->amount == NULL, HS_ERR_MALFORMED);
    } else {
        HS_REQUIRE(def->kind == HANSE__COUPON_KIND__COUPON_FIXED_ORDER, HS_ERR_MALFORMED);
        HS_REQUIRE(def->percent_bp == 0, HS_ERR_MALFORMED);
        HS_TRY(hs_rule_positive(def->amount, &amount));
        HS_TRY(optional_check(def->amount, currency));
    }
    HS_TRY(optional_check(def->max_discount, currency));
    return optional_check(def->min_subtotal, currency);
}

static enum hs_err def_check(const Hanse__CouponDef *def)
{
    HS_TRY(value_check(def));
    HS_TRY(scope_check(def));
    HS_REQUIRE(def->binding == HANSE__COUPON_BINDING__BINDING_HOLDER && def->limit_per_customer == 1,
               HS_ERR_MALFORMED);
    HS_REQUIRE(def->room.len == 0 || def->room.len == HS_HASH_LEN, HS_ERR_MALFORMED);
    HS_REQUIRE(hs_rule_text(def->title, HS_NAME_MAX) && def->not_before_ms >= 0, HS_ERR_MALFORMED);
    return HS_OK;
}

enum hs_err hs_coupon_def_build(Hanse__CouponDef *def, const struct hs_author *author,
                                struct hs_time not_after, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_TRY(def_check(def));
    return hs_object_make(HS_KIND_COUPON_DEF, &def->base, author,
                          &(struct hs_hdr_spec){.not_after = not_after}, arena, out);
}

enum hs_err hs_coupon_def_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_arena *arena,
                               struct hs_coupon_def *out)
{
    struct hs_expect expect = {.kind = HS_KIND_COUPON_DEF, .roles = HS_ROLE_BIT(HANSE__ROLE__ROLE_MERCHANT)};
    ProtobufCMessage *msg;
    struct hs_coupon_def def = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_device(chain, obj, &expect, arena, &msg, &def.signer));
    def.msg = (const Hanse__CouponDef *)msg;
    HS_TRY(def_check(def.msg));
    def.id = hs_object_id(obj);
    *out = def;
    return HS_OK;
}

enum hs_err hs_coupon_def_claimed(const Hanse__SignedObject *obj, struct hs_arena *arena,
                                  struct hs_coupon_def *out)
{
    Hanse__CouponDef *msg;
    HS_REQUIRE(hs_object_claimed_kind(obj) == HS_KIND_COUPON_DEF, HS_ERR_UNEXPECTED);
    HS_TRY(HS_UNPACK(hanse__coupon_def, hs_pb_bytes(obj->payload), HS_STRICT, arena, &msg));
    HS_TRY(hs_hdr_check(msg->hdr));
    *out = (struct hs_coupon_def){.id = hs_object_id(obj), .msg = msg};
    return HS_OK;
}

enum hs_err hs_coupon_def_check_time(const struct hs_coupon_def *def, struct hs_time at)
{
    enum hs_err err = hs_hdr_window(def->msg->hdr, def->msg->not_before_ms, at);
    if (err == HS_OK)
        return HS_OK;
    return err == HS_ERR_EXPIRED ? HS_ERR_COUPON_EXPIRED : HS_ERR_COUPON_NOT_YET;
}

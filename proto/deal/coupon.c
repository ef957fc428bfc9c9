/* Claims and the units that answer them. */
#include "deal/coupon.h"

#include "deal/rules.h"
#include "wire/unpack.h"

enum hs_err hs_coupon_claim_build(const struct hs_author *author, const struct hs_key *issuer_root,
                                  const struct hs_id *def_id, struct hs_time not_after,
                                  struct hs_arena *arena, Hanse__SignedObject **out)
{
    Hanse__CouponClaim msg = HANSE__COUPON_CLAIM__INIT;
    msg.def_id = hs_pb_data(HS_VIEW(*def_id));
    struct hs_hdr_spec spec = {.audience = HS_VIEW(*issuer_root), .not_after = not_after};
    return hs_object_make(HS_KIND_COUPON_CLAIM, &msg.base, author, &spec, arena, out);
}

enum hs_err hs_coupon_claim_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_time now,
                                 struct hs_arena *arena, struct hs_coupon_claim *out)
{
    struct hs_expect expect = {.kind = HS_KIND_COUPON_CLAIM, .judge = HS_JUDGE_NOW, .now = now};
    ProtobufCMessage *msg;
    struct hs_coupon_claim claim = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_device(chain, obj, &expect, arena, &msg, &claim.signer));
    claim.msg = (const Hanse__CouponClaim *)msg;
    HS_REQUIRE(hs_hdr_is_for(claim.msg->hdr, &chain->root), HS_ERR_WRONG_PEER);
    HS_REQUIRE(hs_rule_id(claim.msg->def_id, &claim.def_id), HS_ERR_MALFORMED);
    HS_TRY(hs_hdr_window(claim.msg->hdr, 0, now));
    claim.id = hs_object_id(obj);
    *out = claim;
    return HS_OK;
}

enum hs_err hs_coupon_build(const struct hs_author *author, const struct hs_coupon_def *def, uint32_t unit_no,
                            const struct hs_key *holder, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_REQUIRE(unit_no > 0, HS_ERR_INVALID_ARG);
    Hanse__Coupon msg = HANSE__COUPON__INIT;
    msg.def_id = hs_pb_data(HS_VIEW(def->id));
    msg.unit_no = unit_no;
    msg.holder_key = hs_pb_data(HS_VIEW(*holder));
    struct hs_hdr_spec spec = {.not_after = {def->msg->hdr->not_after_ms}};
    return hs_object_make(HS_KIND_COUPON, &msg.base, author, &spec, arena, out);
}

static enum hs_err coupon_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                               const struct hs_coupon_def *def, struct hs_arena *arena, struct hs_coupon *out)
{
    struct hs_expect expect = {.kind = HS_KIND_COUPON};
    ProtobufCMessage *msg;
    HS_TRY(hs_chain_open_by_node(chain, obj, &expect, arena, &msg, &out->signer));
    out->msg = (const Hanse__Coupon *)msg;
    struct hs_id def_id;
    HS_REQUIRE(hs_rule_id(out->msg->def_id, &def_id) && hs_id_equal(&def_id, &def->id),
               HS_ERR_COUPON_INVALID);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(out->msg->holder_key), &out->holder), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(out->msg->hdr->not_after_ms == def->msg->hdr->not_after_ms, HS_ERR_COUPON_INVALID);
    uint32_t most = def->msg->limit_total == 0 ? UINT32_MAX : def->msg->limit_total;
    HS_REQUIRE(out->msg->unit_no >= 1 && out->msg->unit_no <= most, HS_ERR_COUPON_INVALID);
    out->id = hs_object_id(obj);
    return HS_OK;
}

enum hs_err hs_coupon_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                           const struct hs_coupon_def *def, struct hs_arena *arena, struct hs_coupon *out)
{
    struct hs_coupon coupon = {.id = {{0}}};
    enum hs_err err = coupon_open(chain, obj, def, arena, &coupon);
    HS_REQUIRE(err == HS_OK || err == HS_ERR_NOMEM, HS_ERR_COUPON_INVALID);
    HS_TRY(err);
    *out = coupon;
    return HS_OK;
}

enum hs_err hs_coupon_claimed_def(const Hanse__SignedObject *obj, struct hs_id *def_id)
{
    HS_REQUIRE(hs_object_claimed_kind(obj) == HS_KIND_COUPON, HS_ERR_UNEXPECTED);
    HS_REQUIRE(obj->payload.len <= HS_PAYLOAD_SMALL, HS_ERR_TOO_LARGE);
    struct hs_arena HS_ARENA scratch = hs_arena(hs_unpack_budget(HS_PAYLOAD_SMALL));
    Hanse__Coupon *msg;
    HS_TRY(HS_UNPACK(hanse__coupon, hs_pb_bytes(obj->payload), HS_STRICT, &scratch, &msg));
    HS_REQUIRE(hs_rule_id(msg->def_id, def_id), HS_ERR_MALFORMED);
    return HS_OK;
}

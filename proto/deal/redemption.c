/* What both halves of a redemption share: the rid, refusals, and what a receipt must say. */
#include "deal/redemption.h"

#include "crypto/hash.h"
#include "deal/rules.h"

struct hs_id hs_rid(const struct hs_id *coupon_id, const struct hs_key *redeemer_root,
                    const struct hs_id *order_id)
{
    struct hs_sha256 h;
    hs_sha256_init(&h);
    hs_sha256_update(&h, hs_bytes("hanse-rid-v1", sizeof "hanse-rid-v1"));
    hs_sha256_update(&h, HS_VIEW(*coupon_id));
    hs_sha256_update(&h, HS_VIEW(*redeemer_root));
    hs_sha256_update(&h, HS_VIEW(*order_id));
    return hs_sha256_final(&h);
}

enum hs_err hs_refusal_build(const struct hs_author *author, const struct hs_id *request_id,
                             const struct hs_id *rid, enum hs_err reason, uint32_t retry_after_ms,
                             struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_REQUIRE(reason != HS_OK, HS_ERR_INVALID_ARG);
    Hanse__Refusal msg = HANSE__REFUSAL__INIT;
    msg.request_id = hs_pb_data(HS_VIEW(*request_id));
    msg.rid = hs_pb_data(HS_VIEW(*rid));
    msg.code = hs_err_to_wire(reason);
    msg.retry_after_ms = retry_after_ms;
    return hs_object_make(HS_KIND_REFUSAL, &msg.base, author, &(struct hs_hdr_spec){0}, arena, out);
}

enum hs_err hs_refusal_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                            const struct hs_id *request_id, struct hs_arena *arena, enum hs_err *reason,
                            uint32_t *retry_after_ms)
{
    struct hs_expect expect = {.kind = HS_KIND_REFUSAL};
    ProtobufCMessage *payload;
    struct hs_actor signer;
    HS_TRY(hs_chain_open_by_node(chain, obj, &expect, arena, &payload, &signer));
    const Hanse__Refusal *msg = (const Hanse__Refusal *)payload;
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(msg->request_id), HS_VIEW(*request_id)), HS_ERR_COUPON_INVALID);
    enum hs_err told = hs_err_from_wire(msg->code);
    HS_REQUIRE(told != HS_OK, HS_ERR_MALFORMED);
    *reason = told;
    *retry_after_ms = msg->retry_after_ms;
    return HS_OK;
}

enum hs_err hs_reservation_check_decide(const struct hs_reservation *r, struct hs_time now)
{
    HS_REQUIRE(now.ms < r->decide_by.ms - HS_CLOCK_SKEW_MS, HS_ERR_COUPON_LATE);
    return HS_OK;
}

enum hs_err hs_redemption_check(const struct hs_redemption *r, const struct hs_id *coupon_id,
                                const struct hs_key *redeemer_root, const struct hs_id *order_id,
                                const struct hs_amount *discount)
{
    struct hs_id rid = hs_rid(coupon_id, redeemer_root, order_id);
    HS_REQUIRE(hs_id_equal(&r->coupon_id, coupon_id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_id_equal(&r->rid, &rid), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_amount_equal(&r->discount, discount), HS_ERR_COUPON_AMOUNT);
    return HS_OK;
}

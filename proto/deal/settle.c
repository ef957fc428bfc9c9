/* The second half: the till decides, the issuer gives the receipt, or has its unit back. */
#include "deal/redemption.h"

#include "deal/rules.h"

static const uint32_t tills = HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL);

/* --- commit --- */

enum hs_err hs_commit_build(const struct hs_author *author, const struct hs_reservation *reservation,
                            const struct hs_id *order_id, const struct hs_amount *discount,
                            struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_TRY(hs_reservation_check_decide(reservation, author->now));
    HS_REQUIRE(hs_amount_same_currency(discount, &reservation->max_discount), HS_ERR_CURRENCY);
    HS_REQUIRE(discount->minor > 0 && discount->minor <= reservation->max_discount.minor,
               HS_ERR_COUPON_AMOUNT);
    Hanse__Commit msg = HANSE__COMMIT__INIT;
    msg.rid = hs_pb_data(HS_VIEW(reservation->rid));
    msg.reservation_id = hs_pb_data(HS_VIEW(reservation->id));
    HS_TRY(hs_amount_write(discount, arena, &msg.discount));
    msg.decided_ms = author->now.ms;
    msg.order_id = hs_pb_data(HS_VIEW(*order_id));
    return hs_object_make(HS_KIND_COMMIT, &msg.base, author, &(struct hs_hdr_spec){0}, arena, out);
}

static enum hs_err commit_read(const Hanse__Commit *msg, struct hs_commit *out)
{
    out->msg = msg;
    HS_REQUIRE(hs_rule_id(msg->rid, &out->rid), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_rule_id(msg->reservation_id, &out->reservation_id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_rule_id(msg->order_id, &out->order_id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(msg->decided_ms >= 0, HS_ERR_COUPON_INVALID);
    return hs_rule_positive(msg->discount, &out->discount);
}

enum hs_err hs_commit_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_time now,
                           struct hs_arena *arena, struct hs_commit *out)
{
    /* Judged at its creation: a till that lost its grant since then has already given the discount. */
    struct hs_expect expect = {.kind = HS_KIND_COMMIT, .roles = tills};
    ProtobufCMessage *msg;
    struct hs_commit commit = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_device(chain, obj, &expect, arena, &msg, &commit.signer));
    HS_TRY(commit_read((const Hanse__Commit *)msg, &commit));
    HS_TRY(hs_hdr_window(commit.msg->hdr, 0, now));
    commit.id = hs_object_id(obj);
    *out = commit;
    return HS_OK;
}

/* --- release --- */

enum hs_err hs_release_build(const struct hs_author *author, const struct hs_reservation *reservation,
                             struct hs_arena *arena, Hanse__SignedObject **out)
{
    Hanse__Release msg = HANSE__RELEASE__INIT;
    msg.rid = hs_pb_data(HS_VIEW(reservation->rid));
    msg.reservation_id = hs_pb_data(HS_VIEW(reservation->id));
    return hs_object_make(HS_KIND_RELEASE, &msg.base, author, &(struct hs_hdr_spec){0}, arena, out);
}

enum hs_err hs_release_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_time now,
                            struct hs_arena *arena, struct hs_release *out)
{
    struct hs_expect expect = {.kind = HS_KIND_RELEASE, .roles = tills};
    ProtobufCMessage *msg;
    struct hs_release release = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_device(chain, obj, &expect, arena, &msg, &release.signer));
    release.msg = (const Hanse__Release *)msg;
    HS_REQUIRE(hs_rule_id(release.msg->rid, &release.rid), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_rule_id(release.msg->reservation_id, &release.reservation_id), HS_ERR_COUPON_INVALID);
    HS_TRY(hs_hdr_window(release.msg->hdr, 0, now));
    release.id = hs_object_id(obj);
    *out = release;
    return HS_OK;
}

/* --- the issuer's last word --- */

enum hs_err hs_redemption_build(const struct hs_author *author, const struct hs_commit *commit,
                                const struct hs_id *coupon_id, uint64_t incarnation, struct hs_arena *arena,
                                Hanse__SignedObject **out)
{
    *out = NULL;
    Hanse__Redemption msg = HANSE__REDEMPTION__INIT;
    msg.rid = hs_pb_data(HS_VIEW(commit->rid));
    msg.commit_id = hs_pb_data(HS_VIEW(commit->id));
    msg.coupon_id = hs_pb_data(HS_VIEW(*coupon_id));
    HS_TRY(hs_amount_write(&commit->discount, arena, &msg.discount));
    msg.incarnation = incarnation;
    return hs_object_make(HS_KIND_REDEMPTION, &msg.base, author, &(struct hs_hdr_spec){0}, arena, out);
}

enum hs_err hs_redemption_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_arena *arena,
                               struct hs_redemption *out)
{
    struct hs_expect expect = {.kind = HS_KIND_REDEMPTION};
    ProtobufCMessage *payload;
    struct hs_redemption r = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_node(chain, obj, &expect, arena, &payload, &r.signer));
    const Hanse__Redemption *msg = (const Hanse__Redemption *)payload;
    r.msg = msg;
    r.incarnation = msg->incarnation;
    HS_REQUIRE(hs_rule_id(msg->rid, &r.rid) && hs_rule_id(msg->commit_id, &r.commit_id),
               HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_rule_id(msg->coupon_id, &r.coupon_id), HS_ERR_COUPON_INVALID);
    HS_TRY(hs_rule_positive(msg->discount, &r.discount));
    r.id = hs_object_id(obj);
    *out = r;
    return HS_OK;
}

enum hs_err hs_released_build(const struct hs_author *author, const struct hs_id *rid, struct hs_arena *arena,
                              Hanse__SignedObject **out)
{
    Hanse__Released msg = HANSE__RELEASED__INIT;
    msg.rid = hs_pb_data(HS_VIEW(*rid));
    return hs_object_make(HS_KIND_RELEASED, &msg.base, author, &(struct hs_hdr_spec){0}, arena, out);
}

enum hs_err hs_released_open(struct hs_chain *chain, const Hanse__SignedObject *obj, const struct hs_id *rid,
                             struct hs_arena *arena)
{
    struct hs_expect expect = {.kind = HS_KIND_RELEASED};
    ProtobufCMessage *payload;
    struct hs_actor signer;
    HS_TRY(hs_chain_open_by_node(chain, obj, &expect, arena, &payload, &signer));
    const Hanse__Released *msg = (const Hanse__Released *)payload;
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(msg->rid), HS_VIEW(*rid)), HS_ERR_COUPON_INVALID);
    return HS_OK;
}

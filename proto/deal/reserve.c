/* The first half: the till asks, the issuer lends the unit until a time. */
#include "deal/redemption.h"

#include "deal/rules.h"
#include "wire/unpack.h"

enum hs_err hs_reserve_request_build(const struct hs_author *author, const struct hs_reserve_draft *draft,
                                     struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    struct hs_id rid = hs_rid(draft->coupon_id, draft->root, draft->order_id);
    Hanse__ReserveRequest msg = HANSE__RESERVE_REQUEST__INIT;
    msg.rid = hs_pb_data(HS_VIEW(rid));
    msg.presentation = draft->presentation;
    msg.coupon = draft->coupon;
    HS_TRY(hs_amount_write(&draft->max_discount, arena, &msg.max_discount));
    msg.order_id = hs_pb_data(HS_VIEW(*draft->order_id));
    msg.mode = HANSE__RESERVE_MODE__RESERVE_ONLINE;
    msg.min_met = draft->min_met;
    struct hs_hdr_spec spec = {.audience = HS_VIEW(*draft->root)};
    return hs_object_make(HS_KIND_RESERVE_REQUEST, &msg.base, author, &spec, arena, out);
}

enum hs_err hs_reserve_request_claimed_def(const Hanse__SignedObject *obj, struct hs_id *def_id)
{
    HS_REQUIRE(hs_object_claimed_kind(obj) == HS_KIND_RESERVE_REQUEST, HS_ERR_UNEXPECTED);
    HS_REQUIRE(obj->payload.len <= HS_PAYLOAD_MAX, HS_ERR_TOO_LARGE);
    struct hs_arena HS_ARENA scratch = hs_arena(hs_unpack_budget(HS_PAYLOAD_MAX));
    Hanse__ReserveRequest *msg;
    HS_TRY(HS_UNPACK(hanse__reserve_request, hs_pb_bytes(obj->payload), HS_STRICT, &scratch, &msg));
    return hs_coupon_claimed_def(msg->coupon, def_id);
}

static enum hs_err request_read(const struct hs_key *root, const Hanse__ReserveRequest *msg,
                                struct hs_reserve_request *out)
{
    out->msg = msg;
    out->min_met = msg->min_met;
    HS_REQUIRE(hs_hdr_is_for(msg->hdr, root), HS_ERR_WRONG_PEER);
    HS_REQUIRE(msg->mode == HANSE__RESERVE_MODE__RESERVE_ONLINE, HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_rule_id(msg->rid, &out->rid), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_rule_id(msg->order_id, &out->order_id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(msg->coupon != NULL && msg->presentation != NULL, HS_ERR_COUPON_INVALID);
    return hs_rule_positive(msg->max_discount, &out->max_discount);
}

enum hs_err hs_reserve_request_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                    const struct hs_coupon_def *def, struct hs_time now,
                                    struct hs_arena *arena, struct hs_reserve_request *out)
{
    struct hs_expect expect = {.kind = HS_KIND_RESERVE_REQUEST,
                               .roles = HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL),
                               .judge = HS_JUDGE_NOW,
                               .now = now};
    ProtobufCMessage *payload;
    struct hs_reserve_request request = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_device(chain, obj, &expect, arena, &payload, &request.signer));
    const Hanse__ReserveRequest *msg = (const Hanse__ReserveRequest *)payload;
    HS_TRY(request_read(&chain->root, msg, &request));
    HS_TRY(hs_hdr_window(msg->hdr, 0, now));
    HS_TRY(hs_coupon_open(chain, msg->coupon, def, arena, &request.coupon));
    struct hs_id rid = hs_rid(&request.coupon.id, &chain->root, &request.order_id);
    HS_REQUIRE(hs_id_equal(&rid, &request.rid), HS_ERR_COUPON_INVALID);
    struct hs_presentation_expect shown = {
        .coupon = &request.coupon, .redeemer = &request.signer.key, .order_id = &request.order_id};
    HS_TRY(hs_presentation_open(chain, msg->presentation, &shown, now, arena, &request.presentation));
    request.id = hs_object_id(obj);
    *out = request;
    return HS_OK;
}

enum hs_err hs_reservation_build(const struct hs_author *author, const struct hs_reserve_request *request,
                                 struct hs_time decide_by, struct hs_time settle_by, uint64_t incarnation,
                                 struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    Hanse__Reservation msg = HANSE__RESERVATION__INIT;
    msg.rid = hs_pb_data(HS_VIEW(request->rid));
    msg.request_id = hs_pb_data(HS_VIEW(request->id));
    HS_TRY(hs_amount_write(&request->max_discount, arena, &msg.max_discount));
    msg.decide_by_ms = decide_by.ms;
    msg.settle_by_ms = settle_by.ms;
    msg.incarnation = incarnation;
    return hs_object_make(HS_KIND_RESERVATION, &msg.base, author, &(struct hs_hdr_spec){0}, arena, out);
}

static enum hs_err reservation_read(const Hanse__Reservation *msg, struct hs_reservation *out)
{
    out->msg = msg;
    out->decide_by.ms = msg->decide_by_ms;
    out->settle_by.ms = msg->settle_by_ms;
    out->incarnation = msg->incarnation;
    HS_REQUIRE(hs_rule_id(msg->rid, &out->rid), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_rule_id(msg->request_id, &out->request_id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(msg->decide_by_ms >= HS_CLOCK_SKEW_MS && msg->settle_by_ms >= msg->decide_by_ms,
               HS_ERR_COUPON_INVALID);
    return hs_rule_positive(msg->max_discount, &out->max_discount);
}

enum hs_err hs_reservation_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                const struct hs_id *request_id, const struct hs_id *rid,
                                struct hs_arena *arena, struct hs_reservation *out)
{
    struct hs_expect expect = {.kind = HS_KIND_RESERVATION};
    ProtobufCMessage *msg;
    struct hs_actor signer;
    struct hs_reservation reservation = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_node(chain, obj, &expect, arena, &msg, &signer));
    HS_TRY(reservation_read((const Hanse__Reservation *)msg, &reservation));
    HS_REQUIRE(hs_id_equal(&reservation.request_id, request_id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_id_equal(&reservation.rid, rid), HS_ERR_COUPON_INVALID);
    reservation.id = hs_object_id(obj);
    *out = reservation;
    return HS_OK;
}

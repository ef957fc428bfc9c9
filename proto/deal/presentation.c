#include "deal/presentation.h"

#include "deal/rules.h"

/* --- the till asks --- */

enum hs_err hs_presentation_request_build(const struct hs_author *author, const struct hs_key *holder,
                                          const struct hs_id *coupon_id, const struct hs_id *order_id,
                                          struct hs_arena *arena, Hanse__SignedObject **out)
{
    Hanse__PresentationRequest msg = HANSE__PRESENTATION_REQUEST__INIT;
    msg.coupon_id = hs_pb_data(HS_VIEW(*coupon_id));
    msg.order_id = hs_pb_data(HS_VIEW(*order_id));
    struct hs_hdr_spec spec = {.audience = HS_VIEW(*holder),
                               .not_after = {author->now.ms + HS_PRESENTATION_MS}};
    return hs_object_make(HS_KIND_PRESENTATION_REQUEST, &msg.base, author, &spec, arena, out);
}

enum hs_err hs_presentation_request_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                         const struct hs_key *holder, struct hs_time now,
                                         struct hs_arena *arena, struct hs_presentation_request *out)
{
    struct hs_expect expect = {.kind = HS_KIND_PRESENTATION_REQUEST,
                               .roles = HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL),
                               .judge = HS_JUDGE_NOW,
                               .now = now};
    ProtobufCMessage *msg;
    struct hs_presentation_request request = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_device(chain, obj, &expect, arena, &msg, &request.signer));
    request.msg = (const Hanse__PresentationRequest *)msg;
    HS_REQUIRE(hs_hdr_is_for(request.msg->hdr, holder), HS_ERR_WRONG_PEER);
    HS_REQUIRE(hs_rule_id(request.msg->coupon_id, &request.coupon_id), HS_ERR_MALFORMED);
    HS_REQUIRE(hs_rule_id(request.msg->order_id, &request.order_id), HS_ERR_MALFORMED);
    HS_TRY(hs_hdr_window(request.msg->hdr, 0, now));
    request.id = hs_object_id(obj);
    *out = request;
    return HS_OK;
}

/* --- the holder shows --- */

enum hs_err hs_presentation_build(const struct hs_author *author,
                                  const struct hs_presentation_request *request, struct hs_arena *arena,
                                  Hanse__SignedObject **out)
{
    Hanse__Presentation msg = HANSE__PRESENTATION__INIT;
    msg.coupon_id = hs_pb_data(HS_VIEW(request->coupon_id));
    msg.redeemer_key = hs_pb_data(HS_VIEW(request->signer.key));
    msg.redeemer_nonce = request->msg->hdr->nonce;
    msg.order_id = hs_pb_data(HS_VIEW(request->order_id));
    struct hs_hdr_spec spec = {.not_after = {author->now.ms + HS_PRESENTATION_MS}};
    return hs_object_make(HS_KIND_PRESENTATION, &msg.base, author, &spec, arena, out);
}

static enum hs_err presentation_read(const Hanse__Presentation *msg, struct hs_presentation *out)
{
    out->msg = msg;
    HS_REQUIRE(hs_rule_id(msg->coupon_id, &out->coupon_id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_rule_id(msg->order_id, &out->order_id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->redeemer_key), &out->redeemer), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(msg->redeemer_nonce.len == HS_NONCE_LEN, HS_ERR_COUPON_INVALID);
    const Hanse__Hdr *hdr = msg->hdr;
    HS_REQUIRE(hdr->not_after_ms > hdr->created_ms, HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hdr->not_after_ms - hdr->created_ms <= HS_PRESENTATION_MS, HS_ERR_COUPON_INVALID);
    return HS_OK;
}

static enum hs_err presentation_match(const struct hs_presentation *p,
                                      const struct hs_presentation_expect *expect)
{
    HS_REQUIRE(hs_id_equal(&p->coupon_id, &expect->coupon->id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_key_equal(&p->signer.key, &expect->coupon->holder), HS_ERR_COUPON_WRONG_HOLDER);
    HS_REQUIRE(hs_key_equal(&p->redeemer, expect->redeemer), HS_ERR_COUPON_WRONG_REDEEMER);
    HS_REQUIRE(hs_id_equal(&p->order_id, expect->order_id), HS_ERR_COUPON_INVALID);
    bool same = expect->nonce.len == 0 || hs_bytes_equal(hs_pb_bytes(p->msg->redeemer_nonce), expect->nonce);
    HS_REQUIRE(same, HS_ERR_COUPON_INVALID);
    return HS_OK;
}

enum hs_err hs_presentation_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                 const struct hs_presentation_expect *expect, struct hs_time now,
                                 struct hs_arena *arena, struct hs_presentation *out)
{
    struct hs_expect kind = {.kind = HS_KIND_PRESENTATION, .judge = HS_JUDGE_NOW, .now = now};
    ProtobufCMessage *msg;
    struct hs_presentation presentation = {.id = {{0}}};
    HS_TRY(hs_chain_open_by_device(chain, obj, &kind, arena, &msg, &presentation.signer));
    HS_TRY(presentation_read((const Hanse__Presentation *)msg, &presentation));
    HS_TRY(presentation_match(&presentation, expect));
    HS_TRY(hs_hdr_window(presentation.msg->hdr, 0, now));
    presentation.id = hs_object_id(obj);
    *out = presentation;
    return HS_OK;
}

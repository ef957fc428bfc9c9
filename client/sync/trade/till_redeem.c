/* Redeeming an order's coupon, step by step: ask the holder, reserve, decide, commit, receipt. Each step's
 * bytes are stored before they are sent, and sent again until they are answered. */
#include "deal/presentation.h"
#include "deal/redemption.h"
#include "sync/trade/deal.h"

/* The holder answers within a minute, or the order is refused. */
enum { PATIENCE_MS = HS_PRESENTATION_MS + HS_CLOCK_SKEW_MS };

/* An order must not run out between the decision and the event that shows the receipt: the unit would be
 * spent for nothing. So it must last this long when the unit is reserved, and still when it is committed. */
enum { LASTS_TO_RESERVE_MS = 2 * HS_CLOCK_SKEW_MS, LASTS_TO_COMMIT_MS = HS_CLOCK_SKEW_MS };

struct redeem {
    struct hs_step *s;
    struct hs_live_room *room;
    struct hs_order_view *v;
    struct hs_redeem_row *row;
    const struct hs_order_coupon *coupon;
    struct hs_self *self;
    struct hs_author author;
    Hanse__Chain own;
};

static enum hs_err keep(struct redeem *r)
{
    hs_redeem_row_put(r->s->kv, &r->v->row.id, r->row);
    return r->s->kv->err;
}

static enum hs_err order_lasts(const struct redeem *r, int64_t margin_ms)
{
    return hs_hdr_window(r->v->order.msg->hdr, 0, (struct hs_time){r->s->now.ms + margin_ms});
}

static enum hs_err ask_holder(struct redeem *r)
{
    struct hs_step *s = r->s;
    Hanse__SignedObject *question;
    r->row->coupon = r->coupon->coupon.id;
    r->row->asked = s->now.ms;
    HS_TRY(hs_presentation_request_build(&r->author, &r->v->order.signer.key, &r->row->coupon, &r->v->row.id,
                                         s->arena, &question));
    HS_TRY(hs_object_pack(question, s->arena, &r->row->question));
    HS_TRY(keep(r));
    hs_till_look_at(s, s->now.ms + PATIENCE_MS);
    return hs_deal_post(s, r->room, question, &r->own, "Please show your coupon", NULL);
}

static enum hs_err make_request(struct redeem *r)
{
    struct hs_step *s = r->s;
    struct hs_coupon_row coupon;
    struct hs_reserve_draft draft = {
        .coupon_id = &r->row->coupon, .order_id = &r->v->row.id, .root = &r->v->row.root, .min_met = true};
    Hanse__SignedObject *request;
    HS_REQUIRE(hs_coupon_row_get(s->kv, &r->row->coupon, s->arena, &coupon), HS_ERR_COUPON_UNKNOWN);
    HS_TRY(hs_object_unpack(coupon.proved.object, s->arena, &draft.coupon));
    HS_TRY(hs_object_unpack(r->row->presentation, s->arena, &draft.presentation));
    HS_TRY(hs_order_discount(&r->v->order, &r->row->coupon, &draft.max_discount));
    HS_TRY(hs_reserve_request_build(&r->author, &draft, s->arena, &request));
    HS_TRY(hs_object_pack(request, s->arena, &r->row->request));
    r->row->incarnation = hs_proofs_incarnation(s, &r->v->row.root);
    return keep(r);
}

/* What the node signs now is of no incarnation below that which it had when it was asked: else it was put
 * back without knowing it, and has forgotten what it gave away. */
static enum hs_err check_incarnation(const struct hs_redeem_row *row, uint64_t incarnation)
{
    return incarnation >= row->incarnation ? HS_OK : HS_ERR_ROLLED_BACK;
}

/* The receipt is what was asked for. */
static enum hs_err check_redemption(struct hs_step *s, const struct hs_key *root,
                                    const struct hs_redeem_row *row, const Hanse__LedgerReply *reply)
{
    struct hs_chain chain;
    struct hs_redemption redemption;
    HS_TRY(hs_chain_open(reply->chain, reply->n_chain, root, s->arena, &chain));
    HS_TRY(hs_redemption_open(&chain, reply->reply, s->arena, &redemption));
    return check_incarnation(row, redemption.incarnation);
}

/* The issuer's answer: what was asked for, or a signed refusal, whose reason is the error. */
static enum hs_err refusal_of(struct hs_step *s, const struct hs_key *root, const struct hs_id *request,
                              const Hanse__LedgerReply *reply)
{
    struct hs_chain chain;
    enum hs_err reason;
    uint32_t retry;
    HS_REQUIRE(reply->reply != NULL, HS_ERR_MALFORMED);
    if (hs_object_claimed_kind(reply->reply) != HS_KIND_REFUSAL)
        return HS_OK;
    HS_TRY(hs_chain_open(reply->chain, reply->n_chain, root, s->arena, &chain));
    HS_TRY(hs_refusal_open(&chain, reply->reply, request, s->arena, &reason, &retry));
    return reason != HS_OK ? reason : HS_ERR_COUPON_INVALID;
}

static enum hs_err keep_answer(struct hs_step *s, const struct hs_id *order, const Hanse__LedgerReply *reply)
{
    struct hs_redeem_row row;
    struct hs_order_row order_row;
    struct hs_bytes bytes;
    Hanse__SignedObject *sent;
    HS_REQUIRE(hs_redeem_row_get(s->kv, order, s->arena, &row), HS_ERR_STORE);
    HS_REQUIRE(hs_order_row_get(s->kv, order, s->arena, &order_row), HS_ERR_STORE);
    bool committed = row.commit.len > 0;
    HS_TRY(hs_object_unpack(committed ? row.commit : row.request, s->arena, &sent));
    struct hs_id request = hs_object_id(sent);
    HS_TRY(refusal_of(s, &order_row.root, &request, reply));
    if (committed)
        HS_TRY(check_redemption(s, &order_row.root, &row, reply));
    Hanse__Chain chain = HANSE__CHAIN__INIT;
    chain.objects = reply->chain;
    chain.n_objects = reply->n_chain;
    HS_TRY(hs_object_pack(reply->reply, s->arena, &bytes));
    HS_TRY(hs_chain_pack(s, &chain, &row.node_chain));
    if (committed)
        row.redemption = bytes;
    else
        row.reservation = bytes;
    hs_redeem_row_put(s->kv, order, &row);
    return s->kv->err;
}

static enum hs_err answered(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                            enum hs_err err)
{
    if (err != HS_OK && hs_err_is_transient(err)) {
        hs_till_look_at(s, s->now.ms + HS_AGAIN_MS);
        return HS_OK;
    }
    if (err == HS_OK) {
        err = frame->body_case == HANSE__FRAME__BODY_LEDGER_REPLY
                  ? keep_answer(s, &request->id_a, frame->ledger_reply)
                  : HS_ERR_UNEXPECTED;
        HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
    }
    return hs_till_go_on(s, &request->id_a, err);
}

static bool is_asked(const struct hs_sync *sync, const struct hs_id *order)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (sync->requests[i].answer == answered && sync->requests[i].id != 0 &&
            hs_id_equal(&sync->requests[i].id_a, order))
            return true;
    return false;
}

static enum hs_err to_issuer(struct redeem *r, Hanse__SignedObject *object, const struct hs_request *request)
{
    struct hs_chain_set set = {0};
    Hanse__Chain *holder;
    HS_TRY(hs_chain_set_add(&set, &r->own));
    HS_TRY(hs_chain_unpack(r->s->arena, r->row->holder_chain, &holder));
    HS_TRY(hs_chain_set_add(&set, holder));
    Hanse__Chain chain = hs_chain_set_view(&set);
    return hs_ledger_send(r->s, &r->v->row.root, (struct hs_bytes){0}, object, &chain, request);
}

/* Sends a stored step to the issuer, where it isn't on its way. */
static enum hs_err send(struct redeem *r, struct hs_bytes bytes)
{
    struct hs_step *s = r->s;
    struct hs_request request = {.answer = answered, .id_a = r->v->row.id};
    Hanse__SignedObject *object;
    if (is_asked(s->sync, &request.id_a))
        return HS_OK;
    if (!hs_home_is_online(s->sync) || hs_requests_are_scarce(s->sync)) {
        hs_till_look_at(s, s->now.ms + HS_AGAIN_MS);
        return HS_OK;
    }
    HS_TRY(hs_object_unpack(bytes, s->arena, &object));
    return to_issuer(r, object, &request);
}

static enum hs_err open_reservation(struct redeem *r, struct hs_reservation *out)
{
    struct hs_step *s = r->s;
    struct hs_chain chain;
    Hanse__SignedObject *object, *request;
    Hanse__Chain *proof;
    HS_TRY(hs_chain_unpack(s->arena, r->row->node_chain, &proof));
    HS_TRY(hs_chain_open(proof->objects, proof->n_objects, &r->v->row.root, s->arena, &chain));
    HS_TRY(hs_object_unpack(r->row->request, s->arena, &request));
    HS_TRY(hs_object_unpack(r->row->reservation, s->arena, &object));
    struct hs_id request_id = hs_object_id(request);
    struct hs_id rid = hs_rid(&r->row->coupon, &r->v->row.root, &r->v->row.id);
    return hs_reservation_open(&chain, object, &request_id, &rid, s->arena, out);
}

/* The reservation is here: decide, durably, before anything is given away. */
static enum hs_err make_commit(struct redeem *r)
{
    struct hs_reservation reservation;
    struct hs_amount discount;
    Hanse__SignedObject *commit;
    HS_TRY(order_lasts(r, LASTS_TO_COMMIT_MS));
    HS_TRY(open_reservation(r, &reservation));
    HS_TRY(check_incarnation(r->row, reservation.incarnation));
    HS_TRY(hs_order_discount(&r->v->order, &r->row->coupon, &discount));
    HS_TRY(hs_commit_build(&r->author, &reservation, &r->v->row.id, &discount, r->s->arena, &commit));
    HS_TRY(hs_object_pack(commit, r->s->arena, &r->row->commit));
    return keep(r);
}

static enum hs_err check_presentation(struct redeem *r, struct hs_chain *chain,
                                      const Hanse__SignedObject *answer)
{
    struct hs_step *s = r->s;
    struct hs_presentation presentation;
    Hanse__SignedObject *question;
    Hanse__PresentationRequest *asked;
    struct hs_actor actor;
    struct hs_chain own;
    struct hs_expect expect = {.kind = HS_KIND_PRESENTATION_REQUEST};
    HS_TRY(hs_object_unpack(r->row->question, s->arena, &question));
    HS_TRY(hs_chain_open(r->own.objects, r->own.n_objects, &r->v->row.root, s->arena, &own));
    HS_TRY(hs_chain_open_by_device(&own, question, &expect, s->arena, (ProtobufCMessage **)&asked, &actor));
    struct hs_presentation_expect want = {.coupon = &r->coupon->coupon,
                                          .redeemer = &r->self->persona,
                                          .order_id = &r->v->row.id,
                                          .nonce = hs_pb_bytes(asked->hdr->nonce)};
    return hs_presentation_open(chain, answer, &want, s->now, s->arena, &presentation);
}

static enum hs_err next_step(struct redeem *r, bool *done)
{
    struct hs_redeem_row *row = r->row;
    *done = row->redemption.len > 0;
    if (*done)
        return HS_OK;
    if (row->question.len == 0)
        return ask_holder(r);
    if (row->presentation.len == 0) {
        hs_till_look_at(r->s, row->asked + PATIENCE_MS);
        return r->s->now.ms < row->asked + PATIENCE_MS ? HS_OK : HS_ERR_COUPON_LATE;
    }
    if (row->request.len == 0) {
        HS_TRY(order_lasts(r, LASTS_TO_RESERVE_MS));
        HS_TRY(make_request(r));
    }
    if (row->reservation.len == 0)
        return send(r, row->request);
    if (row->commit.len == 0)
        HS_TRY(make_commit(r));
    return send(r, row->commit);
}

static enum hs_err redeem_of(struct redeem *r, struct hs_self *self)
{
    struct hs_step *s = r->s;
    HS_REQUIRE(r->v->refs.coupon_count == 1, HS_ERR_COUPON_NOT_COMBINABLE);
    r->coupon = &r->v->refs.coupons[0];
    r->self = self;
    HS_TRY(hs_self_for(s, &r->v->row.root, self));
    HS_TRY(hs_self_chain(s, self, &r->own));
    r->author = hs_self_author(s, self);
    return HS_OK;
}

enum hs_err hs_till_redeem(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v,
                           struct hs_redeem_row *row, bool *done)
{
    struct hs_self HS_SELF self = {0};
    struct redeem r = {.s = s, .room = room, .v = v, .row = row};
    HS_TRY(redeem_of(&r, &self));
    return next_step(&r, done);
}

enum hs_err hs_till_shown(struct hs_step *s, struct hs_deal_in *in)
{
    struct hs_self HS_SELF self = {0};
    struct hs_redeem_row row;
    struct hs_proved proved;
    struct hs_order_view *v = hs_arena_alloc(s->arena, sizeof *v);
    struct redeem r = {.s = s, .room = in->room, .v = v, .row = &row};
    HS_REQUIRE(v != NULL, HS_ERR_NOMEM);
    if (!hs_redeem_row_get(s->kv, &in->message->object, s->arena, &row) || row.presentation.len > 0)
        return s->kv->err;
    HS_TRY(hs_order_view(s, &in->message->object, NULL, v));
    HS_TRY(redeem_of(&r, &self));
    HS_TRY(check_presentation(&r, &in->chain, in->object));
    HS_TRY(hs_proved_make(s, in->object, &in->proof, &proved));
    row.presentation = proved.object;
    row.holder_chain = proved.chain;
    return keep(&r);
}

/* ---- given up ---- */

static enum hs_err released(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                            enum hs_err err)
{
    (void)s;
    (void)request;
    (void)frame;
    (void)err;
    return HS_OK;
}

static enum hs_err release(struct redeem *r)
{
    struct hs_self HS_SELF self = {0};
    struct hs_request request = {.answer = released};
    struct hs_reservation reservation;
    Hanse__SignedObject *object;
    HS_TRY(redeem_of(r, &self));
    HS_TRY(open_reservation(r, &reservation));
    HS_TRY(hs_release_build(&r->author, &reservation, r->s->arena, &object));
    return to_issuer(r, object, &request);
}

enum hs_err hs_till_release(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v)
{
    struct hs_redeem_row row;
    struct redeem r = {.s = s, .room = room, .v = v, .row = &row};
    if (!hs_redeem_row_get(s->kv, &v->row.id, s->arena, &row) || row.reservation.len == 0 ||
        row.commit.len > 0 || !hs_home_is_online(s->sync) || hs_requests_are_scarce(s->sync))
        return s->kv->err;
    enum hs_err err = release(&r);
    return hs_sync_is_own_trouble(err) ? err : HS_OK;
}

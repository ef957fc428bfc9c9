/* The customer's side of an order: to the counter, with all that it cites; then the till's events. */
#include "sync/trade/deal.h"

#include "deal/presentation.h"
#include "wire/unpack.h"

#include <stdio.h>

/* ---- the till's events ---- */

/* A unit goes with its order. One that meanwhile went into another order isn't given back by this one. */
static enum hs_err coupon_follow(struct hs_step *s, const struct hs_id *id, const struct hs_id *order,
                                 enum hanse_coupon_state state)
{
    struct hs_coupon_row row;
    if (!hs_coupon_row_get(s->kv, id, s->arena, &row) || row.state == 0)
        return s->kv->err;
    bool here = hs_id_equal(&row.order, order), free = row.state == HANSE_COUPON_HELD;
    if (state != HANSE_COUPON_USED && !here && !(free && state == HANSE_COUPON_ORDERED))
        return HS_OK;
    row.state = state;
    row.order = state == HANSE_COUPON_HELD ? (struct hs_id){0} : *order;
    hs_coupon_row_put(s->kv, &row);
    return s->kv->err;
}

/* With a receipt it is spent, whatever becomes of the order later. */
static enum hs_err coupons_follow(struct hs_step *s, const struct hs_order_view *v)
{
    bool over = v->thread.state == HS_ORDER_REJECTED || v->thread.state == HS_ORDER_CANCELLED;
    enum hanse_coupon_state state = v->thread.receipt_count > 0 ? HANSE_COUPON_USED
                                    : over                      ? HANSE_COUPON_HELD
                                                                : HANSE_COUPON_ORDERED;
    for (size_t i = 0; i < v->refs.coupon_count; i++)
        HS_TRY(coupon_follow(s, &v->refs.coupons[i].coupon.id, &v->row.id, state));
    return HS_OK;
}

static enum hs_err order_told(struct hs_step *s, const struct hs_order_row *row, enum hs_order_state state)
{
    struct hanse_event event = {.kind = HANSE_EVENT_ORDER, .err = (enum hanse_err)row->reason};
    memcpy(event.room.b, row->room.b, sizeof event.room.b);
    memcpy(event.id.b, row->id.b, sizeof event.id.b);
    return hs_out_event(s, &event, hs_order_state_name(state));
}

static enum hs_err ops_end(struct hs_step *s, const struct hs_order_row *row)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (op->kind == HS_OP_ORDER && hs_id_equal(&op->object, &row->id))
            HS_TRY(hs_op_done(s, op, (enum hs_err)row->reason, &row->id, 0, NULL));
    }
    return HS_OK;
}

/* One's own order came to nothing before its first event. */
static enum hs_err order_failed(struct hs_step *s, struct hs_order_row *row, enum hs_err why)
{
    Hanse__SignedObject *object;
    Hanse__OrderRequest *order;
    struct hs_id coupon;
    row->state = HANSE_ORDER_REJECTED;
    row->reason = why;
    hs_order_row_put(s->kv, row);
    HS_TRY(hs_object_unpack(row->proved.object, s->arena, &object));
    HS_TRY(HS_UNPACK(hanse__order_request, hs_pb_bytes(object->payload), HS_STRICT, s->arena, &order));
    for (size_t i = 0; i < order->n_coupon_ids; i++)
        if (HS_FIXED(hs_pb_bytes(order->coupon_ids[i]), &coupon))
            HS_TRY(coupon_follow(s, &coupon, &row->id, HANSE_COUPON_HELD));
    return order_told(s, row, HS_ORDER_REJECTED);
}

bool hs_order_is_posted(struct hs_step *s, struct hs_bytes bytes, struct hs_order_row *row)
{
    struct hs_content content;
    if (hs_content_parse(bytes, s->arena, &content) != HS_OK || content.kind != HS_CONTENT_DEAL ||
        hs_object_claimed_kind(content.deal) != HS_KIND_ORDER_REQUEST)
        return false;
    struct hs_id id = hs_object_id(content.deal);
    return hs_order_row_get(s->kv, &id, s->arena, row) && row->own && row->state == HANSE_ORDER_DRAFT;
}

enum hs_err hs_order_post_refused(struct hs_step *s, struct hs_bytes bytes, enum hs_err err)
{
    struct hs_order_row row;
    return hs_order_is_posted(s, bytes, &row) ? order_failed(s, &row, err) : s->kv->err;
}

static enum hs_err refusal_received(struct hs_step *s, struct hs_deal_in *in, struct hs_order_row *row)
{
    enum hs_err why;
    HS_TRY(hs_order_refusal_open(s, in, row, &why));
    if (row->state != HANSE_ORDER_DRAFT)
        return HS_OK;
    HS_TRY(order_failed(s, row, why));
    return ops_end(s, row);
}

enum hs_err hs_order_event_received(struct hs_step *s, struct hs_deal_in *in)
{
    ProtobufCMessage *payload;
    struct hs_actor actor;
    struct hs_expect expect = {.kind = HS_KIND_ORDER_EVENT};
    struct hs_id id;
    struct hs_order_row row;
    struct hs_order_view *v = hs_arena_alloc(s->arena, sizeof *v);
    HS_REQUIRE(v != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_chain_open_by_device(&in->chain, in->object, &expect, s->arena, &payload, &actor));
    const Hanse__OrderEvent *event = (const Hanse__OrderEvent *)payload;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(event->order_id), &id), HS_ERR_MALFORMED);
    in->message->kind = HANSE_MESSAGE_ORDER;
    in->message->object = id;
    if (in->message->own)
        return HS_OK; /* kept when it was made */
    HS_REQUIRE(hs_order_row_get(s->kv, &id, s->arena, &row) && row.own &&
                   hs_id_equal(&row.room, &in->room->row.id),
               HS_ERR_ORDER_INVALID);
    if (hs_order_is_refusal(event, &row))
        return refusal_received(s, in, &row);
    HS_TRY(hs_order_view(s, &id, &in->proof, v));
    HS_TRY(hs_order_step(s, v, (Hanse__SignedObject *)(uintptr_t)in->object, &in->proof));
    HS_TRY(coupons_follow(s, v));
    HS_TRY(order_told(s, &v->row, v->thread.state));
    return v->thread.state == HS_ORDER_PLACED ? HS_OK : ops_end(s, &v->row);
}

/* Shown is what the order cites, also where it was used before: the issuer's ledger says so with authority.
 */
static enum hs_err check_cited(struct hs_step *s, const struct hs_order_row *order, const struct hs_id *id)
{
    struct hs_coupon_row coupon;
    struct hs_order_view *v = hs_arena_alloc(s->arena, sizeof *v);
    HS_REQUIRE(v != NULL, HS_ERR_NOMEM);
    HS_REQUIRE(hs_coupon_row_get(s->kv, id, s->arena, &coupon), HS_ERR_COUPON_UNKNOWN);
    HS_REQUIRE(coupon.state != HANSE_COUPON_ORDERED || hs_id_equal(&coupon.order, &order->id),
               HS_ERR_COUPON_HELD);
    HS_TRY(hs_order_view(s, &order->id, NULL, v));
    for (size_t i = 0; i < v->refs.coupon_count; i++)
        if (hs_id_equal(&v->refs.coupons[i].coupon.id, id))
            return HS_OK;
    return HS_ERR_COUPON_UNKNOWN;
}

/* The till asks for a presentation of a coupon: given where it is for one's own order that cites it. */
enum hs_err hs_question_received(struct hs_step *s, struct hs_deal_in *in)
{
    struct hs_presentation_request question;
    struct hs_order_row order;
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *answer;
    Hanse__Chain proof;
    in->message->kind = HANSE_MESSAGE_ORDER;
    if (in->message->own)
        return HS_OK;
    HS_TRY(hs_presentation_request_open(&in->chain, in->object, &in->room->row.self, s->now, s->arena,
                                        &question));
    in->message->object = question.order_id;
    HS_REQUIRE(hs_order_row_get(s->kv, &question.order_id, s->arena, &order) && order.own &&
                   order.state <= HANSE_ORDER_PLACED && hs_id_equal(&order.room, &in->room->row.id),
               HS_ERR_ORDER_INVALID);
    HS_TRY(check_cited(s, &order, &question.coupon_id));
    HS_TRY(hs_self_for(s, &order.root, &self));
    HS_TRY(hs_self_chain(s, &self, &proof));
    struct hs_author author = hs_self_author(s, &self);
    HS_TRY(hs_presentation_build(&author, &question, s->arena, &answer));
    return hs_deal_post(s, in->room, answer, &proof, "Coupon shown", NULL);
}

/* ---- placing ---- */

static enum hs_err post_stored(struct hs_step *s, struct hs_live_room *room, const struct hs_proved *proved,
                               const char *fallback)
{
    Hanse__SignedObject *object;
    Hanse__Chain *chain;
    HS_TRY(hs_proved_load(s, proved, &object, &chain));
    return hs_deal_post(s, room, object, chain, fallback, NULL);
}

/* Everything that the order cites goes to the counter before it: the till needs no other room. */
static enum hs_err post_cited(struct hs_step *s, struct hs_live_room *room, const struct hs_op *op,
                              bool has_coupon)
{
    struct hs_offer_row offer;
    struct hs_campaign_row campaign;
    struct hs_coupon_row coupon;
    HS_REQUIRE(hs_offer_row_get(s->kv, &op->object, s->arena, &offer), HS_ERR_OFFER_UNKNOWN);
    HS_TRY(post_stored(s, room, &offer.proved, "Offer"));
    if (!has_coupon)
        return HS_OK;
    HS_REQUIRE(hs_coupon_row_get(s->kv, &op->object2, s->arena, &coupon), HS_ERR_COUPON_UNKNOWN);
    HS_REQUIRE(hs_campaign_row_get(s->kv, &coupon.campaign, s->arena, &campaign), HS_ERR_COUPON_UNKNOWN);
    HS_TRY(post_stored(s, room, &campaign.proved, "Coupon"));
    HS_TRY(post_stored(s, room, &coupon.proved, "Coupon"));
    return HS_OK;
}

static enum hs_err keep_order(struct hs_step *s, struct hs_live_room *room, const struct hs_self *self,
                              const Hanse__SignedObject *object, const Hanse__Chain *proof,
                              const Hanse__Totals *totals, struct hs_id *id)
{
    struct hs_order_row row = {.id = hs_object_id(object),
                               .room = room->row.id,
                               .root = room->row.hub_root,
                               .state = HANSE_ORDER_DRAFT,
                               .own = true,
                               .subtotal = totals->subtotal->minor,
                               .discount = totals->discount->minor,
                               .total = totals->total->minor,
                               .placed = s->now.ms,
                               .seen = s->now.ms,
                               .lines = (uint32_t)totals->n_lines};
    snprintf(row.currency, sizeof row.currency, "%s", totals->total->currency);
    row.customer.key = self->persona;
    memcpy(row.customer.name, s->sync->me.name, sizeof row.customer.name);
    HS_TRY(hs_proved_make(s, object, proof, &row.proved));
    hs_order_row_put(s->kv, &row);
    *id = row.id;
    return s->kv->err;
}

static enum hs_err make_order(struct hs_step *s, const struct hs_self *self, const struct hs_op *op,
                              bool has_coupon, Hanse__SignedObject **object, Hanse__Totals **totals)
{
    struct hs_offer offer;
    struct hs_offer_row offer_row;
    struct hs_order_coupon coupon;
    struct hs_coupon_row coupon_row;
    struct hs_author author = hs_self_author(s, self);
    HS_TRY(hs_offer_load(s, &op->object, &offer, &offer_row));
    HS_TRY(hs_offer_check_live(&offer, s->now));
    if (has_coupon) {
        HS_TRY(hs_coupon_load(s, &op->object2, &coupon, &coupon_row));
        /* Whether it was used before is for the issuer's ledger to say, not for this device to remember. */
        HS_REQUIRE(coupon_row.state != HANSE_COUPON_ORDERED, HS_ERR_COUPON_HELD);
        HS_TRY(hs_coupon_def_check_time(&coupon.def, s->now));
    }
    struct hs_order_draft_line line = {&offer, op->amount};
    struct hs_order_draft draft = {
        .lines = &line, .line_count = 1, .coupons = &coupon, .coupon_count = has_coupon ? 1 : 0};
    HS_TRY(hs_order_draft_price(&draft, s->arena, totals));
    return hs_order_build(&author, &self->root, &draft, s->arena, object);
}

static enum hs_err place(struct hs_step *s, struct hs_live_room *room, struct hs_op *op)
{
    static const struct hs_id none;
    bool has_coupon = !hs_id_equal(&op->object2, &none);
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *object;
    Hanse__Totals *totals;
    Hanse__Chain proof;
    struct hs_coupon_row coupon;
    struct hs_id id;
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_self_chain(s, &self, &proof));
    HS_TRY(make_order(s, &self, op, has_coupon, &object, &totals));
    HS_TRY(post_cited(s, room, op, has_coupon));
    HS_TRY(hs_deal_post(s, room, object, &proof, "Order", op));
    HS_TRY(keep_order(s, room, &self, object, &proof, totals, &id));
    if (has_coupon && hs_coupon_row_get(s->kv, &op->object2, s->arena, &coupon) &&
        coupon.state == HANSE_COUPON_HELD) {
        coupon.state = HANSE_COUPON_ORDERED;
        coupon.order = id;
        hs_coupon_row_put(s->kv, &coupon);
    }
    op->room = room->row.id;
    op->object = id;
    op->resume = NULL;
    return s->kv->err;
}

/* The counter with that brand, where it is open. */
static bool find_counter(struct hs_step *s, const struct hs_key *root, struct hs_live_room **room)
{
    struct hs_key persona;
    struct hs_counter_row counter;
    return hs_sync_persona(s->sync, root, &persona) == HS_OK &&
           hs_counter_row_get(s->kv, root, &persona, s->arena, &counter) && counter.open &&
           hs_live_member(s, &counter.room, room) == HS_OK;
}

enum hs_err hs_op_order(struct hs_step *s, struct hs_op *op)
{
    struct hs_live_room *room;
    struct hs_offer_row offer;
    enum hs_err err = HS_ERR_OFFER_UNKNOWN;
    if (hs_offer_row_get(s->kv, &op->object, s->arena, &offer))
        err = find_counter(s, &offer.root, &room) ? place(s, room, op)
              : hs_home_is_online(s->sync)        ? hs_counter_open(s, &offer.root, &offer.room)
                                                  : HS_OK;
    return err == HS_OK || hs_sync_is_own_trouble(err) ? err : hs_op_done(s, op, err, NULL, 0, NULL);
}

enum hs_err hs_want_order(struct hs_step *s, const struct hs_id *offer_id, uint64_t quantity,
                          const struct hs_id *coupon, uint64_t *number)
{
    struct hs_op *op;
    struct hs_offer_row offer;
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *object;
    Hanse__Totals *totals;
    HS_REQUIRE(quantity > 0, HS_ERR_INVALID_ARG);
    HS_REQUIRE(hs_offer_row_get(s->kv, offer_id, s->arena, &offer), HS_ERR_OFFER_UNKNOWN);
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = HS_OP_ORDER;
    op->key = offer.root;
    op->object = *offer_id;
    op->amount = quantity;
    op->resume = hs_op_order;
    if (coupon != NULL)
        op->object2 = *coupon;
    /* What can't be ordered at all is told at once. */
    HS_TRY(hs_self_for(s, &offer.root, &self));
    HS_TRY(make_order(s, &self, op, coupon != NULL, &object, &totals));
    return hs_op_order(s, op);
}

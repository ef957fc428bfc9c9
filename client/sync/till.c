/* The till: takes orders, has their coupons redeemed, answers. Every step is stored before it acts, and goes
 * on from where it stood after a restart. */
#include "base/text.h"
#include "deal/presentation.h"
#include "sync/deal.h"

#include <stdio.h>

enum { CITED_MS = 30000 /* what an order cites must come within this */ };

void hs_till_look_at(struct hs_step *s, int64_t at)
{
    if (at < s->sync->till_due.ms)
        s->sync->till_due.ms = at;
}

static enum hs_err told(struct hs_step *s, const struct hs_order_row *row, const char *what, enum hs_err err)
{
    struct hanse_event event = {.kind = HANSE_EVENT_TILL, .err = (enum hanse_err)err};
    memcpy(event.room.b, row->room.b, sizeof event.room.b);
    memcpy(event.id.b, row->id.b, sizeof event.id.b);
    return hs_out_event(s, &event, what);
}

/* ---- events ---- */

/* Signs the next event, applies it, posts it with all that proves it. */
static enum hs_err say(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v,
                       const struct hs_order_step *step)
{
    struct hs_self HS_SELF self = {0};
    Hanse__SignedObject *event;
    Hanse__Chain own;
    HS_TRY(hs_self_for(s, &v->row.root, &self));
    HS_TRY(hs_self_chain(s, &self, &own));
    struct hs_author author = hs_self_author(s, &self);
    if (author.now.ms < v->thread.head_at.ms)
        author.now = v->thread.head_at; /* times of a chain are in order whatever the clock did */
    HS_TRY(hs_order_event_build(&author, &v->thread, v->row.next_seq == 0 ? &v->order : NULL, step, s->arena,
                                &event));
    HS_TRY(hs_chain_set_add(&v->proof, &own));
    Hanse__Chain proof = hs_chain_set_view(&v->proof);
    HS_TRY(hs_chain_open(proof.objects, proof.n_objects, &v->row.root, s->arena, &v->chain));
    HS_TRY(hs_order_step(s, v, event, &proof));
    const char *name = hs_order_state_name(v->thread.state);
    char fallback[64];
    snprintf(fallback, sizeof fallback, "Order %s", name);
    HS_TRY(hs_deal_post(s, room, event, &proof, fallback, NULL));
    return told(s, &v->row, name, (enum hs_err)v->row.reason);
}

static enum hs_err finish(struct hs_step *s, struct hs_order_view *v)
{
    v->row.done = true;
    hs_order_row_put(s->kv, &v->row);
    return s->kv->err;
}

static enum hs_err reject(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v,
                          enum hs_err why)
{
    struct hs_order_step step = {
        .type = HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED, .reason_code = why, .reason = hs_err_text(why)};
    HS_TRY(say(s, room, v, &step));
    return finish(s, v);
}

static enum hs_err accept(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v,
                          const struct hs_redeem_row *redeemed)
{
    struct hs_order_step step = {.type = HANSE__ORDER_EVENT_TYPE__ORDER_ACCEPTED};
    Hanse__SignedObject *receipt;
    Hanse__Chain *chain;
    if (v->refs.coupon_count > 0) {
        HS_TRY(hs_object_unpack(redeemed->redemption, s->arena, &receipt));
        HS_TRY(hs_chain_unpack(s->arena, redeemed->node_chain, &chain));
        HS_TRY(hs_chain_set_add(&v->proof, chain));
        step.receipts = &receipt;
        step.receipt_count = 1;
    }
    HS_TRY(say(s, room, v, &step));
    return finish(s, v);
}

/* ---- one order ---- */

/* An order that can't even be placed (it contradicts itself) has no events: the customer is told in words. */
static enum hs_err turn_away(struct hs_step *s, struct hs_live_room *room, struct hs_order_row *row,
                             enum hs_err why)
{
    char text[320];
    snprintf(text, sizeof text, "Order %s can't be taken: %s", hs_short(HS_VIEW(row->id)).text,
             hs_err_text(why));
    struct hs_content content = hs_content_text(hs_bytes_str(text), s->now);
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    HS_TRY(hs_content_build(&content, &w));
    HS_TRY(hs_post_content(s, room, hs_writer_bytes(&w), NULL));
    row->state = HANSE_ORDER_REJECTED;
    row->reason = why;
    row->done = true;
    hs_order_row_put(s->kv, row);
    return told(s, row, "turned away", why);
}

static enum hs_err place(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v)
{
    struct hs_order_step step = {.type = HANSE__ORDER_EVENT_TYPE__ORDER_PLACED, .cause = v->request};
    return say(s, room, v, &step);
}

static enum hs_err decide(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v)
{
    struct hs_redeem_row redeem = {0};
    bool done = v->refs.coupon_count == 0;
    if (v->row.next_seq == 1 && !hs_redeem_row_get(s->kv, &v->row.id, s->arena, &redeem)) {
        enum hs_err err = hs_order_check_now(&v->order, &v->refs, s->now);
        if (err != HS_OK)
            return hs_sync_is_fault(err) ? reject(s, room, v, err) : err;
    }
    if (!done) {
        enum hs_err err = hs_till_redeem(s, room, v, &redeem, &done);
        if (err != HS_OK)
            return hs_sync_is_fault(err) ? reject(s, room, v, err) : err;
    }
    return done ? accept(s, room, v, &redeem) : HS_OK;
}

static enum hs_err go_on(struct hs_step *s, struct hs_live_room *room, const struct hs_id *id)
{
    struct hs_order_view *v = hs_arena_alloc(s->arena, sizeof *v);
    HS_REQUIRE(v != NULL, HS_ERR_NOMEM);
    enum hs_err err = hs_order_view(s, id, NULL, v);
    bool missing = err == HS_ERR_OFFER_UNKNOWN || err == HS_ERR_COUPON_UNKNOWN;
    if (missing && s->now.ms < v->row.seen + CITED_MS) {
        hs_till_look_at(s, v->row.seen + CITED_MS);
        return HS_OK;
    }
    if (err == HS_OK && v->row.next_seq == 0) {
        err = hs_order_check(&v->order, &v->refs, s->arena);
        if (err == HS_OK)
            err = place(s, room, v);
    }
    if (hs_sync_is_fault(err))
        return turn_away(s, room, &v->row, err);
    HS_TRY(err);
    return decide(s, room, v);
}

enum hs_err hs_till_go_on(struct hs_step *s, const struct hs_id *id, enum hs_err why)
{
    struct hs_order_row row;
    struct hs_live_room *room;
    struct hs_order_view *v = hs_arena_alloc(s->arena, sizeof *v);
    HS_REQUIRE(v != NULL, HS_ERR_NOMEM);
    if (!s->sync->till || !hs_order_row_get(s->kv, id, s->arena, &row) || row.own || row.done)
        return s->kv->err;
    if (hs_live_member(s, &row.room, &room) != HS_OK)
        return HS_OK;
    if (why == HS_OK)
        return go_on(s, room, id);
    HS_TRY(hs_order_view(s, id, NULL, v));
    return reject(s, room, v, why);
}

/* ---- what comes in ---- */

static bool serves(const struct hs_step *s, const struct hs_live_room *room)
{
    return room->row.kind == HS_ROOM_COUNTER && room->row.role == HS_ROOM_OWNER &&
           hs_root_is_home(s->sync, &room->row.hub_root);
}

enum hs_err hs_order_received(struct hs_step *s, struct hs_deal_in *in)
{
    struct hs_order order;
    struct hs_order_row row = {.room = in->room->row.id,
                               .root = in->room->row.hub_root,
                               .state = HANSE_ORDER_DRAFT,
                               .customer = in->message->sender,
                               .placed = in->header->hub_time.ms,
                               .seen = s->now.ms},
                        known;
    HS_TRY(hs_order_open(&in->chain, in->object, s->arena, &order));
    HS_REQUIRE(hs_key_equal(&order.signer.key, &in->message->sender.key), HS_ERR_WRONG_SENDER);
    row.id = in->message->object = order.id;
    in->message->kind = HANSE_MESSAGE_ORDER;
    if (in->message->own || !serves(s, in->room) || hs_order_row_get(s->kv, &order.id, s->arena, &known))
        return HS_OK;
    const Hanse__Totals *totals = order.msg->expected;
    row.lines = (uint32_t)order.msg->n_lines;
    row.subtotal = totals->subtotal != NULL ? totals->subtotal->minor : 0;
    row.discount = totals->discount != NULL ? totals->discount->minor : 0;
    row.total = totals->total != NULL ? totals->total->minor : 0;
    if (totals->total != NULL)
        snprintf(row.currency, sizeof row.currency, "%s", totals->total->currency);
    HS_TRY(hs_proved_make(s, in->object, &in->proof, &row.proved));
    hs_order_row_put(s->kv, &row);
    HS_TRY(told(s, &row, "order received", HS_OK));
    return hs_till_go_on(s, &order.id, HS_OK);
}

enum hs_err hs_presentation_received(struct hs_step *s, struct hs_deal_in *in)
{
    ProtobufCMessage *payload;
    struct hs_actor actor;
    struct hs_expect expect = {.kind = HS_KIND_PRESENTATION};
    struct hs_id id;
    struct hs_redeem_row redeem;
    struct hs_proved proved;
    HS_TRY(hs_chain_open_by_device(&in->chain, in->object, &expect, s->arena, &payload, &actor));
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(((const Hanse__Presentation *)payload)->order_id), &id),
               HS_ERR_MALFORMED);
    in->message->kind = HANSE_MESSAGE_ORDER;
    in->message->object = id;
    if (in->message->own || !serves(s, in->room) || !hs_redeem_row_get(s->kv, &id, s->arena, &redeem) ||
        redeem.presentation.len > 0)
        return s->kv->err;
    HS_TRY(hs_proved_make(s, in->object, &in->proof, &proved));
    redeem.presentation = proved.object;
    redeem.holder_chain = proved.chain;
    hs_redeem_row_put(s->kv, &id, &redeem);
    return hs_till_go_on(s, &id, HS_OK);
}

/* ---- all orders ---- */

enum hs_err hs_till_tick(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_order_row row;
    s->sync->till_due = HS_NEVER;
    while (hs_order_row_next(s->kv, &cursor, s->arena, &row))
        if (!row.own && !row.done)
            HS_TRY(hs_till_go_on(s, &row.id, HS_OK));
    return s->kv->err;
}

enum hs_err hs_want_till(struct hs_step *s, bool on)
{
    HS_REQUIRE(s->sync->has_me, HS_ERR_INVALID_STATE);
    HS_REQUIRE(!on || (s->sync->me.roles & HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL)) != 0, HS_ERR_WRONG_SIGNER);
    s->sync->till = on;
    if (!on)
        return HS_OK;
    HS_TRY(hs_counters_serve(s));
    return hs_till_tick(s);
}

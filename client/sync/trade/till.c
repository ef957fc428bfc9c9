/* The till: takes orders, has their coupons redeemed, answers. Every step is stored before it acts, and goes
 * on from where it stood after a restart. */
#include "sync/trade/deal.h"

#include <stdio.h>

enum { CITED_MS = 30000 /* what an order cites must come within this */ };

void hs_till_look_at(struct hs_step *s, int64_t at)
{
    if (at < s->sync->till_due.ms)
        s->sync->till_due.ms = at;
}

enum hs_err hs_till_told(struct hs_step *s, const struct hs_order_row *row, const char *what, enum hs_err err)
{
    struct hanse_event event = {.kind = HANSE_EVENT_TILL, .err = (enum hanse_err)err};
    memcpy(event.room.b, row->room.b, sizeof event.room.b);
    memcpy(event.id.b, row->id.b, sizeof event.id.b);
    return hs_out_event(s, &event, what);
}

/* What one order brings about ends that order; only this machine's own troubles abort the step. */
static bool ends_order(enum hs_err err)
{
    return err != HS_OK && !hs_sync_is_own_trouble(err);
}

/* ---- events ---- */

static enum hs_err speak(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v,
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
    HS_TRY(hs_order_event_apply(&v->thread, &v->chain, &v->refs, event, s->arena));
    const char *name = hs_order_state_name(v->thread.state);
    char fallback[64];
    snprintf(fallback, sizeof fallback, "Order %s", name);
    HS_TRY(hs_deal_post(s, room, event, &proof, fallback, NULL));
    HS_TRY(hs_order_keep(s, v, event, &proof));
    return hs_till_told(s, &v->row, name, (enum hs_err)v->row.reason);
}

/* Signs the next event, applies it, posts it with all that proves it. Where that can't be done, nothing was
 * said. */
static enum hs_err say(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v,
                       const struct hs_order_step *step)
{
    struct hs_order_thread before = v->thread;
    enum hs_err err = speak(s, room, v, step);
    if (err != HS_OK)
        v->thread = before;
    return err;
}

static enum hs_err finish(struct hs_step *s, struct hs_order_view *v)
{
    v->row.done = true;
    hs_order_row_put(s->kv, &v->row);
    return s->kv->err;
}

/* The end of an order about which no event can be said (any more). */
static enum hs_err give_up(struct hs_step *s, struct hs_order_row *row, enum hs_err why)
{
    row->state = HANSE_ORDER_REJECTED;
    row->reason = why;
    row->done = true;
    hs_order_row_put(s->kv, row);
    return hs_till_told(s, row, "turned away", why);
}

static enum hs_err reject(struct hs_step *s, struct hs_live_room *room, struct hs_order_view *v,
                          enum hs_err why)
{
    struct hs_order_step step = {
        .type = HANSE__ORDER_EVENT_TYPE__ORDER_REJECTED, .reason_code = why, .reason = hs_err_text(why)};
    HS_TRY(hs_till_release(s, room, v));
    enum hs_err err = say(s, room, v, &step);
    if (ends_order(err))
        return give_up(s, &v->row, why);
    return err == HS_OK ? finish(s, v) : err;
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

/* An order that can't even be placed (it contradicts itself) has no events: it is refused as it stands. */
static enum hs_err turn_away(struct hs_step *s, struct hs_live_room *room, struct hs_order_row *row,
                             enum hs_err why)
{
    enum hs_err err = row->next_seq == 0 ? hs_order_refuse(s, room, row, why) : HS_OK;
    return err == HS_OK || ends_order(err) ? give_up(s, row, why) : err;
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
    enum hs_err err = HS_OK;
    if (!hs_redeem_row_get(s->kv, &v->row.id, s->arena, &redeem))
        err = hs_order_check_now(&v->order, &v->refs, s->now);
    if (err == HS_OK && !done)
        err = hs_till_redeem(s, room, v, &redeem, &done);
    if (err == HS_OK && done)
        err = accept(s, room, v, &redeem);
    return ends_order(err) ? reject(s, room, v, err) : err;
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
    if (ends_order(err))
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
    enum hs_err err = hs_live_member(s, &row.room, &room);
    if (err != HS_OK)
        return hs_sync_is_own_trouble(err) ? err : HS_OK;
    if (why == HS_OK)
        return go_on(s, room, id);
    err = hs_order_view(s, id, NULL, v);
    if (ends_order(err))
        return turn_away(s, room, &row, why);
    return err == HS_OK ? reject(s, room, v, why) : err;
}

/* ---- all orders ---- */

/* With memory of its own: there may be many orders. */
static enum hs_err look_at(const struct hs_step *s, const struct hs_id *id)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HS_STEP_ARENA);
    struct hs_step one = *s;
    one.arena = &scratch;
    return hs_till_go_on(&one, id, HS_OK);
}

enum hs_err hs_till_tick(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_id id;
    s->sync->till_due = HS_NEVER;
    while (hs_open_order_next(s->kv, &cursor, &id))
        HS_TRY(look_at(s, &id));
    return s->kv->err;
}

void hs_till_roll_back(struct hs_sync *sync)
{
    sync->till = sync->before.till;
    sync->till_due = sync->before.till_due;
    if (sync->till_due.ms <= sync->before.now.ms) /* not at once: what failed may fail again */
        sync->till_due.ms = sync->before.now.ms + HS_AGAIN_MS;
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

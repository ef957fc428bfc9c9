/* A brand with an owner, a till and a room whose members may claim a coupon, for the tests of its ledger. */
#ifndef TESTS_CORE_LEDGER_SCENE_H
#define TESTS_CORE_LEDGER_SCENE_H

#include "peer_world.h"

#include "core/internal.h"
#include "core/recovery/recover.h"
#include "deal/redemption.h"
#include "wire/unpack.h"

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *till, *alice, *bob;
    struct world_room *room, *alices;
    struct world_invite invite;
    Hanse__SignedObject *def;
    struct hs_id def_id;
};

[[maybe_unused]] static struct hs_author author_of(struct world_device *d, struct world_node *brand)
{
    struct world_persona *p = world_persona(d, &brand->root.pub);
    return (struct hs_author){.signer = &p->keys.signature, .issuer = p->signer.pub, .now = d->world->now};
}

/* What proves who signed: certificates and grants of these devices, and the hub's descriptor. */
[[maybe_unused]] static size_t chain_of(struct scene *s, struct world_device *a, struct world_device *b,
                                        Hanse__SignedObject **chain)
{
    struct world_device *who[] = {a, b};
    size_t n = 0;
    chain[n++] = s->hub->descriptor;
    for (size_t i = 0; i < 2 && who[i] != NULL; i++) {
        chain[n++] = world_persona(who[i], &s->hub->root.pub)->certificate;
        if (who[i]->grant_count > 0)
            chain[n++] = who[i]->grants[0];
    }
    return n;
}

/* Asks through d; a and b are proved by the chain. */
[[maybe_unused]] static enum hs_err ledger(struct scene *s, struct world_device *d,
                                           Hanse__SignedObject *request, struct world_device *a,
                                           struct world_device *b, Hanse__SignedObject **reply)
{
    Hanse__Frame *frame = world_frame(s->w), *answer;
    frame->ledger = WORLD_NEW(s->w, Hanse__Ledger, hanse__ledger);
    frame->body_case = HANSE__FRAME__BODY_LEDGER;
    frame->ledger->request = request;
    frame->ledger->chain = hs_arena_alloc(&s->w->arena, 8 * sizeof(void *));
    frame->ledger->n_chain = chain_of(s, a, b, frame->ledger->chain);
    HS_TRY(world_ask_hub(d, s->hub, frame, &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_LEDGER_REPLY);
    if (reply != NULL)
        *reply = answer->ledger_reply->reply;
    return HS_OK;
}

[[maybe_unused]] static Hanse__SignedObject *def_for(struct scene *s, struct world_device *merchant,
                                                     uint32_t limit, struct hs_bytes room)
{
    Hanse__SignedObject *object;
    Hanse__CouponDef def = HANSE__COUPON_DEF__INIT;
    struct hs_author author = author_of(merchant, s->hub);
    def.kind = HANSE__COUPON_KIND__COUPON_PERCENT;
    def.percent_bp = 1000;
    def.binding = HANSE__COUPON_BINDING__BINDING_HOLDER;
    def.limit_total = limit;
    def.limit_per_customer = 1;
    def.room = hs_pb_data(room);
    def.title = (char *)(uintptr_t) "ten percent";
    struct hs_time end = {s->w->now.ms + WORLD_DAY_MS};
    assert_ok(hs_coupon_def_build(&def, &author, end, &s->w->arena, &object));
    return object;
}

[[maybe_unused]] static Hanse__SignedObject *def_new(struct scene *s, struct world_device *merchant,
                                                     uint32_t limit)
{
    return def_for(s, merchant, limit, HS_VIEW(s->room->id));
}

[[maybe_unused]] static struct scene scene_new(struct world *w, bool remote)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.till = world_staff(s.hub, "till", HANSE__ROLE__ROLE_TILL);
    s.alice = world_customer(remote ? s.home : s.hub, "alice");
    s.bob = world_customer(s.hub, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    s.def = def_new(&s, s.owner, 2);
    s.def_id = hs_object_id(s.def);
    return s;
}

[[maybe_unused]] static Hanse__SignedObject *claim_new(struct scene *s, struct world_device *holder)
{
    Hanse__SignedObject *claim;
    struct hs_author author = author_of(holder, s->hub);
    struct hs_time end = {s->w->now.ms + 60000};
    assert_ok(hs_coupon_claim_build(&author, &s->hub->root.pub, &s->def_id, end, &s->w->arena, &claim));
    return claim;
}

[[maybe_unused]] static Hanse__SignedObject *coupon_for(struct scene *s, struct world_device *holder)
{
    Hanse__SignedObject *coupon;
    assert_ok(ledger(s, s->owner, s->def, s->owner, NULL, NULL));
    assert_ok(ledger(s, holder, claim_new(s, holder), holder, NULL, &coupon));
    return coupon;
}

/* A till's request for that coupon and order, shown by the presenter. */
[[maybe_unused]] static Hanse__SignedObject *reserve_new(struct scene *s, Hanse__SignedObject *coupon,
                                                         struct world_device *presenter, uint8_t order)
{
    struct hs_arena *arena = &s->w->arena;
    struct hs_id coupon_id = hs_object_id(coupon), order_id = {{order}};
    struct hs_author till = author_of(s->till, s->hub), holder = author_of(presenter, s->hub);
    Hanse__SignedObject *asked, *presentation, *request;
    Hanse__SignedObject *chain_objects[8];
    struct hs_chain chain;
    struct hs_presentation_request opened;
    assert_ok(hs_presentation_request_build(&till, &holder.issuer, &coupon_id, &order_id, arena, &asked));
    size_t n = chain_of(s, s->till, presenter, chain_objects);
    assert_ok(hs_chain_open(chain_objects, n, &s->hub->root.pub, arena, &chain));
    assert_ok(hs_presentation_request_open(&chain, asked, &holder.issuer, s->w->now, arena, &opened));
    assert_ok(hs_presentation_build(&holder, &opened, arena, &presentation));
    struct hs_reserve_draft draft = {.coupon = coupon,
                                     .presentation = presentation,
                                     .coupon_id = &coupon_id,
                                     .order_id = &order_id,
                                     .root = &s->hub->root.pub,
                                     .max_discount = {.currency = "EUR", .minor = 500},
                                     .min_met = true};
    assert_ok(hs_reserve_request_build(&till, &draft, arena, &request));
    return request;
}

[[maybe_unused]] static enum hs_err reserve(struct scene *s, Hanse__SignedObject *request,
                                            struct world_device *presenter, Hanse__SignedObject **reply)
{
    return ledger(s, s->till, request, s->till, presenter, reply);
}

[[maybe_unused]] static struct hs_chain hub_chain(struct scene *s)
{
    struct hs_chain chain;
    assert_ok(hs_chain_open(&s->hub->descriptor, 1, &s->hub->root.pub, &s->w->arena, &chain));
    return chain;
}

[[maybe_unused]] static enum hs_err refusal_of(struct scene *s, Hanse__SignedObject *reply,
                                               Hanse__SignedObject *request)
{
    struct hs_id id = hs_object_id(request);
    struct hs_chain chain = hub_chain(s);
    enum hs_err reason;
    uint32_t retry;
    assert_int_equal(hs_object_claimed_kind(reply), HS_KIND_REFUSAL);
    assert_ok(hs_refusal_open(&chain, reply, &id, &s->w->arena, &reason, &retry));
    return reason;
}

[[maybe_unused]] static struct hs_reservation reservation_of(struct scene *s, Hanse__SignedObject *reply,
                                                             Hanse__SignedObject *request,
                                                             Hanse__SignedObject *coupon, uint8_t order)
{
    struct hs_id id = hs_object_id(request), coupon_id = hs_object_id(coupon), order_id = {{order}};
    struct hs_id rid = hs_rid(&coupon_id, &s->hub->root.pub, &order_id);
    struct hs_chain chain = hub_chain(s);
    struct hs_reservation r;
    assert_ok(hs_reservation_open(&chain, reply, &id, &rid, &s->w->arena, &r));
    return r;
}

[[maybe_unused]] static Hanse__SignedObject *commit_new(struct scene *s, const struct hs_reservation *r,
                                                        uint8_t order)
{
    Hanse__SignedObject *commit;
    struct hs_author till = author_of(s->till, s->hub);
    struct hs_id order_id = {{order}};
    struct hs_amount discount = {.currency = "EUR", .minor = 400};
    assert_ok(hs_commit_build(&till, r, &order_id, &discount, &s->w->arena, &commit));
    return commit;
}

[[maybe_unused]] static void operator_resumes(struct scene *s)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_effects effects = hs_effects();
    struct hs_turn turn = {
        .core = s->hub->core, .kv = s->hub->kv, .now = s->w->now, .arena = &arena, .effects = &effects};
    assert_ok(hs_recover_resume(&turn, NULL));
    hs_effects_free(&effects);
}

#endif

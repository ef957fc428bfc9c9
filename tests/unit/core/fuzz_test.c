/* Valid frames, altered at random: whatever comes, the node answers, closes, or goes on; a refusal has
 * changed nothing (checked by the world), and honest requests still work at the end. The seed is printed; set
 * HANSE_SEED to run one again. */
#include "world.h"

#include "core/internal.h"
#include "core/recovery/proof.h"
#include "core/recovery/recover.h"
#include "deal/redemption.h"
#include "object/object.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEEDS_MAX = 64, ROUNDS = 1500, SECONDS = 20, PROOFS = 3 };

struct fuzz {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice;
    struct world_room *room, *alices;
    struct world_invite invite;
    struct hs_bytes seeds[SEEDS_MAX]; /* frames of devices */
    size_t seed_count;
    struct hs_bytes from_hub[SEEDS_MAX]; /* frames of the hub to its follower */
    size_t from_hub_count;
    Hanse__Frame *proofs; /* one of the seeds */
    uint64_t random;
};

static uint64_t next(struct fuzz *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return f->random;
}

static size_t below(struct fuzz *f, size_t n)
{
    return (size_t)(next(f) % n);
}

static void keep(struct fuzz *f, Hanse__Frame *frame)
{
    assert_true(f->seed_count < SEEDS_MAX);
    frame->id = 5;
    f->seeds[f->seed_count++] = world_pack(f->w, &frame->base);
}

static enum world_verdict listen(void *ctx, struct world_node *from, struct world_node *to,
                                 struct hs_bytes *bytes)
{
    struct fuzz *f = ctx;
    (void)to;
    if (from == f->hub && f->from_hub_count < SEEDS_MAX)
        f->from_hub[f->from_hub_count++] = world_copy(f->w, *bytes);
    return WORLD_PASS;
}

static Hanse__Frame *cursors_frame(struct fuzz *f)
{
    Hanse__Frame *frame = world_frame(f->w);
    frame->cursors = WORLD_NEW(f->w, Hanse__Cursors, hanse__cursors);
    frame->cursors->rooms = hs_arena_alloc(&f->w->arena, sizeof(void *));
    frame->cursors->rooms[0] = WORLD_NEW(f->w, Hanse__RoomCursor, hanse__room_cursor);
    frame->cursors->rooms[0]->room = hs_pb_data(HS_VIEW(f->room->id));
    frame->cursors->n_rooms = 1;
    frame->cursors->inbox_next = 1;
    frame->body_case = HANSE__FRAME__BODY_CURSORS;
    return frame;
}

static Hanse__Frame *forward_frame(struct fuzz *f, Hanse__Frame *inner)
{
    Hanse__Frame *frame = world_frame(f->w);
    static char *address[1];
    address[0] = f->hub->address;
    inner->id = 9;
    frame->forward = WORLD_NEW(f->w, Hanse__Forward, hanse__forward);
    frame->forward->node_root = hs_pb_data(HS_VIEW(f->hub->root.pub));
    frame->forward->addresses = address;
    frame->forward->n_addresses = 1;
    frame->forward->frame = hs_pb_data(world_pack(f->w, &inner->base));
    frame->body_case = HANSE__FRAME__BODY_FORWARD;
    return frame;
}

/* One frame of each kind, as an honest client would send it now. */
/* What the hub has signed behind the backup that it was restored from: a definition, a unit, its receipt. */
static Hanse__Frame *proofs_frame(struct fuzz *f)
{
    struct hs_arena *arena = &f->w->arena;
    struct world_persona *owner = world_persona(f->owner, &f->hub->root.pub);
    struct hs_author merchant = {
        .signer = &owner->keys.signature, .issuer = owner->signer.pub, .now = f->w->now};
    struct hs_author hub = {.signer = &f->hub->signer, .issuer = f->hub->signer.pub, .now = f->w->now};
    struct hs_commit commit = {.rid = {{1}}, .id = {{2}}, .discount = {.currency = "EUR", .minor = 5}};
    Hanse__CouponDef msg = HANSE__COUPON_DEF__INIT;
    Hanse__SignedObject *shown[PROOFS];
    struct hs_coupon_def def;
    msg.kind = HANSE__COUPON_KIND__COUPON_PERCENT;
    msg.percent_bp = 1000;
    msg.binding = HANSE__COUPON_BINDING__BINDING_HOLDER;
    msg.limit_per_customer = 1;
    msg.title = (char *)(uintptr_t) "ten percent";
    struct hs_time end = {f->w->now.ms + WORLD_DAY_MS};
    assert_ok(hs_coupon_def_build(&msg, &merchant, end, arena, &shown[0]));
    assert_ok(hs_coupon_def_claimed(shown[0], arena, &def));
    assert_ok(hs_coupon_build(&hub, &def, 1, &owner->signer.pub, arena, &shown[1]));
    struct hs_id unit = hs_object_id(shown[1]);
    assert_ok(hs_redemption_build(&hub, &commit, &unit, 1, arena, &shown[2]));
    Hanse__Frame *frame = world_frame(f->w);
    frame->show_proofs = WORLD_NEW(f->w, Hanse__ShowProofs, hanse__show_proofs);
    frame->show_proofs->proofs = hs_arena_alloc(arena, PROOFS * sizeof(void *));
    for (size_t i = 0; i < PROOFS; i++) {
        frame->show_proofs->proofs[i] = WORLD_NEW(f->w, Hanse__Proof, hanse__proof);
        frame->show_proofs->proofs[i]->object = shown[i];
    }
    frame->show_proofs->n_proofs = PROOFS;
    frame->show_proofs->chain = hs_arena_alloc(arena, 3 * sizeof(void *));
    frame->show_proofs->chain[0] = f->hub->descriptor;
    frame->show_proofs->chain[1] = owner->certificate;
    frame->show_proofs->chain[2] = f->owner->grants[0];
    frame->show_proofs->n_chain = 3;
    frame->body_case = HANSE__FRAME__BODY_SHOW_PROOFS;
    return frame;
}

/* The hub comes back from a backup that has everything, and goes on. */
static void restore(struct fuzz *f)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_effects effects = hs_effects();
    world_node_restore(f->hub, world_store_copy(f->hub));
    struct hs_turn turn = {
        .core = f->hub->core, .kv = f->hub->kv, .now = f->w->now, .arena = &arena, .effects = &effects};
    assert_ok(hs_recover_resume(&turn, NULL));
    hs_effects_free(&effects);
    assert_ok(world_connect(f->owner, NULL));
}

/* All of the proofs are in the ledger, whichever of the altered frames brought them. */
static void has_proofs(struct fuzz *f, Hanse__Frame *frame)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = f->hub->core, .kv = f->hub->kv, .now = f->w->now, .arena = &arena};
    struct hs_proofs shown;
    Hanse__Frame *answer;
    assert_ok(world_ask(f->owner, frame, &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_PROOFS_SHOWN);
    hs_proofs_count(&turn, &shown);
    assert_int_equal(shown.taken, PROOFS);
}

static void gather(struct fuzz *f)
{
    struct hs_policy_role role;
    struct world_room *fresh;
    struct world_commit c;
    struct hs_policy policy = world_policy(f->owner, "fuzz", &role);
    struct world_invite invite = world_invite_new(f->room, 5, WORLD_DAY_MS);
    struct world_room *joiner = world_room_join(f->owner, &f->invite);
    Hanse__Frame *frame = world_frame(f->w);
    keep(f, world_create_frame(f->owner, &policy, &fresh));
    world_commit_update(f->room, &c);
    keep(f, world_commit_frame(f->room, &c));
    hs_mls_group_drop(f->room->group);
    keep(f, world_post_frame(f->room, world_protect(f->room, "fuzz")));
    keep(f, world_join_frame(joiner, world_join_body(joiner, &f->invite)));
    frame->put_invite = WORLD_NEW(f->w, Hanse__PutInvite, hanse__put_invite);
    frame->put_invite->room = hs_pb_data(HS_VIEW(f->room->id));
    frame->put_invite->persona = hs_pb_data(HS_VIEW(f->room->persona->signer.pub));
    frame->put_invite->invite = hs_pb_data(invite.body);
    frame->body_case = HANSE__FRAME__BODY_PUT_INVITE;
    keep(f, frame);
    frame = world_frame(f->w);
    frame->open_counter = WORLD_NEW(f->w, Hanse__OpenCounter, hanse__open_counter);
    frame->open_counter->room = hs_pb_data(HS_VIEW(f->room->id));
    frame->open_counter->persona = hs_pb_data(HS_VIEW(f->room->persona->signer.pub));
    frame->open_counter->key_package = hs_pb_data(joiner->key_package);
    frame->body_case = HANSE__FRAME__BODY_OPEN_COUNTER;
    keep(f, frame);
    keep(f, cursors_frame(f));
    frame = world_frame(f->w);
    frame->sign_up = WORLD_NEW(f->w, Hanse__SignUp, hanse__sign_up);
    frame->sign_up->grants = f->owner->grants;
    frame->sign_up->n_grants = f->owner->grant_count;
    frame->body_case = HANSE__FRAME__BODY_SIGN_UP;
    keep(f, frame);
    frame = world_frame(f->w);
    frame->ledger = WORLD_NEW(f->w, Hanse__Ledger, hanse__ledger);
    frame->ledger->request = f->owner->grants[0];
    frame->ledger->chain = &f->hub->descriptor;
    frame->ledger->n_chain = 1;
    frame->body_case = HANSE__FRAME__BODY_LEDGER;
    keep(f, frame);
    world_commit_update(f->alices, &c);
    keep(f, forward_frame(f, world_commit_frame(f->alices, &c)));
    hs_mls_group_drop(f->alices->group);
    keep(f, forward_frame(f, world_join_frame(f->alices, world_join_body(f->alices, &f->invite))));
    keep(f, world_post_frame(f->alices, world_protect(f->alices, "queued")));
    f->proofs = proofs_frame(f);
    keep(f, f->proofs);
}

static struct hs_bytes alter(struct fuzz *f, struct hs_bytes seed)
{
    uint8_t *out = hs_arena_alloc(&f->w->arena, seed.len + 64);
    size_t len = seed.len, times = 1 + below(f, 4);
    memcpy(out, seed.data, seed.len);
    for (size_t i = 0; i < times && len > 0; i++) {
        size_t at = below(f, len), cut;
        switch (below(f, 6)) {
        case 0:
            out[at] ^= (uint8_t)(1u << below(f, 8));
            break;
        case 1:
            out[at] = (uint8_t)next(f);
            break;
        case 2:
            len = at;
            break;
        case 3:
            if (len < seed.len + 60) {
                memmove(out + at + 1, out + at, len - at);
                out[at] = (uint8_t)next(f);
                len++;
            }
            break;
        case 4:
            cut = 1 + below(f, len - at);
            memmove(out + at, out + at + cut, len - at - cut);
            len -= cut;
            break;
        default: /* the first bytes say what it is */
            out[below(f, len < 12 ? len : 12)] = (uint8_t)next(f);
        }
    }
    return hs_bytes(out, len);
}

static void connect(struct world_device *d)
{
    if (d->session != 0)
        return;
    assert_ok(world_connect(d, NULL));
    Hanse__Frame *frame = world_frame(d->world);
    frame->attach = WORLD_NEW(d->world, Hanse__Attach, hanse__attach);
    frame->body_case = HANSE__FRAME__BODY_ATTACH;
    assert_ok(world_ask(d, frame, NULL));
}

static void devices_send(struct fuzz *f)
{
    struct world_device *d = below(f, 2) == 0 ? f->owner : f->alice;
    connect(d);
    struct hs_bytes frame = alter(f, f->seeds[below(f, f->seed_count)]);
    if (frame.len == 0 || frame.len > HS_FRAME_MAX)
        return;
    world_send(f->w, d->session, frame);
    world_run(f->w);
}

static void hub_sends(struct fuzz *f)
{
    struct world *w = f->w;
    for (int i = 0; i < 200 && !world_are_linked(f->home, f->hub); i++) {
        struct hs_core_input tick = {.kind = HS_INPUT_TICK};
        w->now.ms += 1000;
        world_input(f->home, &tick);
        world_run(w);
    }
    struct hs_bytes frame = alter(f, f->from_hub[below(f, f->from_hub_count)]);
    if (frame.len == 0 || frame.len > HS_FRAME_MAX)
        return;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].device == NULL && w->links[i].node[0] == f->home) {
            struct hs_core_input input = {
                .kind = HS_INPUT_FRAME, .session = w->links[i].id[0], .bytes = frame};
            world_input(f->home, &input);
            break;
        }
    world_run(w);
}

static void altered_frames(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct fuzz f = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    const char *seed = getenv("HANSE_SEED");
    time_t start = time(NULL);
    f.random = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)start * 2654435761u + 1;
    printf("HANSE_SEED=%llu\n", (unsigned long long)f.random);
    w->hook = listen;
    w->hook_ctx = &f;
    f.owner = world_staff(f.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    f.alice = world_customer(f.home, "alice");
    f.room = world_room_new(f.owner, "launch");
    f.invite = world_invite(f.room, 100);
    f.alices = world_join(f.alice, f.room, &f.invite);
    assert_ok(world_post(f.room, "one", NULL));
    world_settle(w);
    restore(&f);
    gather(&f);
    size_t rounds = 0;
    for (; rounds < ROUNDS && time(NULL) - start < SECONDS; rounds++) {
        w->now.ms += 20;
        if (below(&f, 3) == 0)
            hub_sends(&f);
        else
            devices_send(&f);
    }
    printf("%zu frames, refused: hub %zu, home %zu\n", rounds, f.hub->refused, f.home->refused);
    w->hook = NULL;
    connect(f.owner);
    struct hs_policy_role role;
    struct world_room *after;
    struct hs_policy policy = world_policy(f.owner, "after", &role);
    assert_ok(world_ask(f.owner, world_create_frame(f.owner, &policy, &after), NULL));
    assert_ok(world_post(after, "still here", NULL));
    has_proofs(&f, f.proofs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(altered_frames)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

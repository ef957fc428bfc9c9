/* Views are made from records: whatever happens, however the making is cut up. */
#include "world.h"

#include "core/delivery/cursor.h"
#include "core/records/register.h"
#include "core/records/replay.h"
#include "core/records/table.h"
#include "support/kv_count.h"
#include "support/rng.h"

#include <stdio.h>

enum { PEOPLE = 4, STEPS = 120 };

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *people[PEOPLE];
    struct world_room *room, *theirs[PEOPLE];
    struct world_invite invite;
    bool inside[PEOPLE];
    bool cut;
    unsigned posts;
};

static enum world_verdict scissors(void *ctx, struct world_node *from, struct world_node *to,
                                   struct hs_bytes *frame)
{
    (void)from;
    (void)to;
    (void)frame;
    return ((const struct scene *)ctx)->cut ? WORLD_CUT : WORLD_PASS;
}

static void scene_init(struct scene *s, struct world *w)
{
    static const char *const names[PEOPLE] = {"alice", "bob", "carol", "dora"};
    *s = (struct scene){
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s->owner = world_staff(s->hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s->room = world_room_new(s->owner, "launch");
    s->invite = world_invite(s->room, 100);
    for (size_t i = 0; i < PEOPLE; i++) {
        s->people[i] = world_customer(i % 2 == 0 ? s->home : s->hub, names[i]);
        s->theirs[i] = world_join(s->people[i], s->room, &s->invite);
        s->inside[i] = true;
    }
    w->hook = scissors;
    w->hook_ctx = s;
}

static void post(struct scene *s, struct world_room *room)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%u", s->posts++);
    if (room->device->session != 0 && s->posts < WORLD_POSTS)
        assert_ok(world_post(room, text, NULL));
}

static void reconnect(struct world_device *d)
{
    bool account;
    if (d->session != 0)
        world_disconnect(d);
    world_run(d->world);
    assert_ok(world_connect(d, &account));
    world_attach(d);
}

static void toggle_cut(struct scene *s)
{
    s->cut = !s->cut;
    world_pass(s->w, s->cut ? 100 : 60000);
    world_pass(s->w, 60000);
    world_settle(s->w);
}

static void restart(struct scene *s, struct world_node *node)
{
    world_node_restart(node);
    world_pass(s->w, 60000);
    world_pass(s->w, 60000);
    if (node == s->hub)
        reconnect(s->owner);
    for (size_t i = 0; i < PEOPLE; i++)
        if (s->people[i]->node == node)
            reconnect(s->people[i]);
    world_settle(s->w);
}

static void step(struct scene *s, struct rng *rng)
{
    size_t who = rng_below(rng, PEOPLE);
    switch (rng_below(rng, 12)) {
    case 0:
        toggle_cut(s);
        break;
    case 1:
        restart(s, rng_below(rng, 2) == 0 ? s->hub : s->home);
        break;
    case 2:
        if (s->inside[who] && !s->cut) {
            world_settle(s->w);
            assert_ok(world_remove(s->room, s->theirs[who]));
            s->inside[who] = false;
        }
        break;
    case 3:
        if (!s->cut)
            assert_ok(world_update(s->room));
        break;
    case 4:
        reconnect(s->people[who]);
        break;
    case 5:
    case 6:
        world_pass(s->w, (int64_t)rng_below(rng, 10000));
        s->w->now.ms -= rng_below(rng, 4) == 0 ? 5000 : 0; /* somebody has set the clock */
        break;
    case 7:
        post(s, s->room);
        break;
    default:
        if (s->inside[who])
            post(s, s->theirs[who]);
    }
    if (!s->cut)
        world_settle(s->w);
}

/* A store that was begun by one rebuilding, broken off at random, and gone on with by others. */
static void rebuild_in_pieces(struct world_node *node, struct rng *rng)
{
    struct hs_kv *rebuilt = hs_kv_memory_new();
    uint64_t count = hs_journal_count(node->kv);
    assert_non_null(rebuilt);
    for (int i = 0; i < 3; i++)
        world_rebuild_upto(node, rebuilt, rng_below(rng, count + 1), 1 + rng_below(rng, 20));
    world_rebuild_upto(node, rebuilt, count, 1 + rng_below(rng, 20));
    assert_true(world_stores_equal(node->kv, rebuilt));
    hs_kv_memory_free(rebuilt);
}

/* DELIVERY-16 */
static void random_lives_are_made_again(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    for (int life = 0; life < 3; life++) {
        struct world HS_WORLD *w = world_new();
        struct scene s;
        scene_init(&s, w);
        for (int i = 0; i < STEPS; i++) {
            step(&s, &rng);
            if (i % 40 == 20) {
                rebuild_in_pieces(s.hub, &rng);
                rebuild_in_pieces(s.home, &rng);
            }
        }
    }
}

/* DELIVERY-16: nor does it matter what time it is, or that the rebuilding is done twice over. */
static void what_is_damaged_is_told(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_replay *replay;
    bool done;
    scene_init(&s, w);
    w->forged = true;
    struct hs_kv_key key = hs_key_seq(HS_VIEW(s.room->id), 3);
    hs_kv_del(s.hub->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key));
    struct hs_kv *rebuilt = hs_kv_memory_new();
    assert_ok(hs_replay_new(&s.hub->root.pub, &replay));
    assert_err(hs_replay_step(replay, s.hub->kv, rebuilt, hs_journal_count(s.hub->kv), SIZE_MAX, &done),
               HS_ERR_STORE);
    assert_int_equal(hs_replay_at(replay)->stream, HS_STREAM_ROOM);
    assert_int_equal(hs_replay_at(replay)->seq, 3);
    assert_true(hs_id_equal(&hs_replay_at(replay)->id, &s.room->id));
    hs_replay_free(replay);
    hs_kv_memory_free(rebuilt);
}

static uint64_t cursor_of(struct scene *s, size_t who)
{
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    struct hs_key device = world_persona(s->people[who], &s->people[who]->node->root.pub)->keys.signature.pub;
    struct hs_kv_key key = hs_register_key(HS_REGISTER_CURSOR, HS_VIEW(device), HS_VIEW(s->room->id));
    struct hs_bytes value;
    assert_true(hs_kv_get(s->people[who]->node->kv, HS_T_REGISTER, hs_kv_key_bytes(&key), &arena, &value));
    return hs_kv_u64(value);
}

/* DELIVERY-17 */
static void cursors_are_written_later(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_init(&s, w);
    world_pass(w, HS_CURSOR_MS);
    world_pass(w, HS_CURSOR_MS);
    uint64_t before = cursor_of(&s, 1);
    post(&s, s.room);
    world_settle(w);
    assert_int_equal(cursor_of(&s, 1), before);
    world_pass(w, HS_CURSOR_MS - 1);
    assert_int_equal(cursor_of(&s, 1), before);
    world_pass(w, 1);
    assert_int_equal(cursor_of(&s, 1), before + 1);
    post(&s, s.room);
    world_settle(w);
    world_disconnect(s.people[1]);
    world_run(w);
    assert_int_equal(cursor_of(&s, 1), before + 2);
    post(&s, s.room);
    world_settle(w);
    struct hs_core_input stop = {.kind = HS_INPUT_STOP};
    world_input(s.home, &stop);
    assert_int_equal(cursor_of(&s, 0), s.room->tip.next_seq);
}

/* DELIVERY-17: nobody is ahead of what there is. */
static void cursors_beyond_the_end(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_init(&s, w);
    Hanse__Frame *frame = world_frame(w);
    Hanse__RoomCursor *cursor = WORLD_NEW(w, Hanse__RoomCursor, hanse__room_cursor);
    frame->cursors = WORLD_NEW(w, Hanse__Cursors, hanse__cursors);
    frame->body_case = HANSE__FRAME__BODY_CURSORS;
    frame->cursors->inbox_next = UINT64_MAX;
    frame->cursors->rooms = &cursor;
    frame->cursors->n_rooms = 1;
    cursor->room = hs_pb_data(HS_VIEW(s.room->id));
    cursor->next_seq = UINT64_MAX;
    assert_ok(world_ask(s.people[1], frame, NULL));
    world_disconnect(s.people[1]);
    world_run(w);
    assert_int_equal(cursor_of(&s, 1), s.room->tip.next_seq);
}

static size_t puts_of(const struct kv_count *count)
{
    size_t puts = 0;
    for (size_t i = 0; i < HS_CORE_TABLES; i++)
        puts += count->table[i].puts;
    return puts;
}

/* What the journal and the views cost: a post writes five entries at its hub, and one more, the head, where
 * it is followed. */
static void what_a_post_writes(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_init(&s, w);
    world_pass(w, HS_CURSOR_MS);
    world_pass(w, HS_CURSOR_MS);
    struct hs_kv *hub = s.hub->kv, *home = s.home->kv;
    struct kv_count at_hub = kv_count(hub), at_home = kv_count(home);
    s.hub->kv = &at_hub.kv;
    s.home->kv = &at_home.kv;
    post(&s, s.room);
    world_settle(w);
    s.hub->kv = hub;
    s.home->kv = home;
    static const enum hs_table tables[] = {HS_T_ROOM_LOG, HS_T_ROOM, HS_T_BODY, HS_T_JOURNAL, HS_T_MISC};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        assert_int_equal(at_hub.table[tables[i]].puts, 1);
        assert_int_equal(at_home.table[tables[i]].puts, 1);
    }
    assert_int_equal(at_home.table[HS_T_REGISTER].puts, 1);
    assert_int_equal(puts_of(&at_hub), 5);
    assert_int_equal(puts_of(&at_home), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives_are_made_again), cmocka_unit_test(what_is_damaged_is_told),
        cmocka_unit_test(cursors_are_written_later),   cmocka_unit_test(cursors_beyond_the_end),
        cmocka_unit_test(what_a_post_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

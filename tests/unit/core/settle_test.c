/* Settlement at the hub: what counts, what decides, and that a void commit leaves nothing. Where a world
 * ends, its stores are made again from their records, these ones among them. */
#include "settle_scene.h"

#include "core/records/table.h"
#include "wire/unpack.h"

#include <stdio.h>

/* Nobody else is there to ask. ROOM-64, DELIVERY-50 */
static void alone(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_disconnect(s.alice);
    world_disconnect(s.bob);
    uint64_t seq = s.room->tip.next_seq;
    assert_ok(commit(s.room));
    assert_ok(commit(s.room));
    assert_int_equal(s.room->tip.next_seq, seq + 4); /* each with what settles it */
    assert_false(is_unsettled(s.room));
}

/* DELIVERY-50, DELIVERY-51 */
static void until_then(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *carol = world_customer(s.node, "carol");
    struct world_room *carols = wait_for(carol, &s.invite);
    Hanse__Frame *answer;
    assert_ok(world_admit(s.room));
    assert_true(is_unsettled(s.room));
    uint64_t newer = epoch(s.room);
    /* the newcomer isn't in yet, a post of the new epoch is taken, another commit isn't */
    assert_false(carols->joined);
    assert_ok(world_ask(carol, world_join_frame(carols, world_join_body(carols, &s.invite)), &answer) ==
                      HS_ERR_CONFLICT
                  ? HS_OK
                  : HS_ERR_UNEXPECTED);
    assert_ok(world_post(s.room, "early", NULL));
    assert_err(commit(s.alices), HS_ERR_UNSETTLED);
    assert_err(commit(s.room), HS_ERR_UNSETTLED);
    struct world_commit again;
    world_commit_update(s.room, &again);
    assert_err(world_ask(s.owner, world_commit_frame(s.room, &again), &answer), HS_ERR_UNSETTLED);
    hs_mls_group_drop(s.room->group);
    assert_int_equal(answer->error->retry_after_ms, 1000);
    world_settle(w);
    assert_ok(say(s.alices, HS_OK));
    assert_false(is_unsettled(s.room));
    assert_true(carols->joined);
    assert_int_equal(epoch(carols), newer);
    assert_string_equal(carols->posts[0], "early");
    s.alice->silent = false;
    carol->silent = true;
    assert_ok(commit(s.alices));
}

/* Half of those connected, whoever they are; the committer's own word and a second one don't count. ROOM-63,
 * ROOM-64, DELIVERY-52 */
static void counting(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *carol = world_customer(s.node, "carol");
    s.alice->silent = false;
    struct world_room *carols = world_join(carol, s.room, &s.invite);
    s.alice->silent = carol->silent = true;
    assert_ok(commit(s.alices)); /* Rosa, Bob and Carol are asked */
    assert_err(say(s.alices, HS_OK), HS_ERR_NOT_MEMBER);
    assert_ok(say(s.bobs, HS_OK));
    assert_ok(say(s.bobs, HS_ERR_DECRYPT)); /* the first one counts */
    assert_true(is_unsettled(s.alices));
    struct world_room posing = *s.bobs;
    posing.persona = s.alices->persona;
    assert_err(say(&posing, HS_OK), HS_ERR_WRONG_SENDER);
    assert_ok(say(carols, HS_OK));
    assert_false(is_unsettled(s.alices));
    assert_ok(say(s.room, HS_OK)); /* too late, and nothing happens */
    /* Rosa owns the room: hers alone is enough */
    assert_ok(commit(s.alices));
    assert_true(is_unsettled(s.bobs));
    assert_ok(say(s.room, HS_OK));
    assert_false(is_unsettled(s.bobs));
    /* ... but not where somebody says that it is bad */
    assert_ok(commit(s.alices));
    assert_ok(say(s.bobs, HS_ERR_DECRYPT));
    assert_ok(say(s.room, HS_OK));
    assert_true(is_unsettled(s.bobs));
    assert_ok(say(carols, HS_OK)); /* two of three, and more than one */
    assert_false(is_unsettled(s.bobs));
}

/* Who says nothing isn't waited for. DELIVERY-53 */
static void nobody_says_anything(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(commit(s.room));
    world_pass(w, HS_SETTLE_VOID_MS - 1);
    world_settle(w);
    assert_true(is_unsettled(s.bobs));
    world_pass(w, 1);
    world_settle(w);
    assert_false(is_unsettled(s.bobs));
    assert_int_equal(epoch(s.bobs), epoch(s.room));
}

/* The store but for logs, journal and bars: what views a room has. */
static struct hs_id views(struct world_node *node)
{
    static const unsigned tables[] = {HS_T_ROOM, HS_T_GROUP,  HS_T_MEMBER,   HS_T_SUBSCRIPTION,
                                      HS_T_JOIN, HS_T_INVITE, HS_T_UNSETTLED};
    struct hs_arena HS_ARENA arena = hs_arena(64 << 20);
    struct hs_writer HS_WRITER w = hs_writer(64 << 20);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct hs_kv_key from = {0};
        struct hs_bytes key, value;
        while (hs_kv_next(node->kv, tables[i], (struct hs_bytes){0}, hs_kv_key_bytes(&from), &arena, &key,
                          &value)) {
            from = hs_kv_after(key);
            if (tables[i] == HS_T_ROOM) {
                Hanse__State__RoomView *view;
                assert_ok(HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, &arena, &view));
                view->next_seq = view->log_bytes = view->voids = 0; /* what a void commit does leave */
                view->hub_time_ms = 0;
                view->hash = (ProtobufCBinaryData){0};
                value = world_pack(node->world, &view->base);
            }
            hs_write_mls_vec(&w, key);
            hs_write_mls_vec(&w, value);
        }
    }
    assert_ok(w.err);
    return hs_record_body_hash(hs_writer_bytes(&w));
}

/* A commit that admits and removes, and nothing is left of it. ROOM-65, ROOM-66, DELIVERY-51, DELIVERY-53,
 * DELIVERY-2 */
static void void_leaves_nothing(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *carol = world_customer(s.node, "carol");
    struct world_room *carols = wait_for(carol, &s.invite);
    struct world_commit c;
    Hanse__Frame *frame, *first, *again;
    const uint64_t before = epoch(s.alices);
    s.alice->no_cursors = s.bob->no_cursors = s.owner->no_cursors = carol->no_cursors = true;
    struct hs_id was = views(s.node), now;
    world_commit_admit(s.room, &c);
    frame = world_commit_frame(s.room, &c);
    assert_ok(world_ask(s.owner, frame, &first));
    world_settle(w);
    assert_ok(say(s.alices, HS_ERR_MLS_CONFIRMATION));
    world_pass(w, HS_SETTLE_VOID_MS - 1);
    world_settle(w);
    assert_true(is_unsettled(s.alices));
    world_pass(w, 1);
    world_settle(w);
    assert_int_equal(epoch(s.alices), before);
    assert_int_equal(epoch(s.room), before);
    assert_false(carols->joined);
    assert_int_equal(carol->item_count, 0); /* no Welcome */
    now = views(s.node);
    assert_memory_equal(was.b, now.b, sizeof now.b);
    /* the bytes are known, and never taken again */
    frame = world_commit_frame(s.room, &c);
    assert_ok(world_ask(s.owner, frame, &again));
    assert_int_equal(first->accepted->seq, again->accepted->seq);
    assert_int_equal(epoch(s.alices), before);
    /* Rosa is barred; she may remove, and nothing else */
    assert_err(world_admit(s.room), HS_ERR_DENIED);
    hs_mls_group_drop(s.room->group);
    assert_err(commit(s.room), HS_ERR_DENIED);
    assert_ok(world_remove(s.room, s.alices));
    assert_ok(say(s.bobs, HS_OK));
    assert_true(hs_mls_group_is_removed(s.alices->group));
    /* the others go on, and an hour later so does she */
    s.bob->silent = false;
    assert_ok(commit(s.bobs));
    assert_ok(say(s.room, HS_OK));
    assert_err(world_admit(s.room), HS_ERR_DENIED);
    hs_mls_group_drop(s.room->group);
    world_pass(w, HS_SETTLE_BAR_MS);
    assert_ok(world_admit(s.room));
    assert_true(carols->joined);
}

/* The removed one's verdict isn't asked for: it can't keep itself in. ROOM-63 */
static void removed_has_no_say(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(world_remove(s.room, s.alices));
    assert_err(say(s.alices, HS_ERR_DECRYPT), HS_ERR_NOT_MEMBER);
    assert_true(is_unsettled(s.bobs));
    assert_ok(say(s.bobs, HS_OK));
    assert_false(is_unsettled(s.bobs));
}

/* Posts of the epochs before come in as before, once the commit is void. DELIVERY-5, DELIVERY-53 */
static void window_comes_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes old = world_protect(s.bobs, "old");
    s.alice->silent = false;
    assert_ok(commit(s.room));
    s.alice->silent = true;
    assert_ok(world_remove(s.room, s.alices)); /* closes the window */
    assert_true(is_unsettled(s.room));
    assert_err(world_ask(s.bob, world_post_frame(s.bobs, old), NULL), HS_ERR_EPOCH_TOO_OLD);
    assert_ok(say(s.bobs, HS_ERR_DECRYPT));
    world_pass(w, HS_SETTLE_VOID_MS);
    world_settle(w);
    assert_false(is_unsettled(s.bobs));
    (void)snprintf(s.bobs->sent[s.bobs->sent_count++], sizeof s.bobs->sent[0], "old");
    assert_ok(world_ask(s.bob, world_post_frame(s.bobs, old), NULL));
    world_settle(w);
    assert_string_equal(s.alices->posts[0], "old");
}

/* The votes are gone with the process; time begins anew, and members say it again. DELIVERY-52 */
static void restart(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(commit(s.room));
    assert_ok(say(s.alices, HS_ERR_DECRYPT));
    world_pass(w, HS_SETTLE_VOID_MS - 1);
    world_node_restart(s.node);
    struct world_device *all[] = {s.owner, s.alice, s.bob};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(world_connect(all[i], NULL));
        world_attach(all[i]);
    }
    world_pass(w, 1);
    world_settle(w);
    assert_true(is_unsettled(s.bobs));
    assert_ok(say(s.alices, HS_ERR_DECRYPT));
    world_pass(w, HS_SETTLE_VOID_MS);
    world_settle(w);
    assert_false(is_unsettled(s.bobs));
    assert_int_equal(epoch(s.bobs), 2);
}

/* DELIVERY-53: strangers can't use up what MLS takes back. */
static void many_voids(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    s.alice->doubts = HS_ERR_DECRYPT;
    s.alice->silent = false;
    for (int i = 0; i < 16; i++) {
        assert_ok(commit(s.bobs));
        world_pass(w, HS_SETTLE_VOID_MS);
        world_settle(w);
        assert_err(commit(s.bobs), HS_ERR_DENIED);
        world_pass(w, HS_SETTLE_BAR_MS);
    }
    assert_err(commit(s.bobs), HS_ERR_POLICY);
    assert_int_equal(epoch(s.bobs), 2);
    s.alice->doubts = HS_OK;
    assert_ok(commit(s.room));
    s.alice->silent = true;
    assert_false(is_unsettled(s.room));
    assert_ok(commit(s.bobs));
}

/* At another brand's node: verdicts come through it, and it says who is there. DELIVERY-52, FED-3 */
static void at_a_follower(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example"), *home = world_node_new(w, "home.example");
    struct world_device *owner = world_staff(hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(home, "alice"), *bob = world_customer(home, "bob");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 10);
    struct world_room *alices = world_join(alice, room, &invite), *bobs = world_join(bob, room, &invite);
    alice->silent = bob->silent = true;
    assert_ok(commit(room));
    assert_true(is_unsettled(room));
    assert_true(is_unsettled(bobs));
    assert_ok(say(alices, HS_OK));
    assert_false(is_unsettled(room));
    assert_false(is_unsettled(bobs));
    /* one of them is offline, and the node says so: nobody waits for it */
    world_disconnect(bob);
    assert_ok(commit(room));
    assert_ok(say(alices, HS_OK));
    assert_false(is_unsettled(room));
    world_disconnect(alice);
    assert_ok(commit(room));
    assert_false(is_unsettled(room));
    /* one's own node asks for nobody else */
    struct world_device *forger = world_customer(home, "eve");
    struct world_room posing = *alices;
    posing.device = forger;
    assert_err(say(&posing, HS_OK), HS_ERR_WRONG_SENDER);
    /* bad, over there */
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    assert_ok(commit(room));
    assert_ok(say(alices, HS_ERR_DECRYPT));
    world_pass(w, HS_SETTLE_VOID_MS);
    world_settle(w);
    assert_false(is_unsettled(room));
    assert_int_equal(epoch(room), epoch(alices));
    assert_err(commit(room), HS_ERR_DENIED);
}

/* Rosa's rooms, each with a commit of which Alice says nothing. */
static void many_new(struct scene *s, struct world_room **rooms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rooms[i] = world_room_new(s->owner, "one of many");
        struct world_invite invite = world_invite(rooms[i], 2);
        s->alice->silent = false;
        (void)world_join(s->alice, rooms[i], &invite);
    }
    s->alice->silent = true;
    for (size_t i = 0; i < count; i++) {
        assert_ok(commit(rooms[i]));
        assert_true(is_unsettled(rooms[i]));
    }
}

static size_t count_unsettled(struct world_room **rooms, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += is_unsettled(rooms[i]);
    return n;
}

/* DELIVERY-53: rooms that are due at once don't share a turn's memory, nor all of them a turn. */
static void many_are_due(void **state)
{
    (void)state;
    enum { MANY = HS_SETTLE_ROOMS + 3 };
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *rooms[MANY];
    many_new(&s, rooms, MANY);
    w->now.ms += HS_SETTLE_VOID_MS;
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    struct hs_turn turn = {
        .core = s.node->core, .kv = s.node->kv, .now = w->now, .arena = &arena, .effects = &s.node->effects};
    hs_settle_tick(&turn);
    assert_ok(s.node->kv->err);
    assert_int_equal(arena.used, 0);
    world_settle(w);
    world_run(w);
    (void)world_post(rooms[0], "what was written goes out with what comes next", NULL);
    world_settle(w);
    assert_int_equal(count_unsettled(rooms, MANY), MANY - HS_SETTLE_ROOMS);
    assert_true(hs_core_deadline(s.node->core).ms <= w->now.ms);
    world_pass(w, 1);
    assert_int_equal(count_unsettled(rooms, MANY), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),
        cmocka_unit_test(until_then),
        cmocka_unit_test(counting),
        cmocka_unit_test(nobody_says_anything),
        cmocka_unit_test(void_leaves_nothing),
        cmocka_unit_test(removed_has_no_say),
        cmocka_unit_test(window_comes_back),
        cmocka_unit_test(restart),
        cmocka_unit_test(many_voids),
        cmocka_unit_test(at_a_follower),
        cmocka_unit_test(many_are_due),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

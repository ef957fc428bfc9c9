/* Ephemeral traffic through nodes: to whoever is there, within bounds, and nothing of it in any store.
 * ROOM-70 */
#include "world.h"

#include "room/ephemeral.h"
#include "wire/unpack.h"

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob, *carol, *eve;
    struct world_room *room, *alices, *bobs;
};

/* Bob is at home with another brand; Eve isn't a member. */
static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.hub, "alice");
    s.bob = world_customer(s.home, "bob");
    s.carol = world_customer(s.home, "carol");
    s.eve = world_customer(s.hub, "eve");
    s.room = world_room_new(s.owner, "launch");
    struct world_invite invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &invite);
    s.bobs = world_join(s.bob, s.room, &invite);
    (void)world_join(s.carol, s.room, &invite);
    return s;
}

static const char canary[] = "an ephemeral message that nobody must find again";

static void send(struct world_device *by, const struct world_room *as, uint64_t epoch, size_t len)
{
    struct world *w = by->world;
    static uint8_t sealed[HS_EPHEMERAL_MAX + 1];
    Hanse__Frame *frame = world_frame(w);
    memcpy(sealed, canary, sizeof canary);
    frame->ephemeral = WORLD_NEW(w, Hanse__Ephemeral, hanse__ephemeral);
    frame->body_case = HANSE__FRAME__BODY_EPHEMERAL;
    frame->ephemeral->room = hs_pb_data(HS_VIEW(as->id));
    frame->ephemeral->persona = hs_pb_data(HS_VIEW(as->persona->signer.pub));
    frame->ephemeral->epoch = epoch;
    frame->ephemeral->sealed = hs_pb_data(hs_bytes(sealed, len));
    world_send(w, by->session, world_pack(w, &frame->base));
    world_settle(w);
}

/* How many came to d since the last call. */
static size_t got(struct world_device *d)
{
    static size_t seen[WORLD_DEVICES];
    size_t which = (size_t)(d - d->world->devices), count = 0;
    for (size_t i = seen[which] <= d->rx_len ? seen[which] : 0; i < d->rx_len; i++) {
        Hanse__Frame *frame;
        assert_ok(HS_UNPACK(hanse__frame, d->rx[i], HS_LENIENT, &d->world->arena, &frame));
        count += frame->body_case == HANSE__FRAME__BODY_EPHEMERAL;
        assert_int_not_equal(frame->body_case, HANSE__FRAME__BODY_ERROR);
    }
    seen[which] = d->rx_len;
    return count;
}

static void nobody_got_it(struct scene *s)
{
    assert_int_equal(got(s->owner) + got(s->alice) + got(s->bob) + got(s->eve), 0);
}

static void in_store(struct world_node *node)
{
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_kv_key from = {0};
        struct hs_arena HS_ARENA arena = hs_arena(64 << 20);
        struct hs_bytes key, value;
        while (
            hs_kv_next(node->kv, table, (struct hs_bytes){0}, hs_kv_key_bytes(&from), &arena, &key, &value)) {
            assert_true(value.len < sizeof canary - 1 ||
                        memmem(value.data, value.len, canary, sizeof canary - 1) == NULL);
            from = hs_kv_after(key);
        }
    }
}

/* Everybody who reads the room but its sender gets it, wherever they are; no store changes. */
static void to_all_who_are_there(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const uint64_t epoch = hs_mls_group_epoch(s.room->group);
    (void)got(s.owner), (void)got(s.alice), (void)got(s.bob), (void)got(s.eve), (void)got(s.carol);
    struct hs_id hub = world_store_hash(s.hub), home = world_store_hash(s.home), now;
    send(s.alice, s.alices, epoch, sizeof canary);
    assert_int_equal(got(s.owner), 1);
    assert_int_equal(got(s.bob), 1);
    assert_int_equal(got(s.alice) + got(s.eve), 0);
    send(s.bob, s.bobs, epoch, sizeof canary);
    assert_int_equal(got(s.owner), 1);
    assert_int_equal(got(s.alice), 1);
    assert_int_equal(got(s.bob) + got(s.eve), 0);
    assert_int_equal(got(s.carol), 2); /* at the same node as Bob */
    now = world_store_hash(s.hub);
    assert_memory_equal(hub.b, now.b, sizeof now.b);
    now = world_store_hash(s.home);
    assert_memory_equal(home.b, now.b, sizeof now.b);
    in_store(s.hub);
    in_store(s.home);
    /* who comes later gets nothing of it */
    world_disconnect(s.bob);
    send(s.alice, s.alices, epoch, sizeof canary);
    assert_int_equal(got(s.owner), 1);
    assert_ok(world_connect(s.bob, NULL));
    world_attach(s.bob);
    assert_int_equal(got(s.bob), 0);
}

static void what_is_dropped(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const uint64_t epoch = hs_mls_group_epoch(s.room->group);
    (void)got(s.owner), (void)got(s.alice), (void)got(s.bob), (void)got(s.eve), (void)got(s.carol);
    send(s.alice, s.alices, epoch, HS_EPHEMERAL_MAX);
    assert_int_equal(got(s.bob), 1);
    (void)got(s.owner), (void)got(s.alice);
    send(s.alice, s.alices, epoch, HS_EPHEMERAL_MAX + 1);
    nobody_got_it(&s);
    send(s.alice, s.alices, epoch, 0);
    nobody_got_it(&s);
    send(s.alice, s.alices, epoch - 1, sizeof canary);
    nobody_got_it(&s);
    send(s.eve, s.alices, epoch, sizeof canary); /* in another's name */
    nobody_got_it(&s);
    struct world_room eves = *s.alices;
    eves.persona = world_persona(s.eve, &s.hub->root.pub);
    send(s.eve, &eves, epoch, sizeof canary); /* no member */
    nobody_got_it(&s);
    /* where a session can take little, records come first */
    s.owner->stalled = true;
    send(s.bob, s.bobs, epoch, sizeof canary);
    assert_int_equal(got(s.alice), 1);
}

/* A burst, then two a second. */
static void how_often(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const uint64_t epoch = hs_mls_group_epoch(s.room->group);
    (void)got(s.bob);
    for (int i = 0; i < 20; i++)
        send(s.alice, s.alices, epoch, sizeof canary);
    assert_int_equal(got(s.bob), 8);
    world_pass(w, 1000);
    for (int i = 0; i < 20; i++)
        send(s.alice, s.alices, epoch, sizeof canary);
    assert_int_equal(got(s.bob), 2);
    world_pass(w, 60000);
    for (int i = 0; i < 20; i++)
        send(s.alice, s.alices, epoch, sizeof canary);
    assert_int_equal(got(s.bob), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(to_all_who_are_there),
        cmocka_unit_test(what_is_dropped),
        cmocka_unit_test(how_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

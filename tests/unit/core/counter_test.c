/* OpenCounter: a customer asks, the till makes the room. */
#include "world.h"

#include "wire/limits.h"

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *till, *alice;
    struct world_room *room, *alices;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w, bool remote)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_STAFF);
    s.alice = world_customer(remote ? s.home : s.hub, "alice");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    return s;
}

/* A room that isn't there yet, with a key package for it. */
static struct world_room *wish(struct scene *s, struct world_device *d)
{
    struct world_invite none = {.hub = s->hub};
    return world_room_join(d, &none);
}

static Hanse__Frame *open_frame(struct scene *s, struct world_room *counter)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->open_counter = WORLD_NEW(s->w, Hanse__OpenCounter, hanse__open_counter);
    frame->body_case = HANSE__FRAME__BODY_OPEN_COUNTER;
    frame->open_counter->persona = hs_pb_data(HS_VIEW(counter->persona->signer.pub));
    frame->open_counter->room = hs_pb_data(HS_VIEW(s->room->id));
    frame->open_counter->key_package = hs_pb_data(counter->key_package);
    return frame;
}

static const Hanse__CounterItem *asked(struct world_device *till)
{
    assert_int_not_equal(till->item_count, 0);
    const Hanse__InboxItem *item = till->items[till->item_count - 1];
    assert_int_equal(item->body_case, HANSE__INBOX_ITEM__BODY_COUNTER);
    return item->counter;
}

static struct world_room *make_counter(struct scene *s, struct hs_bytes key_package)
{
    struct hs_policy_role role;
    struct world_room *room;
    struct world_commit c;
    struct hs_policy policy = world_policy(s->till, "counter", &role);
    policy.kind = HS_ROOM_COUNTER;
    assert_ok(world_ask(s->till, world_create_frame(s->till, &policy, &room), NULL));
    room->joined = true;
    world_attach(s->till);
    world_commit_add(room, key_package, &c);
    assert_ok(world_ask(s->till, world_commit_frame(room, &c), NULL));
    world_settle(s->w);
    return room;
}

static void counter_opens(bool remote)
{
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, remote);
    struct world_room *counter = wish(&s, s.alice);
    assert_err(world_ask_hub(s.alice, s.hub, open_frame(&s, counter), NULL), HS_ERR_NOT_FOUND); /* no till */
    s.till = world_staff(s.hub, "till", HANSE__ROLE__ROLE_TILL);
    assert_ok(world_ask_hub(s.alice, s.hub, open_frame(&s, counter), NULL));
    struct hs_id before = world_store_hash(s.hub);
    assert_ok(world_ask_hub(s.alice, s.hub, open_frame(&s, counter), NULL)); /* once */
    struct hs_id after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
    world_settle(w);
    assert_int_equal(s.till->item_count, 1);
    assert_bytes(hs_pb_bytes(asked(s.till)->persona), HS_VIEW(counter->persona->signer.pub));
    assert_bytes(hs_pb_bytes(asked(s.till)->home_root), HS_VIEW(s.alice->node->root.pub));
    struct world_room *tills = make_counter(&s, hs_pb_bytes(asked(s.till)->key_package));
    assert_true(counter->joined);
    assert_ok(world_post(tills, "what may it be?", NULL));
    world_settle(w);
    assert_ok(world_post(counter, "tulips", NULL));
    world_settle(w);
    assert_string_equal(counter->posts[0], "what may it be?");
    assert_string_equal(tills->posts[1], "tulips");
}

static void counter_opens_at_home(void **state)
{
    (void)state;
    counter_opens(false);
}

static void counter_opens_from_afar(void **state)
{
    (void)state;
    counter_opens(true);
}

/* FED-20 */
static void counter_is_for_members(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    s.till = world_staff(s.hub, "till", HANSE__ROLE__ROLE_TILL);
    struct world_device *bob = world_customer(s.hub, "bob");
    struct world_room *bobs = wish(&s, bob), *alices = wish(&s, s.alice);
    assert_err(world_ask(bob, open_frame(&s, bobs), NULL), HS_ERR_NOT_MEMBER);
    assert_err(world_ask(bob, open_frame(&s, alices), NULL), HS_ERR_WRONG_SENDER);
    /* a key package of another */
    struct world_room mixed = *alices;
    mixed.key_package = bobs->key_package;
    assert_err(world_ask(s.alice, open_frame(&s, &mixed), NULL), HS_ERR_WRONG_SENDER);
    mixed.key_package = hs_bytes_str("nonsense");
    assert_int_not_equal(world_ask(s.alice, open_frame(&s, &mixed), NULL), HS_OK);
    assert_int_equal(s.till->item_count, 0);
}

/* FED-20: a customer can't fill the till's inbox: one wish at a time, each of a size that fits a frame. */
static void wishes_are_limited(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    s.till = world_staff(s.hub, "till", HANSE__ROLE__ROLE_TILL);
    struct world_room *large = wish(&s, s.alice);
    large->key_package.data = hs_arena_alloc(&w->arena, HS_BLOB_THRESHOLD + 1);
    large->key_package.len = HS_BLOB_THRESHOLD + 1;
    assert_err(world_ask(s.alice, open_frame(&s, large), NULL), HS_ERR_TOO_LARGE);
    assert_ok(world_ask(s.alice, open_frame(&s, wish(&s, s.alice)), NULL));
    assert_err(world_ask(s.alice, open_frame(&s, wish(&s, s.alice)), NULL), HS_ERR_RATE_LIMITED);
    w->now.ms += 10000 - 1;
    assert_err(world_ask(s.alice, open_frame(&s, wish(&s, s.alice)), NULL), HS_ERR_RATE_LIMITED);
    w->now.ms += 1;
    assert_ok(world_ask(s.alice, open_frame(&s, wish(&s, s.alice)), NULL));
    world_settle(w);
    assert_int_equal(s.till->item_count, 2);
}

/* FED-20: owners have every role, but a brand's till comes first; of several tills the one that is connected.
 */
static void tills_come_first(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    struct world_device *owners[4], *tills[4];
    for (size_t i = 0; i < 4; i++)
        owners[i] = world_staff(s.hub, "owner", HANSE__ROLE__ROLE_OWNER);
    for (size_t i = 0; i < 4; i++)
        tills[i] = world_staff(s.hub, "till", HANSE__ROLE__ROLE_TILL);
    for (size_t i = 0; i < 4; i++)
        world_disconnect(tills[i]);
    for (size_t i = 0; i < 4; i++) { /* which key is the smallest is chance: each must be found */
        assert_ok(world_connect(tills[i], NULL));
        world_attach(tills[i]);
        assert_ok(world_ask(s.alice, open_frame(&s, wish(&s, s.alice)), NULL));
        world_settle(w);
        assert_int_equal(tills[i]->item_count, 1);
        world_disconnect(tills[i]);
        w->now.ms += 10000;
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(owners[i]->item_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_opens_at_home),  cmocka_unit_test(counter_opens_from_afar),
        cmocka_unit_test(counter_is_for_members), cmocka_unit_test(wishes_are_limited),
        cmocka_unit_test(tills_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

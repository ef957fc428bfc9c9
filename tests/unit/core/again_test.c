/* A round that finds no space is undone and carried out again, one input at a time: what the core remembers
 * of the first attempt must not stand in the way of the second. */
#include "world.h"

#include "core/federation/peer.h"

#include <stdio.h>

static void post_many(struct world_room *room, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_ok(world_post(room, text, NULL));
    }
}

static void has_exactly(struct world_room *room, size_t count)
{
    assert_int_equal(room->post_count, count);
    for (size_t i = 0; i < count; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_string_equal(room->posts[i], text);
    }
}

static void one_node(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    node->redo = WORLD_REDO_ALL;
    struct world_device *owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(node, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    post_many(room, 5);
    world_settle(w);
    has_exactly(alices, 5);
    world_disconnect(alice);
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    assert_ok(world_update(alices));
    assert_ok(world_remove(room, alices));
    assert_true(hs_mls_group_is_removed(alices->group));
    world_disconnect(alice);
    world_disconnect(owner);
    assert_int_equal(hs_core_stats(node->core).sessions, 0);
}

static void hub_and_home(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example"), *home = world_node_new(w, "home.example");
    struct world_device *owner = world_staff(hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(home, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    hub->redo = WORLD_REDO_ALL;
    struct world_room *alices = world_join(alice, room, &invite);
    home->redo = WORLD_REDO_ALL;
    post_many(alices, 5); /* what would have gone out to the hub is lost */
    home->redo = 0;
    has_exactly(room, 0);
    for (int i = 0; i < 5; i++)
        world_pass(w, HS_POST_MS / 2);
    has_exactly(room, 5);
    has_exactly(alices, 5);
    world_node_restart(home);
    home->redo = WORLD_REDO_ALL;
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    world_pass(w, 1000); /* a dial is lost */
    home->redo = 0;
    for (int i = 0; i < 5; i++)
        world_pass(w, HS_DIAL_MS / 2);
    assert_true(world_are_linked(home, hub));
    home->redo = WORLD_REDO_ALL;
    assert_ok(world_post(room, "5", NULL));
    world_settle(w);
    home->redo = 0;
    world_pass(w, 0);
    has_exactly(alices, 6);
}

/* A session is opened, greeted and attached although each of its inputs is carried out twice. */
static void greeting(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example"), *home = world_node_new(w, "home.example");
    struct world_device *owner = world_staff(hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(home, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    hub->down = true;
    world_node_restart(home);
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    post_many(alices, 5);
    hub->down = false;
    hub->redo = home->redo = WORLD_REDO(HS_INPUT_OPEN) | WORLD_REDO(HS_INPUT_FRAME);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_int_equal(hub->closed + home->closed, 0);
    assert_int_equal(hs_core_stats(home->core).sessions, 2); /* Alice's and the hub's */
    has_exactly(room, 5);
    has_exactly(alices, 5);
}

/* A lost answer to a JOIN: asked again, it is followed for good. */
static void following_is_durable(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example"), *home = world_node_new(w, "home.example");
    struct world_device *owner = world_staff(hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(home, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    assert_ok(world_bind(alice, hub));
    struct world_room *alices = world_room_join(alice, &invite);
    struct hs_bytes body = world_join_body(alices, &invite);
    home->redo = WORLD_REDO_ALL;
    assert_err(world_forward(alice, hub, world_join_frame(alices, body), NULL), HS_ERR_TIMEOUT);
    world_pass(w, HS_DIAL_MS);
    for (int i = 0; i < 5; i++)
        world_pass(w, 1000);
    home->redo = 0;
    assert_ok(world_forward(alice, hub, world_join_frame(alices, body), NULL));
    world_node_restart(home);
    world_pass(w, 1000);
    assert_true(world_are_linked(home, hub));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_node),
        cmocka_unit_test(hub_and_home),
        cmocka_unit_test(greeting),
        cmocka_unit_test(following_is_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Memory runs out at every allocation of every input of some stories. The core says so and the transaction is
 * aborted, or the asker is told, or it didn't matter: what was answered well is in the store, and the same
 * input carried out again comes out as ever. (NODE-9, DELIVERY-1, DELIVERY-3) */
#include "scarce.h"

#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/layout.h"
#include "core/recovery/recover.h"
#include "peer_world.h"

#include <stdio.h>
#include <stdlib.h>

static struct world *scarce_world(void)
{
    struct world *w = world_new();
    w->before_step = scarce_sweep;
    return w;
}

static void one_node(void **state)
{
    (void)state;
    struct world HS_WORLD *w = scarce_world();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(node, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    assert_ok(world_post(room, "0", NULL));
    assert_ok(world_post(alices, "1", NULL));
    world_settle(w);
    assert_int_equal(alices->post_count, 2);
    world_disconnect(alice);
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    assert_ok(world_update(alices));
    assert_ok(world_remove(room, alices));
    world_disconnect(owner);
    world_pass(w, 5000);
    scarce_report();
}

/* What an attempt that is undone would have sent to the hub is lost, and asked again after a while. */
static void hub_and_home(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example"), *home = world_node_new(w, "home.example");
    struct world_device *owner = world_staff(hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(home, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    w->before_step = scarce_sweep;
    assert_ok(world_post(alices, "0", NULL));
    assert_ok(world_post(room, "1", NULL));
    world_pass(w, 1000);
    w->before_step = NULL;
    for (int i = 0; i < 5; i++)
        world_pass(w, HS_POST_MS / 2);
    assert_int_equal(room->post_count, 2);
    assert_int_equal(alices->post_count, 2);
    world_node_restart(home);
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    w->before_step = scarce_sweep;
    world_pass(w, 1000);
    assert_ok(world_post(room, "2", NULL));
    world_settle(w);
    w->before_step = NULL;
    for (int i = 0; i < 5; i++)
        world_pass(w, HS_POST_MS / 2);
    assert_int_equal(alices->post_count, 3);
    scarce_report();
}

/* A core that starts without memory knows whom it follows once there is some. */
static void a_start_without_memory(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example"), *home = world_node_new(w, "home.example");
    struct world_device *owner = world_staff(hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(home, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    w->before_step = scarce_sweep;
    world_node_restart(home); /* its first step reads whom it follows */
    w->before_step = NULL;
    for (int i = 0; i < 5; i++)
        world_pass(w, HS_DIAL_MS);
    assert_true(world_are_linked(home, hub));
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    assert_ok(world_post(room, "0", NULL));
    world_settle(w);
    assert_int_equal(alices->post_count, 1);
}

enum hs_err __real_hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                                struct hs_effects *effects, bool *more);
enum hs_err __wrap_hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                                struct hs_effects *effects, bool *more);

static size_t pump_fails_at; /* at that allocation; 0: never */
static bool pump_hit, pump_ended;

/* Where the pump fails the process ends: nothing that it has found goes out. */
enum hs_err __wrap_hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                                struct hs_effects *effects, bool *more)
{
    bool here = pump_fails_at > 0 && !pump_hit;
    scarce_hits = 0;
    scarce_in = here ? pump_fails_at : 0;
    enum hs_err err = __real_hs_core_pump(core, txn, now, effects, more);
    scarce_in = 0;
    pump_hit = pump_hit || scarce_hits > 0;
    assert_true(err == HS_OK || (scarce_hits > 0 && err == HS_ERR_NOMEM));
    if (err == HS_OK)
        return HS_OK;
    pump_ended = true;
    *more = false;
    txn->err = HS_OK;
    hs_effects_reset(effects);
    return HS_OK;
}

/* DELIVERY-7: a delivery that finds no memory is made, or the process ends and it is made later; no record is
 * passed over in silence. */
static void deliveries_without_memory(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(node, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    size_t posts = 0, ended = 0;
    for (pump_hit = true; pump_hit;) {
        pump_hit = pump_ended = false;
        pump_fails_at = posts + 1;
        Hanse__Frame *frame = world_post_frame(room, world_protect(room, "x"));
        strcpy(room->sent[room->sent_count++], "x");
        enum hs_err err = world_ask(owner, frame, NULL);
        pump_fails_at = 0;
        posts++;
        ended += pump_ended ? 1 : 0;
        assert_true(err == HS_OK || pump_ended);
        if (pump_ended) {
            world_node_restart(node);
            assert_ok(world_connect(owner, NULL));
            world_attach(owner);
            assert_ok(world_connect(alice, NULL));
            world_attach(alice);
        }
        world_settle(w);
        assert_int_equal(alices->post_count, posts);
    }
    printf("%zu allocations of a delivery, %zu ends\n", posts - 1, ended);
    assert_true(posts > 2);
}

/* ROOM-96: a restored node that finds no memory to see when that was founds the room where it is asked again.
 */
static void a_room_on_a_restored_node(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *owner = NULL;
    struct hs_turn *turn = raw_turn_begin(node);
    hs_restored_record(turn, 3);
    assert_ok(hs_recover_resume(turn, NULL));
    raw_turn_end(turn);
    w->forged = false; /* it was a record */
    world_pass(w, 1000);
    scarce_met = true;
    for (scarce_at = 1; scarce_met; scarce_at++) {
        struct hs_policy_role role;
        struct world_room *room;
        if ((scarce_at - 1) % WORLD_ROOMS == 0)
            owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
        struct hs_policy policy = world_policy(owner, "launch", &role);
        Hanse__Frame *frame = world_create_frame(owner, &policy, &room);
        node->core->restored_at = (struct hs_time){0}; /* as after a start */
        scarce_met = false;
        w->before_step = scarce_once;
        enum hs_err err = world_ask(owner, frame, NULL);
        w->before_step = NULL;
        if (err != HS_OK)
            fail_msg("without allocation %zu: %s", scarce_at, hs_err_name(err));
    }
    printf("%zu allocations of a room on a restored node\n", scarce_at - 2);
    assert_true(scarce_at > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_node),
        cmocka_unit_test(hub_and_home),
        cmocka_unit_test(a_start_without_memory),
        cmocka_unit_test(deliveries_without_memory),
        cmocka_unit_test(a_room_on_a_restored_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

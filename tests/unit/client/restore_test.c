/* A node that comes back from a backup, and the clients that bring back what it has lost; or that come too
 * late, and prove that it went on without. */
#include "hostile.h"

#include "store/tail.h"

static void post(struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
}

/* renews: the node has had keys meanwhile that it doesn't know any more. */
static void clients_bring_it_back(bool renews)
{
    struct hostile c = hostile_new();
    post(c.ben, &c.room, "before");
    town_wait(c.t, 2000);
    struct hs_kv *backup = town_node_copy(c.rosa);
    if (renews)
        town_node_rotate(c.rosa);
    town_wait(c.t, 5000);
    for (int i = 0; i < 5; i++)
        post(i % 2 == 0 ? c.ben : c.alice, &c.room, "lost");
    town_wait(c.t, 2000);
    if (renews)
        town_node_rotate(c.rosa);
    town_node_restore(c.rosa, backup);
    post(c.ben, &c.room, "meanwhile"); /* waits with its sender */
    assert_true(town_node_is_frozen(c.rosa));
    town_wait(c.t, 30000);
    assert_true(town_node_is_frozen(c.rosa));
    town_wait(c.t, 60000);
    assert_false(town_node_is_frozen(c.rosa));
    post(c.alice, &c.room, "after");
    town_wait(c.t, 5000);
    const char *whole = "before\nlost\nlost\nlost\nlost\nlost\nmeanwhile\nafter\n";
    assert_string_equal(town_history(c.alice, &c.room), whole);
    assert_string_equal(town_history(c.ben, &c.room), whole);
    town_free(c.t);
}

/* FED-44, NODE-71, CLIENT-52: what two devices hold between them is all that there was. */
static void test_clients_bring_it_back(void **state)
{
    (void)state;
    clients_bring_it_back(false);
}

/* FED-82 */
static void test_clients_bring_a_key_back(void **state)
{
    (void)state;
    clients_bring_it_back(true);
}

/* NODE-71: one of two devices isn't half of more than two, and a device that comes too late has proof. */
static void test_who_comes_too_late_has_proof(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_kv *backup = town_node_copy(c.rosa);
    town_device_kill(c.alice); /* she has seen nothing of what follows */
    post(c.ben, &c.room, "lost");
    town_wait(c.t, 2000);
    town_device_kill(c.ben);
    town_node_restore(c.rosa, backup);
    town_device_start(c.alice);
    hs_sync_stay_online(c.alice->sync, true);
    town_wait(c.t, 1000);
    assert_true(town_node_is_frozen(c.rosa));
    town_node_resume(c.rosa); /* the operator doesn't wait for Ben */
    for (int i = 0; i < 3; i++) {
        post(c.alice, &c.room, "another story");
        town_wait(c.t, 3000);
    }
    town_device_start(c.ben);
    hs_sync_stay_online(c.ben->sync, true);
    town_wait(c.t, 5000);
    struct hs_room_row row = hostile_room(c.ben, &c.room);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_bytes evidence;
    assert_int_equal(row.state, HS_ROOM_STATE_FROZEN);
    assert_int_equal(row.frozen, HS_ERR_LOG_FORK);
    assert_true(hs_evidence_get(town_look(c.ben), &c.room, &arena, &evidence));
    town_looked(c.ben);
    town_free(c.t);
}

/* A customer of another brand joins after the backup was made, so the restored hub knows nothing of them. */
static struct town_device *cleo_joins(struct hostile *c)
{
    struct town_node *linn = town_node_new(c->t, "linn.example");
    struct town_device *cleo = town_device_new(c->t);
    uint64_t op;
    TOWN_WANT(cleo, hs_want_identity(&s, "Cleo"));
    TOWN_WANT(cleo, hs_want_sign_up(&s, town_ticket(linn, 0, NULL, 1), &op));
    hs_sync_stay_online(cleo->sync, true);
    town_run(c->t);
    TOWN_WANT(cleo, hs_want_join(&s, town_link(c->alice, &c->room, 5), &op));
    town_wait(c->t, 3000);
    assert_int_equal(town_event_count(cleo, HANSE_EVENT_JOINED), 1);
    return cleo;
}

/* NODE-82: a node that the hub forgot brings back what it holds; what it doesn't, somebody else does. */
static void test_a_forgotten_node(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_kv *backup = town_node_copy(c.rosa);
    struct town_device *cleo = cleo_joins(&c);
    town_device_kill(c.ben);
    town_device_kill(c.alice);
    post(cleo, &c.room, "nobody but Cleo's home has this");
    town_wait(c.t, 3000);
    town_node_restore(c.rosa, backup);
    town_device_start(c.ben);
    hs_sync_stay_online(c.ben->sync, true);
    town_device_start(c.alice);
    hs_sync_stay_online(c.alice->sync, true);
    town_wait(c.t, 180000);
    assert_false(town_node_is_frozen(c.rosa));
    post(cleo, &c.room, "still");
    town_wait(c.t, 5000);
    post(c.alice, &c.room, "after");
    town_wait(c.t, 5000);
    assert_string_equal(town_history(c.ben, &c.room), "nobody but Cleo's home has this\nstill\nafter\n");
    assert_string_equal(town_history(cleo, &c.room), "nobody but Cleo's home has this\nstill\nafter\n");
    town_free(c.t);
}

/* NODE-82: what the log gives back isn't Ben's account; but it is enough for a new one. */
static void test_a_forgotten_guest(void **state)
{
    (void)state;
    static const uint32_t owner = HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER);
    struct hostile c = {.t = town_new()};
    c.rosa = town_node_new(c.t, "rosa.example");
    c.alice = town_member_of_staff(c.rosa, "rosa", owner);
    c.room = town_room(c.alice, "VIP");
    const char *link = town_link(c.alice, &c.room, 5);
    struct hs_kv *backup = town_node_copy(c.rosa);
    c.ben = town_guest(c.t, "Ben", link);
    town_wait(c.t, 2000);
    post(c.ben, &c.room, "lost");
    town_wait(c.t, 2000);
    town_node_restore(c.rosa, backup);
    town_wait(c.t, 180000);
    assert_false(town_node_is_frozen(c.rosa));
    post(c.alice, &c.room, "after");
    town_wait(c.t, 5000);
    post(c.ben, &c.room, "still");
    town_wait(c.t, 5000);
    assert_string_equal(town_history(c.ben, &c.room), "lost\nafter\nstill\n");
    assert_string_equal(town_history(c.alice, &c.room), "lost\nafter\nstill\n");
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients_bring_it_back),
        cmocka_unit_test(test_clients_bring_a_key_back),
        cmocka_unit_test(test_who_comes_too_late_has_proof),
        cmocka_unit_test(test_a_forgotten_node),
        cmocka_unit_test(test_a_forgotten_guest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

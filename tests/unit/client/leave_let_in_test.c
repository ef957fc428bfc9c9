/* Who is let in by a request that was given up on the device, and leaves: nobody there knows of being in. */
#include "leave_scene.h"

/* CLIENT-87: who is let in after that leaves: no member is without keys. */
static void of_a_room_that_lets_in_all_the_same(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    struct town_device *emil = emil_waits(&c);
    TOWN_WANT(emil, hs_want_leave_here(&s, &c.fars));
    fred_is_back(&c);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 2);
    assert_int_equal(hostile_room(emil, &c.fars).state, HS_ROOM_STATE_LEFT);
    assert_int_equal(town_event_count(emil, HANSE_EVENT_JOINED), 0);
    assert_false(any(emil, HS_TABLE_GROUP, HS_VIEW(c.fars)));
    assert_false(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
    assert_false(any(emil, HS_TABLE_OUTBOX, (struct hs_bytes){0}));
    TOWN_WANT(emil, hs_want_join(&s, c.link, &op));
    town_wait(c.t, 20000);
    assert_int_equal(hostile_room(emil, &c.fars).state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 3);
    town_free(c.t);
}

/* He has given up his request, and is let in; what he says then is lost. */
static struct town_device *emil_leaves(struct scene *c, uint32_t kind)
{
    struct town_device *emil = emil_waits(c);
    TOWN_WANT(emil, hs_want_leave_here(&s, &c->fars));
    emil->loses = kind;
    town_device_cut(emil);
    town_device_start(c->fred);
    hs_sync_stay_online(c->fred->sync, true);
    hs_sync_stay_online(emil->sync, true);
    town_wait(c->t, 10000);
    assert_int_equal(hostile_room(emil, &c->fars).state, HS_ROOM_STATE_MEMBER);
    assert_true(any(emil, HS_TABLE_OUTBOX, (struct hs_bytes){0}));
    assert_int_equal(town_event_count(emil, HANSE_EVENT_JOINED), 0);
    return emil;
}

/* CLIENT-87: the hub may have heard that he leaves: the link waits for that, and asks anew. */
static void and_the_link_is_opened_while_he_leaves(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    struct town_device *emil = emil_leaves(&c, HANSE__FRAME__BODY_SUBMIT_MESSAGE);
    TOWN_WANT(emil, hs_want_join(&s, c.link, &op));
    town_wait(c.t, 10000);
    assert_null(town_done(emil, op));
    emil->loses = 0;
    town_device_cut(emil);
    town_wait(c.t, 60000);
    assert_int_equal(town_event_count(emil, HANSE_EVENT_REMOVED), 1);
    assert_int_equal(town_done(emil, op)->err, HANSE_OK);
    assert_int_equal(hostile_room(emil, &c.fars).state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(town_event_count(emil, HANSE_EVENT_JOINED), 1);
    post(&c, emil, &c.fars, "in once more");
    assert_true(fred_sees(&c, "in once more"));
    town_free(c.t);
}

/* CLIENT-87: nobody has heard of it: he stays, and is told that he is in. */
static void and_the_link_is_opened_before_he_says_so(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    struct town_device *emil = emil_leaves(&c, HANSE__FRAME__BODY_PING);
    TOWN_WANT(emil, hs_want_join(&s, c.link, &op));
    town_wait(c.t, 5000);
    assert_int_equal(town_done(emil, op)->err, HANSE_OK);
    assert_int_equal(town_event_count(emil, HANSE_EVENT_JOINED), 1);
    assert_false(any(emil, HS_TABLE_OUTBOX, (struct hs_bytes){0}));
    emil->loses = 0;
    town_device_cut(emil);
    town_wait(c.t, 60000);
    assert_int_equal(town_event_count(emil, HANSE_EVENT_REMOVED), 0);
    assert_int_equal(hostile_room(emil, &c.fars).state, HS_ROOM_STATE_MEMBER);
    post(&c, emil, &c.fars, "in and stays");
    assert_true(fred_sees(&c, "in and stays"));
    town_free(c.t);
}

/* The hub refuses that this device leaves. */
static void leave_is_refused(struct town_device *d)
{
    struct hs_sync *sync = d->sync;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        struct hs_request request = sync->requests[i];
        if (request.number == 0)
            continue;
        sync->requests[i] = (struct hs_request){0};
        TOWN_WANT(d, request.answer(&s, &request, NULL, HS_ERR_DENIED));
        return;
    }
    fail_msg("no LEAVE is under way");
}

/* CLIENT-45, CLIENT-87: nobody here knows of being in: he is out here, whatever the hub says. */
static void and_he_may_not_leave(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *emil = emil_leaves(&c, HANSE__FRAME__BODY_SUBMIT_MESSAGE);
    leave_is_refused(emil);
    assert_int_equal(town_event_count(emil, HANSE_EVENT_REMOVED), 1);
    assert_int_equal(town_event_count(emil, HANSE_EVENT_POST_FAILED), 0);
    she_is_out_here(&c, emil);
    assert_false(any(emil, HS_TABLE_OUTBOX, (struct hs_bytes){0}));
    assert_false(hostile_room(emil, &c.fars).parting);
    town_free(c.t);
}

/* CLIENT-45: who has asked for it stays, and is told, though the program has been started anew meanwhile. */
static void and_she_may_not_leave(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    c.dora->loses = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    TOWN_WANT(c.dora, hs_want_leave(&s, &c.fars, &op));
    town_wait(c.t, 1000);
    town_device_kill(c.dora);
    town_device_start(c.dora);
    hs_sync_stay_online(c.dora->sync, true);
    town_wait(c.t, 5000);
    leave_is_refused(c.dora);
    assert_int_equal(hostile_room(c.dora, &c.fars).state, HS_ROOM_STATE_MEMBER);
    const struct hanse_event *told = town_event(c.dora, HANSE_EVENT_POST_FAILED);
    assert_non_null(told);
    assert_int_equal(told->err, HANSE_ERR_DENIED);
    assert_memory_equal(told->room.b, c.fars.b, sizeof c.fars.b);
    assert_false(hs_sync_has_pending(c.dora->sync));
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_room_that_lets_in_all_the_same),
        cmocka_unit_test(and_the_link_is_opened_while_he_leaves),
        cmocka_unit_test(and_the_link_is_opened_before_he_says_so),
        cmocka_unit_test(and_he_may_not_leave),
        cmocka_unit_test(and_she_may_not_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

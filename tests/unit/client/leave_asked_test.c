/* A request to join that was given up on the device: the hub may have it, so it is kept with its keys,
 * unseen. */
#include "leave_scene.h"

#include "wire/unpack.h"

/* CLIENT-87: nobody has answered to a request to join: it is gone, and keeps nobody from moving. */
static void of_a_room_that_never_answered(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    struct town_device *emil = emil_waits(&c);
    goes_away(c.far);
    town_wait(c.t, 5000);
    TOWN_WANT_ERR(emil, hs_want_move_home(&s, town_ticket(c.new, 0, NULL, 1), &op), HS_ERR_INVALID_STATE);
    TOWN_WANT(emil, hs_want_leave_here(&s, &c.fars));
    assert_false(any(emil, HS_TABLE_ROOM, HS_VIEW(c.fars)));
    assert_false(hs_sync_has_pending(emil->sync));
    TOWN_WANT_ERR(emil, hs_want_leave_here(&s, &c.fars), HS_ERR_ROOM_UNKNOWN);
    TOWN_WANT(emil, hs_want_move_home(&s, town_ticket(c.new, 0, NULL, 1), &op));
    town_wait(c.t, 20000);
    assert_int_equal(town_done(emil, op)->err, HANSE_OK);
    assert_false(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
    c.far->down = false;
    fred_is_back(&c); /* a Welcome that comes now finds nobody */
    assert_false(any(emil, HS_TABLE_ROOM, HS_VIEW(c.fars)));
    town_free(c.t);
}

/* CLIENT-87: the hub takes no other request for 30 days: it is the same one. */
static void of_a_room_that_is_asked_again(void **state)
{
    (void)state;
    for (int starts = 0; starts < 2; starts++) {
        struct scene c = scene_new();
        uint64_t op;
        struct town_device *emil = emil_waits(&c);
        TOWN_WANT(emil, hs_want_leave_here(&s, &c.fars));
        assert_false(any(emil, HS_TABLE_ROOM, HS_VIEW(c.fars)));
        assert_false(hs_sync_has_pending(emil->sync));
        size_t waited = town_event_count(emil, HANSE_EVENT_WAITING);
        town_device_cut(emil);
        town_wait(c.t, LONG_MS);
        assert_int_equal(town_event_count(emil, HANSE_EVENT_WAITING), waited);
        if (starts == 1) {
            town_device_kill(emil);
            town_device_start(emil);
        }
        TOWN_WANT(emil, hs_want_join(&s, c.link, &op));
        hs_sync_stay_online(emil->sync, true);
        town_wait(c.t, 20000);
        assert_int_equal(town_event(emil, HANSE_EVENT_DONE)->err, HANSE_OK);
        assert_int_equal(hostile_room(emil, &c.fars).state, HS_ROOM_STATE_WAITING);
        assert_true(hs_sync_has_pending(emil->sync));
        fred_is_back(&c);
        assert_int_equal(hostile_room(emil, &c.fars).state, HS_ROOM_STATE_MEMBER);
        assert_int_equal(hostile_room(c.fred, &c.fars).members, 3);
        post(&c, emil, &c.fars, "in after all");
        assert_true(fred_sees(&c, "in after all"));
        town_free(c.t);
    }
}

/* Dora has left the far room, and nobody is there who could let her in again. */
static void dora_has_left(struct scene *c)
{
    uint64_t op;
    post(c, c->dora, &c->fars, "of old");
    TOWN_WANT(c->dora, hs_want_leave(&s, &c->fars, &op));
    town_wait(c->t, 10000);
    assert_int_equal(hostile_room(c->dora, &c->fars).state, HS_ROOM_STATE_LEFT);
    assert_int_equal(hostile_room(c->fred, &c->fars).members, 1);
}

static void it_is_left_as_before(struct scene *c)
{
    struct hs_room_row row = hostile_room(c->dora, &c->fars);
    assert_int_equal(row.state, HS_ROOM_STATE_LEFT);
    assert_string_equal(row.name, "FAR");
    assert_false(row.again);
    assert_non_null(strstr(town_history(c->dora, &c->fars), "of old"));
    assert_false(any(c->dora, HS_TABLE_GROUP, HS_VIEW(c->fars)));
    TOWN_WANT_ERR(c->dora, hs_want_leave_here(&s, &c->fars), HS_ERR_NOT_MEMBER);
}

/* CLIENT-87: a room that was here before, and was asked for again, is shown as it was: with its history. */
static void of_a_room_that_was_left_before(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    dora_has_left(&c);
    town_device_kill(c.fred);
    for (int i = 0; i < 2; i++) { /* the second time by the request of the first */
        TOWN_WANT(c.dora, hs_want_join(&s, c.link, &op));
        town_wait(c.t, 5000);
        assert_int_equal(hostile_room(c.dora, &c.fars).state, HS_ROOM_STATE_WAITING);
        TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
        it_is_left_as_before(&c);
    }
    TOWN_WANT(c.dora, hs_want_join(&s, c.link, &op));
    fred_is_back(&c);
    assert_int_equal(hostile_room(c.dora, &c.fars).state, HS_ROOM_STATE_MEMBER);
    assert_false(hostile_room(c.dora, &c.fars).again);
    town_free(c.t);
}

/* CLIENT-87: so is one whose hub doesn't take the request. */
static void of_a_room_that_was_left_before_and_is_closed(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    const char *used = town_link(c.fred, &c.fars, 1);
    dora_has_left(&c);
    town_join(town_customer(c.home, "Emil"), used);
    TOWN_WANT(c.dora, hs_want_join(&s, used, &op));
    town_wait(c.t, 5000);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_ERR_INVITE_USED_UP);
    it_is_left_as_before(&c);
    town_free(c.t);
}

/* A link that outlives a request. */
static const char *long_link(struct scene *c)
{
    uint64_t op;
    struct hs_time until = {town_now(c->t).ms + 2 * HS_JOIN_WAIT_MS};
    TOWN_WANT(c->fred, hs_want_invite(&s, &c->fars, 10, until, &op));
    town_wait(c->t, 1000);
    return town_done(c->fred, op)->text;
}

/* CLIENT-87: a request that nobody can be let in by any more makes place for another one, at the first
 * opening of the link, whether or not it was given up. */
static void of_a_room_where_its_time_is_over(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    c.link = long_link(&c);
    struct town_device *emil = emil_waits(&c);
    goes_away(c.home);
    town_device_cut(emil);
    town_skip(c.t, HS_JOIN_WAIT_MS);
    c.home->down = false;
    TOWN_WANT(emil, hs_want_join(&s, c.link, &op));
    town_wait(c.t, 10000);
    assert_int_equal(town_done(emil, op)->err, HANSE_OK);
    assert_int_equal(hostile_room(emil, &c.fars).state, HS_ROOM_STATE_WAITING);
    fred_is_back(&c);
    assert_int_equal(hostile_room(emil, &c.fars).state, HS_ROOM_STATE_MEMBER);
    town_free(c.t);
}

static bool no_join(struct town_device *d, struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame, *inner;
    (void)d;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    if (frame->body_case != HANSE__FRAME__BODY_FORWARD)
        return true;
    assert_ok(HS_UNPACK(hanse__frame, hs_pb_bytes(frame->forward->frame), HS_LENIENT, &arena, &inner));
    return inner->body_case != HANSE__FRAME__BODY_JOIN;
}

/* The hub says so of the JOIN that is under way, the first one behind that request. */
static uint64_t is_replayed(struct town_device *d, uint64_t behind)
{
    static const struct hs_id none;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        struct hs_request request = d->sync->requests[i];
        if (request.id <= behind || hs_id_equal(&request.id_a, &none))
            continue;
        TOWN_WANT(d, request.answer(&s, &request, NULL, HS_ERR_INVITE_REPLAYED));
        town_wait(d->town, 1000);
        return request.id;
    }
    fail_msg("no JOIN is under way");
    return 0;
}

/* CLIENT-87: a hub that says so of each request gets one more. */
static void and_of_the_next_one_too(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    struct town_device *emil = town_customer(c.home, "Emil");
    emil->outgoing = no_join;
    TOWN_WANT(emil, hs_want_join(&s, c.link, &op));
    town_wait(c.t, 1000);
    uint64_t first = is_replayed(emil, 0);
    assert_null(town_done(emil, op));
    is_replayed(emil, first);
    assert_int_equal(town_done(emil, op)->err, HANSE_ERR_INVITE_REPLAYED);
    assert_false(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
    assert_false(any(emil, HS_TABLE_ROOM, HS_VIEW(c.fars)));
    town_free(c.t);
}

/* CLIENT-87: its time is over as the hub counts it: it goes, with its keys, whether or not anybody is there.
 */
static void of_a_room_that_has_forgotten_it(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *emil = emil_waits(&c);
    TOWN_WANT(emil, hs_want_leave_here(&s, &c.fars));
    hs_sync_stay_online(emil->sync, false);
    town_device_cut(emil);
    town_skip(c.t, HS_JOIN_WAIT_MS - 1);
    TOWN_WANT(emil, HS_OK);
    assert_true(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
    town_skip(c.t, 1);
    TOWN_WANT(emil, HS_OK);
    assert_false(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
    town_free(c.t);
}

/* CLIENT-87: by a clock that was ahead then, and was put right: its time begins anew. */
static void of_a_room_that_it_was_asked_for_in_the_future(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *emil = emil_waits(&c);
    hs_sync_stay_online(emil->sync, false);
    town_device_cut(emil);
    town_skip(c.t, 3 * HS_JOIN_WAIT_MS);
    TOWN_WANT(emil, hs_want_leave_here(&s, &c.fars));
    town_skip(c.t, -3 * HS_JOIN_WAIT_MS);
    TOWN_WANT(emil, HS_OK);
    town_skip(c.t, HS_JOIN_WAIT_MS - 1);
    TOWN_WANT(emil, HS_OK);
    assert_true(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
    town_skip(c.t, 1);
    TOWN_WANT(emil, HS_OK);
    assert_false(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_room_that_never_answered),
        cmocka_unit_test(of_a_room_that_is_asked_again),
        cmocka_unit_test(of_a_room_that_was_left_before),
        cmocka_unit_test(of_a_room_that_was_left_before_and_is_closed),
        cmocka_unit_test(of_a_room_where_its_time_is_over),
        cmocka_unit_test(and_of_the_next_one_too),
        cmocka_unit_test(of_a_room_that_has_forgotten_it),
        cmocka_unit_test(of_a_room_that_it_was_asked_for_in_the_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

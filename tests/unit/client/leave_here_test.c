/* A room is left on this device while its hub says nothing: it waits for nobody, and the hub learns of it
 * when it can. */
#include "leave_scene.h"

/* CLIENT-85: at once, with what waited; over a restart; and the hub hears of it when it comes back. What her
 * home has been given arrives all the same, and she isn't told that it didn't. */
static void of_a_hub_that_is_away(void **state)
{
    (void)state;
    for (int starts = 0; starts < 2; starts++) {
        struct scene c = scene_new();
        post(&c, c.dora, &c.fars, "before");
        goes_away(c.far);
        uint64_t out = post(&c, c.dora, &c.fars, "is out");
        if (starts == 1) { /* nobody waits for it any more */
            town_device_kill(c.dora);
            town_device_start(c.dora);
            hs_sync_stay_online(c.dora->sync, true);
            town_wait(c.t, 5000);
        }
        goes_away(c.home);
        town_device_cut(c.dora);
        size_t done = town_event_count(c.dora, HANSE_EVENT_DONE);
        post(&c, c.dora, &c.fars, "never");
        assert_int_equal(town_event_count(c.dora, HANSE_EVENT_DONE), done);
        TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
        assert_int_equal(town_event(c.dora, HANSE_EVENT_DONE)->err, HANSE_ERR_NOT_MEMBER);
        if (starts == 0)
            assert_int_equal(town_done(c.dora, out)->err, HANSE_ERR_TIMEOUT);
        else
            assert_int_equal(town_event(c.dora, HANSE_EVENT_POST_FAILED)->err, HANSE_ERR_TIMEOUT);
        assert_int_equal(town_event_count(c.dora, HANSE_EVENT_POST_FAILED), starts);
        c.home->down = false;
        assert_int_equal(town_event_count(c.dora, HANSE_EVENT_REMOVED), 1);
        she_is_out_here(&c, c.dora);
        assert_non_null(strstr(town_history(c.dora, &c.fars), "before"));
        TOWN_WANT_ERR(c.dora, hs_want_leave_here(&s, &c.fars), HS_ERR_NOT_MEMBER);
        if (starts == 1) {
            town_device_kill(c.dora);
            town_device_start(c.dora);
            hs_sync_stay_online(c.dora->sync, true);
        }
        town_wait(c.t, 60000);
        she_is_out_here(&c, c.dora);
        comes_back(&c);
        assert_true(fred_sees(&c, "is out"));
        assert_false(fred_sees(&c, "never"));
        assert_int_equal(hostile_room(c.fred, &c.fars).members, 1);
        she_is_out_here(&c, c.dora);
        nothing_is_on_its_way(&c);
        post(&c, c.dora, &c.room, "here");
        assert_non_null(strstr(town_history(c.rosa, &c.room), "here"));
        town_free(c.t);
    }
}

/* CLIENT-85: who wanted to leave it properly, and has waited for that for long enough. */
static void of_a_hub_that_she_has_asked(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t leave;
    goes_away(c.far);
    TOWN_WANT(c.dora, hs_want_leave(&s, &c.fars, &leave));
    town_wait(c.t, 5000);
    assert_null(town_done(c.dora, leave));
    TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
    assert_int_equal(town_done(c.dora, leave)->err, HANSE_ERR_NOT_MEMBER);
    she_is_out_here(&c, c.dora);
    comes_back(&c);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 1);
    nothing_is_on_its_way(&c);
    town_free(c.t);
}

static bool lost(struct town_device *d, struct hs_bytes frame)
{
    (void)d;
    (void)frame;
    return false;
}

/* CLIENT-85: a commit that isn't settled there is nobody's business here any more. */
static void of_a_room_that_is_unsettled(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *emil = town_customer(c.new, "Emil");
    uint64_t op;
    c.dora->outgoing = lost; /* she should say that she can follow it */
    TOWN_WANT(emil, hs_want_join(&s, c.link, &op));
    for (int i = 0; i < 100 && !any(c.dora, HS_TABLE_UNSETTLED, HS_VIEW(c.fars)); i++)
        town_wait(c.t, 100);
    assert_true(any(c.dora, HS_TABLE_UNSETTLED, HS_VIEW(c.fars)));
    TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
    she_is_out_here(&c, c.dora);
    c.dora->outgoing = NULL;
    town_wait(c.t, 60000);
    town_device_cut(c.dora);
    town_wait(c.t, 60000);
    she_is_out_here(&c, c.dora);
    nothing_is_on_its_way(&c);
    town_free(c.t);
}

/* CLIENT-85: what nobody could do any more ends, though nothing of it was on its way yet. */
static void and_what_was_wanted_there(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_key doras = hostile_room(c.dora, &c.room).self;
    uint64_t op;
    goes_away(c.hub);
    town_device_cut(c.rosa);
    TOWN_WANT(c.rosa, hs_want_removal(&s, &c.room, &doras, &op));
    assert_null(town_done(c.rosa, op));
    TOWN_WANT(c.rosa, hs_want_leave_here(&s, &c.room));
    assert_int_equal(town_done(c.rosa, op)->err, HANSE_ERR_NOT_MEMBER);
    assert_false(hs_sync_has_pending(c.rosa->sync));
    town_free(c.t);
}

/* CLIENT-85: the room has gone on: the hub refuses what was made before, and she says nothing more. */
static void of_a_room_that_has_gone_on(void **state)
{
    (void)state;
    struct scene c = scene_new();
    goes_away(c.home);
    struct town_device *emil = town_customer(c.new, "Emil");
    town_join(emil, c.link);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 3);
    TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
    assert_true(hostile_room(c.dora, &c.fars).parting);
    c.home->down = false;
    comes_back(&c);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 3);
    she_is_out_here(&c, c.dora);
    nothing_is_on_its_way(&c);
    assert_null(town_event(c.fred, HANSE_EVENT_FROZEN));
    town_free(c.t);
}

/* CLIENT-85: who changes their mind before the hub has heard of it is in as before. */
static void and_taken_back(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    goes_away(c.far);
    TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
    town_device_kill(c.dora);
    town_node_cut(c.far);
    c.far->down = false;
    town_device_start(c.dora);
    TOWN_WANT(c.dora, hs_want_join(&s, c.link, &op));
    hs_sync_stay_online(c.dora->sync, true);
    town_wait(c.t, LONG_MS);
    assert_int_equal(hostile_room(c.dora, &c.fars).state, HS_ROOM_STATE_MEMBER);
    assert_false(hostile_room(c.dora, &c.fars).parting);
    post(&c, c.dora, &c.fars, "back again");
    assert_non_null(strstr(town_history(c.fred, &c.fars), "back again"));
    town_free(c.t);
}

/* CLIENT-85: nothing is said any more that would take her out again. */
static void and_taken_back_before_it_is_said(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    c.dora->loses = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
    assert_true(any(c.dora, HS_TABLE_OUTBOX, (struct hs_bytes){0}));
    town_device_kill(c.fred);
    TOWN_WANT(c.dora, hs_want_join(&s, c.link, &op));
    town_wait(c.t, 5000);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    nothing_is_on_its_way(&c);
    c.dora->loses = 0;
    town_device_cut(c.dora);
    fred_is_back(&c);
    assert_int_equal(hostile_room(c.dora, &c.fars).state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 2);
    post(&c, c.dora, &c.fars, "never said");
    assert_true(fred_sees(&c, "never said"));
    town_free(c.t);
}

/* CLIENT-85: a hub that is the home answers that it has taken it, and that is its end. */
static void of_a_hub_that_is_the_home(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *gina = town_customer(c.far, "Gina");
    town_join(gina, c.link);
    town_device_cut(gina);
    size_t cuts = town_event_count(gina, HANSE_EVENT_OFFLINE);
    TOWN_WANT(gina, hs_want_leave_here(&s, &c.fars));
    assert_true(hostile_room(gina, &c.fars).parting);
    town_wait(c.t, 10000);
    assert_int_equal(town_event_count(gina, HANSE_EVENT_OFFLINE), cuts);
    assert_false(any(gina, HS_TABLE_OUTBOX, (struct hs_bytes){0}));
    assert_false(hostile_room(gina, &c.fars).parting);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 2);
    town_free(c.t);
}

static enum hs_err freezes(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, id, &room));
    return hs_room_freeze(s, room, 1, HS_ERR_LOG_FORK);
}

/* CLIENT-85: a hub that broke the rules is told nothing. */
static void of_a_room_that_is_frozen(void **state)
{
    (void)state;
    struct scene c = scene_new();
    TOWN_WANT(c.dora, freezes(&s, &c.fars));
    TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
    she_is_out_here(&c, c.dora);
    nothing_is_on_its_way(&c);
    town_wait(c.t, 5000);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 2);
    town_free(c.t);
}

static enum hs_err is_being_made(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, id, &room));
    room->row.state = HS_ROOM_STATE_CREATING;
    return hs_want_leave_here(s, id);
}

static void what_cannot_be_left(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_id unknown = {{1}};
    TOWN_WANT_ERR(c.dora, hs_want_leave_here(&s, &unknown), HS_ERR_ROOM_UNKNOWN);
    TOWN_WANT_ERR(c.dora, is_being_made(&s, &c.fars), HS_ERR_INVALID_STATE);
    assert_int_equal(hostile_room(c.dora, &c.fars).state, HS_ROOM_STATE_MEMBER);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(and_taken_back_before_it_is_said),
        cmocka_unit_test(of_a_hub_that_is_the_home),
        cmocka_unit_test(of_a_hub_that_is_away),
        cmocka_unit_test(of_a_hub_that_she_has_asked),
        cmocka_unit_test(of_a_room_that_is_unsettled),
        cmocka_unit_test(and_what_was_wanted_there),
        cmocka_unit_test(of_a_room_that_has_gone_on),
        cmocka_unit_test(and_taken_back),
        cmocka_unit_test(of_a_room_that_is_frozen),
        cmocka_unit_test(what_cannot_be_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

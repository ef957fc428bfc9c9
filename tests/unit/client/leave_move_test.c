/* A room that is left on the device alone, and moves to another home node. */
#include "leave_scene.h"

/* CLIENT-85: a move waits for it no more, and the hub hears of both. */
static void of_a_room_that_a_move_waits_for(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    goes_away(c.far);
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.new, 0, NULL, 1), &op));
    town_wait(c.t, 20000);
    assert_null(town_done(c.dora, op));
    assert_true(hostile_room(c.dora, &c.fars).unmoved);
    TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    assert_false(c.dora->sync->me.moving);
    she_is_out_here(&c, c.dora);
    size_t waited = town_event_count(c.dora, HANSE_EVENT_WAITING);
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.home, 0, NULL, 1), &op));
    town_wait(c.t, 20000);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK); /* and no later one */
    assert_int_equal(town_event_count(c.dora, HANSE_EVENT_WAITING), waited);
    assert_true(hostile_room(c.dora, &c.fars).parting);
    comes_back(&c);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 1);
    nothing_is_on_its_way(&c);
    town_free(c.t);
}

/* The request about the far room's move that is under way. */
static struct hs_request move_under_way(struct scene *c)
{
    for (int i = 0; i < 2000; i++, town_wait(c->t, 10))
        for (size_t j = 0; j < HS_REQUESTS_MAX; j++) {
            const struct hs_request *request = &c->dora->sync->requests[j];
            if (request->id != 0 && request->moves && hs_id_equal(&request->id_a, &c->fars))
                return *request;
        }
    fail_msg("no request about the move");
    return (struct hs_request){0};
}

/* CLIENT-85: nor does what the hub answers later end the move, which waits for another room. */
static void and_its_hub_answers_then(void **state)
{
    (void)state;
    static const enum hs_err answers[] = {HS_ERR_DENIED, HS_ERR_NOT_MEMBER, HS_ERR_REPLAY};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct scene c = scene_new();
        uint64_t op;
        goes_away(c.far);
        goes_away(c.hub);
        TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.new, 0, NULL, 1), &op));
        struct hs_request request = move_under_way(&c);
        TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
        TOWN_WANT(c.dora, hs_parting_over(&s, &c.fars));
        TOWN_WANT(c.dora, request.answer(&s, &request, NULL, answers[i]));
        assert_int_equal(hostile_room(c.dora, &c.fars).state, HS_ROOM_STATE_LEFT);
        assert_int_equal(hostile_room(c.dora, &c.fars).frozen, HS_OK);
        assert_null(town_done(c.dora, op));
        assert_true(hostile_room(c.dora, &c.room).unmoved);
        town_free(c.t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_room_that_a_move_waits_for),
        cmocka_unit_test(and_its_hub_answers_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

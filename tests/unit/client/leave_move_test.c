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

static size_t waiting_said_of(struct town_device *d, const struct hs_id *room)
{
    size_t count = 0;
    for (size_t i = 0; i < d->event_count; i++)
        count += d->events[i].kind == HANSE_EVENT_WAITING &&
                 memcmp(d->events[i].room.b, room->b, sizeof room->b) == 0;
    return count;
}

/* CLIENT-85: nor is it shown as one that a move waits for, while that waits for another one. */
static void beside_one_that_a_move_waits_for(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    goes_away(c.far);
    goes_away(c.hub);
    TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
    size_t before = waiting_said_of(c.dora, &c.fars);
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.new, 0, NULL, 1), &op));
    town_wait(c.t, 60000);
    assert_null(town_done(c.dora, op));
    assert_true(hostile_room(c.dora, &c.fars).unmoved);
    assert_int_equal(waiting_said_of(c.dora, &c.fars), before);
    assert_true(waiting_said_of(c.dora, &c.room) > 0);
    town_free(c.t);
}

/* A ticket that somebody else has used already. */
static const char *used_ticket(struct scene *c, struct town_node *node)
{
    uint64_t op;
    const char *ticket = town_ticket(node, 0, NULL, 1);
    struct town_device *other = town_device_new(c->t);
    TOWN_WANT(other, hs_want_identity(&s, "Other"));
    TOWN_WANT(other, hs_want_sign_up(&s, ticket, &op));
    town_wait(c->t, 5000);
    assert_int_equal(town_done(other, op)->err, HANSE_OK);
    return ticket;
}

/* CLIENT-85, CLIENT-80: a move that is refused leaves nothing to wait for, where only this room hasn't
 * followed the one before. */
static void and_the_next_move_is_refused(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    const char *used = used_ticket(&c, c.hub);
    goes_away(c.far);
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.new, 0, NULL, 1), &op));
    town_wait(c.t, 20000);
    TOWN_WANT(c.dora, hs_want_leave_here(&s, &c.fars));
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    goes_away(c.new);
    TOWN_WANT(c.dora, hs_want_move_home(&s, used, &op));
    town_wait(c.t, 20000);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_ERR_TICKET_USED);
    assert_true(hostile_room(c.dora, &c.fars).unmoved);
    assert_false(c.dora->sync->me.moving);
    assert_false(hs_sync_has_pending(c.dora->sync));
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

static enum hs_err is_gone(struct hs_step *s, const struct hs_id *room)
{
    hs_live_forget(s->sync, room);
    hs_room_delete(s->kv, room);
    return s->kv->err;
}

/* CLIENT-85: nor where nothing is here of the room any more. */
static void and_the_room_is_gone_then(void **state)
{
    (void)state;
    for (int binds = 0; binds < 2; binds++) {
        struct scene c = scene_new();
        uint64_t op;
        goes_away(c.far);
        goes_away(c.hub);
        c.dora->loses = binds ? HANSE__FRAME__BODY_BIND : 0;
        TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.new, 0, NULL, 1), &op));
        struct hs_request request = move_under_way(&c);
        TOWN_WANT(c.dora, is_gone(&s, &c.fars));
        TOWN_WANT(c.dora, request.answer(&s, &request, NULL, HS_ERR_UNREACHABLE));
        assert_null(town_done(c.dora, op));
        assert_true(hostile_room(c.dora, &c.room).unmoved);
        town_free(c.t);
    }
}

/* CLIENT-87, CLIENT-54: a home that refuses the account leaves a request that was given up as it is: the old
 * home gets what comes of it. */
static void of_a_room_that_never_answered_and_refused(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    const char *used = used_ticket(&c, c.new);
    struct town_device *emil = emil_waits(&c);
    TOWN_WANT(emil, hs_want_leave_here(&s, &c.fars));
    TOWN_WANT(emil, hs_want_move_home(&s, used, &op));
    assert_true(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
    town_wait(c.t, 20000);
    assert_int_equal(town_done(emil, op)->err, HANSE_ERR_TICKET_USED);
    TOWN_WANT(emil, hs_want_join(&s, c.link, &op));
    town_wait(c.t, 20000);
    assert_int_equal(town_done(emil, op)->err, HANSE_OK); /* by the same one: the hub takes no other */
    fred_is_back(&c);
    assert_int_equal(hostile_room(emil, &c.fars).state, HS_ROOM_STATE_MEMBER);
    town_free(c.t);
}

/* The answer to the SignUp is lost, and the session with it. */
static struct hs_bytes no_ack(struct town_device *d, struct hs_bytes frame, struct hs_arena *arena)
{
    (void)arena;
    if (d->sync->session == HS_SESSION_SIGNING_UP) {
        d->incoming = NULL;
        town_device_cut(d);
    }
    return frame;
}

/* CLIENT-87, CLIENT-81: it goes with the word of the new home, whichever way that comes. */
static void of_a_room_that_never_answered_and_taken(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct scene c = scene_new();
        uint64_t op;
        struct town_device *emil = emil_waits(&c);
        TOWN_WANT(emil, hs_want_leave_here(&s, &c.fars));
        emil->incoming = lost ? no_ack : NULL;
        goes_away(c.new);
        TOWN_WANT(emil, hs_want_move_home(&s, town_ticket(c.new, 0, NULL, 1), &op));
        town_wait(c.t, 20000);
        assert_true(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
        c.new->down = false;
        town_wait(c.t, 60000);
        assert_int_equal(town_done(emil, op)->err, HANSE_OK);
        assert_null(emil->incoming);
        assert_false(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
        town_free(c.t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_room_that_a_move_waits_for),
        cmocka_unit_test(beside_one_that_a_move_waits_for),
        cmocka_unit_test(and_the_next_move_is_refused),
        cmocka_unit_test(and_its_hub_answers_then),
        cmocka_unit_test(and_the_room_is_gone_then),
        cmocka_unit_test(of_a_room_that_never_answered_and_refused),
        cmocka_unit_test(of_a_room_that_never_answered_and_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

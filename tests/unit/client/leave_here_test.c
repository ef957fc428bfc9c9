/* A room is left on this device while its hub says nothing: it waits for nobody, and the hub learns of it
 * when it can. */
#include "hostile.h"

#include "identity/grant.h"
#include "room/join.h"
#include "store/tables.h"
#include "sync/rooms/leave_here.h"
#include "sync/state.h"

enum { LONG_MS = 700000 };

/* Dora's home is another node than the hub of either room; the far hub goes away. */
struct scene {
    struct town *t;
    struct town_node *hub, *far, *home, *new;
    struct town_device *rosa, *fred, *dora;
    struct hs_id room, fars;
    const char *link;
};

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.hub = town_node_new(c.t, "rosa.example");
    c.far = town_node_new(c.t, "far.example");
    c.home = town_node_new(c.t, "home.example");
    c.new = town_node_new(c.t, "new.example");
    c.rosa = town_member_of_staff(c.hub, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.fred = town_member_of_staff(c.far, "fred", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    c.fars = town_room(c.fred, "FAR");
    c.dora = town_customer(c.home, "Dora");
    town_join(c.dora, town_link(c.rosa, &c.room, 10));
    c.link = town_link(c.fred, &c.fars, 10);
    town_join(c.dora, c.link);
    town_wait(c.t, 2000);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 2);
    return c;
}

static void goes_away(struct town_node *node)
{
    node->down = true;
    town_node_cut(node);
}

static void comes_back(struct scene *c)
{
    c->far->down = false;
    town_wait(c->t, LONG_MS);
    town_device_cut(c->dora); /* in the next session she hears that it was taken */
    town_wait(c->t, LONG_MS);
}

static bool any(struct town_device *d, enum hs_table table, struct hs_bytes prefix)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key from = {0};
    struct hs_bytes key;
    bool found = hs_kv_next(town_look(d), table, prefix, hs_kv_key_bytes(&from), &arena, &key, NULL);
    town_looked(d);
    return found;
}

static uint64_t post(struct scene *c, struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
    town_wait(c->t, 5000);
    return op;
}

static void she_is_out_here(struct scene *c, struct town_device *d)
{
    (void)c;
    assert_int_equal(hostile_room(d, &c->fars).state, HS_ROOM_STATE_LEFT);
    assert_int_equal(hostile_room(d, &c->fars).frozen, HS_OK);
    assert_false(any(d, HS_TABLE_GROUP, HS_VIEW(c->fars)));
    assert_false(any(d, HS_TABLE_PUBLIC, HS_VIEW(c->fars)));
    assert_false(any(d, HS_TABLE_UNSETTLED, HS_VIEW(c->fars)));
    assert_false(hs_sync_has_pending(d->sync));
}

/* Nothing is left of it that would be sent. */
static void nothing_is_on_its_way(struct scene *c)
{
    assert_false(any(c->dora, HS_TABLE_OUTBOX, (struct hs_bytes){0}));
    assert_false(hostile_room(c->dora, &c->fars).parting);
    assert_false(hostile_room(c->dora, &c->fars).unmoved);
}

static bool fred_sees(struct scene *c, const char *text)
{
    return strstr(town_history(c->fred, &c->fars), text) != NULL;
}

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

/* Emil has asked to be let in, and nobody is there to do it. */
static struct town_device *emil_waits(struct scene *c)
{
    struct town_device *emil = town_customer(c->home, "Emil");
    uint64_t op;
    town_device_kill(c->fred);
    TOWN_WANT(emil, hs_want_join(&s, c->link, &op));
    town_wait(c->t, 5000);
    assert_int_equal(hostile_room(emil, &c->fars).state, HS_ROOM_STATE_WAITING);
    return emil;
}

static void fred_is_back(struct scene *c)
{
    town_device_start(c->fred);
    hs_sync_stay_online(c->fred->sync, true);
    town_wait(c->t, LONG_MS);
}

/* CLIENT-85: nobody has answered to a request to join: it is gone, and keeps nobody from moving. */
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

/* CLIENT-85: the hub takes no other request for 30 days: it is the same one. */
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

/* CLIENT-85: who is let in after that leaves: no member is without keys. */
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

/* CLIENT-85: its time is over as the hub counts it, and a new one is made. */
static void of_a_room_that_has_forgotten_it(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *emil = emil_waits(&c);
    TOWN_WANT(emil, hs_want_leave_here(&s, &c.fars));
    hs_sync_stay_online(emil->sync, false);
    town_device_cut(emil);
    town_skip(c.t, HS_JOIN_WAIT_MS - 1);
    TOWN_WANT(emil, hs_joins_resume(&s));
    assert_true(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
    town_skip(c.t, 1);
    TOWN_WANT(emil, hs_joins_resume(&s));
    assert_false(any(emil, HS_TABLE_JOIN, (struct hs_bytes){0}));
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
        cmocka_unit_test(of_a_hub_that_is_away),
        cmocka_unit_test(of_a_hub_that_she_has_asked),
        cmocka_unit_test(of_a_room_that_a_move_waits_for),
        cmocka_unit_test(of_a_room_that_has_gone_on),
        cmocka_unit_test(of_a_room_that_never_answered),
        cmocka_unit_test(and_taken_back),
        cmocka_unit_test(of_a_room_that_is_asked_again),
        cmocka_unit_test(of_a_room_that_lets_in_all_the_same),
        cmocka_unit_test(of_a_room_that_has_forgotten_it),
        cmocka_unit_test(of_a_room_that_is_frozen),
        cmocka_unit_test(what_cannot_be_left),
        cmocka_unit_test(and_its_hub_answers_then),
        cmocka_unit_test(of_a_room_that_is_unsettled),
        cmocka_unit_test(and_what_was_wanted_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

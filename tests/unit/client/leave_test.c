/* Leaving with real clients: keys go, the next commit follows by itself, programs die on the way. */
#include "town.h"

#include "hostile.h"
#include "identity/grant.h"
#include "store/tables.h"
#include "sync/state.h"

struct scene {
    struct town *t;
    struct town_node *node;
    struct town_device *rosa, *ben, *carl;
    struct hs_id room;
};

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.node = town_node_new(c.t, "rosa.example");
    c.rosa = town_member_of_staff(c.node, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    const char *link = town_link(c.rosa, &c.room, 20);
    c.ben = town_guest(c.t, "Ben", link);
    town_wait(c.t, 2000);
    c.carl = town_guest(c.t, "Carl", link);
    town_wait(c.t, 2000);
    return c;
}

static bool has_keys(struct town_device *d)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key from = {0};
    struct hs_bytes key;
    bool any = hs_kv_next(town_look(d), HS_TABLE_GROUP, (struct hs_bytes){0}, hs_kv_key_bytes(&from), &arena,
                          &key, NULL);
    town_looked(d);
    return any;
}

static void start(struct town_device *d)
{
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

/* CLIENT-45, CLIENT-46, ROOM-68 */
static void out_and_gone(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    assert_true(has_keys(c.ben));
    TOWN_WANT(c.ben, hs_want_leave(&s, &c.room, &op));
    town_wait(c.t, 1000);
    assert_int_equal(town_done(c.ben, op)->err, HANSE_OK);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_LEFT);
    assert_false(has_keys(c.ben));
    assert_int_equal(hostile_room(c.rosa, &c.room).members, 2);
    assert_int_equal(hostile_room(c.carl, &c.room).members, 2);
    TOWN_WANT_ERR(c.ben, hs_want_text(&s, &c.room, "too late", &op), HS_ERR_NOT_MEMBER);
    TOWN_WANT(c.carl, hs_want_text(&s, &c.room, "he is gone", &op));
    town_wait(c.t, 1000);
    assert_non_null(strstr(town_history(c.rosa, &c.room), "he is gone\n"));
    assert_null(strstr(town_history(c.ben, &c.room), "he is gone\n"));
    town_free(c.t);
}

/* No moderator is there: who left is out at once, and taken out when one comes. Whoever leaves dies first.
 * CLIENT-45 */
static void while_nobody_is_there(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    town_device_kill(c.rosa);
    town_device_cut(c.ben);
    TOWN_WANT(c.ben, hs_want_leave(&s, &c.room, &op));
    town_device_kill(c.ben);
    start(c.ben);
    town_wait(c.t, 3000);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_LEFT);
    assert_false(has_keys(c.ben));
    assert_int_equal(hostile_room(c.carl, &c.room).members, 3);
    start(c.rosa);
    town_wait(c.t, 3000);
    assert_int_equal(hostile_room(c.carl, &c.room).members, 2);
    assert_null(town_event(c.carl, HANSE_EVENT_FROZEN));
    town_free(c.t);
}

/* Others leave and commit at the same time: everybody gets through. CLIENT-45 */
static void all_at_once(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t ben, carl, remove;
    struct hs_key carls;
    assert_ok(hs_sync_persona(c.carl->sync, &c.node->root.pub, &carls));
    TOWN_WANT(c.rosa, hs_want_removal(&s, &c.room, &carls, &remove));
    TOWN_WANT(c.ben, hs_want_leave(&s, &c.room, &ben));
    TOWN_WANT(c.carl, hs_want_leave(&s, &c.room, &carl));
    town_wait(c.t, 10000);
    assert_int_equal(town_done(c.ben, ben)->err, HANSE_OK);
    assert_int_equal(town_done(c.rosa, remove)->err, HANSE_OK);
    assert_int_equal(hostile_room(c.rosa, &c.room).members, 1);
    assert_int_equal(hostile_room(c.carl, &c.room).state, HS_ROOM_STATE_LEFT);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_LEFT);
    town_free(c.t);
}

/* CLIENT-45: who opens a link to the room before anything of it has gone out is in as before. */
static void and_taken_back(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t leave, join;
    const char *link = town_link(c.rosa, &c.room, 5);
    c.node->down = true;
    town_device_cut(c.ben);
    TOWN_WANT(c.ben, hs_want_leave(&s, &c.room, &leave));
    TOWN_WANT(c.ben, hs_want_join(&s, link, &join));
    assert_null(town_done(c.ben, leave));
    c.ben->loses = HANSE__FRAME__BODY_PING; /* so he hasn't caught up, and says nothing */
    c.node->down = false;
    town_wait(c.t, 10000);
    assert_int_equal(town_done(c.ben, leave)->err, HANSE_ERR_CONFLICT);
    assert_int_equal(town_done(c.ben, join)->err, HANSE_OK);
    assert_int_equal(town_event_count(c.ben, HANSE_EVENT_JOINED), 1); /* of which he knows */
    c.ben->loses = 0;
    town_device_cut(c.ben);
    town_wait(c.t, 60000);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(hostile_room(c.rosa, &c.room).members, 3);
    town_free(c.t);
}

static bool lost(struct town_device *d, struct hs_bytes frame)
{
    (void)d;
    (void)frame;
    return false;
}

/* CLIENT-45: who is taken out before the proposal is in the log is out, and nothing of it is left that would
 * take them out again. */
static void and_taken_out(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t leave, removal, join;
    struct hs_key bens = hostile_room(c.ben, &c.room).self;
    c.ben->outgoing = lost;
    town_device_cut(c.ben);
    TOWN_WANT(c.ben, hs_want_leave(&s, &c.room, &leave));
    TOWN_WANT(c.rosa, hs_want_removal(&s, &c.room, &bens, &removal));
    town_wait(c.t, 10000);
    assert_int_equal(town_done(c.rosa, removal)->err, HANSE_OK);
    assert_null(town_done(c.ben, leave));
    c.ben->outgoing = NULL;
    town_device_cut(c.ben);
    town_wait(c.t, 60000);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_LEFT);
    assert_non_null(town_done(c.ben, leave));
    assert_int_equal(town_done(c.ben, leave)->err, HANSE_OK);
    assert_false(hs_sync_has_pending(c.ben->sync));
    size_t joined = town_event_count(c.ben, HANSE_EVENT_JOINED);
    TOWN_WANT(c.ben, hs_want_join(&s, town_link(c.rosa, &c.room, 5), &join));
    town_wait(c.t, 60000);
    assert_int_equal(town_event_count(c.ben, HANSE_EVENT_JOINED), joined + 1);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(hostile_room(c.rosa, &c.room).members, 3);
    town_free(c.t);
}

static enum hs_err freezes(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, id, &room));
    return hs_room_freeze(s, room, 1, HS_ERR_LOG_FORK);
}

/* CLIENT-45: nothing goes to a room that is frozen, so nobody waits for it. */
static void and_frozen(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t leave;
    c.ben->outgoing = lost;
    town_device_cut(c.ben);
    TOWN_WANT(c.ben, hs_want_leave(&s, &c.room, &leave));
    town_wait(c.t, 5000);
    assert_null(town_done(c.ben, leave));
    TOWN_WANT(c.ben, freezes(&s, &c.room));
    assert_non_null(town_done(c.ben, leave));
    assert_int_equal(town_done(c.ben, leave)->err, HANSE_ERR_LOG_FORK);
    assert_false(hs_sync_has_pending(c.ben->sync));
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(out_and_gone),  cmocka_unit_test(while_nobody_is_there),
        cmocka_unit_test(all_at_once),   cmocka_unit_test(and_taken_back),
        cmocka_unit_test(and_taken_out), cmocka_unit_test(and_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a home node can do, and can't, by saying that it has forgotten a room, or that its member isn't one.
 */
#include "hostile.h"

#include "sync/move/move.h"
#include "sync/state.h"
#include "wire/unpack.h"

enum { FORGOTTEN_MS = 660000 /* after so long it may say so again */ };

struct scene {
    struct town *t;
    struct town_node *hub, *home, *third;
    struct town_device *rosa, *dora;
    struct hs_id room;
};

/* Rosa owns a room at the hub, and Dora is in it from her home. */
static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.hub = town_node_new(c.t, "rosa.example");
    c.home = town_node_new(c.t, "home.example");
    c.third = town_node_new(c.t, "third.example");
    c.rosa = town_member_of_staff(c.hub, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    c.dora = town_customer(c.home, "Dora");
    town_join(c.dora, town_link(c.rosa, &c.room, 10));
    town_wait(c.t, 2000);
    return c;
}

static void post(struct scene *c, struct town_device *d, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, &c->room, text, &op));
    town_wait(c->t, 5000);
}

/* Both read and write. */
static void talk(struct scene *c)
{
    post(c, c->dora, "to and");
    post(c, c->rosa, "fro");
    assert_non_null(strstr(town_history(c->rosa, &c->room), "to and\nfro\n"));
    assert_non_null(strstr(town_history(c->dora, &c->room), "to and\nfro\n"));
}

static enum hs_err forgot(struct hs_step *s, const struct hs_id *id)
{
    Hanse__Forgotten forgotten = HANSE__FORGOTTEN__INIT;
    forgotten.room = hs_pb_data(HS_VIEW(*id));
    return hs_forgotten_received(s, &forgotten);
}

/* What the home keeps to itself. */
static bool lost(struct town_device *d, struct hs_bytes frame)
{
    (void)d;
    (void)frame;
    return false;
}

static enum hs_err is_shown(struct hs_step *s, const struct hs_id *id, const struct hs_key *hub)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, id, &room));
    room->row.way_root = *hub;
    room->row.way_term = 2;
    room->row_dirty = true;
    return HS_OK;
}

/* CLIENT-78: a room's hub has nothing to forget, one that was shown to have gone has. */
static void a_home_that_was_the_hub(void **state)
{
    (void)state;
    struct scene c = scene_new();
    c.rosa->outgoing = lost;
    TOWN_WANT(c.rosa, forgot(&s, &c.room));
    assert_false(hostile_room(c.rosa, &c.room).unmoved);
    TOWN_WANT(c.rosa, is_shown(&s, &c.room, &c.third->root.pub));
    TOWN_WANT(c.rosa, forgot(&s, &c.room));
    assert_true(hostile_room(c.rosa, &c.room).unmoved);
    town_free(c.t);
}

/* The home's answer to what it was asked for the room, or what it says that the hub's was. */
static enum hs_err no_member(struct hs_step *s)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Error error = HANSE__ERROR__INIT;
        if (s->sync->requests[i].id == 0 || !s->sync->requests[i].moves)
            continue;
        frame.id = s->sync->requests[i].id;
        error.code = hs_err_to_wire(HS_ERR_NOT_MEMBER);
        frame.error = &error;
        frame.body_case = HANSE__FRAME__BODY_ERROR;
        return hs_request_answered(s, &frame);
    }
    return HS_ERR_NOT_FOUND;
}

static enum hs_err bound(struct hs_step *s)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Ack ack = HANSE__ACK__INIT;
        if (s->sync->requests[i].id == 0 || !s->sync->requests[i].moves)
            continue;
        frame.id = s->sync->requests[i].id;
        frame.ack = &ack;
        frame.body_case = HANSE__FRAME__BODY_ACK;
        return hs_request_answered(s, &frame);
    }
    return HS_ERR_NOT_FOUND;
}

enum { PLACES = 4 /* of the rooms of one hub */ };

/* The first room that the home is asked for is served meanwhile, by an item. */
static enum hs_err is_served(struct hs_step *s)
{
    struct hs_live_room *room;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        if (s->sync->requests[i].id == 0 || !s->sync->requests[i].moves)
            continue;
        HS_TRY(hs_live_get(s, &s->sync->requests[i].id_a, &room));
        room->row.unmoved = false;
        room->row_dirty = true;
        return HS_OK;
    }
    return HS_ERR_NOT_FOUND;
}

static size_t under_way(const struct town_device *d)
{
    size_t count = 0;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        count += d->sync->requests[i].id != 0 && d->sync->requests[i].moves;
    return count;
}

/* CLIENT-80: the place of a room that needs none any more is another one's. */
static void a_place_that_gets_free(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_id rooms[PLACES];
    for (size_t i = 0; i < PLACES; i++) {
        rooms[i] = town_room(c.rosa, "more");
        town_join(c.dora, town_link(c.rosa, &rooms[i], 10));
    }
    c.dora->outgoing = lost;
    TOWN_WANT(c.dora, forgot(&s, &c.room));
    for (size_t i = 0; i < PLACES; i++)
        TOWN_WANT(c.dora, forgot(&s, &rooms[i]));
    assert_int_equal(under_way(c.dora), PLACES);
    TOWN_WANT(c.dora, is_served(&s));
    TOWN_WANT(c.dora, bound(&s));
    assert_int_equal(under_way(c.dora), PLACES);
    town_free(c.t);
}

/* CLIENT-79: a home's word takes nobody out of a room: to Bind, or in a Forwarded that nobody has signed. */
static void a_home_that_says_she_is_no_member(void **state)
{
    (void)state;
    for (int forwarded = 0; forwarded < 2; forwarded++) {
        struct scene c = scene_new();
        c.dora->outgoing = lost;
        TOWN_WANT(c.dora, forgot(&s, &c.room));
        if (forwarded)
            TOWN_WANT(c.dora, bound(&s));
        TOWN_WANT(c.dora, no_member(&s));
        c.dora->outgoing = NULL;
        struct hs_room_row row = hostile_room(c.dora, &c.room);
        assert_int_equal(row.state, HS_ROOM_STATE_MEMBER);
        assert_int_equal(row.keys, HS_ROOM_KEYS_GOOD);
        assert_int_equal(row.frozen, HS_ERR_NOT_MEMBER); /* she sees why nothing goes out */
        assert_int_equal(town_event_count(c.dora, HANSE_EVENT_REMOVED), 0);
        assert_false(c.dora->sync->me.moving);
        uint64_t op;
        TOWN_WANT(c.dora, hs_want_text(&s, &c.room, "waits", &op));
        town_wait(c.t, 330000); /* she asks again, by herself */
        assert_int_equal(hostile_room(c.dora, &c.room).frozen, HS_OK);
        assert_false(hostile_room(c.dora, &c.room).unmoved);
        assert_non_null(strstr(town_history(c.rosa, &c.room), "waits"));
        talk(&c);
        town_free(c.t);
    }
}

/* CLIENT-79: where it is true, it is shown as well, and the move to another home is over without that room.
 */
static void who_was_removed_while_she_moved(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_id other = town_room(c.rosa, "second");
    uint64_t op;
    town_join(c.dora, town_link(c.rosa, &other, 10));
    struct hs_self HS_SELF self = {0};
    TOWN_WANT(c.dora, hs_self_for(&s, &c.hub->root.pub, &self));
    struct hs_key dora = self.persona_signer.pub;
    town_device_kill(c.dora);
    TOWN_WANT(c.rosa, hs_want_ban(&s, &c.room, &dora, &op));
    town_wait(c.t, 5000);
    assert_int_equal(town_done(c.rosa, op)->err, HANSE_OK);
    c.home->down = true;
    town_device_start(c.dora);
    hs_sync_stay_online(c.dora->sync, true);
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.third, 0, NULL, 1), &op));
    town_wait(c.t, 30000);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    assert_false(c.dora->sync->me.moving);
    assert_int_equal(hostile_room(c.dora, &c.room).frozen, HS_ERR_NOT_MEMBER);
    assert_int_equal(hostile_room(c.dora, &c.room).keys, HS_ROOM_KEYS_GOOD);
    c.room = other;
    talk(&c);
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.hub, 0, NULL, 1), &op));
    town_wait(c.t, 30000);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    talk(&c);
    town_free(c.t);
}

/* CLIENT-78: a home that says that it has forgotten, and then doesn't answer, keeps nobody. */
static void a_home_that_keeps_nobody(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    c.dora->outgoing = lost;
    TOWN_WANT(c.dora, forgot(&s, &c.room));
    town_wait(c.t, 3000);
    c.dora->outgoing = NULL;
    assert_true(c.dora->sync->me.moving);
    uint64_t number = hostile_room(c.dora, &c.room).move_number;
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.third, 0, NULL, 1), &op));
    assert_int_equal(hostile_room(c.dora, &c.room).move_number, number + 1);
    uint64_t second;
    TOWN_WANT_ERR(c.dora, hs_want_move_home(&s, town_ticket(c.home, 0, NULL, 1), &second),
                  HS_ERR_INVALID_ARG);
    town_wait(c.t, 30000);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    struct hs_key home = c.dora->sync->me.home_root;
    assert_true(hs_key_equal(&home, &c.third->root.pub));
    c.home->down = true;
    talk(&c);
    town_free(c.t);
}

/* CLIENT-54, CLIENT-78: and where the other node refuses her, she is where she was, and told as before. */
static void a_refusal_leads_back_to_it(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    const char *ticket = town_ticket(c.third, 0, NULL, 1);
    struct town_device *emil = town_device_new(c.t);
    TOWN_WANT(emil, hs_want_identity(&s, "Emil"));
    TOWN_WANT(emil, hs_want_sign_up(&s, ticket, &op));
    town_wait(c.t, 1000);
    c.dora->outgoing = lost;
    TOWN_WANT(c.dora, forgot(&s, &c.room));
    c.dora->outgoing = NULL;
    TOWN_WANT(c.dora, hs_want_move_home(&s, ticket, &op));
    town_wait(c.t, 10000);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_ERR_TICKET_USED);
    struct hs_key home = c.dora->sync->me.home_root;
    assert_true(hs_key_equal(&home, &c.home->root.pub));
    talk(&c);
    town_free(c.t);
}

/* CLIENT-78: the hub of one room is away, and the other room is forgotten twice: each time has a number of
 * its own, and the room is served again. */
static void twice_while_another_waits(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *fred = town_member_of_staff(c.third, "fred", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id other = town_room(fred, "FAR");
    town_join(c.dora, town_link(fred, &other, 10));
    town_wait(c.t, 2000);
    c.third->down = true;
    town_node_cut(c.third);
    TOWN_WANT(c.dora, forgot(&s, &other));
    for (int i = 0; i < 2; i++) {
        TOWN_WANT(c.dora, forgot(&s, &c.room));
        town_wait(c.t, FORGOTTEN_MS);
        assert_true(c.dora->sync->me.moving);
        assert_false(hostile_room(c.dora, &c.room).unmoved);
        talk(&c);
    }
    c.third->down = false;
    town_wait(c.t, 900000);
    assert_false(c.dora->sync->me.moving);
    c.room = other;
    c.rosa = fred;
    talk(&c);
    town_free(c.t);
}

static void wakes(struct town_device *d)
{
    d->outgoing = NULL;
    d->die_after = 0;
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

/* CLIENT-78: a home that says so to every session costs the room no more records for a device that is
 * started often. */
static void each_time_that_she_starts(void **state)
{
    (void)state;
    struct scene c = scene_new();
    TOWN_WANT(c.dora, forgot(&s, &c.room));
    town_wait(c.t, 5000);
    assert_false(hostile_room(c.dora, &c.room).unmoved);
    uint64_t number = hostile_room(c.dora, &c.room).move_number,
             next = hostile_room(c.dora, &c.room).tip.next_seq;
    for (int i = 0; i < 3; i++) {
        town_device_kill(c.dora);
        wakes(c.dora);
        town_wait(c.t, 5000);
        TOWN_WANT(c.dora, forgot(&s, &c.room));
        town_wait(c.t, 5000);
        assert_int_equal(hostile_room(c.dora, &c.room).move_number, number);
        assert_int_equal(hostile_room(c.dora, &c.room).tip.next_seq, next);
    }
    town_wait(c.t, FORGOTTEN_MS);
    TOWN_WANT(c.dora, forgot(&s, &c.room));
    town_wait(c.t, 5000);
    assert_int_equal(hostile_room(c.dora, &c.room).move_number, number + 1);
    assert_int_equal(hostile_room(c.dora, &c.room).tip.next_seq, next + 1);
    talk(&c);
    town_free(c.t);
}

/* Dies before the answer comes. */
static bool tells_and_dies(struct town_device *d, struct hs_bytes frame)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *sent;
    assert_ok(HS_UNPACK(hanse__frame, frame, HS_LENIENT, &arena, &sent));
    if (sent->body_case == HANSE__FRAME__BODY_FORWARD)
        d->die_after = 1;
    return true;
}

/* FED-69: a home that has lost the hub's item is told once more, and the posts that wait go out. */
static void an_item_that_was_lost(void **state)
{
    (void)state;
    struct scene c = scene_new();
    c.dora = town_customer(c.home, "Dora");
    struct hs_kv *first = town_node_copy(c.home), *second = town_node_copy(c.home);
    uint64_t op;
    town_join(c.dora, town_link(c.rosa, &c.room, 10));
    town_device_kill(c.dora);
    town_node_restore(c.home, first);
    wakes(c.dora);
    c.dora->outgoing = tells_and_dies;
    town_wait(c.t, 10000);
    assert_true(c.dora->dead);
    town_node_restore(c.home, second);
    wakes(c.dora);
    TOWN_WANT(c.dora, hs_want_text(&s, &c.room, "at last", &op));
    town_wait(c.t, 60000);
    assert_true(hostile_room(c.dora, &c.room).unmoved);
    town_wait(c.t, FORGOTTEN_MS);
    assert_false(hostile_room(c.dora, &c.room).unmoved);
    assert_non_null(strstr(town_history(c.rosa, &c.room), "at last"));
    talk(&c);
    town_free(c.t);
}

/* FED-68, FED-69: a home that is restored twice within minutes has forgotten twice; what is said meanwhile
 * waits, and comes in the same session. */
static void a_home_that_is_restored_twice(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    c.dora = town_customer(c.home, "Dora");
    struct hs_kv *first = town_node_copy(c.home), *second = town_node_copy(c.home);
    town_join(c.dora, town_link(c.rosa, &c.room, 10));
    town_node_restore(c.home, first);
    town_wait(c.t, 60000);
    talk(&c);
    town_node_restore(c.home, second);
    town_wait(c.t, 60000);
    assert_false(hs_sync_has_pending(c.dora->sync) && !hostile_room(c.dora, &c.room).unmoved);
    TOWN_WANT(c.dora, hs_want_text(&s, &c.room, "once more", &op));
    post(&c, c.rosa, "unseen");
    town_wait(c.t, 2 * FORGOTTEN_MS);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    assert_false(hostile_room(c.dora, &c.room).unmoved);
    assert_non_null(strstr(town_history(c.rosa, &c.room), "once more"));
    assert_non_null(strstr(town_history(c.dora, &c.room), "unseen"));
    talk(&c);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_home_that_says_she_is_no_member),
        cmocka_unit_test(who_was_removed_while_she_moved),
        cmocka_unit_test(a_home_that_was_the_hub),
        cmocka_unit_test(a_home_that_keeps_nobody),
        cmocka_unit_test(a_place_that_gets_free),
        cmocka_unit_test(a_refusal_leads_back_to_it),
        cmocka_unit_test(each_time_that_she_starts),
        cmocka_unit_test(twice_while_another_waits),
        cmocka_unit_test(an_item_that_was_lost),
        cmocka_unit_test(a_home_that_is_restored_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The session with the home node: when it is tried again, when it is given up, what is told and when. */
#include "town.h"

#include "crypto/dh.h"
#include "identity/descriptor.h"
#include "identity/grant.h"
#include "object/object.h"
#include "schema/link.pb-c.h"
#include "sync/state.h"
#include "wire/unpack.h"

static const uint32_t owner = HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER) | HS_ROLE_BIT(HANSE__ROLE__ROLE_STAFF);

struct scene {
    struct town *t;
    struct town_node *rosa;
    struct town_device *alice, *ben;
    struct hs_id room;
};

static struct scene scene_new(void)
{
    struct scene s = {.t = town_new()};
    s.rosa = town_node_new(s.t, "rosa.example");
    s.alice = town_member_of_staff(s.rosa, "rosa", owner);
    s.room = town_room(s.alice, "VIP");
    s.ben = town_guest(s.t, "Ben", town_link(s.alice, &s.room, 1));
    town_wait(s.t, 2 * HS_CURSOR_MS);
    return s;
}

static void say(struct scene *c, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t op;
        TOWN_WANT(c->alice, hs_want_text(&s, &c->room, "hello", &op));
    }
    town_run(c->t);
}

/* What a device sends, by kind. */
static size_t cursors_sent, pings_sent;
static bool ping_is_lost;

static bool count_frames(struct town_device *d, struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    (void)d;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    cursors_sent += frame->body_case == HANSE__FRAME__BODY_CURSORS;
    pings_sent += frame->body_case == HANSE__FRAME__BODY_PING;
    return !(ping_is_lost && frame->body_case == HANSE__FRAME__BODY_PING);
}

static void watch(struct town_device *d)
{
    cursors_sent = pings_sent = 0;
    ping_is_lost = false;
    d->outgoing = count_frames;
}

/* CLIENT-14: once a second, after 64 records, and at the end. */
static void test_cursors_are_told_seldom(void **state)
{
    (void)state;
    struct scene c = scene_new();
    watch(c.ben);
    for (int i = 0; i < 3; i++)
        say(&c, 1);
    assert_int_equal(cursors_sent, 0);
    town_wait(c.t, HS_CURSOR_MS);
    assert_int_equal(cursors_sent, 1);
    say(&c, HS_CURSOR_RECORDS - 1);
    assert_int_equal(cursors_sent, 1);
    say(&c, 1);
    assert_int_equal(cursors_sent, 2);
    say(&c, 1);
    TOWN_WANT(c.ben, hs_sync_flush(&s));
    assert_int_equal(cursors_sent, 3);
    town_free(c.t);
}

/* CLIENT-14: a device that dies before it could tell is given the same again, and shows it once. */
static void test_what_was_not_told_comes_again_and_counts_once(void **state)
{
    (void)state;
    struct scene c = scene_new();
    say(&c, 3);
    town_device_kill(c.ben);
    town_device_start(c.ben);
    hs_sync_stay_online(c.ben->sync, true);
    town_wait(c.t, 1000);
    assert_string_equal(town_history(c.ben, &c.room), "hello\nhello\nhello\n");
    town_free(c.t);
}

/* CLIENT-17: a node that got a new transport key is found again by its root; one with another root isn't. */
static void test_a_node_with_new_keys_is_asked_who_it_is(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    struct hs_dial dial = {0};
    assert_ok(hs_object_unpack(c.rosa->descriptor, &arena, &object));
    assert_ok(hs_descriptor_open(object, &c.rosa->root.pub, &d));
    c.rosa->down = true;
    town_device_cut(c.ben);
    bool asks = false, knows = false;
    for (unsigned i = 0; i < 5; i++) {
        town_skip(c.t, HS_RETRY_MAX_MS);
        TOWN_WANT(c.ben, (assert_true(hs_sync_dial(&s, &dial)), HS_OK));
        asks = asks || !dial.knows_node;
        knows = knows || dial.knows_node;
        if (asks && knows && !dial.knows_node)
            break;
        TOWN_WANT(c.ben, hs_sync_closed(&s, HS_ERR_UNREACHABLE));
    }
    assert_true(asks && knows && !dial.knows_node);
    struct hs_signer other;
    struct hs_key transport, learned;
    struct hs_secret32 secret;
    struct hs_bytes bytes;
    hs_signer_random(&other);
    hs_dh_keypair(&secret, &transport);
    d.sequence++;
    d.transport_key = transport;
    assert_ok(hs_descriptor_build(&other, &d, town_now(c.t), &arena, &object));
    assert_ok(hs_object_pack(object, &arena, &bytes));
    TOWN_WANT_ERR(c.ben, hs_sync_descriptor(&s, bytes, &learned), HS_ERR_WRONG_SIGNER);
    assert_ok(hs_descriptor_build(&c.rosa->root, &d, town_now(c.t), &arena, &object));
    assert_ok(hs_object_pack(object, &arena, &bytes));
    TOWN_WANT(c.ben, hs_sync_descriptor(&s, bytes, &learned));
    assert_true(hs_key_equal(&learned, &transport));
    town_free(c.t);
}

/* CLIENT-25: 250 ms, doubled up to 30 s, half of it at random. */
static void test_reconnecting_backs_off(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_dial dial;
    int64_t wait = HS_RETRY_FIRST_MS, least = INT64_MAX, most = 0;
    c.rosa->down = true;
    TOWN_WANT(c.ben, hs_sync_closed(&s, HS_ERR_CLOSED));
    c.ben->session = 0;
    for (unsigned i = 0; i < 40; i++) {
        int64_t in = hs_sync_deadline(c.ben->sync).ms - town_now(c.t).ms;
        assert_in_range(in, wait / 2, wait);
        TOWN_WANT(c.ben, (assert_false(hs_sync_dial(&s, &dial)), HS_OK));
        if (wait == HS_RETRY_MAX_MS) {
            least = in < least ? in : least;
            most = in > most ? in : most;
        }
        town_skip(c.t, in);
        TOWN_WANT(c.ben, (assert_true(hs_sync_dial(&s, &dial)), HS_OK));
        TOWN_WANT(c.ben, hs_sync_closed(&s, HS_ERR_UNREACHABLE));
        wait = 2 * wait < HS_RETRY_MAX_MS ? 2 * wait : HS_RETRY_MAX_MS;
    }
    assert_true(most - least > HS_RETRY_MAX_MS / 16); /* they don't all come back at one time */
    town_free(c.t);
}

/* CLIENT-25: a session that says nothing for 60 s is asked; one that doesn't answer for 30 s is left. */
static void test_a_silent_session_is_asked_and_left(void **state)
{
    (void)state;
    struct scene c = scene_new();
    watch(c.ben);
    town_wait(c.t, HS_PING_MS - 2 * HS_CURSOR_MS - 1000);
    assert_int_equal(pings_sent, 0);
    town_wait(c.t, 2 * HS_CURSOR_MS + 2000);
    assert_int_equal(pings_sent, 1);
    size_t offline = town_event_count(c.ben, HANSE_EVENT_OFFLINE);
    ping_is_lost = true;
    town_wait(c.t, HS_PING_MS + 1000);
    assert_int_equal(pings_sent, 2);
    assert_int_equal(town_event_count(c.ben, HANSE_EVENT_OFFLINE), offline);
    ping_is_lost = false;
    town_wait(c.t, HS_REQUEST_MS);
    assert_int_equal(town_event_count(c.ben, HANSE_EVENT_OFFLINE), offline + 1);
    town_wait(c.t, HS_RETRY_FIRST_MS);
    assert_true(hs_sync_is_authenticated(c.ben->sync));
    town_free(c.t);
}

/* CLIENT-27: said once, behind everything that the node had. */
static void test_caught_up_comes_last(void **state)
{
    (void)state;
    struct scene c = scene_new();
    town_device_kill(c.ben);
    town_run(c.t);
    say(&c, 300); /* more than one batch */
    c.ben->event_count = 0;
    town_device_start(c.ben);
    hs_sync_stay_online(c.ben->sync, true);
    town_wait(c.t, 1000);
    assert_int_equal(town_event_count(c.ben, HANSE_EVENT_CAUGHT_UP), 1);
    assert_int_equal(town_event_count(c.ben, HANSE_EVENT_MESSAGE), 300);
    size_t last_message = 0, caught_up = 0;
    for (size_t i = 0; i < c.ben->event_count; i++) {
        if (c.ben->events[i].kind == HANSE_EVENT_MESSAGE)
            last_message = i;
        if (c.ben->events[i].kind == HANSE_EVENT_CAUGHT_UP)
            caught_up = i;
    }
    assert_true(caught_up > last_message);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cursors_are_told_seldom),
        cmocka_unit_test(test_what_was_not_told_comes_again_and_counts_once),
        cmocka_unit_test(test_a_node_with_new_keys_is_asked_who_it_is),
        cmocka_unit_test(test_reconnecting_backs_off),
        cmocka_unit_test(test_a_silent_session_is_asked_and_left),
        cmocka_unit_test(test_caught_up_comes_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

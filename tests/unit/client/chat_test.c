/* From nothing to a conversation, and out again: sign-up, room, invite, join, posts, removal. */
#include "town.h"

#include "identity/grant.h"
#include "room/head.h"
#include "schema/link.pb-c.h"
#include "store/rooms.h"
#include "store/tables.h"
#include "support/rng.h"
#include "wire/unpack.h"

#include <stdio.h>

static const uint32_t owner = HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER);

static void test_a_ticket_makes_an_account(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    assert_non_null(town_event(alice, HANSE_EVENT_ONLINE));
    assert_non_null(town_event(alice, HANSE_EVENT_CAUGHT_UP));
    town_free(t);
}

static void test_a_used_ticket_is_refused_and_another_one_may_be_tried(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    const char *ticket = town_ticket(rosa, 0, NULL, 1);
    struct town_device *a = town_device_new(t), *b = town_device_new(t);
    uint64_t op;
    TOWN_WANT(a, hs_want_identity(&s, "a"));
    TOWN_WANT(b, hs_want_identity(&s, "b"));
    TOWN_WANT(a, hs_want_sign_up(&s, ticket, &op));
    town_run(t);
    assert_int_equal(town_done(a, op)->err, HANSE_OK);
    TOWN_WANT(b, hs_want_sign_up(&s, ticket, &op));
    town_run(t);
    assert_int_equal(town_done(b, op)->err, HANSE_ERR_TICKET_USED);
    TOWN_WANT(b, hs_want_sign_up(&s, town_ticket(rosa, 0, NULL, 1), &op));
    town_wait(t, 1000);
    assert_int_equal(town_done(b, op)->err, HANSE_OK);
    TOWN_WANT_ERR(b, hs_want_sign_up(&s, ticket, &op), HS_ERR_INVALID_STATE);
    town_free(t);
}

static void say(struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
    town_run(d->town);
    assert_non_null(town_done(d, op));
    assert_int_equal(town_done(d, op)->err, HANSE_OK);
}

/* CLIENT-16 */
static void test_a_link_is_all_that_a_guest_needs(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    say(alice, &room, "alone");
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    assert_non_null(town_event(ben, HANSE_EVENT_WAITING));
    assert_non_null(town_event(ben, HANSE_EVENT_JOINED));
    say(alice, &room, "hello Ben");
    say(ben, &room, "hello Rosa");
    assert_string_equal(town_history(alice, &room), "alone\nhello Ben\nhello Rosa\n");
    assert_string_equal(town_history(ben, &room), "hello Ben\nhello Rosa\n");
    struct town_device *cleo = town_guest(t, "Cleo", town_link(alice, &room, 1));
    say(cleo, &room, "and me");
    say(ben, &room, "welcome");
    assert_string_equal(town_history(cleo, &room), "and me\nwelcome\n");
    assert_string_equal(town_history(ben, &room), "hello Ben\nhello Rosa\nand me\nwelcome\n");
    town_free(t);
}

static void test_a_guest_waits_for_a_moderator(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 5);
    town_device_kill(alice);
    struct town_device *ben = town_guest(t, "Ben", link);
    town_wait(t, 1000);
    assert_non_null(town_event(ben, HANSE_EVENT_WAITING));
    assert_null(town_event(ben, HANSE_EVENT_JOINED));
    town_device_kill(ben);
    town_device_start(alice);
    hs_sync_stay_online(alice->sync, true);
    town_wait(t, 1000);
    town_device_start(ben);
    hs_sync_stay_online(ben->sync, true);
    town_wait(t, 1000);
    assert_non_null(town_event(ben, HANSE_EVENT_JOINED));
    say(ben, &room, "in");
    assert_string_equal(town_history(alice, &room), "in\n");
    town_free(t);
}

/* CLIENT-7, CLIENT-10 */
static void test_who_is_removed_reads_nothing_more(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 5);
    struct town_device *ben = town_guest(t, "Ben", link), *cleo = town_guest(t, "Cleo", link);
    struct hs_key persona;
    uint64_t op;
    assert_ok(hs_sync_persona(ben->sync, &rosa->root.pub, &persona));
    TOWN_WANT_ERR(cleo, hs_want_removal(&s, &room, &persona, &op), HS_ERR_POLICY);
    TOWN_WANT(alice, hs_want_removal(&s, &room, &persona, &op));
    town_run(t);
    assert_int_equal(town_done(alice, op)->err, HANSE_OK);
    assert_non_null(town_event(ben, HANSE_EVENT_REMOVED));
    say(alice, &room, "secret");
    assert_string_equal(town_history(cleo, &room), "secret\n");
    assert_string_equal(town_history(ben, &room), "");
    TOWN_WANT_ERR(ben, hs_want_text(&s, &room, "let me in", &op), HS_ERR_NOT_MEMBER);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_bytes key;
    struct hs_kv *kv = town_look(ben);
    assert_false(
        hs_kv_next(kv, HS_TABLE_GROUP, HS_VIEW(room), HS_VIEW(room), &arena, &key, NULL)); /* its keys, too */
    town_looked(ben);
    town_free(t);
}

static void test_who_was_removed_may_come_back_by_a_new_invite(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    struct hs_key persona;
    uint64_t op;
    say(ben, &room, "before");
    assert_ok(hs_sync_persona(ben->sync, &rosa->root.pub, &persona));
    TOWN_WANT(alice, hs_want_removal(&s, &room, &persona, &op));
    town_run(t);
    say(alice, &room, "without Ben");
    TOWN_WANT(ben, hs_want_join(&s, town_link(alice, &room, 5), &op));
    town_wait(t, 1000);
    assert_int_equal(town_done(ben, op)->err, HANSE_OK);
    assert_int_equal(town_event_count(ben, HANSE_EVENT_JOINED), 2);
    say(ben, &room, "back");
    say(alice, &room, "good");
    assert_string_equal(town_history(ben, &room), "before\nback\ngood\n");
    assert_string_equal(town_history(alice, &room), "before\nwithout Ben\nback\ngood\n");
    town_free(t);
}

static void test_the_longest_text(void **state)
{
    (void)state;
    static char text[HANSE_TEXT_MAX + 1], expected[HANSE_TEXT_MAX + 2];
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    memset(text, 'x', HANSE_TEXT_MAX);
    snprintf(expected, sizeof expected, "%s\n", text);
    say(alice, &room, text);
    assert_string_equal(town_history(ben, &room), expected);
    town_free(t);
}

/* A program that only comes to remove somebody: the room has nothing new to tell it. */
static void test_a_removal_after_a_restart(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    struct hs_key persona;
    uint64_t op;
    assert_ok(hs_sync_persona(ben->sync, &rosa->root.pub, &persona));
    town_wait(t, 2000);
    town_device_kill(alice);
    town_device_start(alice);
    TOWN_WANT(alice, hs_want_removal(&s, &room, &persona, &op));
    town_run(t);
    assert_non_null(town_done(alice, op));
    assert_int_equal(town_done(alice, op)->err, HANSE_OK);
    assert_non_null(town_event(ben, HANSE_EVENT_REMOVED));
    town_free(t);
}

/* CLIENT-9: a post that was on its way when the keys changed is encrypted anew, and comes through once. */
static void test_a_post_overtaken_by_a_commit(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 5);
    struct town_device *ben = town_guest(t, "Ben", link), *cleo = town_guest(t, "Cleo", link);
    struct hs_key persona;
    uint64_t removal, post;
    town_wait(t, 2000);
    assert_ok(hs_sync_persona(cleo->sync, &rosa->root.pub, &persona));
    TOWN_WANT(alice, hs_want_removal(&s, &room, &persona, &removal));
    TOWN_WANT(ben,
              hs_want_text(&s, &room, "overtaken", &post)); /* behind the commit, in the epoch before it */
    town_wait(t, 1000);
    assert_int_equal(town_done(alice, removal)->err, HANSE_OK);
    assert_non_null(town_done(ben, post));
    assert_int_equal(town_done(ben, post)->err, HANSE_OK);
    assert_string_equal(town_history(alice, &room), "overtaken\n");
    assert_string_equal(town_history(ben, &room), "overtaken\n");
    assert_string_equal(town_history(cleo, &room), "");
    town_free(t);
}

static struct hs_room_row room_row(struct town_device *d, const struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_room_row row;
    assert_true(hs_room_get(town_look(d), room, &arena, &row));
    town_looked(d);
    return row;
}

/* A head that the hub signed over another story of the same log. */
static void show_head(struct town_node *node, struct town_device *d, const struct hs_id *room,
                      const struct hs_log_tip *tip, const struct hs_signer *signer, enum hs_err want)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_writer HS_WRITER w = hs_writer(65536);
    Hanse__Records records = HANSE__RECORDS__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    assert_ok(hs_head_build(signer, room, tip, 1, 1, town_now(node->town), &arena, &records.head));
    records.room = hs_pb_data(HS_VIEW(*room));
    frame.body_case = HANSE__FRAME__BODY_RECORDS;
    frame.records = &records;
    assert_ok(HS_PACK(&frame, &w));
    TOWN_WANT_ERR(d, hs_sync_frame(&s, hs_writer_bytes(&w)), want);
}

/* CLIENT-8 */
static void test_a_hub_that_tells_two_stories_is_not_believed(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    uint64_t op;
    say(alice, &room, "once");
    struct hs_log_tip tip = room_row(ben, &room).tip;
    show_head(rosa, ben, &room, &tip, &rosa->signer, HS_OK);
    assert_int_equal(room_row(ben, &room).state, HS_ROOM_STATE_MEMBER);
    show_head(rosa, ben, &room, &tip, &rosa->root, HS_ERR_WRONG_SIGNER); /* not the node's signing key */
    tip.hash.b[0] ^= 1;
    show_head(rosa, ben, &room, &tip, &rosa->signer, HS_OK);
    assert_int_equal(room_row(ben, &room).state, HS_ROOM_STATE_FROZEN);
    assert_non_null(town_event(ben, HANSE_EVENT_FROZEN));
    assert_int_equal(town_event(ben, HANSE_EVENT_FROZEN)->err, HANSE_ERR_LOG_FORK);
    TOWN_WANT_ERR(ben, hs_want_text(&s, &room, "still here?", &op), HS_ERR_LOG_FORK);
    town_free(t);
}

/* CLIENT-5: nothing that the node may send ends the program or the store. */
static void test_frames_that_make_no_sense(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    struct rng rng = rng_new();
    uint8_t bytes[96];
    for (int i = 0; i < 3000; i++) {
        size_t len = rng_below(&rng, sizeof bytes);
        rng_fill(&rng, bytes, len);
        if (i % 2 == 0 && len > 2) {
            bytes[0] = 0xa2; /* field 20: Records */
            bytes[1] = 0x01;
        }
        struct hs_step s;
        struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
        assert_ok(town_open(alice, &s, &arena));
        enum hs_err err = town_close(alice, &s, hs_sync_frame(&s, hs_bytes(bytes, len)));
        assert_true(err == HS_OK || err == HS_ERR_CLOSED || hs_sync_is_fault(err));
    }
    town_device_cut(alice);
    town_wait(t, 2000);
    say(alice, &room, "unimpressed");
    town_free(t);
}

/* CLIENT-9, CLIENT-26: more posts than may be in flight, made before there is a session. */
static void test_many_posts_keep_their_order(void **state)
{
    (void)state;
    enum { POSTS = 150 };
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    uint64_t op = 0;
    char text[16], all[POSTS * 16] = "";
    town_device_cut(ben);
    for (int i = 0; i < POSTS; i++) {
        snprintf(text, sizeof text, "post %d", i);
        strcat(strcat(all, text), "\n");
        TOWN_WANT(ben, hs_want_text(&s, &room, text, &op));
    }
    town_wait(t, 2000);
    assert_non_null(town_done(ben, op));
    assert_string_equal(town_history(alice, &room), all);
    assert_string_equal(town_history(ben, &room), all);
    town_free(t);
}

static void test_posts_made_apart_come_through_in_one_order(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 5);
    struct town_device *ben = town_guest(t, "Ben", link);
    uint64_t op;
    rosa->down = true;
    town_device_cut(alice);
    town_device_cut(ben);
    TOWN_WANT(alice, hs_want_text(&s, &room, "from Alice", &op));
    TOWN_WANT(ben, hs_want_text(&s, &room, "from Ben", &op));
    town_wait(t, 3000);
    assert_null(town_done(ben, op));
    rosa->down = false;
    town_wait(t, 5000);
    assert_int_equal(town_done(ben, op)->err, HANSE_OK);
    char seen[256];
    snprintf(seen, sizeof seen, "%s", town_history(alice, &room));
    assert_non_null(strstr(seen, "from Alice\n"));
    assert_non_null(strstr(seen, "from Ben\n"));
    assert_string_equal(town_history(ben, &room), seen);
    town_free(t);
}

/* CLIENT-15, CLIENT-16 */
static void test_a_guest_from_another_brand(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example"), *linn = town_node_new(t, "linn.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 5);
    struct town_device *dora = town_device_new(t);
    uint64_t op;
    TOWN_WANT(dora, hs_want_identity(&s, "Dora"));
    TOWN_WANT(dora, hs_want_sign_up(&s, town_ticket(linn, 0, NULL, 1), &op));
    hs_sync_stay_online(dora->sync, true);
    town_run(t);
    TOWN_WANT(dora, hs_want_join(&s, link, &op));
    town_wait(t, 5000);
    assert_int_equal(town_done(dora, op)->err, HANSE_OK);
    assert_non_null(town_event(dora, HANSE_EVENT_JOINED));
    say(alice, &room, "hello over there");
    TOWN_WANT(dora, hs_want_text(&s, &room, "hello over here", &op));
    town_wait(t, 3000);
    assert_int_equal(town_done(dora, op)->err, HANSE_OK);
    assert_string_equal(town_history(alice, &room), "hello over there\nhello over here\n");
    assert_string_equal(town_history(dora, &room), "hello over there\nhello over here\n");
    struct hs_key at_home, at_rosa;
    assert_ok(hs_sync_persona(dora->sync, &linn->root.pub, &at_home));
    assert_ok(hs_sync_persona(dora->sync, &rosa->root.pub, &at_rosa));
    assert_false(hs_key_equal(&at_home, &at_rosa));
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ticket_makes_an_account),
        cmocka_unit_test(test_a_used_ticket_is_refused_and_another_one_may_be_tried),
        cmocka_unit_test(test_a_link_is_all_that_a_guest_needs),
        cmocka_unit_test(test_a_guest_waits_for_a_moderator),
        cmocka_unit_test(test_who_is_removed_reads_nothing_more),
        cmocka_unit_test(test_who_was_removed_may_come_back_by_a_new_invite),
        cmocka_unit_test(test_the_longest_text),
        cmocka_unit_test(test_a_removal_after_a_restart),
        cmocka_unit_test(test_a_post_overtaken_by_a_commit),
        cmocka_unit_test(test_a_hub_that_tells_two_stories_is_not_believed),
        cmocka_unit_test(test_frames_that_make_no_sense),
        cmocka_unit_test(test_many_posts_keep_their_order),
        cmocka_unit_test(test_posts_made_apart_come_through_in_one_order),
        cmocka_unit_test(test_a_guest_from_another_brand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

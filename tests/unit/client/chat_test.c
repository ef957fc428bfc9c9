/* From nothing to a conversation, and out again: sign-up, room, invite, join, posts, removal. */
#include "town.h"

#include "identity/grant.h"
#include "store/rooms.h"

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
    struct hs_bytes group;
    struct hs_kv *kv = town_look(ben);
    assert_false(hs_group_state_get(kv, &room, &arena, &group)); /* its keys are gone, too */
    town_looked(ben);
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

/* More posts than may be in flight, made before there is a session. */
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
        cmocka_unit_test(test_a_removal_after_a_restart),
        cmocka_unit_test(test_many_posts_keep_their_order),
        cmocka_unit_test(test_posts_made_apart_come_through_in_one_order),
        cmocka_unit_test(test_a_guest_from_another_brand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

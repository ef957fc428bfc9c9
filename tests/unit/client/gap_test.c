/* A member that was away for longer than posts are kept: what it missed is a line that says so, and it reads
 * and posts on. */
#include "town.h"

#include "hostile.h"
#include "sync/state.h"

enum { HOUR_MS = 3600000, ERASED_WITHIN_MS = 120000 };

struct scene {
    struct town *t;
    struct town_node *node, *other;
    struct town_device *rosa, *ben;
    struct hs_id room;
};

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    const struct hanse_room_spec spec = {.name = "VIP", .keep_ms = HOUR_MS};
    c.node = town_node_new(c.t, "rosa.example");
    c.rosa = town_member_of_staff(c.node, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room_as(c.rosa, &spec);
    c.ben = town_guest(c.t, "Ben", town_link(c.rosa, &c.room, 20));
    town_wait(c.t, 2000);
    return c;
}

static uint64_t post(struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
    town_wait(d->town, 1000);
    assert_int_equal(town_done(d, op)->err, HANSE_OK);
    return town_done(d, op)->seq;
}

static void start(struct town_device *d)
{
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

static void posts_grow_old(struct scene *c)
{
    town_skip(c->t, HOUR_MS);
    town_wait(c->t, ERASED_WITHIN_MS);
}

/* CLIENT-56 */
static void what_was_missed_is_a_gap(void **state)
{
    (void)state;
    struct scene c = scene_new();
    town_device_kill(c.ben);
    uint64_t first = post(c.rosa, &c.room, "one");
    post(c.rosa, &c.room, "two");
    uint64_t last = post(c.rosa, &c.room, "three");
    posts_grow_old(&c);
    post(c.rosa, &c.room, "four");
    start(c.ben);
    town_wait(c.t, 3000);
    struct hs_message_row gap = hostile_line(c.ben, &c.room, first);
    assert_int_equal(gap.kind, HANSE_MESSAGE_GAP);
    assert_int_equal(gap.err, HANSE_OK);
    assert_int_equal(gap.last, last);
    assert_int_equal(gap.missing, 3);
    const struct hanse_event *told = town_event(c.ben, HANSE_EVENT_GAP);
    assert_non_null(told);
    assert_int_equal(told->seq, first);
    assert_int_equal(told->known, last);
    assert_non_null(strstr(town_history(c.ben, &c.room), "four\n"));
    assert_null(strstr(town_history(c.ben, &c.room), "three\n"));
    post(c.ben, &c.room, "I was away");
    assert_non_null(strstr(town_history(c.rosa, &c.room), "I was away\n"));
    town_free(c.t);
}

/* Somebody came meanwhile: what is missing before and behind that are two gaps, and the room is followed. */
static void gaps_stand_where_they_were(void **state)
{
    (void)state;
    struct scene c = scene_new();
    town_device_kill(c.ben);
    uint64_t before = post(c.rosa, &c.room, "one");
    struct town_device *carl = town_guest(c.t, "Carl", town_link(c.rosa, &c.room, 1));
    town_wait(c.t, 2000);
    uint64_t behind = post(carl, &c.room, "two");
    posts_grow_old(&c);
    start(c.ben);
    town_wait(c.t, 3000);
    assert_int_equal(hostile_line(c.ben, &c.room, before).missing, 1);
    assert_int_equal(hostile_line(c.ben, &c.room, behind).missing, 1);
    assert_int_equal(hostile_room(c.ben, &c.room).members, 3);
    /* what is erased after it was read stays */
    post(carl, &c.room, "three");
    assert_non_null(strstr(town_history(c.ben, &c.room), "three\n"));
    posts_grow_old(&c);
    assert_non_null(strstr(town_history(c.ben, &c.room), "three\n"));
    town_free(c.t);
}

/* One's own post got through, but this device never heard of it, until it was erased. CLIENT-56 */
static void own_posts_are_no_gap(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    TOWN_WANT(c.ben, hs_want_text(&s, &c.room, "am I heard?", &op));
    c.ben->die_after = 1;
    town_run(c.t);
    c.ben->die_after = 0;
    if (!c.ben->dead)
        town_device_kill(c.ben);
    town_wait(c.t, 1000);
    if (strstr(town_history(c.rosa, &c.room), "am I heard?\n") == NULL)
        fail_msg("it died too early: nothing is shown");
    posts_grow_old(&c);
    start(c.ben);
    town_wait(c.t, 5000);
    assert_non_null(strstr(town_history(c.ben, &c.room), "am I heard?\n"));
    assert_null(town_event(c.ben, HANSE_EVENT_GAP));
    assert_false(hs_sync_has_pending(c.ben->sync));
    town_free(c.t);
}

static enum hs_err posts_of_an_epoch(struct hs_step *s, const struct hs_id *id, size_t count)
{
    const struct hs_message_context nothing = {0};
    struct hs_bytes body;
    for (size_t i = 0; i < count; i++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
        HS_TRY(hostile_protect(s, id, hs_bytes_str("x"), &nothing, &arena, &body));
    }
    return HS_OK;
}

/* Rosa posted more in one epoch than a ratchet is turned for, and all of it is erased: what she posts next
 * can't be read either, until Ben's client has ended the epoch. CLIENT-56 */
static void too_many_are_missing(void **state)
{
    (void)state;
    struct scene c = scene_new();
    const size_t most = hs_mls_settings_default().forward;
    town_device_kill(c.ben);
    uint64_t first = post(c.rosa, &c.room, "one");
    TOWN_WANT(c.rosa, posts_of_an_epoch(&s, &c.room, most)); /* as good as sent and erased */
    posts_grow_old(&c);
    uint64_t last = post(c.rosa, &c.room, "not for Ben");
    start(c.ben);
    town_wait(c.t, 3000);
    assert_int_equal(hostile_line(c.ben, &c.room, first).missing, 1);
    assert_int_equal(hostile_line(c.ben, &c.room, last).kind, HANSE_MESSAGE_GAP);
    assert_int_equal(hostile_line(c.ben, &c.room, last).err, HANSE_ERR_MLS_GENERATION);
    post(c.rosa, &c.room, "can you read me?");
    post(c.ben, &c.room, "I can");
    assert_non_null(strstr(town_history(c.ben, &c.room), "can you read me?\nI can\n"));
    assert_non_null(strstr(town_history(c.rosa, &c.room), "I can\n"));
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_missed_is_a_gap),
        cmocka_unit_test(gaps_stand_where_they_were),
        cmocka_unit_test(own_posts_are_no_gap),
        cmocka_unit_test(too_many_are_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

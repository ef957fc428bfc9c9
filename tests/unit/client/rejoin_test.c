/* A device whose store went back to an old copy: it reads what it posted since, and where it committed since,
 * it comes back by an external commit and says what it can't read. */
#include "rejoin_scene.h"

#include "hostile.h"
#include "support/rng.h"

#include <stdio.h>

enum { HOUR_MS = 3600000, DEATHS_MAX = 80 };

static struct hs_message_row gap_of(struct town_device *d, const struct hs_id *room)
{
    const struct hanse_event *told = town_event(d, HANSE_EVENT_GAP);
    assert_non_null(told);
    return hostile_line(d, room, told->seq);
}

/* What an old copy hasn't posted itself it reads, and goes on behind it. CLIENT-57 */
static void own_posts_are_read(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_bytes copy = copy_of(c.ben);
    post(c.ben, &c.room, "one");
    post(c.ben, &c.room, "two");
    goes_back(c.ben, copy);
    town_wait(c.t, 2000);
    assert_true(has(c.ben, &c.room, "one\ntwo\n"));
    assert_null(town_event(c.ben, HANSE_EVENT_GAP));
    all_is_well(&c, 4);
    town_free(c.t);
}

/* CLIENT-58, CLIENT-59 */
static void an_old_copy_comes_back(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_bytes copy = copy_of(c.rosa);
    removes(&c, c.dora);
    uint64_t first = post(c.rosa, &c.room, "she is gone");
    uint64_t last = post(c.ben, &c.room, "why?");
    goes_back(c.rosa, copy);
    town_wait(c.t, 3000);
    struct hs_message_row gap = gap_of(c.rosa, &c.room);
    assert_int_equal(gap.kind, HANSE_MESSAGE_GAP);
    assert_int_equal(gap.err, HANSE_ERR_STATE_LOST);
    assert_int_equal(gap.missing, 2);
    assert_true(gap.seq < first && gap.last > last);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_GOOD);
    assert_int_equal(lines(c.ben, &c.room, HANSE_MESSAGE_LEFT), 1); /* Dora */
    all_is_well(&c, 3);
    /* and it commits on */
    struct town_device *emil = town_guest(c.t, "Emil", town_link(c.rosa, &c.room, 1));
    town_wait(c.t, 2000);
    post(emil, &c.room, "hello");
    assert_true(has(c.rosa, &c.room, "hello\n"));
    assert_int_equal(hostile_room(c.ben, &c.room).members, 4);
    town_free(c.t);
}

static size_t questions;

static bool count_questions(struct town_device *d, struct hs_bytes frame)
{
    uint64_t id;
    (void)d;
    questions += frame_kind(frame, &id) == HANSE__FRAME__BODY_GET_GROUP_INFO;
    return true;
}

static bool commits_nothing(struct town_device *d, struct hs_bytes frame)
{
    uint64_t id;
    (void)d;
    return frame_kind(frame, &id) != HANSE__FRAME__BODY_SUBMIT_COMMIT;
}

/* The hub was restored, and has nothing to come back by, while nobody else is there: the copy waits until
 * somebody comes. CLIENT-60, ROOM-92 */
static void a_restored_hub_has_no_info(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_bytes copy = copy_of(c.rosa);
    struct hs_kv *backup = town_node_copy(c.node);
    removes(&c, c.dora);
    town_node_restore(c.node, backup);
    c.rosa->outgoing = c.ben->outgoing = c.carl->outgoing = commits_nothing;
    town_wait(c.t, 100000);
    assert_false(town_node_is_frozen(c.node));
    c.ben->outgoing = c.carl->outgoing = NULL;
    town_device_kill(c.ben);
    town_device_kill(c.carl);
    goes_back(c.rosa, copy);
    questions = 0;
    c.rosa->outgoing = count_questions;
    town_wait(c.t, 100000);
    assert_in_range(questions, 3, 5);
    assert_int_equal(hostile_room(c.rosa, &c.room).state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_LOST);
    start(c.ben);
    start(c.carl);
    town_wait(c.t, 10000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_GOOD);
    all_is_well(&c, 3);
    town_free(c.t);
}

/* What waited in the copy goes out, once; what is posted without keys waits. CLIENT-60 */
static void what_waits_goes_out(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    town_device_cut(c.rosa);
    TOWN_WANT(c.rosa, hs_want_text(&s, &c.room, "made before", &op));
    town_device_kill(c.rosa);
    struct hs_bytes copy = town_device_copy(c.rosa);
    start(c.rosa);
    town_wait(c.t, 2000);
    assert_true(has(c.ben, &c.room, "made before\n"));
    removes(&c, c.dora);
    goes_back(c.rosa, copy);
    TOWN_WANT(c.rosa, hs_want_text(&s, &c.room, "made behind", &op));
    town_wait(c.t, 3000);
    assert_int_equal(town_done(c.rosa, op)->err, HANSE_OK);
    const char *seen = town_history(c.carl, &c.room);
    assert_string_equal(seen, "made before\nmade behind\n");
    all_is_well(&c, 3);
    town_free(c.t);
}

/* Rosa comes back and dies at her n-th commit. True where there were that many. CLIENT-6, CLIENT-59 */
static bool death_story(size_t n, bool before)
{
    struct scene c = scene_new();
    uint64_t op;
    struct hs_bytes copy = copy_of(c.rosa);
    removes(&c, c.dora);
    post(c.ben, &c.room, "why?");
    goes_back(c.rosa, copy);
    TOWN_WANT(c.rosa, hs_want_text(&s, &c.room, "back", &op));
    c.rosa->die_after = n;
    c.rosa->die_before_commit = before;
    town_wait(c.t, 3000);
    bool died = c.rosa->dead;
    c.rosa->die_after = 0;
    if (died)
        start(c.rosa);
    town_wait(c.t, 4000);
    assert_string_equal(town_history(c.carl, &c.room), "why?\nback\n");
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_GOOD);
    assert_int_equal(lines(c.rosa, &c.room, HANSE_MESSAGE_GAP), 1);
    all_is_well(&c, 3);
    town_free(c.t);
    return died;
}

static void deaths_on_the_way(void **state)
{
    (void)state;
    size_t n = 1;
    for (bool died = true; died; n++) {
        died = death_story(n, true);
        died |= death_story(n, false);
        assert_true(n < DEATHS_MAX);
    }
    printf("%zu deaths, before and behind\n", n - 2);
    assert_true(n > 5);
}

static struct town_device *emil_of(struct scene *c)
{
    uint64_t op;
    struct town_device *emil = town_device_new(c->t);
    TOWN_WANT(emil, hs_want_identity(&s, "Emil"));
    TOWN_WANT(emil, hs_want_sign_up(&s, town_ticket(c->other, 0, NULL, 1), &op));
    hs_sync_stay_online(emil->sync, true);
    town_run(c->t);
    TOWN_WANT(emil, hs_want_join(&s, c->link, &op));
    town_wait(c->t, 3000);
    return emil;
}

static size_t times(struct town_device *d, const struct hs_id *room, const char *line)
{
    size_t count = 0;
    for (const char *at = town_history(d, room); (at = strstr(at, line)) != NULL; at++)
        count++;
    return count;
}

/* What it posted before waits at its home while the old copy posts with the same keys: the others can't read
 * that, so it is said again, and shows once. It dies on the way. CLIENT-57 */
static void keys_are_used_twice(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *emil = emil_of(&c), *all[] = {c.rosa, c.carl, emil};
    static const char *const texts[] = {"two\n", "three\n", "four\n", "five\n"};
    uint64_t op, last;
    struct hs_bytes copy = copy_of(emil);
    uint64_t epoch = hostile_room(c.rosa, &c.room).epoch;
    c.node->down = true;
    town_node_cut(c.other);
    TOWN_WANT(emil, hs_want_text(&s, &c.room, "one", &op));
    town_wait(c.t, 1000);
    goes_back(emil, copy);
    town_wait(c.t, 1000);
    TOWN_WANT(emil, hs_want_text(&s, &c.room, "two", &op));
    TOWN_WANT(emil, hs_want_text(&s, &c.room, "three", &op));
    TOWN_WANT(emil, hs_want_text(&s, &c.room, "four", &last));
    town_wait(c.t, 1000);
    emil->die_after = 2; /* the record that shows it is one of its next */
    c.node->down = false;
    for (size_t i = 0; i < 60 && !emil->dead; i++)
        town_wait(c.t, 1000);
    assert_true(emil->dead);
    emil->die_after = 0;
    start(emil);
    TOWN_WANT(emil, hs_want_text(&s, &c.room, "five", &op));
    town_wait(c.t, 60000);
    assert_true(has(c.rosa, &c.room, "one\n"));
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(times(all[i], &c.room, texts[k]), 1);
    assert_int_equal(hostile_room(c.rosa, &c.room).epoch, epoch + 1);
    assert_int_equal(gap_of(emil, &c.room).err, HANSE_ERR_MLS_GENERATION);
    assert_int_equal(lines(c.rosa, &c.room, HANSE_MESSAGE_REFUSED), 1); /* what had the key of "one" */
    town_free(c.t);
}

/* The same through another node, by whoever may do nothing but post. */
static void from_another_home(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *emil = emil_of(&c);
    struct hs_bytes copy = copy_of(emil);
    TOWN_WANT(emil, new_keys(&s, &c.room));
    town_wait(c.t, 2000);
    post(emil, &c.room, "with new keys");
    goes_back(emil, copy);
    town_wait(c.t, 4000);
    assert_int_equal(gap_of(emil, &c.room).missing, 1);
    assert_int_equal(hostile_room(emil, &c.room).keys, HS_ROOM_KEYS_GOOD);
    post(emil, &c.room, "back again");
    assert_true(has(c.rosa, &c.room, "with new keys\nback again\n"));
    all_is_well(&c, 5);
    assert_true(has(emil, &c.room, "carl says\n"));
    town_free(c.t);
}

/* Two copies run: the one that came back is in, the other is out and says so, until its person wants it back.
 * CLIENT-61 */
static void two_copies(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    struct hs_bytes old = copy_of(c.rosa);
    removes(&c, c.dora);
    struct hs_bytes newer = copy_of(c.rosa);
    goes_back(c.rosa, old);
    town_wait(c.t, 3000);
    all_is_well(&c, 3);
    goes_back(c.rosa, newer); /* the other one comes to the node */
    town_wait(c.t, 3000);
    const struct hanse_event *frozen = town_event(c.rosa, HANSE_EVENT_FROZEN);
    assert_non_null(frozen);
    assert_int_equal(frozen->err, HANSE_ERR_STATE_LOST);
    TOWN_WANT_ERR(c.rosa, hs_want_text(&s, &c.room, "am I in?", &op), HS_ERR_STATE_LOST);
    town_wait(c.t, 5000);
    assert_int_equal(hostile_room(c.rosa, &c.room).state, HS_ROOM_STATE_FROZEN);
    town_device_kill(c.rosa); /* that outlives the program */
    start(c.rosa);
    town_wait(c.t, 2000);
    post(c.ben, &c.room, "where is she?");
    TOWN_WANT(c.rosa, hs_want_rejoin(&s, &c.room, &op));
    town_wait(c.t, 3000);
    assert_non_null(town_done(c.rosa, op));
    assert_int_equal(town_done(c.rosa, op)->err, HANSE_OK);
    assert_false(has(c.rosa, &c.room, "where is she?\n"));
    all_is_well(&c, 3);
    TOWN_WANT_ERR(c.rosa, hs_want_rejoin(&s, &c.room, &op), HS_ERR_INVALID_STATE);
    town_free(c.t);
}

/* Whom a commit took out meanwhile doesn't come back. */
static void removed_is_removed(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    struct hs_bytes copy = copy_of(c.ben);
    removes(&c, c.ben);
    goes_back(c.ben, copy);
    town_wait(c.t, 3000);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_LEFT);
    TOWN_WANT_ERR(c.ben, hs_want_rejoin(&s, &c.room, &op), HS_ERR_INVALID_STATE);
    town_free(c.t);
}

/* One's own post is in the log, and gone: which key it used can't be seen, so the epoch ends first. CLIENT-57
 */
static void erased_posts_of_ones_own(void **state)
{
    (void)state;
    const struct hanse_room_spec spec = {.name = "VIP", .keep_ms = HOUR_MS};
    struct scene c = scene_of(&spec);
    struct hs_bytes copy = copy_of(c.ben);
    uint64_t epoch = hostile_room(c.rosa, &c.room).epoch;
    post(c.ben, &c.room, "one");
    town_device_kill(c.ben);
    town_skip(c.t, HOUR_MS);
    town_wait(c.t, 120000);
    town_device_restore(c.ben, copy);
    start(c.ben);
    town_wait(c.t, 4000);
    assert_int_equal(hostile_room(c.rosa, &c.room).epoch, epoch + 1);
    assert_int_equal(lines(c.ben, &c.room, HANSE_MESSAGE_GAP), 1);
    all_is_well(&c, 4);
    town_free(c.t);
}

enum { ACTS = 120, COPIES = 3 };

struct chaos {
    struct scene c;
    struct town_device *all[3];
    struct hs_bytes copies[3][COPIES];
    size_t said;
};

static void act(struct chaos *x, struct rng *r)
{
    size_t who = rng_below(r, 3), copy = rng_below(r, COPIES);
    struct town_device *d = x->all[who];
    char text[32];
    uint64_t op;
    switch (rng_below(r, 8)) {
    case 0:
        x->copies[who][copy] = copy_of(d);
        break;
    case 1:
    case 4:
        if (x->copies[who][copy].len > 0)
            goes_back(d, x->copies[who][copy]);
        break;
    case 2:
    case 5:
        if (hostile_room(d, &x->c.room).state == HS_ROOM_STATE_MEMBER) {
            struct hs_step s;
            struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
            assert_ok(town_open(d, &s, &arena));
            (void)town_close(d, &s, new_keys(&s, &x->c.room)); /* not while another is under way */
        }
        break;
    case 3:
        town_device_cut(d);
        break;
    default:
        if (hostile_room(d, &x->c.room).state == HS_ROOM_STATE_MEMBER) {
            (void)snprintf(text, sizeof text, "text %zu", x->said++);
            TOWN_WANT(d, hs_want_text(&s, &x->c.room, text, &op));
        }
        break;
    }
    town_wait(x->c.t, (int64_t)rng_below(r, 400));
}

/* Copies are made and gone back to, in any order, while keys change and people talk: in the end all are in,
 * by themselves or because their person wants it, and all talk. CLIENT-57 to CLIENT-61 */
static void any_order(void **state)
{
    (void)state;
    struct rng r = rng_new();
    struct chaos x = {.c = scene_new()};
    uint64_t op;
    x.all[0] = x.c.rosa;
    x.all[1] = x.c.ben;
    x.all[2] = x.c.carl;
    for (size_t i = 0; i < ACTS; i++) {
        act(&x, &r);
        for (size_t k = 0; k < 4; k++)
            (k < 3 ? x.all[k] : x.c.dora)->event_count = 0;
    }
    town_wait(x.c.t, 10000);
    for (size_t i = 0; i < 3; i++) {
        struct hs_room_row row = hostile_room(x.all[i], &x.c.room);
        if (row.state == HS_ROOM_STATE_FROZEN) {
            assert_int_equal(row.frozen, HS_ERR_STATE_LOST);
            TOWN_WANT(x.all[i], hs_want_rejoin(&s, &x.c.room, &op));
            town_wait(x.c.t, 5000);
        }
    }
    town_wait(x.c.t, 5000);
    for (size_t i = 0; i < 3; i++)
        printf("%zu gaps%s", lines(x.all[i], &x.c.room, HANSE_MESSAGE_GAP), i < 2 ? ", " : "\n");
    all_is_well(&x.c, 4);
    assert_int_equal(lines(x.c.dora, &x.c.room, HANSE_MESSAGE_REFUSED),
                     0); /* who never lost anything sees nothing */
    assert_int_equal(lines(x.c.dora, &x.c.room, HANSE_MESSAGE_GAP), 0);
    town_free(x.c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_posts_are_read),
        cmocka_unit_test(an_old_copy_comes_back),
        cmocka_unit_test(a_restored_hub_has_no_info),
        cmocka_unit_test(what_waits_goes_out),
        cmocka_unit_test(deaths_on_the_way),
        cmocka_unit_test(from_another_home),
        cmocka_unit_test(keys_are_used_twice),
        cmocka_unit_test(two_copies),
        cmocka_unit_test(any_order),
        cmocka_unit_test(removed_is_removed),
        cmocka_unit_test(erased_posts_of_ones_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Memory runs out at allocations of a device's steps while it posts, hears and joins. A step that fails is as
 * if it had never been; the program ends, starts again from its store, and everything comes through, once.
 * (CLIENT-5, CLIENT-6) */
#include "town.h"

#include "identity/grant.h"
#include "support/rng.h"
#include "sync/state.h"

#include <stdio.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static struct town_device *scarce; /* whose steps are counted */
static bool inside;                /* one of them is under way */
static size_t fail_in, failures;

static bool fails(void)
{
    bool now = inside && fail_in > 0 && --fail_in == 0;
    failures += now ? 1 : 0;
    return now;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static void on_step(struct town_device *d, bool begins)
{
    inside = begins && d == scarce;
}

static void again(struct town_device *d)
{
    if (!d->dead)
        return;
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

enum { WINDOW_MS = 30000 };

/* Ben posts and hears; the n-th allocation of his fails. True where there was one. */
static bool story(size_t n)
{
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id room = town_room(alice, "VIP");
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    uint64_t op;
    town_wait(t, 1000);
    TOWN_WANT(ben, hs_want_text(&s, &room, "one", &op));
    TOWN_WANT(ben, hs_want_text(&s, &room, "two", &op));
    TOWN_WANT(alice, hs_want_text(&s, &room, "three", &op));
    ben->on_step = on_step;
    ben->frail = true;
    scarce = ben;
    failures = 0;
    fail_in = n;
    town_wait(t, 1000);
    fail_in = 0;
    ben->on_step = NULL;
    inside = false;
    again(ben);
    town_wait(t, 3000);
    char seen[256];
    snprintf(seen, sizeof seen, "%s", town_history(alice, &room));
    assert_int_equal(strlen(seen), strlen("one\ntwo\nthree\n"));
    assert_non_null(strstr(seen, "one\n"));
    assert_non_null(strstr(seen, "two\n"));
    assert_non_null(strstr(seen, "three\n"));
    assert_string_equal(town_history(ben, &room), seen);
    assert_false(hs_sync_has_pending(ben->sync));
    town_free(t);
    return failures > 0;
}

static enum hs_err renew(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    const struct hs_commit_wish none = {0};
    HS_TRY(hs_live_member(s, id, &room));
    return hs_commit_submit(s, room, &none);
}

/* Ben's program ends with a post under way, the room goes on, and his home refuses the post for its epoch
 * when he is back, before he has read the room: it is sealed anew, and never given up. */
static bool story_of_a_late_post(size_t n)
{
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id room = town_room(alice, "VIP");
    struct town_device *ben = town_guest(t, "Ben", town_link(alice, &room, 5));
    uint64_t op;
    town_wait(t, 1000);
    town_device_cut(ben);
    TOWN_WANT(ben, hs_want_text(&s, &room, "late", &op));
    town_device_kill(ben);
    TOWN_WANT(alice, renew(&s, &room));
    town_run(t);
    town_skip(t, WINDOW_MS + 1);
    TOWN_WANT(alice, hs_want_text(&s, &room, "meanwhile", &op));
    town_wait(t, 1000);
    ben->on_step = on_step;
    ben->frail = true;
    scarce = ben;
    failures = 0;
    town_device_start(ben);
    hs_sync_stay_online(ben->sync, true);
    fail_in = n;
    town_wait(t, 2000);
    fail_in = 0;
    ben->on_step = NULL;
    inside = false;
    again(ben);
    town_wait(t, 3000);
    assert_string_equal(town_history(alice, &room), "meanwhile\nlate\n");
    assert_string_equal(town_history(ben, &room), "meanwhile\nlate\n");
    assert_false(hs_sync_has_pending(ben->sync));
    town_free(t);
    return failures > 0;
}

/* All of the first ones, then some of the rest: HANSE_ALL=1 takes every one. */
static void without_memory(bool (*told)(size_t n))
{
    struct rng rng = rng_new();
    size_t n = 1, runs = 0;
    while (told(n)) {
        n += getenv("HANSE_ALL") != NULL || n < 20 ? 1 : 1 + rng_below(&rng, n / 4);
        runs++;
    }
    printf("%zu allocations, %zu of them failed\n", n, runs);
    assert_true(runs > 20);
}

static void test_posts_without_memory(void **state)
{
    (void)state;
    without_memory(story);
}

static void test_a_late_post_without_memory(void **state)
{
    (void)state;
    without_memory(story_of_a_late_post);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_posts_without_memory),
                                       cmocka_unit_test(test_a_late_post_without_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

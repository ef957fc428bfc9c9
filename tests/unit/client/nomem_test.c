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

struct scene {
    struct town *t;
    struct town_device *alice, *ben;
    struct hs_id room;
};

/* Alice's room, and Ben in it. */
static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    struct town_node *rosa = town_node_new(c.t, "rosa.example");
    c.alice = town_member_of_staff(rosa, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.alice, "VIP");
    c.ben = town_guest(c.t, "Ben", town_link(c.alice, &c.room, 5));
    town_wait(c.t, 1000);
    return c;
}

/* The n-th allocation of Ben's fails from now on; then there is memory again, and time for everything. */
static void wait_without(struct scene *c, size_t n)
{
    c->ben->on_step = on_step;
    c->ben->frail = true;
    scarce = c->ben;
    failures = 0;
    fail_in = n;
    town_wait(c->t, 2000);
    fail_in = 0;
    c->ben->on_step = NULL;
    inside = false;
    again(c->ben);
    town_wait(c->t, 3000);
}

/* Ben posts and hears; the n-th allocation of his fails. True where there was one. */
static bool story(size_t n)
{
    struct scene c = scene_new();
    uint64_t op;
    TOWN_WANT(c.ben, hs_want_text(&s, &c.room, "one", &op));
    TOWN_WANT(c.ben, hs_want_text(&s, &c.room, "two", &op));
    TOWN_WANT(c.alice, hs_want_text(&s, &c.room, "three", &op));
    wait_without(&c, n);
    char seen[256];
    snprintf(seen, sizeof seen, "%s", town_history(c.alice, &c.room));
    assert_int_equal(strlen(seen), strlen("one\ntwo\nthree\n"));
    assert_non_null(strstr(seen, "one\n"));
    assert_non_null(strstr(seen, "two\n"));
    assert_non_null(strstr(seen, "three\n"));
    assert_string_equal(town_history(c.ben, &c.room), seen);
    assert_false(hs_sync_has_pending(c.ben->sync));
    town_free(c.t);
    return failures > 0;
}

static enum hs_err renew(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    const struct hs_commit_wish none = {0};
    HS_TRY(hs_live_member(s, id, &room));
    return hs_commit_submit(s, room, &none);
}

/* A post is lost on its way, Ben's program ends, the room goes on, and his home refuses the post for its
 * epoch when he is back, before he has read the room: it is sealed anew, and never given up. */
static bool story_of_a_late_post(size_t n)
{
    struct scene c = scene_new();
    uint64_t op;
    c.ben->loses = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    TOWN_WANT(c.ben, hs_want_text(&s, &c.room, "late", &op));
    town_run(c.t);
    town_device_kill(c.ben);
    c.ben->loses = 0;
    TOWN_WANT(c.alice, renew(&s, &c.room));
    town_run(c.t);
    town_skip(c.t, WINDOW_MS + 1);
    TOWN_WANT(c.alice, hs_want_text(&s, &c.room, "meanwhile", &op));
    town_wait(c.t, 1000);
    again(c.ben);
    wait_without(&c, n);
    assert_string_equal(town_history(c.alice, &c.room), "meanwhile\nlate\n");
    assert_string_equal(town_history(c.ben, &c.room), "meanwhile\nlate\n");
    assert_false(hs_sync_has_pending(c.ben->sync));
    town_free(c.t);
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

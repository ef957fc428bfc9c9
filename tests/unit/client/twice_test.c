/* A device's store was copied, and both copies are in use. */
#include "hostile.h"

#include "sync/state.h"

enum { MINUTE_MS = 60000, TURNS_A_MINUTE = 8 /* each waits for 15 seconds at least */ };

/* Ben's copy has his keys, and its own place. */
static struct town_device *copy_of(struct town_device *d)
{
    town_device_kill(d);
    struct hs_bytes store = town_device_copy(d);
    struct town_device *copy = town_device_new(d->town);
    town_device_kill(copy);
    memcpy(copy->key, d->key, sizeof copy->key);
    town_device_restore(copy, store);
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
    return copy;
}

static size_t told(const struct town_device *d)
{
    size_t count = 0;
    for (size_t i = 0; i < d->event_count; i++)
        count += d->events[i].kind == HANSE_EVENT_OFFLINE && d->events[i].err == HANSE_ERR_DEVICE_TWICE;
    return count;
}

/* CLIENT-86, DELIVERY-15: both are told, and they don't fight for the session. */
static void both_are_told(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct town_device *copy = copy_of(c.ben);
    uint64_t op;
    town_wait(c.t, 5000);
    assert_int_equal(told(c.ben), 0); /* coming back is no second copy */
    town_device_start(copy);
    hs_sync_stay_online(copy->sync, true);
    town_wait(c.t, 5000);
    assert_int_equal(told(c.ben), 1);
    assert_int_equal(told(copy), 0);
    size_t before = town_event_count(c.ben, HANSE_EVENT_ONLINE) + town_event_count(copy, HANSE_EVENT_ONLINE);
    town_wait(c.t, MINUTE_MS);
    size_t online = town_event_count(c.ben, HANSE_EVENT_ONLINE) + town_event_count(copy, HANSE_EVENT_ONLINE);
    assert_true(told(c.ben) > 1 && told(copy) > 0);
    assert_in_range(online - before, 2, TURNS_A_MINUTE);
    town_device_kill(copy); /* one of the two ends */
    town_wait(c.t, MINUTE_MS);
    size_t at_the_end = told(c.ben);
    TOWN_WANT(c.ben, hs_want_text(&s, &c.room, "only one is left", &op));
    town_wait(c.t, MINUTE_MS);
    assert_int_equal(town_done(c.ben, op)->err, HANSE_OK);
    assert_int_equal(told(c.ben), at_the_end);
    assert_non_null(strstr(town_history(c.alice, &c.room), "only one is left"));
    town_free(c.t);
}

/* CLIENT-86: what one posts the other shows, as its own. */
static void both_show_what_one_posts(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct town_device *copy = copy_of(c.ben);
    uint64_t op;
    TOWN_WANT(c.ben, hs_want_text(&s, &c.room, "from the first", &op));
    town_wait(c.t, 5000);
    town_device_kill(c.ben);
    town_device_start(copy);
    hs_sync_stay_online(copy->sync, true);
    town_wait(c.t, 5000);
    assert_string_equal(town_history(copy, &c.room), "from the first\n");
    TOWN_WANT(copy, hs_want_text(&s, &c.room, "from the second", &op));
    town_wait(c.t, 5000);
    town_device_kill(copy);
    town_device_start(c.ben);
    hs_sync_stay_online(c.ben->sync, true);
    town_wait(c.t, MINUTE_MS);
    assert_string_equal(town_history(c.ben, &c.room), "from the first\nfrom the second\n");
    assert_string_equal(town_history(c.alice, &c.room), "from the first\nfrom the second\n");
    assert_int_equal(told(c.ben) + told(copy), 0); /* they were never there together */
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_are_told),
        cmocka_unit_test(both_show_what_one_posts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who comes back after a long time sees that something goes on. */
#include "town.h"

#include "identity/grant.h"

#include <stdio.h>

enum { FEW = 199, MANY = 450 };

struct scene {
    struct town *t;
    struct town_device *rosa, *ben;
    struct hs_id room;
};

static struct scene scene_new(void)
{
    struct scene s = {.t = town_new()};
    struct town_node *node = town_node_new(s.t, "rosa.example");
    s.rosa = town_member_of_staff(node, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    s.room = town_room(s.rosa, "launch");
    s.ben = town_guest(s.t, "ben", town_link(s.rosa, &s.room, 5));
    return s;
}

static void post_many(struct scene *scene, int count)
{
    for (int i = 0; i < count; i++) {
        uint64_t op;
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        TOWN_WANT(scene->rosa, hs_want_text(&s, &scene->room, text, &op));
        if (i % 32 == 31)
            town_run(scene->t);
    }
    town_run(scene->t);
}

/* Ben's events of that kind since he came back, told one by one. */
static size_t progress_since(const struct town_device *d, size_t from, uint64_t *last, uint64_t *known)
{
    size_t count = 0;
    *last = *known = 0;
    for (size_t i = from; i < d->event_count; i++) {
        if (d->events[i].kind != HANSE_EVENT_PROGRESS)
            continue;
        assert_true(d->events[i].seq > *last || count == 0);
        assert_true(d->events[i].seq <= d->events[i].known);
        *last = d->events[i].seq;
        *known = d->events[i].known;
        count++;
    }
    return count;
}

static size_t come_back(struct scene *s)
{
    size_t from = s->ben->event_count;
    town_device_start(s->ben);
    hs_sync_stay_online(s->ben->sync, true);
    town_wait(s->t, 1000);
    return from;
}

/* CLIENT-55: with many records missing it is told, and at the end that none is. */
static void many_are_told(void **state)
{
    (void)state;
    struct scene s = scene_new();
    uint64_t last, known;
    town_device_kill(s.ben);
    post_many(&s, MANY);
    size_t from = come_back(&s);
    size_t count = progress_since(s.ben, from, &last, &known);
    assert_in_range(count, 2, 10); /* a few a second, not one a record or batch */
    assert_int_equal(last, known);
    assert_true(known >= MANY);
    const char *history = town_history(s.ben, &s.room);
    assert_non_null(strstr(history, "449"));
    from = s.ben->event_count;
    post_many(&s, 1);
    assert_int_equal(progress_since(s.ben, from, &last, &known), 0); /* online, nothing is missing */
    town_free(s.t);
}

/* Few are there at once: nobody needs to be told. */
static void few_are_not(void **state)
{
    (void)state;
    struct scene s = scene_new();
    uint64_t last, known;
    town_device_kill(s.ben);
    post_many(&s, FEW);
    size_t from = come_back(&s);
    assert_non_null(strstr(town_history(s.ben, &s.room), "198"));
    assert_int_equal(progress_since(s.ben, from, &last, &known), 0);
    town_free(s.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_told),
        cmocka_unit_test(few_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

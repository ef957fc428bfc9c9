/* Somebody types, and others see it who are there; nothing of it is kept. CLIENT-47, ROOM-69 */
#include "town.h"

#include "hostile.h"
#include "identity/grant.h"
#include "sync/state.h"

struct scene {
    struct town *t;
    struct town_node *node;
    struct town_device *rosa, *ben;
    struct hs_id room;
};

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.node = town_node_new(c.t, "rosa.example");
    c.rosa = town_member_of_staff(c.node, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    c.ben = town_guest(c.t, "Ben", town_link(c.rosa, &c.room, 5));
    town_wait(c.t, 3000);
    return c;
}

static void types(struct town_device *d, const struct hs_id *room)
{
    TOWN_WANT(d, hs_want_typing(&s, room));
    town_run(d->town);
}

static void is_seen(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_key bens;
    assert_ok(hs_sync_persona(c.ben->sync, &c.node->root.pub, &bens));
    kv_count_reset(&c.node->kv);
    kv_count_reset(&c.rosa->kv);
    types(c.ben, &c.room);
    assert_int_equal(town_event_count(c.rosa, HANSE_EVENT_TYPING), 1);
    const struct hanse_event *event = town_event(c.rosa, HANSE_EVENT_TYPING);
    assert_memory_equal(event->id.b, bens.b, sizeof bens);
    assert_memory_equal(event->room.b, c.room.b, sizeof c.room);
    assert_int_equal(town_event_count(c.ben, HANSE_EVENT_TYPING), 0);
    assert_int_equal(kv_count_bytes(&c.node->kv), 0); /* nothing was written, anywhere */
    assert_int_equal(kv_count_bytes(&c.rosa->kv), 0);
    /* not more often than it is of use */
    for (int i = 0; i < 5; i++)
        types(c.ben, &c.room);
    assert_int_equal(town_event_count(c.rosa, HANSE_EVENT_TYPING), 1);
    town_wait(c.t, 3000);
    types(c.ben, &c.room);
    assert_int_equal(town_event_count(c.rosa, HANSE_EVENT_TYPING), 2);
    town_free(c.t);
}

static struct hs_bytes kept;
static uint8_t kept_bytes[4096];

static bool keep(struct town_device *d, struct hs_bytes frame)
{
    (void)d;
    assert_true(frame.len <= sizeof kept_bytes);
    memcpy(kept_bytes, frame.data, frame.len);
    kept = hs_bytes(kept_bytes, frame.len);
    return true;
}

/* Said again later, altered, or in another epoch, it is nothing, and harms nothing. */
static void old_ones_are_nothing(void **state)
{
    (void)state;
    struct scene c = scene_new();
    c.ben->outgoing = keep;
    types(c.ben, &c.room);
    c.ben->outgoing = NULL;
    assert_int_equal(town_event_count(c.rosa, HANSE_EVENT_TYPING), 1);
    TOWN_WANT(c.rosa, hs_sync_frame(&s, kept));
    assert_int_equal(town_event_count(c.rosa, HANSE_EVENT_TYPING), 2); /* right away: it is true still */
    for (size_t i = 0; i < kept.len; i++) {
        struct hs_step s;
        struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
        kept_bytes[i] ^= 0x40;
        assert_ok(town_open(c.rosa, &s, &arena));
        (void)!town_close(c.rosa, &s, hs_sync_frame(&s, kept)); /* some of them aren't frames any more */
        kept_bytes[i] ^= 0x40;
    }
    assert_null(town_event(c.rosa, HANSE_EVENT_FROZEN));
    assert_int_equal(town_event_count(c.rosa, HANSE_EVENT_TYPING), 2);
    town_wait(c.t, 70000);
    TOWN_WANT(c.rosa, hs_sync_frame(&s, kept));
    assert_int_equal(town_event_count(c.rosa, HANSE_EVENT_TYPING), 2);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_seen),
        cmocka_unit_test(old_ones_are_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

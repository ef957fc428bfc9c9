/* What a room's hub is called is the node that orders it now, not the brand's. CLIENT-67, CLIENT-80 */
#include "hub_scene.h"

#include "store/rooms.h"
#include "sync/log/hub_key.h"

static void is_at(struct town_device *d, const struct hs_id *room, const char *hub, const char *brand)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_room_row row;
    char domain[HS_DOMAIN_MAX + 1];
    assert_true(hs_room_get(town_look(d), room, &arena, &row));
    assert_ok(hs_office_domain(&row, domain));
    town_looked(d);
    assert_string_equal(domain, hub);
    assert_string_equal(row.domain, brand);
}

static void the_hub_in_office_is_named(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    is_at(c.dora, &c.room, "rosa.example", "rosa.example");
    rosa_moves(&c);
    grant(&c);
    the_room_moves(&c);
    struct town_device *devices[] = {c.rosa, c.ben, c.dora, c.cem};
    for (size_t i = 0; i < 4; i++)
        is_at(devices[i], &c.room, "new.example", "rosa.example");
    /* and whoever waits for it hears that name */
    c.new->down = true;
    town_node_cut(c.new);
    TOWN_WANT(c.ben, hs_want_move_home(&s, town_ticket(c.third, 0, NULL, 1), &op));
    town_wait(c.t, 10000);
    const struct hanse_event *waits = town_event(c.ben, HANSE_EVENT_WAITING);
    assert_non_null(waits);
    assert_int_equal(waits->op, op);
    assert_string_equal(waits->text, "new.example");
    town_free(c.t);
}

/* Also while nobody has let it in. */
static void by_who_waits_for_it(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    rosa_moves(&c);
    grant(&c);
    the_room_moves(&c);
    const char *link = town_link(c.rosa, &c.room, 5);
    struct town_device *fay = town_customer(c.third, "Fay");
    for (size_t i = 0; town_device_at(c.t, i) != fay; i++)
        town_device_kill(town_device_at(c.t, i));
    TOWN_WANT(fay, hs_want_join(&s, link, &op));
    hs_sync_stay_online(fay->sync, true);
    town_wait(c.t, 3000);
    is_at(fay, &c.room, "new.example", "rosa.example");
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_hub_in_office_is_named),
                                       cmocka_unit_test(by_who_waits_for_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "leave_scene.h"

struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.hub = town_node_new(c.t, "rosa.example");
    c.far = town_node_new(c.t, "far.example");
    c.home = town_node_new(c.t, "home.example");
    c.new = town_node_new(c.t, "new.example");
    c.rosa = town_member_of_staff(c.hub, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.fred = town_member_of_staff(c.far, "fred", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    c.fars = town_room(c.fred, "FAR");
    c.dora = town_customer(c.home, "Dora");
    town_join(c.dora, town_link(c.rosa, &c.room, 10));
    c.link = town_link(c.fred, &c.fars, 10);
    town_join(c.dora, c.link);
    town_wait(c.t, 2000);
    assert_int_equal(hostile_room(c.fred, &c.fars).members, 2);
    return c;
}

void goes_away(struct town_node *node)
{
    node->down = true;
    town_node_cut(node);
}

void comes_back(struct scene *c)
{
    c->far->down = false;
    town_wait(c->t, LONG_MS);
    town_device_cut(c->dora); /* in the next session she hears that it was taken */
    town_wait(c->t, LONG_MS);
}

bool any(struct town_device *d, enum hs_table table, struct hs_bytes prefix)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key from = {0};
    struct hs_bytes key;
    bool found = hs_kv_next(town_look(d), table, prefix, hs_kv_key_bytes(&from), &arena, &key, NULL);
    town_looked(d);
    return found;
}

uint64_t post(struct scene *c, struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
    town_wait(c->t, 5000);
    return op;
}

void she_is_out_here(struct scene *c, struct town_device *d)
{
    (void)c;
    assert_int_equal(hostile_room(d, &c->fars).state, HS_ROOM_STATE_LEFT);
    assert_int_equal(hostile_room(d, &c->fars).frozen, HS_OK);
    assert_false(any(d, HS_TABLE_GROUP, HS_VIEW(c->fars)));
    assert_false(any(d, HS_TABLE_PUBLIC, HS_VIEW(c->fars)));
    assert_false(any(d, HS_TABLE_UNSETTLED, HS_VIEW(c->fars)));
    assert_false(hs_sync_has_pending(d->sync));
}

void nothing_is_on_its_way(struct scene *c)
{
    assert_false(any(c->dora, HS_TABLE_OUTBOX, (struct hs_bytes){0}));
    assert_false(hostile_room(c->dora, &c->fars).parting);
    assert_false(hostile_room(c->dora, &c->fars).unmoved);
}

bool fred_sees(struct scene *c, const char *text)
{
    return strstr(town_history(c->fred, &c->fars), text) != NULL;
}

struct town_device *emil_waits(struct scene *c)
{
    struct town_device *emil = town_customer(c->home, "Emil");
    uint64_t op;
    town_device_kill(c->fred);
    TOWN_WANT(emil, hs_want_join(&s, c->link, &op));
    town_wait(c->t, 5000);
    assert_int_equal(hostile_room(emil, &c->fars).state, HS_ROOM_STATE_WAITING);
    return emil;
}

void fred_is_back(struct scene *c)
{
    town_device_start(c->fred);
    hs_sync_stay_online(c->fred->sync, true);
    town_wait(c->t, LONG_MS);
}

#include "hub_scene.h"

#include "base/text.h"
#include "identity/grant.h"
#include "object/object.h"

enum { TEXT_SIZE = 4096 };

static const uint32_t owner = HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER);

struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.old = town_node_new(c.t, "rosa.example");
    c.new = town_node_new(c.t, "new.example");
    c.third = town_node_new(c.t, "third.example");
    c.rosa = town_member_of_staff(c.old, "rosa", owner);
    c.room = town_room(c.rosa, "VIP");
    c.ben = town_customer(c.old, "Ben");
    c.dora = town_customer(c.third, "Dora");
    c.cem = town_customer(c.new, "Cem");
    const char *link = town_link(c.rosa, &c.room, 10);
    town_join(c.ben, link);
    town_join(c.dora, link);
    town_join(c.cem, link);
    return c;
}

/* What the new node's operator prints for Rosa's key. */
void grant(struct scene *c)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__SignedObject *objects[2];
    Hanse__Chain chain = HANSE__CHAIN__INIT;
    uint8_t packed[TEXT_SIZE / 2];
    char text[TEXT_SIZE];
    uint64_t op;
    struct hs_grant grant = {.role = HANSE__ROLE__ROLE_MERCHANT};
    assert_ok(hs_sync_persona(c->rosa->sync, &c->new->root.pub, &grant.key));
    assert_ok(hs_object_unpack(c->new->descriptor, &arena, &objects[chain.n_objects++]));
    assert_ok(hs_grant_build(&c->new->root, &grant, town_now(c->t), &arena, &objects[chain.n_objects++]));
    chain.objects = objects;
    size_t len = hanse__chain__pack(&chain, packed);
    memcpy(text, "hanse:g/", 8);
    hs_base64(hs_bytes(packed, len), text + 8);
    TOWN_WANT(c->rosa, hs_want_grants(&s, text, &op));
    town_wait(c->t, 1000);
    assert_int_equal(town_done(c->rosa, op)->err, HANSE_OK);
}

void rosa_moves(struct scene *c)
{
    uint64_t op;
    TOWN_WANT(c->rosa, hs_want_move_home(&s, town_ticket(c->new, 0, NULL, 1), &op));
    town_wait(c->t, 10000);
    assert_non_null(town_done(c->rosa, op));
    assert_int_equal(town_done(c->rosa, op)->err, HANSE_OK);
}

void the_room_moves(struct scene *c)
{
    uint64_t op;
    TOWN_WANT(c->rosa, hs_want_hub_move(&s, &c->room, &op));
    town_wait(c->t, 10000);
    assert_non_null(town_done(c->rosa, op));
    assert_int_equal(town_done(c->rosa, op)->err, HANSE_OK);
}

void post(struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
}

void all_see(struct scene *c, const char *texts)
{
    struct town_device *devices[] = {c->rosa, c->ben, c->dora, c->cem};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(town_history(devices[i], &c->room), texts);
}

/* The numbers of a persona's moves are each room's own: what one hub answers makes no other hub wait. */
#include "town.h"

#include "core/records/table.h"
#include "identity/grant.h"
#include "store/rooms.h"

enum { NUMBER = 1 << 14, MINUTES_MS = 660000 };

/* Dora's home isn't the hub of one of her rooms, and neither is the home that she moves to. */
struct scene {
    struct town *t;
    struct town_node *hub, *hostile, *home, *new;
    struct town_device *rosa, *mallory, *dora;
    struct hs_id room, hostiles;
};

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.hub = town_node_new(c.t, "rosa.example");
    c.hostile = town_node_new(c.t, "mallory.example");
    c.home = town_node_new(c.t, "home.example");
    c.new = town_node_new(c.t, "new.example");
    c.rosa = town_member_of_staff(c.hub, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.mallory = town_member_of_staff(c.hostile, "mallory", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    c.hostiles = town_room(c.mallory, "trap");
    c.dora = town_customer(c.home, "Dora");
    town_join(c.dora, town_link(c.rosa, &c.room, 10));
    town_join(c.dora, town_link(c.mallory, &c.hostiles, 10));
    town_wait(c.t, 2000);
    return c;
}

static struct hs_room_row row_of(struct town_device *d, const struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_room_row row;
    assert_true(hs_room_get(town_look(d), room, &arena, &row));
    town_looked(d);
    return row;
}

static struct hs_turn turn_at(struct town_node *node, struct hs_arena *arena)
{
    return (struct hs_turn){
        .core = node->core, .kv = node->kv.inner, .now = town_now(node->town), .arena = arena};
}

static Hanse__State__MemberView *member_of(struct hs_turn *turn, const struct hs_room_row *row)
{
    Hanse__State__MemberView *member = hs_member_view(turn, &row->id, &row->self);
    assert_non_null(member);
    return member;
}

/* The number of her moves, as the hub has it. */
static uint64_t number_at(struct scene *c, struct town_node *hub, const struct hs_id *room)
{
    struct hs_room_row row = row_of(c->dora, room);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = turn_at(hub, &arena);
    return member_of(&turn, &row)->home_number;
}

/* The hub says that it has seen that one. */
static void hub_lies(struct scene *c, uint64_t number)
{
    struct hs_room_row row = row_of(c->dora, &c->hostiles);
    struct hs_kv_key key = hs_row_key2(HS_VIEW(row.id), HS_VIEW(row.self));
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = turn_at(c->hostile, &arena);
    Hanse__State__MemberView *member = member_of(&turn, &row);
    member->home_number = number;
    hs_view_put(&turn, HS_T_MEMBER, &key, &member->base);
    assert_ok(turn.kv->err);
}

static uint64_t move(struct scene *c, struct town_node *to)
{
    uint64_t op;
    TOWN_WANT(c->dora, hs_want_move_home(&s, town_ticket(to, 0, NULL, 1), &op));
    town_wait(c->t, 20000);
    return op;
}

static void talk(struct scene *c, struct town_device *with, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(c->dora, hs_want_text(&s, room, text, &op));
    town_wait(c->t, 5000);
    assert_int_equal(town_done(c->dora, op)->err, HANSE_OK);
    assert_non_null(strstr(town_history(with, room), text));
}

/* CLIENT-78, CLIENT-84: one hub has raised the number of its room, by its answers and by the record that came
 * of it. The other room follows at once as often as she moves. */
static void a_hub_that_raises_its_number(void **state)
{
    (void)state;
    struct scene c = scene_new();
    hub_lies(&c, NUMBER);
    uint64_t op = move(&c, c.new);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    uint64_t raised = number_at(&c, c.hostile, &c.hostiles);
    assert_true(raised > NUMBER);
    assert_int_equal(number_at(&c, c.hub, &c.room), 1);
    talk(&c, c.rosa, &c.room, "from new");
    talk(&c, c.mallory, &c.hostiles, "in the trap");

    op = move(&c, c.home);
    assert_int_equal(number_at(&c, c.hub, &c.room), 2);
    assert_false(row_of(c.dora, &c.room).unmoved);
    talk(&c, c.rosa, &c.room, "and back");
    assert_true(row_of(c.dora, &c.hostiles).unmoved); /* of that hub's making */
    town_wait(c.t, MINUTES_MS);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    assert_int_equal(number_at(&c, c.hostile, &c.hostiles), raised + 1);
    talk(&c, c.mallory, &c.hostiles, "out of the trap");
    town_free(c.t);
}

/* CLIENT-84: the room's number outlives the program, whether the hub has taken it yet or not. */
static void a_number_that_is_kept(void **state)
{
    (void)state;
    struct scene c = scene_new();
    hub_lies(&c, 4);
    move(&c, c.new);
    assert_int_equal(number_at(&c, c.hostile, &c.hostiles), 5);
    c.hostile->down = true;
    town_node_cut(c.hostile);
    move(&c, c.home);
    assert_true(row_of(c.dora, &c.hostiles).unmoved);
    town_device_kill(c.dora);
    town_device_start(c.dora);
    hs_sync_stay_online(c.dora->sync, true);
    c.hostile->down = false;
    town_wait(c.t, MINUTES_MS);
    assert_int_equal(number_at(&c, c.hostile, &c.hostiles), 6);
    assert_int_equal(number_at(&c, c.hub, &c.room), 2);
    talk(&c, c.mallory, &c.hostiles, "is served");
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hub_that_raises_its_number),
        cmocka_unit_test(a_number_that_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

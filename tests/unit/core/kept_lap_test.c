/* What is known of a hub while the counting of what is kept of it goes on, and how fast that goes. */
#include "peer_world.h"

#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/standing/guest.h"
#include "core/standing/kept.h"
#include "core/standing/standing.h"

enum { ROWS = 3000, LEN = 1000 };

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *alice;
    struct world_room *room;
};

static struct world_room *comes_to(struct world_node *hub, struct world_device *alice, const char *owner)
{
    struct world_room *room = world_room_new(world_staff(hub, owner, HANSE__ROLE__ROLE_OWNER), "launch");
    struct world_invite invite = world_invite(room, 10);
    (void)world_join(alice, room, &invite);
    return room;
}

static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.alice = world_customer(s.home, "alice");
    s.room = comes_to(s.hub, s.alice, "rosa");
    return s;
}

static struct hs_peer *peer_of(struct scene *s, const struct world_node *hub)
{
    return hs_peer_find(&s->home->core->peers, &hub->root.pub);
}

/* So many rows stand before all others in the table that a lap begins with. */
static void rows_put(struct scene *s)
{
    struct hs_turn *turn = raw_turn_begin(s->home);
    for (uint64_t i = 0; i < ROWS; i++) {
        struct hs_kv_key key = {.len = 24};
        hs_kv_key_add_u64(&key, i);
        hs_kv_put(turn->kv, HS_T_ROOM, hs_kv_key_bytes(&key), (struct hs_bytes){0});
    }
    raw_turn_end(turn);
}

static uint64_t place_of(const struct hs_core *core)
{
    return core->kept_from.len == 0 ? 0 : hs_kv_u64(hs_bytes(core->kept_from.b + 24, 8)) + 1;
}

/* How many of them one tick looks at. */
static uint64_t rows_in_a_tick(struct scene *s)
{
    uint64_t before = place_of(s->home->core);
    struct hs_turn *turn = raw_turn_begin(s->home);
    hs_kept_tick(turn);
    raw_turn_end(turn);
    return place_of(s->home->core) - before;
}

/* To the end of the lap, of which all ticks but the last look at that many rows. */
static void lap_ends(struct scene *s, uint64_t each)
{
    const struct hs_core *core = s->home->core;
    while (place_of(core) + each <= ROWS)
        assert_int_equal(rows_in_a_tick(s), each);
    while (core->kept_from.len > 0 || core->kept_of > 0) {
        struct hs_turn *turn = raw_turn_begin(s->home);
        hs_kept_tick(turn);
        raw_turn_end(turn);
    }
}

static bool has_place(struct scene *s, const struct hs_key *hub, uint64_t bytes)
{
    struct hs_turn *turn = raw_turn_begin(s->home);
    bool has = hs_kept_has_place(turn, hub, bytes);
    raw_turn_end(turn);
    return has;
}

/* Of the log, and of the hub's items. */
static uint64_t bytes_of(struct scene *s, const struct world_room *room)
{
    struct hs_turn *turn = raw_turn_begin(s->home);
    uint64_t bytes = hs_room_view(turn, &room->id)->log_bytes;
    raw_turn_end(turn);
    return bytes + raw_items_of(s->home, &room->hub->root.pub);
}

/* It may bring just so much more. */
static void has_just(struct scene *s, const struct world_node *hub, uint64_t bytes)
{
    assert_true(has_place(s, &hub->root.pub, bytes));
    assert_false(has_place(s, &hub->root.pub, bytes + 1));
}

/* FED-84: of a hub that is met while the node runs nothing is here but what it has brought since: it has all
 * of its place at once, at the limit and one past it, and keeps it when the lap ends in which it came. */
static void one_that_is_met_is_known(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint64_t most = hs_quota_of(HS_STANDING_INVITED)->kept;
    rows_put(&s);
    (void)rows_in_a_tick(&s);
    struct world_node *second = world_node_new(w, "second.example");
    struct world_room *room = comes_to(second, s.alice, "mia");
    uint64_t bytes = bytes_of(&s, room), came = peer_of(&s, second)->kept;
    assert_true(came > 0);
    has_just(&s, second, most - came);
    lap_ends(&s, HS_KEPT_ROWS);
    has_just(&s, second, most - came - bytes); /* it came in that lap: perhaps twice */
    lap_ends(&s, HS_KEPT_ROWS_FIRST);
    has_just(&s, second, most - bytes);
    lap_ends(&s, HS_KEPT_ROWS);
    has_just(&s, second, most - bytes);
}

/* FED-84: after a start it isn't known what is here of those that were followed before. */
static void one_that_was_followed_is_not(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint64_t most = hs_quota_of(HS_STANDING_INVITED)->kept, bytes = bytes_of(&s, s.room);
    rows_put(&s);
    world_node_restart(s.home);
    has_just(&s, s.hub, most / HS_KEPT_UNKNOWN);
    lap_ends(&s, HS_KEPT_ROWS_FIRST);
    has_just(&s, s.hub, most - bytes);
    lap_ends(&s, HS_KEPT_ROWS_FIRST);
    lap_ends(&s, HS_KEPT_ROWS);
}

/* FED-84: nor of those of which copies are here, though they aren't followed now. */
static void one_with_copies_is_not(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key root = {{7}};
    uint64_t most = hs_quota_of(HS_STANDING_INVITED)->kept;
    char *addresses[] = {"hub.example:1"};
    struct hs_turn *turn = raw_turn_begin(s.home);
    hs_copies_add(turn, &root);
    assert_non_null(hs_peer_get(turn, &root, addresses, 1));
    raw_turn_end(turn);
    assert_true(has_place(&s, &root, most / HS_KEPT_UNKNOWN));
    assert_false(has_place(&s, &root, most / HS_KEPT_UNKNOWN + 1));
}

/* FED-84: those that aren't followed make no lap a fast one, however many come, and whatever was theirs. */
static void strangers_speed_nothing_up(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    char *addresses[] = {"hub.example:1"};
    rows_put(&s);
    lap_ends(&s, HS_KEPT_ROWS);
    for (uint8_t i = 1; i < 4; i++) {
        struct hs_key root = {{i}};
        struct hs_turn *turn = raw_turn_begin(s.home);
        if (i % 2 == 1)
            hs_copies_add(turn, &root);
        assert_non_null(hs_peer_get(turn, &root, addresses, 1));
        raw_turn_end(turn);
        lap_ends(&s, HS_KEPT_ROWS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_met_is_known),
        cmocka_unit_test(one_that_was_followed_is_not),
        cmocka_unit_test(one_with_copies_is_not),
        cmocka_unit_test(strangers_speed_nothing_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

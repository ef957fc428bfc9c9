/* CLIENT-28: rooms whose tree is larger than a frame, as a joiner sees them. */
#include "town.h"

#include "identity/grant.h"
#include "store/rooms.h"
#include "store/trees.h"
#include "sync/state.h"
#include "wire/unpack.h"

enum { MEMBERS = 72 };

struct scene {
    struct town *t;
    struct town_device *owner, *late;
    struct hs_id room;
    uint64_t op;
};

static const char name[] = "A name that is as long as a name may be, which is 64 bytes long.";

static struct town_device *ask(struct town *t, const char *link, uint64_t *op)
{
    struct town_device *d = town_device_new(t);
    TOWN_WANT(d, hs_want_identity(&s, name));
    TOWN_WANT(d, hs_want_join(&s, link, op));
    hs_sync_stay_online(d->sync, true);
    return d;
}

/* The questions for pieces that were sent, by piece; those that are lost. */
static size_t asked[8];
static bool second_is_lost;

static bool watch(struct town_device *d, struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    (void)d;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    if (frame->body_case != HANSE__FRAME__BODY_GET_CHUNK)
        return true;
    size_t piece = frame->get_chunk->offset / HS_BLOB_CHUNK;
    assert_in_range(piece, 0, 7);
    asked[piece]++;
    return !(piece == 1 && second_is_lost);
}

/* Many are in the room, and one asks to be let in. */
static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    struct town_node *rosa = town_node_new(c.t, "rosa.example");
    uint64_t op;
    c.owner = town_member_of_staff(rosa, "rosa", hs_role_set(HANSE__ROLE__ROLE_STAFF));
    c.room = town_room(c.owner, "VIP");
    const char *link = town_link(c.owner, &c.room, MEMBERS);
    for (int i = 0; i < MEMBERS - 2; i++) {
        struct town_device *guest = ask(c.t, link, &op);
        town_run(c.t);
        town_device_kill(guest); /* somebody in the room who isn't there now */
        c.owner->event_count = 0;
    }
    memset(asked, 0, sizeof asked);
    second_is_lost = false;
    c.late = ask(c.t, link, &c.op);
    c.late->outgoing = watch;
    return c;
}

static uint32_t members_of(struct scene *c, struct town_device *d)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_room_row row;
    assert_true(hs_room_get(town_look(d), &c->room, &arena, &row));
    assert_int_equal(row.state, HS_ROOM_STATE_MEMBER);
    town_looked(d);
    return row.members;
}

static void is_in(struct scene *c)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_tree_row row;
    assert_non_null(town_event(c->late, HANSE_EVENT_JOINED));
    assert_int_equal(members_of(c, c->late), MEMBERS);
    assert_int_equal(members_of(c, c->owner), MEMBERS);
    assert_false(hs_tree_row_next(town_look(c->late), &cursor, &arena, &row)); /* nothing stays behind */
    town_looked(c->late);
}

static void test_a_tree_in_pieces(void **state)
{
    (void)state;
    struct scene c = scene_new();
    town_run(c.t);
    is_in(&c);
    assert_int_equal(asked[0], 1);
    assert_int_equal(asked[1], 1);
    town_free(c.t);
}

/* The program dies between two pieces: what came isn't asked for again. */
static void test_goes_on_where_it_was(void **state)
{
    (void)state;
    struct scene c = scene_new();
    second_is_lost = true;
    town_run(c.t);
    assert_null(town_event(c.late, HANSE_EVENT_JOINED));
    assert_int_equal(asked[1], 1);
    town_device_kill(c.late);
    second_is_lost = false;
    town_device_start(c.late);
    hs_sync_stay_online(c.late->sync, true);
    town_wait(c.t, 1000);
    is_in(&c);
    assert_int_equal(asked[0], 1);
    assert_int_equal(asked[1], 2);
    town_free(c.t);
}

/* Pieces that aren't those of the tree that was named end the wait, and the reason is shown. */
static void test_another_tree(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_tree_row row;
    struct hs_room_row room;
    struct hs_step s;
    struct hs_arena HS_ARENA step = hs_arena(HS_STEP_ARENA);
    second_is_lost = true;
    town_run(c.t);
    assert_ok(town_open(c.late, &s, &step));
    assert_true(hs_tree_row_next(s.kv, &cursor, &arena, &row));
    assert_int_equal(row.have, HS_BLOB_CHUNK);
    hs_tree_piece_put(s.kv, &row.hash, 0, hs_bytes_str("not that"));
    assert_ok(town_close(c.late, &s, HS_OK));
    town_device_cut(c.late);
    second_is_lost = false;
    town_wait(c.t, 1000);
    assert_null(town_event(c.late, HANSE_EVENT_JOINED));
    assert_int_equal(town_event(c.late, HANSE_EVENT_FROZEN)->err, HANSE_ERR_BLOB_HASH);
    assert_true(hs_room_get(town_look(c.late), &c.room, &arena, &room));
    assert_int_equal(room.state, HS_ROOM_STATE_FROZEN);
    town_looked(c.late);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tree_in_pieces),
        cmocka_unit_test(test_goes_on_where_it_was),
        cmocka_unit_test(test_another_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

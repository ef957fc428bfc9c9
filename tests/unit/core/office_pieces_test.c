/* The brand's node of a large room is told who is a member in pieces. */
#include "office_view.h"

#include "core/internal.h"
#include "core/office/told.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "peer_world.h"

enum { MORE = 2 * HS_TOLD_PIECE + 10 }; /* members beside those of the scene */

/* Members that the hub in office has told of, and where that began and ended. */
static uint64_t told(struct scene *s)
{
    struct hs_turn turn = reading(s, s->old);
    struct hs_kv_key key = hs_key_sub(HS_MISC_TOLD, HS_VIEW(s->new->root.pub), (struct hs_bytes){0});
    return hs_number_get(&turn, HS_T_MISC, &key, NULL);
}

static struct hs_key numbered(size_t i)
{
    struct hs_key key = {{(uint8_t)(i >> 8), (uint8_t)i, 1}};
    return key;
}

static void reconnect(struct scene *s, bool up)
{
    struct world *w = s->w;
    s->old->down = !up;
    for (size_t i = 0; i < w->link_count && !up; i++)
        if (w->links[i].open && (w->links[i].node[0] == s->old || w->links[i].node[1] == s->old))
            world_close(w, w->links[i].id[0]);
    world_run(w);
}

/* The room has moved, is large, and its brand's node knows nothing of its members; it isn't there. Gives how
 * many there are. */
static uint64_t large_room(struct world *w, struct scene *s)
{
    struct hs_bytes prefix, key;
    uint64_t count = 0;
    *s = scene_new(w);
    scene_rosa_moves(s);
    scene_room_moves(s);
    reconnect(s, false);
    w->forged = w->unchecked = true;
    struct hs_turn *turn = raw_turn_begin(s->new);
    Hanse__State__RoomView *view = hs_room_view(turn, &s->room->id);
    assert_true(view->brand_told && !hs_brand_is_being_told(view));
    view->brand_told = false;
    hs_room_store(turn, &s->room->id, view);
    for (size_t i = 0; i < MORE; i++) {
        Hanse__State__MemberView member = HANSE__STATE__MEMBER_VIEW__INIT;
        struct hs_key persona = numbered(i);
        struct hs_kv_key at = hs_key2(HS_VIEW(s->room->id), HS_VIEW(persona));
        member.home_root = hs_pb_data(HS_VIEW(s->third->root.pub));
        hs_view_put(turn, HS_T_MEMBER, &at, &member.base);
    }
    prefix = HS_VIEW(s->room->id);
    struct hs_kv_key from = hs_key1(prefix);
    while (hs_kv_next(turn->kv, HS_T_MEMBER, prefix, hs_kv_key_bytes(&from), &w->arena, &key, NULL)) {
        from = hs_kv_after(key);
        count++;
    }
    raw_turn_end(turn);
    turn = raw_turn_begin(s->old);
    hs_told_forget(turn, &s->room->id, &s->new->root.pub);
    raw_turn_end(turn);
    assert_int_equal(told(s), 0);
    return count;
}

static bool is_being_told(struct scene *s)
{
    struct hs_turn turn = reading(s, s->new);
    return hs_brand_is_being_told(hs_room_view(&turn, &s->room->id));
}

static enum hs_err member(struct scene *s, size_t i)
{
    struct hs_turn turn = reading(s, s->old);
    struct hs_key persona = numbered(i), home;
    return hs_brand_member(&turn, &s->room->id, &persona, &home);
}

/* Until it begins: the brand's node dials again after a while. */
static void comes_back(struct scene *s)
{
    reconnect(s, true);
    for (size_t i = 0; i < 120 && told(s) == 0; i++)
        scene_pass(s, 1);
}

/* FED-81: no turn tells of more than a piece, whoever comes and goes meanwhile; nor does the hub's end keep
 * the rest back. */
static void a_piece_at_a_time(void **state)
{
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct world HS_WORLD *w = world_new();
        struct scene s;
        uint64_t all = large_room(w, &s), seen = 0;
        size_t ticks = 0;
        comes_back(&s);
        assert_true(is_being_told(&s));
        assert_in_range(told(&s), 1, HS_TOLD_PIECE + 1);
        assert_ok(member(&s, 0));
        assert_err(member(&s, MORE), HS_ERR_BUSY); /* it hasn't said all */
        struct hs_key late = numbered(MORE - 1), gone = numbered(1);
        struct hs_turn *turn = raw_turn_begin(s.new);
        struct hs_kv_key at = hs_key2(HS_VIEW(s.room->id), HS_VIEW(gone));
        hs_kv_del(turn->kv, HS_T_MEMBER, hs_kv_key_bytes(&at));
        hs_tell_brand(turn, &s.room->id, &gone, NULL);
        hs_tell_brand(turn, &s.room->id, &late, &s.new->root.pub);
        raw_turn_end(turn);
        if (restarts)
            world_node_restart(s.new);
        for (seen = told(&s); is_being_told(&s) && ticks < 240; ticks++) {
            scene_pass(&s, 1);
            assert_true(told(&s) <= seen + HS_TOLD_PIECE + 2); /* and those two */
            seen = told(&s);
        }
        assert_true(restarts || ticks <= 3);
        scene_pass(&s, restarts ? 90 : 1);
        assert_int_equal(told(&s), all); /* without who is gone, and with how far it is */
        assert_ok(member(&s, MORE - 1));
        assert_err(member(&s, 1), HS_ERR_NOT_MEMBER);
        assert_err(member(&s, MORE), HS_ERR_NOT_MEMBER);
    }
}

/* As many as a piece, and one more. */
static void at_the_limit(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    uint64_t all = large_room(w, &s);
    struct hs_turn *turn = raw_turn_begin(s.new);
    const Hanse__State__HomeTold begins = {
        .base = PROTOBUF_C_MESSAGE_INIT(&hanse__state__home_told__descriptor), .most = (uint32_t)all};
    Hanse__State__HomeTold on = begins, more = begins;
    on.on = true;
    hs_brand_told_apply(turn, &s.room->id, &begins);
    assert_true(
        hs_brand_is_being_told(hs_room_view(turn, &s.room->id))); /* nothing has said that it was all */
    hs_brand_told_apply(turn, &s.room->id, &on);
    assert_false(hs_brand_is_being_told(hs_room_view(turn, &s.room->id)));
    more.most++;
    hs_brand_told_apply(turn, &s.room->id, &more);
    assert_false(hs_brand_is_being_told(hs_room_view(turn, &s.room->id)));
    Hanse__State__HomeTold one = begins;
    for (uint64_t i = 0; i <= all; i++, one.on = true) {
        one.most = 1;
        hs_brand_told_apply(turn, &s.room->id, &one); /* each one once, and then that it was all */
        assert_true(hs_brand_is_being_told(hs_room_view(turn, &s.room->id)) == (i < all));
    }
    raw_turn_end(turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_at_a_time),
        cmocka_unit_test(at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

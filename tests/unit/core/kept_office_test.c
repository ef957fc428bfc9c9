/* What counts of records that come from elsewhere than the hub's own sending: on the way to a new hub, and
 * before a takeover. */
#include "peer_world.h"
#include "way_scene.h"

#include "core/internal.h"
#include "core/office/takeover.h"
#include "core/standing/guest.h"
#include "core/standing/kept.h"
#include "core/standing/standing.h"

/* Some seconds in which the hub has place at that node for so many bytes more at most. */
static void pass_with_place(struct scene *s, struct world_node *node, struct world_node *hub, uint64_t place)
{
    for (size_t i = 0; i < 20; i++) {
        struct hs_peer *peer = hs_peer_find(&node->core->peers, &hub->root.pub);
        uint64_t most = hs_quota_of(HS_STANDING_INVITED)->kept;
        const Hanse__State__RoomView *view = view_at(s, node);
        bool own = hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(hub->root.pub)) && !view->hub;
        assert_non_null(peer);
        peer->kept_so_far = most - place - (own ? view->log_bytes : 0) - /* the lap adds that, */
                            raw_items_of(node, &hub->root.pub);          /* and that */
        scene_pass(s, 1);
    }
}

/* What the records from..to of that node's log take. */
static uint64_t bytes_of(struct scene *s, struct world_node *node, uint64_t from, uint64_t to)
{
    struct hs_turn turn = reading(s, node);
    uint64_t bytes = 0;
    for (uint64_t seq = from; seq < to; seq++) {
        const Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s->room->id, seq);
        assert_non_null(entry);
        bytes += entry->header.len + entry->body.len + (seq == 0 ? entry->group_info.len : 0);
    }
    return bytes;
}

/* FED-84: what others show of a hub that has gone counts as that hub's, at the limit and one past it. */
static void what_is_shown_counts(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_away(w, 5);
    uint64_t next = view_at(&s, s.third)->next_seq, end = next;
    struct hs_turn turn = reading(&s, s.new);
    struct hs_record_header header = {0};
    while (header.kind != HS_RECORD_HUB_MOVE) {
        const Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s.room->id, end++);
        assert_ok(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
    }
    uint64_t bytes = bytes_of(&s, s.new, next, end);
    struct hs_peer *peer = hs_peer_find(&s.third->core->peers, &s.old->root.pub);
    peer->kept = hs_quota_of(HS_STANDING_INVITED)->kept - bytes + 1;
    shows(&s, s.alice, way_frame(&s, s.new));
    pass_with_place(&s, s.third, s.old, bytes - 1);
    assert_int_equal(view_at(&s, s.third)->next_seq, next);
    for (size_t i = 0; i < 10 && view_at(&s, s.third)->hub_term == 0; i++)
        pass_with_place(&s, s.third, s.old, bytes);
    goes_on(&s, s.new, 2);
}

static void asks(struct scene *s)
{
    assert_ok(world_forward(s->rosa, s->old, scene_move_frame(s, s->room, s->new, 2), NULL));
    world_settle(s->w);
}

/* FED-84: the log before a copy counts as the hub's, at the limit and one past it. */
static void what_is_before_the_copy_counts(void **state)
{
    (void)state;
    for (int past = 0; past < 2; past++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        scene_rosa_moves(&s);
        uint64_t first = view_at(&s, s.new)->first_seq;
        assert_true(first > 0);
        uint64_t bytes = bytes_of(&s, s.old, 0, first);
        struct hs_peer *peer = hs_peer_find(&s.new->core->peers, &s.old->root.pub);
        peer->kept_known = true; /* a lap would have been over by now */
        peer->kept = hs_quota_of(HS_STANDING_INVITED)->kept - bytes + (past ? 1 : 0);
        asks(&s);
        struct hs_turn turn = reading(&s, s.new);
        assert_int_equal(view_at(&s, s.new)->first_seq, past ? first : 0);
        if (past)
            assert_false(hs_takeover_is_wanted(&turn, &s.room->id));
        scene_pass(&s, 70); /* where there is no place for its last records the hub is left for a minute */
        assert_int_equal(view_at(&s, s.new)->hub, !past);
    }
}

/* FED-84: where a room goes to a hub that is met by that, its copy is there of that hub at once. Where it is
 * the only one it is known that nothing else is there: the hub has all of its place. */
static void a_copy_goes_with_its_room(void **state)
{
    (void)state;
    for (int others = 0; others < 2; others++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        scene_rosa_moves(&s);
        assert_null(hs_peer_find(&s.third->core->peers, &s.new->root.pub));
        struct hs_turn *turn = raw_turn_begin(s.third);
        w->forged = others > 0; /* no record says of the other one */
        if (others > 0)
            hs_copies_add(turn, &s.new->root.pub);
        raw_turn_end(turn);
        asks(&s); /* no tick counts meanwhile */
        const struct hs_peer *peer = hs_peer_find(&s.third->core->peers, &s.new->root.pub);
        assert_non_null(peer);
        assert_int_equal(peer->kept_known, others == 0);
        const Hanse__State__RoomView *view = view_at(&s, s.third);
        assert_bytes(hs_pb_bytes(view->hub_root), HS_VIEW(s.new->root.pub));
        assert_true(peer->kept >= bytes_of(&s, s.third, view->first_seq, view->next_seq - 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shown_counts),
        cmocka_unit_test(what_is_before_the_copy_counts),
        cmocka_unit_test(a_copy_goes_with_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

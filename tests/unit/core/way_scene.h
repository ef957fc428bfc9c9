/* A room that has moved where the old hub is gone, for the tests of the way to the new one. */
#ifndef TESTS_CORE_WAY_SCENE_H
#define TESTS_CORE_WAY_SCENE_H

#include "office_view.h"

#include "core/office/office.h"
#include "core/office/way.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "wire/unpack.h"

#include <stdio.h>

[[maybe_unused]] static bool has_way(struct scene *s, struct world_node *node)
{
    struct hs_turn turn = reading(s, node);
    return hs_way_get(&turn, &s->room->id) != NULL;
}

[[maybe_unused]] static void sees(const struct world_room *room, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < room->post_count; i++)
        count += strcmp(room->posts[i], text) == 0 ? 1 : 0;
    if (count != 1)
        fail_msg("%s has \"%s\" %zu times", room->device->name, text, count);
}

/* What a node shows of how the hubs went. */
[[maybe_unused]] static Hanse__Frame *way_frame(struct scene *s, struct world_node *node)
{
    struct hs_turn turn = reading(s, node);
    Hanse__Frame *frame = world_frame(s->w);
    frame->way = WORLD_NEW(s->w, Hanse__Moved, hanse__moved);
    frame->way->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->body_case = HANSE__FRAME__BODY_WAY;
    assert_ok(
        hs_office_moves(&turn, &s->room->id, view_at(s, node), &frame->way->moves, &frame->way->n_moves));
    return frame;
}

/* A device shows it to its node. */
[[maybe_unused]] static void shows(struct scene *s, struct world_device *d, Hanse__Frame *frame)
{
    world_send(s->w, d->session, world_pack(s->w, &frame->base));
    world_settle(s->w);
}

static bool nobody_tells; /* where the third node is */

/* Nothing comes to the third node from the old one. */
[[maybe_unused]] static enum world_verdict third_is_away(void *ctx, struct world_node *from,
                                                         struct world_node *to, struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (nobody_tells && f->body_case == HANSE__FRAME__BODY_WHERE)
        return WORLD_DROP;
    return (from == s->old && to == s->third) || (from == s->third && to == s->old) ? WORLD_CUT : WORLD_PASS;
}

[[maybe_unused]] static void dies(struct scene *s, struct world_node *node)
{
    node->down = true;
    for (size_t i = 0; i < s->w->link_count; i++)
        if (s->w->links[i].open && (s->w->links[i].node[0] == node || s->w->links[i].node[1] == node))
            world_close(s->w, s->w->links[i].id[0]);
    world_run(s->w);
}

/* The room has moved, and the old hub is gone for good, before the third node has heard of it. */
[[maybe_unused]] static struct scene scene_away(struct world *w, size_t posts)
{
    struct scene s = scene_new(w);
    nobody_tells = true;
    scene_rosa_moves(&s);
    struct scene *kept = hs_arena_alloc(&w->arena, sizeof *kept);
    assert_non_null(kept);
    *kept = s;
    w->hook = third_is_away;
    w->hook_ctx = kept;
    for (size_t i = 0; i < posts; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "missed %zu", i);
        assert_ok(world_post(s.bobs, text, NULL));
    }
    world_settle(w);
    scene_room_moves(&s);
    scene_pass(&s, 5);
    assert_int_equal(view_at(&s, s.third)->hub_term, 0);
    assert_true(view_at(&s, s.third)->next_seq + posts < view_at(&s, s.new)->next_seq);
    dies(&s, s.old);
    return s;
}

[[maybe_unused]] static void goes_on(struct scene *s, struct world_node *hub, uint32_t term)
{
    assert_bytes(hs_pb_bytes(view_at(s, s->third)->hub_root), HS_VIEW(hub->root.pub));
    assert_int_equal(view_at(s, s->third)->hub_term, term);
    assert_false(has_way(s, s->third));
    assert_ok(world_post(s->alices, "from alice", NULL));
    world_settle(s->w);
    scene_pass(s, 3);
    assert_ok(world_post(s->room, "to alice", NULL));
    world_settle(s->w);
    scene_pass(s, 1);
    assert_int_equal(view_at(s, s->third)->next_seq, view_at(s, hub)->next_seq);
    sees(s->alices, "to alice");
    sees(s->room, "from alice");
}

#endif

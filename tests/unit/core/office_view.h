/* The room that goes, as a node has it. */
#ifndef TESTS_CORE_OFFICE_VIEW_H
#define TESTS_CORE_OFFICE_VIEW_H

#include "office_scene.h"

#include "core/records/table.h"
#include "core/rooms/room.h"

[[maybe_unused]] static struct hs_turn reading(struct scene *s, struct world_node *node)
{
    return (struct hs_turn){.core = node->core, .kv = node->kv, .now = s->w->now, .arena = &s->w->arena};
}

[[maybe_unused]] static const Hanse__State__RoomView *view_at(struct scene *s, struct world_node *node)
{
    struct hs_turn turn = reading(s, node);
    const Hanse__State__RoomView *view = hs_room_view(&turn, &s->room->id);
    assert_non_null(view);
    return view;
}

#endif

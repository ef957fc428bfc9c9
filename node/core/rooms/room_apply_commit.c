/* What a commit makes of a room's views at once: the group and its epoch. What it means for its members
 * follows when it is settled (room_apply_settle.c). */
#include "core/internal.h"
#include "core/rooms/room_record.h"
#include "room/group_undo.h"
#include "room/window.h"

/* Posts that were made before this commit may still arrive; after a removal none of them counts. */
static void keep_window(struct hs_turn *turn, struct hs_room_commit *c)
{
    Hanse__State__RoomView *view = c->view;
    Hanse__State__EpochEnd *end = HS_NEW(turn, Hanse__State__EpochEnd, hanse__state__epoch_end);
    Hanse__State__EpochEnd **list = hs_arena_alloc(turn->arena, HS_ROOM_PAST_EPOCHS * sizeof *list);
    bool strict = c->change->removed_count > 0 || c->facts.policy_changed;
    if (end == NULL || list == NULL || strict) {
        view->n_past = 0;
        return;
    }
    size_t from = view->n_past >= HS_ROOM_PAST_EPOCHS ? view->n_past - HS_ROOM_PAST_EPOCHS + 1 : 0, n = 0;
    for (size_t i = from; i < view->n_past; i++)
        list[n++] = view->past[i];
    end->epoch = view->epoch;
    end->ended_ms = c->hub_time.ms;
    list[n++] = end;
    view->past = list;
    view->n_past = n;
}

void hs_commit_apply(struct hs_turn *turn, const struct hs_room_record *record, struct hs_room_commit *c)
{
    Hanse__State__RoomView *view = record->view;
    hs_unsettled_put(turn, record, c);
    keep_window(turn, c);
    view->unsettled = record->header.seq;
    if (!c->facts.rejoined)
        view->leaving = (ProtobufCBinaryData){0}; /* it takes all of them out */
    view->epoch = c->change->epoch;
    view->members = hs_mls_public_member_count(c->group);
    view->policy = hs_pb_data(c->policy);
    hs_room_store(turn, &record->room, view);
    hs_room_group_info_put(turn, &record->room, hs_pb_bytes(record->entry->group_info));
    hs_group_undo_begin(&c->store);
    hs_room_group_save(turn, &c->store, c->group);
}

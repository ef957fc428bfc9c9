#include "sync/state.h"

void hs_cursor_moved(struct hs_step *s, bool inbox, unsigned records)
{
    struct hs_sync *sync = s->sync;
    sync->inbox_moved |= inbox;
    sync->cursor_records += records;
    if (sync->cursor_due.ms == INT64_MAX)
        sync->cursor_due.ms = s->now.ms + HS_CURSOR_MS;
    if (sync->cursor_records >= HS_CURSOR_RECORDS)
        sync->cursor_due = s->now;
}

/* Rooms whose log is still followed: also one that was left, for its last record. */
static bool is_told(const struct hs_room_row *row)
{
    return row->state == HS_ROOM_STATE_MEMBER || row->state == HS_ROOM_STATE_LEFT;
}

enum hs_err hs_cursors_tell(struct hs_step *s, bool at_once)
{
    struct hs_sync *sync = s->sync;
    if (sync->session != HS_SESSION_ONLINE || sync->cursor_due.ms == INT64_MAX)
        return HS_OK;
    if (!at_once && s->now.ms < sync->cursor_due.ms)
        return HS_OK;
    Hanse__Cursors cursors = HANSE__CURSORS__INIT;
    Hanse__RoomCursor *list = hs_arena_alloc(s->arena, HS_REPEATED_MAX * sizeof *list);
    Hanse__RoomCursor **pointers = hs_arena_alloc(s->arena, HS_REPEATED_MAX * sizeof *pointers);
    HS_REQUIRE(list != NULL && pointers != NULL, HS_ERR_NOMEM);
    cursors.inbox_next = sync->inbox_moved ? sync->me.inbox_next : 0;
    cursors.rooms = pointers;
    for (struct hs_live_room *room = sync->rooms; room != NULL && cursors.n_rooms < HS_REPEATED_MAX;
         room = room->next) {
        if (!is_told(&room->row))
            continue;
        Hanse__RoomCursor *cursor = &list[cursors.n_rooms];
        *cursor = (Hanse__RoomCursor)HANSE__ROOM_CURSOR__INIT;
        cursor->room = hs_pb_data(HS_VIEW(room->row.id));
        cursor->next_seq = room->row.tip.next_seq;
        pointers[cursors.n_rooms++] = cursor;
    }
    Hanse__Frame frame = HANSE__FRAME__INIT;
    frame.body_case = HANSE__FRAME__BODY_CURSORS;
    frame.cursors = &cursors;
    HS_TRY(hs_notify(s, &frame));
    sync->cursor_records = 0;
    sync->inbox_moved = false;
    sync->cursor_due = HS_NEVER;
    return HS_OK;
}

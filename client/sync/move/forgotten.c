/* A home node that came back from a backup, and has forgotten that it reads a room for this device. */
#include "room/home_move.h"
#include "sync/move/move.h"

enum { FORGOTTEN_AGAIN_MS = 600000 /* each time costs the room a record */ };

/* Within that time the hub is told by the same number: that costs nothing, and it hands the item on when the
 * time is over (FED-69). */
bool hs_home_forgot_lately(const struct hs_step *s, const struct hs_live_room *room)
{
    int64_t since = s->now.ms - room->row.forgot_at.ms;
    return room->row.forgot_at.ms > 0 && since >= 0 && since < FORGOTTEN_AGAIN_MS;
}

enum hs_err hs_home_forgot(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_me *me = &s->sync->me;
    if (room->row.state != HS_ROOM_STATE_MEMBER || room->row.unmoved)
        return HS_OK; /* it is told anyway */
    room->row.unmoved = room->row_dirty = true;
    room->move_told = room->move_refused = false;
    room->move_fresh = !hs_home_forgot_lately(s, room);
    if (room->move_fresh) {
        room->row.forgot_at = s->now;
        room->row.move_number =
            hs_move_number(s, room) + 1; /* the home was told by the one before, perhaps */
    }
    if (!me->moving) {
        me->old_root = me->home_root;
        me->old_descriptor = me->home_descriptor;
        me->old_inbox_next = me->inbox_next;
        me->moving = true;
    }
    HS_TRY(hs_me_save(s));
    return hs_moves_resume(s);
}

enum hs_err hs_home_moved(struct hs_step *s, struct hs_live_room *room, const struct hs_home_move *move)
{
    bool here = hs_key_equal(&move->home_root, &s->sync->me.home_root);
    if (move->number > hs_move_number(s, room)) {
        room->row.move_number = move->number;
        room->row_dirty = true;
    }
    return here || move->number <= room->row.home_number ? HS_OK : hs_home_forgot(s, room);
}

/* A hub that was shown to have gone is a home like any other. */
static const struct hs_key *shown_hub(const struct hs_room_row *row)
{
    return row->way_term > hs_row_term(row) ? &row->way_root : hs_row_hub(row);
}

enum hs_err hs_forgotten_received(struct hs_step *s, const Hanse__Forgotten *forgotten)
{
    struct hs_id id;
    struct hs_live_room *room;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(forgotten->room), &id), HS_ERR_MALFORMED);
    enum hs_err err = hs_live_get(s, &id, &room);
    if (err == HS_ERR_NOT_FOUND)
        return HS_OK;
    HS_TRY(err);
    return hs_root_is_home(s->sync, shown_hub(&room->row)) ? HS_OK : hs_home_forgot(s, room);
}

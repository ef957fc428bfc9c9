/* Leaving a room on this device alone, whether or not its hub ever answers: keys go at once, and the last
 * that is made with them is a proposal by which the hub may learn of it. */
#include "sync/rooms/leave_here.h"
#include "sync/log/rejoin.h"
#include "sync/move/move.h"
#include "sync/rooms/join.h"
#include "sync/rooms/late.h"

/* What has gone out may arrive whatever is done here, and nobody here will see it. */
static enum hs_err fate(bool sent)
{
    return sent ? HS_ERR_TIMEOUT : HS_ERR_NOT_MEMBER;
}

static bool is_by_commit(const struct hs_op *op)
{
    return op->kind == HS_OP_REMOVE || op->kind == HS_OP_POLICY;
}

/* Whoever waits for something in this room waits no more. committed: a commit for it has gone out. */
static enum hs_err ops_end(struct hs_step *s, const struct hs_id *room, bool committed)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (!hs_id_equal(&op->room, room))
            continue;
        bool sent = (committed && is_by_commit(op)) || (op->kind == HS_OP_HUB_MOVE && op->busy);
        HS_TRY(hs_op_done(s, op, fate(sent), NULL, 0, NULL));
    }
    return HS_OK;
}

/* An order that has gone out stays as it is: the till may take it, and its coupon with it. */
static enum hs_err post_end(struct hs_step *s, const struct hs_outbox_row *row)
{
    if (!row->sent)
        HS_TRY(hs_order_post_refused(s, row->content, HS_ERR_NOT_MEMBER));
    HS_TRY(hs_post_end(s, row, fate(row->sent)));
    return row->sent ? hs_order_out_keep(s, row) : HS_OK;
}

static enum hs_err row_end(struct hs_step *s, const struct hs_outbox_row *row)
{
    if (row->kind == HS_OUTBOX_ORDER_OUT)
        return HS_OK; /* from the last time that this device left the room */
    if (row->kind == HS_OUTBOX_POST)
        return post_end(s, row);
    hs_outbox_row_delete(s->kv, row->number);
    return hs_op_done(s, hs_op_of_outbox(s->sync, row->number), HS_ERR_NOT_MEMBER, NULL, 0, NULL);
}

/* One row at a time: there may be many, and large ones. committed: a commit was among them that has gone out;
 * may be NULL. */
static enum hs_err outbox_empty(struct hs_step *s, const struct hs_id *room, bool *committed)
{
    struct hs_kv_key cursor = {0};
    for (bool more = true; more;) {
        struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
        struct hs_outbox_row row;
        more = hs_outbox_row_next(s->kv, &cursor, &scratch, &row);
        if (!more || !hs_id_equal(&row.room, room))
            continue;
        if (committed != NULL)
            *committed = *committed || (row.kind == HS_OUTBOX_COMMIT && row.sent);
        HS_TRY(row_end(s, &row));
    }
    return s->kv->err;
}

/* What could be sent later, without the keys. A room that gives none has nothing to say to its hub. */
static enum hs_err last_word(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *row)
{
    *row = (struct hs_outbox_row){.kind = HS_OUTBOX_LEAVE, .room = room->row.id, .parting = true};
    if (room->row.state != HS_ROOM_STATE_MEMBER || room->group == NULL || hs_room_is_lost(room))
        return HS_OK;
    enum hs_err err = hs_leave_propose(s, room, row);
    row->frame = err == HS_OK ? row->frame : (struct hs_bytes){0};
    return hs_sync_is_own_trouble(err) ? err : HS_OK;
}

/* word: what the hub is told then; without a frame: nothing. */
static enum hs_err leave_member(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *word)
{
    bool committed = false;
    HS_TRY(outbox_empty(s, &room->row.id, &committed));
    HS_TRY(ops_end(s, &room->row.id, committed));
    hs_settle_over(s, room);
    room->row.frozen = HS_OK;
    room->row.parting = word->frame.len > 0;
    room->row.unmoved = room->row.unmoved && room->row.parting;
    HS_TRY(hs_commit_removed(s, room));
    if (room->row.parting)
        HS_TRY(hs_outbox_row_add(s, word));
    return hs_moves_resume(s); /* a move may have waited for this room alone */
}

/* Nobody has answered yet: there is no key but that of the request. */
static enum hs_err stop_waiting(struct hs_step *s, const struct hs_id *room)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row))
        if (!row.counter && hs_id_equal(&row.room, room))
            HS_TRY(hs_join_drop(s, &row));
    if (s->sync->late != NULL) { /* it may be this one; another one is begun anew */
        hs_late_drop(s->sync);
        s->sync->rejoin_due = s->now;
    }
    HS_TRY(ops_end(s, room, false));
    HS_TRY(hs_join_shown_no_more(s, room));
    return hs_home_unused(s);
}

enum hs_err hs_want_leave_here(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    struct hs_outbox_row word;
    enum hs_err err = hs_live_get(s, id, &room);
    HS_REQUIRE(err != HS_ERR_NOT_FOUND, HS_ERR_ROOM_UNKNOWN);
    HS_TRY(err);
    switch ((enum hs_room_state)room->row.state) {
    case HS_ROOM_STATE_CREATING:
        return HS_ERR_INVALID_STATE;
    case HS_ROOM_STATE_LEFT:
        return HS_ERR_NOT_MEMBER;
    case HS_ROOM_STATE_WAITING:
        return stop_waiting(s, id);
    case HS_ROOM_STATE_MEMBER:
    case HS_ROOM_STATE_FROZEN:
        HS_TRY(last_word(s, room, &word));
        return leave_member(s, room, &word);
    }
    return HS_ERR_STORE;
}

enum hs_err hs_leave_unsaid(struct hs_step *s, struct hs_live_room *room)
{
    return leave_member(s, room, &(struct hs_outbox_row){0});
}

enum hs_err hs_parting_over(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    enum hs_err err = hs_live_get(s, id, &room);
    if (err == HS_ERR_NOT_FOUND)
        return HS_OK;
    HS_TRY(err);
    if (!room->row.parting)
        return HS_OK;
    room->row.parting = room->row.unmoved = false;
    room->row_dirty = true;
    return outbox_empty(s, id, NULL);
}

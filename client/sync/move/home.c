/* Another home node is chosen: an account there, and every room follows (move.c). Until the new node has
 * confirmed the account no hub has heard of it, and all of it can be taken back. */
#include "identity/ticket.h"
#include "store/tables.h"
#include "sync/move/move.h"
#include "sync/rooms/join.h"

/* The new node hasn't confirmed the account, so the home before is the home still. */
static bool is_unconfirmed(const struct hs_me *me)
{
    return me->moving && !me->has_account;
}

/* unmoved: some room waits for its turn then. */
static enum hs_err each_room(struct hs_step *s,
                             void (*change)(struct hs_room_row *row, const struct hs_me *me), bool *unmoved)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    struct hs_live_room *room;
    *unmoved = false;
    HS_TRY(hs_live_save_all(s));
    while (hs_room_next(s->kv, &cursor, s->arena, &row)) {
        if (!hs_room_moves(&row))
            continue;
        HS_TRY(hs_live_get(s, &row.id, &room));
        if (room->row.unmoved)
            room->row.frozen = HS_OK; /* of that move */
        change(&room->row, &s->sync->me);
        *unmoved = *unmoved || (room->row.unmoved && !room->row.parting);
        room->row_dirty = true;
        room->move_refused = room->move_waits = false;
    }
    return s->kv->err;
}

/* Some did so before, for a hub that is away. What a home has said of forgetting is no word of another one.
 */
static void wait_for_turn(struct hs_room_row *row, const struct hs_me *me)
{
    row->move_number = row->move_number < me->home_number ? me->home_number : row->move_number + 1;
    row->was_unmoved = row->unmoved;
    row->unmoved = true;
    row->forgot_at = (struct hs_time){0};
}

static void wait_as_before(struct hs_room_row *row, const struct hs_me *me)
{
    (void)me;
    row->unmoved = row->was_unmoved;
}

/* There is another home to dial. */
static void dial_anew(struct hs_step *s)
{
    s->sync->hang_up = s->sync->session != HS_SESSION_OFF;
    s->sync->failures = 0;
    s->sync->next_try = s->now;
}

/* The grants that the home's root has given, by which this device is known there. */
static void take_grants(struct hs_step *s)
{
    struct hs_me *me = &s->sync->me;
    me->grants = (struct hs_bytes){0};
    (void)hs_kv_get(s->kv, HS_TABLE_GRANTS, HS_VIEW(me->home_root), s->arena, &me->grants);
}

enum hs_err hs_move_refused(struct hs_step *s, enum hs_err err)
{
    struct hs_me *me = &s->sync->me;
    me->home_root = me->old_root;
    take_grants(s);
    me->home_descriptor = me->old_descriptor;
    me->inbox_next = me->old_inbox_next;
    me->ticket = (struct hs_bytes){0};
    me->has_account = true;
    HS_TRY(each_room(s, wait_as_before, &me->moving));
    return hs_move_over(s, me->moving, err);
}

enum hs_err hs_home_confirmed(struct hs_step *s)
{
    struct hs_me *me = &s->sync->me;
    if (is_unconfirmed(me))
        HS_TRY(hs_joins_dropped_end(s, true));
    me->has_account = true;
    return hs_me_save(s);
}

/* ---- what the user wants ---- */

/* What was asked for at the old home comes to the old home: that is waited for first. A role's home is its
 * brand's node. A move that isn't over keeps nobody: a hub that is away could hold it up for ever. */
static enum hs_err check_move(struct hs_step *s, const struct hs_ticket_text *text)
{
    const struct hs_me *me = &s->sync->me;
    bool waits;
    HS_REQUIRE(me->has_home && (me->has_account || me->moving), HS_ERR_INVALID_STATE);
    HS_REQUIRE(text->grant_count == 0, HS_ERR_TICKET_INVALID);
    HS_REQUIRE(!hs_key_equal(&text->descriptor.root, is_unconfirmed(me) ? &me->old_root : &me->home_root),
               HS_ERR_INVALID_ARG);
    HS_TRY(hs_joins_wait(s, &waits));
    return waits ? HS_ERR_INVALID_STATE : HS_OK;
}

/* What the home's root has granted counts in its rooms as before, wherever the home is. */
static void keep_grants(struct hs_step *s)
{
    const struct hs_me *me = &s->sync->me;
    if (me->grants.len > 0)
        hs_kv_put(s->kv, HS_TABLE_GRANTS, HS_VIEW(me->home_root), me->grants);
}

/* The confirmed home is the one to go back to. */
static enum hs_err leave_home(struct hs_step *s)
{
    struct hs_me *me = &s->sync->me;
    bool unmoved;
    me->old_root = me->home_root;
    me->old_descriptor = me->home_descriptor;
    me->old_inbox_next = me->inbox_next;
    me->home_number++;
    keep_grants(s);
    return each_room(s, wait_for_turn, &unmoved);
}

static enum hs_err take_home(struct hs_step *s, struct hs_bytes ticket, const struct hs_ticket_text *text)
{
    struct hs_me *me = &s->sync->me;
    if (!is_unconfirmed(me))
        HS_TRY(leave_home(s));
    HS_TRY(hs_object_pack(text->descriptor_object, s->arena, &me->home_descriptor));
    me->home_root = text->descriptor.root;
    take_grants(s);
    me->ticket = ticket;
    me->moving = true;
    me->has_account = false;
    me->inbox_next = 0;
    dial_anew(s);
    return hs_me_save(s);
}

enum hs_err hs_want_move_home(struct hs_step *s, const char *ticket, uint64_t *number)
{
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) text = {0};
    struct hs_op *op;
    size_t len = strlen(ticket);
    while (len > 0 && strchr(" \t\r\n", ticket[len - 1]) != NULL)
        len--;
    HS_TRY(hs_ticket_text_parse(hs_bytes(ticket, len), s->now, s->arena, &text));
    HS_TRY(check_move(s, &text));
    HS_TRY(take_home(s, hs_bytes(ticket, len), &text));
    HS_TRY(hs_op_done(s, hs_move_op(s->sync), HS_ERR_CONFLICT, NULL, 0, NULL)); /* rather there than there */
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = HS_OP_MOVE;
    return HS_OK;
}

enum hs_err hs_want_home_back(struct hs_step *s)
{
    HS_REQUIRE(is_unconfirmed(&s->sync->me), HS_ERR_INVALID_STATE);
    dial_anew(s);
    return hs_move_refused(s, HS_ERR_CONFLICT);
}

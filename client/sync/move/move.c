/* Moving to another home node: an account there, then room by room: the new home learns whose persona this
 * is, the hub learns where it is served, and an item in the new inbox says that the room is read here. All of
 * it is in the store, and goes on from there after whatever happens; posts of a room wait until its turn has
 * come. */
#include "sync/move/move.h"
#include "identity/ticket.h"
#include "room/home_move.h"
#include "room/hub_move.h"
#include "store/tables.h"

enum {
    REFUSED_AGAIN_MS = 300000, /* whoever refused may think better of it */
    ACCEPTED_AGAIN_MS =
        660000 /* the hub tells a home once more after ten minutes: that has lost it, perhaps */
};

static struct hs_op *move_op(struct hs_sync *sync)
{
    for (struct hs_op *op = sync->ops; op != NULL; op = op->next)
        if (op->kind == HS_OP_MOVE)
            return op;
    return NULL;
}

/* Every room of which this device is a member waits for its turn, or none any more. */
static enum hs_err mark_rooms(struct hs_step *s, bool unmoved)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    struct hs_live_room *room;
    while (hs_room_next(s->kv, &cursor, s->arena, &row)) {
        if (row.state != HS_ROOM_STATE_MEMBER)
            continue;
        HS_TRY(hs_live_get(s, &row.id, &room));
        if (room->row.unmoved)
            room->row.frozen = HS_OK; /* of that move */
        room->row.unmoved = unmoved;
        room->move_refused = false;
        room->row.forgot_at = (struct hs_time){0};
        room->row_dirty = true;
    }
    return s->kv->err;
}

static enum hs_err finish(struct hs_step *s, enum hs_err err)
{
    struct hs_me *me = &s->sync->me;
    me->moving = false;
    me->old_descriptor = (struct hs_bytes){0};
    HS_TRY(hs_me_save(s));
    return hs_op_done(s, move_op(s->sync), err, NULL, 0, NULL);
}

/* The new home won't have this device: everything is as before. */
enum hs_err hs_move_refused(struct hs_step *s, enum hs_err err)
{
    struct hs_me *me = &s->sync->me;
    me->home_root = me->old_root;
    me->grants = (struct hs_bytes){0};
    (void)hs_kv_get(s->kv, HS_TABLE_GRANTS, HS_VIEW(me->home_root), s->arena, &me->grants);
    me->home_descriptor = me->old_descriptor;
    me->inbox_next = me->old_inbox_next;
    me->ticket = (struct hs_bytes){0};
    me->has_account = true;
    HS_TRY(mark_rooms(s, false));
    return finish(s, err);
}

/* ---- one room ---- */

static bool is_under_way(const struct hs_sync *sync, const struct hs_id *room)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (sync->requests[i].id != 0 && sync->requests[i].moves &&
            hs_id_equal(&sync->requests[i].id_a, room))
            return true;
    return false;
}

static void ask_again(struct hs_step *s, struct hs_live_room *room, int64_t ms)
{
    room->move_at.ms = s->now.ms + ms;
    if (room->move_at.ms < s->sync->rejoin_due.ms)
        s->sync->rejoin_due = room->move_at;
}

/* Not now: the person sees why, the hub is asked again later, and the move doesn't wait for this room. Nobody
 * has signed an answer, and it came through a home: also of NOT_MEMBER only the log's record is proof. */
static enum hs_err put_off(struct hs_step *s, struct hs_live_room *room, enum hs_err why)
{
    room->row.frozen = (int32_t)why;
    room->row_dirty = true;
    room->move_refused = true;
    ask_again(s, room, REFUSED_AGAIN_MS);
    if (why != HS_ERR_NOT_MEMBER) /* who isn't one has nothing to move there */
        HS_TRY(hs_op_done(s, move_op(s->sync), why, &room->row.id, 0, NULL));
    return hs_moves_resume(s);
}

static enum hs_err room_refused(struct hs_step *s, struct hs_live_room *room, enum hs_err err)
{
    if (!hs_err_is_transient(err))
        return put_off(s, room, err);
    room->move_told = room->way_told = false;
    hs_home_try_again(s);
    return HS_OK;
}

static enum hs_err told(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                        enum hs_err err);

/* A move that wasn't answered is told again: the hub knows it by its number. */
static enum hs_err tell(struct hs_step *s, struct hs_live_room *room, const struct hs_key *hub,
                        struct hs_bytes descriptor)
{
    struct hs_self HS_SELF self = {0};
    struct hs_writer HS_WRITER body = hs_writer(HS_HOME_MOVE_MAX);
    struct hs_home_move move = {.room = room->row.id,
                                .home_root = s->sync->me.home_root,
                                .number = s->sync->me.home_number,
                                .next_seq = room->row.tip.next_seq};
    Hanse__MoveHome request = HANSE__MOVE_HOME__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request asked = {.answer = told, .id_a = room->row.id, .moves = true};
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_home_move_build(&self.persona_signer, &move, s->now, &body));
    request.room = hs_pb_data(HS_VIEW(room->row.id));
    request.move = hs_pb_data(hs_writer_bytes(&body));
    frame.body_case = HANSE__FRAME__BODY_MOVE_HOME;
    frame.move_home = &request;
    return hs_request_send_to(s, hub, descriptor, &frame, &asked);
}

/* The hub in office, as a chain shows it that leads on from the hub that this device knows. */
static enum hs_err way_of(struct hs_step *s, const struct hs_live_room *room, const Hanse__Moved *moved,
                          struct hs_hub_office *office, struct hs_bytes *descriptor)
{
    const struct hs_room_row *row = &room->row;
    struct hs_hub_office known = {*hs_row_hub(row), hs_row_term(row)};
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(moved->room), HS_VIEW(row->id)), HS_ERR_UNEXPECTED);
    HS_TRY(hs_hub_moved_on(moved->moves, moved->n_moves, &row->id, s->arena, &row->hub_root, &known, office,
                           descriptor));
    /* never back: however many former hubs answer, each leads to a later term */
    return office->term > row->way_term || (office->term == row->way_term && !room->way_told)
               ? HS_OK
               : HS_ERR_UNEXPECTED;
}

/* A former hub answered. The HUB_MOVE itself comes with the records, and only that changes the hub. */
static enum hs_err go_on(struct hs_step *s, struct hs_live_room *room, const Hanse__Moved *moved)
{
    struct hs_hub_office office;
    struct hs_bytes descriptor;
    HS_TRY(way_of(s, room, moved, &office, &descriptor));
    room->row.way_root = office.root;
    room->row.way_term = office.term;
    room->row_dirty = true;
    room->way_told = true;
    return tell(s, room, &office.root, descriptor);
}

/* The hub counts from the record, which it wrote when the home said first that it has forgotten. */
static int64_t accepted_again(const struct hs_step *s, const struct hs_live_room *room)
{
    int64_t left = room->row.forgot_at.ms + ACCEPTED_AGAIN_MS - s->now.ms;
    return left > 0 && left < ACCEPTED_AGAIN_MS ? left : ACCEPTED_AGAIN_MS;
}

static enum hs_err told(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                        enum hs_err err)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, &request->id_a, &room));
    if (err != HS_OK)
        return room_refused(s, room, err);
    if (frame->body_case == HANSE__FRAME__BODY_MOVED)
        return go_on(s, room, frame->moved);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_ACCEPTED, HS_ERR_UNEXPECTED);
    if (room->row.unmoved)
        ask_again(s, room, accepted_again(s, room));
    return hs_moves_resume(s); /* this one is over with the item in the inbox; others may wait for a place */
}

static enum hs_err tell_hub(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_hub_office office;
    struct hs_bytes descriptor;
    room->way_told = false;
    if (hs_way_shown(s, room, &office, &descriptor))
        return tell(s, room, &office.root, descriptor);
    return tell(s, room, hs_row_hub(&room->row), room->row.descriptor);
}

static enum hs_err bound(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                         enum hs_err err)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, &request->id_a, &room));
    if (err != HS_OK)
        return room_refused(s, room, err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_ACK, HS_ERR_UNEXPECTED);
    return room->row.unmoved ? tell_hub(s, room) : HS_OK;
}

static enum hs_err move_room(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_request asked = {.answer = bound, .id_a = room->row.id, .moves = true};
    return hs_root_is_home(s->sync, &room->row.hub_root) ? tell_hub(s, room)
                                                         : hs_bind_send(s, &room->row.hub_root, &asked);
}

/* Each room once in a session, and again where an answer said that it isn't over yet. */
static enum hs_err resume_room(struct hs_step *s, struct hs_live_room *room)
{
    bool again = room->move_at.ms > 0 && s->now.ms >= room->move_at.ms;
    if (is_under_way(s->sync, &room->row.id) || hs_requests_are_scarce(s->sync))
        return HS_OK;
    if (room->move_told && !again) {
        if (room->move_at.ms > 0 && room->move_at.ms < s->sync->rejoin_due.ms)
            s->sync->rejoin_due = room->move_at;
        return HS_OK;
    }
    room->move_told = true;
    room->move_at = (struct hs_time){0};
    return move_room(s, room);
}

enum hs_err hs_moves_resume(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    struct hs_live_room *room;
    bool waits = false;
    if (!hs_home_is_online(s->sync))
        return HS_OK;
    HS_TRY(hs_live_save_all(s)); /* the rows say what is left to do */
    while (hs_room_next(s->kv, &cursor, s->arena, &row)) {
        if (!row.unmoved || row.state != HS_ROOM_STATE_MEMBER)
            continue;
        HS_TRY(hs_live_get(s, &row.id, &room));
        waits |= !room->move_refused;
        HS_TRY(resume_room(s, room));
    }
    HS_TRY(s->kv->err);
    return waits || !s->sync->me.moving ? HS_OK : finish(s, HS_OK);
}

/* The hub that is known, or the one that was shown to be in office behind it. */
static bool is_of_hub(const struct hs_room_row *row, struct hs_bytes root)
{
    return hs_bytes_equal(root, HS_VIEW(*hs_row_hub(row))) ||
           (row->way_term > hs_row_term(row) && hs_bytes_equal(root, HS_VIEW(row->way_root)));
}

enum hs_err hs_home_item_received(struct hs_step *s, const Hanse__HomeItem *item)
{
    struct hs_id id;
    struct hs_live_room *room;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(item->room), &id), HS_ERR_MALFORMED);
    enum hs_err err = hs_live_get(s, &id, &room);
    if (err == HS_ERR_NOT_FOUND)
        return HS_OK;
    HS_TRY(err);
    if (!room->row.unmoved || !is_of_hub(&room->row, hs_pb_bytes(item->hub_root)))
        return HS_OK;
    room->row.unmoved = false;
    if (room->row.state == HS_ROOM_STATE_MEMBER)
        room->row.frozen = HS_OK;
    room->row_dirty = true;
    HS_TRY(hs_home_attach_room(s, room));
    HS_TRY(hs_outbox_send_all(s)); /* its posts have waited; a node that has one already says so */
    return hs_moves_resume(s);
}

enum hs_err hs_home_move_record(struct hs_step *s, struct hs_live_room *room,
                                const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_home_move move;
    (void)s;
    HS_TRY(hs_home_move_verify(body, &room->row.id, &move));
    return hs_key_equal(&move.persona, &header->sender_persona) ? HS_OK : HS_ERR_WRONG_SENDER;
}

/* ---- what the user wants ---- */

static enum hs_err joins_wait(struct hs_step *s, bool *waits)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    *waits = hs_join_row_next(s->kv, &cursor, s->arena, &row);
    return s->kv->err;
}

/* Under way is no more than that the home is told of rooms that it has forgotten: it could hold up that for
 * ever, and with it whoever wants to go. */
static bool is_retelling(const struct hs_me *me)
{
    return me->moving && hs_key_equal(&me->old_root, &me->home_root);
}

/* What was asked for at the old home comes to the old home: that is waited for first. A role's home is its
 * brand's node. While the new node hasn't confirmed the account yet, another one may be chosen. */
static enum hs_err check_move(struct hs_step *s, const struct hs_ticket_text *text)
{
    const struct hs_me *me = &s->sync->me;
    bool waits;
    HS_REQUIRE(me->has_home && (me->has_account || me->moving), HS_ERR_INVALID_STATE);
    HS_REQUIRE(!me->moving || !me->has_account || is_retelling(me), HS_ERR_INVALID_STATE);
    HS_REQUIRE(text->grant_count == 0, HS_ERR_TICKET_INVALID);
    HS_REQUIRE(!hs_key_equal(&text->descriptor.root, me->moving ? &me->old_root : &me->home_root),
               HS_ERR_INVALID_ARG);
    HS_TRY(joins_wait(s, &waits));
    return waits ? HS_ERR_INVALID_STATE : HS_OK;
}

/* What the home's root has granted counts in its rooms as before, wherever the home is. */
static void keep_grants(struct hs_step *s)
{
    struct hs_me *me = &s->sync->me;
    if (me->grants.len > 0)
        hs_kv_put(s->kv, HS_TABLE_GRANTS, HS_VIEW(me->home_root), me->grants);
    me->grants = (struct hs_bytes){0};
}

static enum hs_err take_home(struct hs_step *s, struct hs_bytes ticket, const struct hs_ticket_text *text)
{
    struct hs_me *me = &s->sync->me;
    if (!me->moving || is_retelling(me)) {
        me->old_root = me->home_root;
        me->old_descriptor = me->home_descriptor;
        me->old_inbox_next = me->inbox_next;
        me->home_number++;
        keep_grants(s);
    }
    HS_TRY(hs_object_pack(text->descriptor_object, s->arena, &me->home_descriptor));
    me->home_root = text->descriptor.root;
    me->grants = (struct hs_bytes){0};
    (void)hs_kv_get(s->kv, HS_TABLE_GRANTS, HS_VIEW(me->home_root), s->arena, &me->grants);
    me->ticket = ticket;
    me->moving = true;
    me->has_account = false;
    me->inbox_next = 0;
    HS_TRY(hs_me_save(s));
    s->sync->hang_up = s->sync->session != HS_SESSION_OFF;
    return mark_rooms(s, true);
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
    HS_TRY(hs_op_done(s, move_op(s->sync), HS_ERR_CONFLICT, NULL, 0, NULL)); /* rather there than there */
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = HS_OP_MOVE;
    return HS_OK;
}

/* Rooms follow to another home node (home.c), each by itself: the new home learns whose persona this is, the
 * hub learns where it is served, and an item in the new inbox says that the room is read here. All of it is
 * in the store, and goes on from there after whatever happens; posts of a room wait until its turn has come.
 */
#include "sync/move/move.h"
#include "room/home_move.h"
#include "room/hub_move.h"
#include "sync/log/hub_key.h"
#include "sync/rooms/leave_here.h"

enum {
    RAISES_MAX = 24,           /* of a number at a time: no device moves as often as that makes it */
    RAISES_BY_ONE = 8,         /* the first of them: a hub lets late numbers wait. The others are doubled */
    MOVES_A_HUB = 4,           /* rooms of one hub that are told at a time */
    REFUSED_AGAIN_MS = 300000, /* whoever refused may think better of it */
    ACCEPTED_AGAIN_MS =
        660000 /* the hub tells a home once more after ten minutes: that has lost it, perhaps */
};

struct hs_op *hs_move_op(struct hs_sync *sync)
{
    for (struct hs_op *op = sync->ops; op != NULL; op = op->next)
        if (op->kind == HS_OP_MOVE)
            return op;
    return NULL;
}

enum hs_err hs_move_over(struct hs_step *s, bool rooms_wait, enum hs_err err)
{
    struct hs_me *me = &s->sync->me;
    me->moving = rooms_wait;
    me->old_descriptor = (struct hs_bytes){0};
    HS_TRY(hs_me_save(s));
    return hs_op_done(s, hs_move_op(s->sync), err, NULL, 0, NULL);
}

/* ---- one room ---- */

uint64_t hs_move_number(const struct hs_step *s, const struct hs_live_room *room)
{
    return room->row.move_number > 0 ? room->row.move_number : s->sync->me.home_number;
}

/* A hub that is away answers late, and the places that its rooms take are wanted for those of others. */
static bool has_place(const struct hs_sync *sync, const struct hs_live_room *room)
{
    size_t of_hub = 0;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++) {
        const struct hs_request *request = &sync->requests[i];
        if (request->id == 0 || !request->moves)
            continue;
        if (hs_id_equal(&request->id_a, &room->row.id))
            return false; /* it is under way */
        of_hub += hs_key_equal(&request->hub, hs_row_hub(&room->row)) ? 1 : 0;
    }
    return of_hub < MOVES_A_HUB && !hs_requests_are_scarce(sync);
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
    if (room->row.parting) {
        HS_TRY(hs_parting_over(s, &room->row.id));
        return hs_moves_resume(s);
    }
    room->row.frozen = (int32_t)why;
    room->row_dirty = true;
    room->move_refused = true;
    ask_again(s, room, REFUSED_AGAIN_MS);
    if (why != HS_ERR_NOT_MEMBER) /* who isn't one has nothing to move there */
        HS_TRY(hs_op_done(s, hs_move_op(s->sync), why, &room->row.id, 0, NULL));
    return hs_moves_resume(s);
}

/* The room follows as soon as its hub can be asked. Said once to whoever waits for the move. */
static enum hs_err say_waits(struct hs_step *s, struct hs_live_room *room, enum hs_err why)
{
    const struct hs_op *op = hs_move_op(s->sync);
    if (op == NULL || room->row.parting || room->move_waits ||
        (why != HS_ERR_UNREACHABLE && why != HS_ERR_RECOVERING))
        return HS_OK;
    char domain[HS_DOMAIN_MAX + 1];
    HS_TRY(hs_office_domain(&room->row, domain));
    room->move_waits = true;
    struct hanse_event event = {.kind = HANSE_EVENT_WAITING, .op = op->number, .err = (enum hanse_err)why};
    memcpy(event.room.b, room->row.id.b, sizeof event.room.b);
    return hs_out_event(s, &event, domain);
}

static enum hs_err room_refused(struct hs_step *s, struct hs_live_room *room, enum hs_err err)
{
    if (!hs_err_is_transient(err))
        return put_off(s, room, err);
    room->move_told = room->way_told = false;
    hs_home_try_again(s);
    return say_waits(s, room, err);
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
                                .number = hs_move_number(s, room),
                                .next_seq = room->row.tip.next_seq};
    Hanse__MoveHome request = HANSE__MOVE_HOME__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request asked = {.answer = told,
                               .id_a = room->row.id,
                               .offset = move.number,
                               .hub = *hs_row_hub(&room->row),
                               .asked = *hub,
                               .moves = true};
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

static enum hs_err tell_hub(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_hub_office office;
    struct hs_bytes descriptor;
    room->way_told = false;
    if (hs_way_shown(s, room, &office, &descriptor))
        return tell(s, room, &office.root, descriptor);
    return tell(s, room, hs_row_hub(&room->row), room->row.descriptor);
}

/* The hub knows a later number: this store is an older copy of itself, and how much older can't be known. Two
 * copies that are in use take a room from each other once in a while, not all the time. */
static bool may_raise(const struct hs_step *s, const struct hs_live_room *room)
{
    return room->row.unmoved && room->move_raised < RAISES_MAX &&
           (room->row.forgot_at.ms == 0 || room->move_fresh || !hs_home_forgot_lately(s, room));
}

/* told: the number that was too low, unless it has been raised since. Only this room's: another hub would
 * have it wait for what this one says. */
static enum hs_err raise_number(struct hs_step *s, struct hs_live_room *room, uint64_t told)
{
    if (!room->move_fresh)
        room->row.forgot_at = s->now;
    room->move_fresh = room->row_dirty = true;
    unsigned n = room->move_raised++;
    if (told == hs_move_number(s, room))
        room->row.move_number = told + (n < RAISES_BY_ONE ? 1 : 1ull << (n - RAISES_BY_ONE));
    return tell_hub(s, room);
}

/* The hub counts from the record, which it wrote when the home said first that it has forgotten. */
static int64_t accepted_again(const struct hs_step *s, const struct hs_live_room *room)
{
    int64_t left = room->row.forgot_at.ms + ACCEPTED_AGAIN_MS - s->now.ms;
    return left > 0 && left < ACCEPTED_AGAIN_MS ? left : ACCEPTED_AGAIN_MS;
}

/* The new home reads the room for this device. */
static enum hs_err served(struct hs_step *s, struct hs_live_room *room)
{
    room->row.unmoved = false;
    room->move_raised = 0;
    room->row.home_number = hs_move_number(s, room);
    if (room->row.state == HS_ROOM_STATE_MEMBER)
        room->row.frozen = HS_OK;
    room->row_dirty = true;
    if (!room->row.parting)
        HS_TRY(hs_home_attach_room(s, room));
    HS_TRY(hs_outbox_send_all(s)); /* its posts have waited; a node that has one already says so */
    return hs_moves_resume(s);
}

/* The room that the answer is about; NULL where it was left meanwhile, or nothing of it is here. */
static enum hs_err room_of(struct hs_step *s, const struct hs_request *request, struct hs_live_room **room)
{
    enum hs_err err = hs_live_get(s, &request->id_a, room);
    if (err != HS_OK || !hs_room_moves(&(*room)->row))
        *room = NULL;
    return err == HS_ERR_NOT_FOUND ? HS_OK : err;
}

static enum hs_err told(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                        enum hs_err err)
{
    struct hs_live_room *room;
    HS_TRY(room_of(s, request, &room));
    if (room == NULL)
        return hs_moves_resume(s); /* others may wait for its place */
    if (err == HS_ERR_REPLAY && may_raise(s, room))
        return raise_number(s, room, request->offset);
    if (err != HS_OK)
        return room_refused(s, room, err);
    if (frame->body_case == HANSE__FRAME__BODY_MOVED)
        return go_on(s, room, frame->moved);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_ACCEPTED, HS_ERR_UNEXPECTED);
    if (room->row.unmoved && hs_root_is_home(s->sync, &request->asked))
        return served(s, room); /* by the hub itself, which has answered; an item it has for others */
    if (room->row.unmoved)
        ask_again(s, room, accepted_again(s, room));
    return hs_moves_resume(s); /* this one is over with the item in the inbox; others may wait for a place */
}

static enum hs_err bound(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                         enum hs_err err)
{
    struct hs_live_room *room;
    HS_TRY(room_of(s, request, &room));
    if (room == NULL)
        return hs_moves_resume(s);
    if (err != HS_OK)
        return room_refused(s, room, err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_ACK, HS_ERR_UNEXPECTED);
    return room->row.unmoved ? tell_hub(s, room) : hs_moves_resume(s); /* others may wait for its place */
}

static enum hs_err move_room(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_request asked = {
        .answer = bound, .id_a = room->row.id, .hub = *hs_row_hub(&room->row), .moves = true};
    return hs_root_is_home(s->sync, &room->row.hub_root) ? tell_hub(s, room)
                                                         : hs_bind_send(s, &room->row.hub_root, &asked);
}

/* Each room once in a session, and again where an answer said that it isn't over yet. */
static enum hs_err resume_room(struct hs_step *s, struct hs_live_room *room)
{
    bool again = room->move_at.ms > 0 && s->now.ms >= room->move_at.ms;
    if (room->move_told && !again) {
        if (room->move_at.ms > 0 && room->move_at.ms < s->sync->rejoin_due.ms)
            s->sync->rejoin_due = room->move_at;
        return HS_OK;
    }
    if (!has_place(s->sync, room))
        return HS_OK; /* an answer makes room */
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
        if (!row.unmoved || !hs_room_moves(&row))
            continue;
        HS_TRY(hs_live_get(s, &row.id, &room));
        waits |= !room->move_refused && !row.parting;
        HS_TRY(resume_room(s, room));
    }
    HS_TRY(s->kv->err);
    return waits || !s->sync->me.moving ? HS_OK : hs_move_over(s, false, HS_OK);
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
    return served(s, room);
}

enum hs_err hs_home_move_record(struct hs_step *s, struct hs_live_room *room,
                                const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_home_move move;
    HS_TRY(hs_home_move_verify(body, &room->row.id, &move));
    HS_REQUIRE(hs_key_equal(&move.persona, &header->sender_persona), HS_ERR_WRONG_SENDER);
    return hs_key_equal(&move.persona, &room->row.self) ? hs_home_moved(s, room, &move) : HS_OK;
}

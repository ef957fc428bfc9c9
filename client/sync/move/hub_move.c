/* A room moves to another hub: an owner's device asks for it, every member's takes the record, and one that
 * may lets the policy follow. */
#include "room/hub_move.h"

#include "sync/log/hub_key.h"
#include "sync/move/move.h"

/* ---- everybody's ---- */

static enum hs_err check(struct hs_live_room *room, const struct hs_record_header *header,
                         const struct hs_hub_move *move)
{
    struct hs_mls_member member;
    HS_REQUIRE(hs_key_equal(&move->owner, &header->sender_persona), HS_ERR_WRONG_SENDER);
    HS_REQUIRE(move->office.term == hs_row_term(&room->row) + 1 &&
                   !hs_key_equal(&move->office.root, hs_row_hub(&room->row)) &&
                   room->row.kind != HS_ROOM_COUNTER && !room->newest.unsettled,
               HS_ERR_POLICY);
    if (hs_live_public(room) == NULL)
        return HS_OK; /* what comes is kept, and judged by the others */
    HS_REQUIRE(hs_policy_allows(&room->policy, &move->owner, header->hub_time, HS_RIGHT_GOVERN) &&
                   !hs_policy_is_revoked(&room->policy, &move->device),
               HS_ERR_DENIED);
    HS_REQUIRE(hs_live_find(room, &move->owner, &member) &&
                   hs_bytes_equal(member.signature_key, HS_VIEW(move->device)),
               HS_ERR_WRONG_SENDER);
    return HS_OK;
}

enum hs_err hs_hub_move_record(struct hs_step *s, struct hs_live_room *room,
                               const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_hub_move *move = hs_arena_alloc(s->arena, sizeof *move);
    HS_REQUIRE(move != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_hub_move_verify(body, &room->row.id, header->hub_time, s->arena, move));
    HS_TRY(check(room, header, move));
    room->hub_move = move;
    return HS_OK;
}

static enum hs_err done(struct hs_step *s, const struct hs_live_room *room)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (op->kind == HS_OP_HUB_MOVE && hs_id_equal(&op->room, &room->row.id))
            HS_TRY(hs_op_done(s, op, HS_OK, &room->row.id, room->row.tip.next_seq - 1, NULL));
    }
    return HS_OK;
}

/* Nothing is unsettled at a HUB_MOVE: an own commit that hasn't come before it comes no more. The new hub
 * would refuse it for whom it adds until the policy has followed, which can't while it is pending. */
static enum hs_err drop_commit(struct hs_step *s, const struct hs_id *room)
{
    struct hs_outbox_row row;
    return hs_commit_row(s, room, &row) ? hs_commit_refused(s, &row, HS_ERR_WRONG_EPOCH) : s->kv->err;
}

enum hs_err hs_hub_moved(struct hs_step *s, struct hs_live_room *room)
{
    const struct hs_hub_move *move = room->hub_move;
    struct hs_room_row *row = &room->row;
    room->hub_move = NULL;
    if (move == NULL || row->state != HS_ROOM_STATE_MEMBER)
        return HS_OK;
    if (!room->caught_up) /* the hub has signed more than the last record of its term */
        return hs_room_freeze(s, room, row->tip.next_seq, HS_ERR_LOG_FORK);
    HS_TRY(hs_way_keep(s, room));
    HS_TRY(hs_hub_key_keep(s, hs_row_hub(row), row->descriptor));
    HS_TRY(hs_live_take_descriptor(room, move->descriptor));
    bool home_again = hs_key_equal(&move->office.root, &row->hub_root);
    row->office_root = home_again ? (struct hs_key){0} : move->office.root;
    row->hub_term = move->office.term;
    row->has_promise = false;
    room->row_dirty = true;
    struct hanse_event event = {.kind = HANSE_EVENT_HUB, .seq = row->tip.next_seq - 1};
    memcpy(event.room.b, row->id.b, sizeof event.room.b);
    HS_TRY(hs_out_event(s, &event, move->new_hub.domain));
    HS_TRY(drop_commit(s, &row->id));
    return done(s, room);
}

enum hs_err hs_policy_follow(struct hs_step *s, struct hs_live_room *room, bool *behind)
{
    struct hs_hub_office office = {*hs_row_hub(&room->row), hs_row_term(&room->row)};
    *behind = room->policy.hub_term < office.term;
    if (!*behind || !hs_policy_allows(&room->policy, &room->row.self, s->now, HS_RIGHT_CHANGE_POLICY))
        return HS_OK;
    struct hs_policy policy = hs_policy_set_office(&room->policy, &office);
    struct hs_commit_wish wish = {.policy = &policy};
    enum hs_err err = hs_commit_submit(s, room, &wish);
    return hs_sync_is_fault(err) ? HS_OK : err;
}

/* ---- one's own ---- */

/* The new hub fetches the room's log first, and asks for the room itself. The record ends the operation, or
 * what comes to the inbox. */
static enum hs_err waits(struct hs_step *s, struct hs_op *op)
{
    if (op->amount > 0)
        return HS_OK; /* it has been said */
    op->amount = 1;
    struct hanse_event event = {.kind = HANSE_EVENT_WAITING, .op = op->number};
    memcpy(event.room.b, op->room.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

enum hs_err hs_hub_move_refused(struct hs_step *s, const struct hs_id *room, const struct hs_id *body,
                                enum hs_err err)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (op->kind != HS_OP_HUB_MOVE || !hs_id_equal(&op->room, room))
            continue;
        struct hs_id hash = hs_record_body_hash(hs_bytes(op->bytes, op->bytes_len));
        if (hs_id_equal(&hash, body))
            HS_TRY(hs_op_done(s, op, err, room, 0, NULL));
    }
    return HS_OK;
}

static enum hs_err answered(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                            enum hs_err err)
{
    struct hs_op *op = hs_op_find(s->sync, request->op);
    if (op == NULL)
        return HS_OK; /* the record was faster */
    if (err == HS_OK && frame->body_case == HANSE__FRAME__BODY_QUEUED)
        return waits(s, op);
    if (err == HS_OK)
        return frame->body_case == HANSE__FRAME__BODY_ACCEPTED ? HS_OK : HS_ERR_UNEXPECTED;
    if (!hs_err_is_transient(err))
        return hs_op_done(s, op, err, NULL, 0, NULL);
    op->busy = false;
    hs_home_try_again(s);
    return HS_OK;
}

static enum hs_err ask(struct hs_step *s, struct hs_op *op)
{
    struct hs_live_room *room;
    enum hs_err err = hs_live_member(s, &op->room, &room);
    if (err != HS_OK)
        return hs_op_done(s, op, err, NULL, 0, NULL);
    Hanse__MoveHub move = HANSE__MOVE_HUB__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = answered, .op = op->number};
    move.room = hs_pb_data(HS_VIEW(room->row.id));
    move.move = hs_pb_data(hs_bytes(op->bytes, op->bytes_len));
    frame.body_case = HANSE__FRAME__BODY_MOVE_HUB;
    frame.move_hub = &move;
    op->busy = true;
    return hs_request_send_to(s, hs_row_hub(&room->row), room->row.descriptor, &frame, &request);
}

enum hs_err hs_want_hub_move(struct hs_step *s, const struct hs_id *id, uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_op *op;
    struct hs_self HS_SELF self = {0};
    struct hs_writer HS_WRITER body = hs_writer(HS_HUB_MOVE_MAX);
    Hanse__SignedObject *descriptor;
    HS_TRY(hs_live_member(s, id, &room));
    HS_REQUIRE(room->row.kind != HS_ROOM_COUNTER &&
                   hs_policy_allows(&room->policy, &room->row.self, s->now, HS_RIGHT_GOVERN),
               HS_ERR_POLICY);
    HS_REQUIRE(!hs_root_is_home(s->sync, hs_row_hub(&room->row)), HS_ERR_INVALID_ARG);
    HS_REQUIRE(s->sync->me.home_descriptor.len > 0 && !room->row.unmoved, HS_ERR_INVALID_STATE);
    HS_TRY(hs_object_unpack(s->sync->me.home_descriptor, s->arena, &descriptor));
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    struct hs_hub_move_spec spec = {.device = &self.device.signature,
                                    .certificate = self.certificate,
                                    .descriptor = descriptor,
                                    .room = *id,
                                    .office = {s->sync->me.home_root, hs_row_term(&room->row) + 1},
                                    .now = s->now};
    HS_TRY(hs_hub_move_build(&spec, &body));
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = HS_OP_HUB_MOVE;
    op->room = *id;
    op->resume = ask;
    HS_TRY(hs_op_take_bytes(op, hs_writer_bytes(&body)));
    return hs_op_begin(s, op);
}

/* Leaving: a proposal to remove one's own leaf, until it is in the log; and what others' proposals ask of
 * commits. */
#include "room/judge_change.h"
#include "room/leaf.h"
#include "sync/rooms/leave_here.h"

/* ---- one's own ---- */

enum hs_err hs_leave_propose(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *row)
{
    struct hs_writer HS_WRITER message = hs_writer(HS_FRAME_MAX);
    Hanse__SubmitMessage submit = HANSE__SUBMIT_MESSAGE__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    row->epoch = hs_mls_group_epoch(room->group);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_REMOVE,
                                                    .leaf = hs_mls_group_own_leaf(room->group)};
    HS_TRY(hs_mls_group_propose(room->group, &request, &message));
    room->group_dirty = true;
    submit.room = hs_pb_data(HS_VIEW(room->row.id));
    submit.persona = hs_pb_data(HS_VIEW(room->row.self));
    submit.message = hs_pb_data(hs_writer_bytes(&message));
    frame.body_case = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    frame.submit_message = &submit;
    row->body_hash = hs_record_body_hash(hs_writer_bytes(&message));
    return hs_frame_pack(s, &frame, &row->frame);
}

/* Where this device hasn't caught up it waits for that. */
static enum hs_err propose(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *row)
{
    row->epoch = hs_mls_group_epoch(room->group);
    row->stale = !s->sync->caught_up || room->newest.unsettled;
    return row->stale ? HS_OK : hs_leave_propose(s, room, row);
}

static enum hs_err propose_again(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *row)
{
    struct hs_op *op = hs_op_of_outbox(s->sync, row->number);
    uint64_t before = row->number;
    HS_TRY(propose(s, room, row));
    hs_outbox_row_delete(s->kv, before);
    HS_TRY(hs_outbox_row_add(s, row));
    if (op != NULL)
        op->outbox = row->number;
    return HS_OK;
}

enum hs_err hs_leave_renew(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_kv_key cursor = {0};
    struct hs_outbox_row row;
    if (!s->sync->caught_up || room->newest.unsettled || room->group == NULL)
        return HS_OK;
    while (hs_outbox_row_next(s->kv, &cursor, s->arena, &row))
        if (row.kind == HS_OUTBOX_LEAVE && hs_id_equal(&row.room, &room->row.id) &&
            (row.stale || row.epoch != hs_mls_group_epoch(room->group)))
            return propose_again(s, room, &row);
    return s->kv->err;
}

enum hs_err hs_leaves_renew(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_outbox_row row;
    while (hs_outbox_row_next(s->kv, &cursor, s->arena, &row)) {
        struct hs_live_room *room;
        if (row.kind != HS_OUTBOX_LEAVE || !row.stale)
            continue;
        if (hs_live_member(s, &row.room, &room) == HS_OK)
            HS_TRY(hs_leave_renew(s, room));
    }
    return s->kv->err;
}

/* Whoever asked for it stays in, and hears why; where nobody here knows of being in, nobody is. */
static enum hs_err stays(struct hs_step *s, const struct hs_outbox_row *row, enum hs_err err)
{
    struct hs_live_room *room;
    if (!row->unseen)
        return hs_post_end(s, row, err);
    hs_outbox_row_delete(s->kv, row->number);
    HS_TRY(hs_live_get(s, &row->room, &room));
    return hs_leave_unsaid(s, room);
}

enum hs_err hs_leave_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err)
{
    struct hs_live_room *room;
    if (row->parting)
        return hs_parting_over(s, &row->room);
    if (err == HS_ERR_WRONG_EPOCH && hs_live_member(s, &row->room, &room) == HS_OK) {
        row->stale = true; /* the record that made it old may be on its way */
        row->sent = false;
        hs_outbox_row_put(s->kv, row);
        return row->epoch < hs_mls_group_epoch(room->group) ? hs_leave_renew(s, room) : s->kv->err;
    }
    return stays(s, row, err);
}

enum hs_err hs_leave_begin(struct hs_step *s, struct hs_live_room *room, bool unseen, uint64_t *number)
{
    struct hs_outbox_row row = {.kind = HS_OUTBOX_LEAVE, .room = room->row.id, .unseen = unseen};
    HS_TRY(propose(s, room, &row));
    HS_TRY(hs_outbox_row_add(s, &row));
    *number = row.number;
    return HS_OK;
}

enum hs_err hs_want_leave(struct hs_step *s, const struct hs_id *id, uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_op *op;
    HS_TRY(hs_live_member(s, id, &room));
    HS_TRY(hs_op_new(s, &op, number));
    op->room = *id;
    HS_TRY(hs_leave_begin(s, room, false, &op->outbox));
    op->busy = true;
    return HS_OK;
}

static bool leave_row(struct hs_step *s, const struct hs_id *room, struct hs_outbox_row *out)
{
    struct hs_kv_key cursor = {0};
    while (hs_outbox_row_next(s->kv, &cursor, s->arena, out))
        if (out->kind == HS_OUTBOX_LEAVE && hs_id_equal(&out->room, room))
            return true;
    return false;
}

enum hs_err hs_leave_take_back(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_outbox_row row;
    if (!leave_row(s, &room->row.id, &row))
        return s->kv->err;
    HS_REQUIRE(!row.sent, HS_ERR_UNSETTLED);
    hs_outbox_row_delete(s->kv, row.number);
    HS_TRY(hs_op_done(s, hs_op_of_outbox(s->sync, row.number), HS_ERR_CONFLICT, NULL, 0, NULL));
    return row.unseen ? hs_joined_tell(s, room) : HS_OK;
}

/* One row at a time: a room may freeze with a full outbox. */
enum hs_err hs_leave_over(struct hs_step *s, const struct hs_id *room, uint64_t seq, enum hs_err err)
{
    struct hs_kv_key cursor = {0};
    for (bool more = true; more;) {
        struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
        struct hs_outbox_row row;
        more = hs_outbox_row_next(s->kv, &cursor, &scratch, &row);
        if (!more || row.kind != HS_OUTBOX_LEAVE || !hs_id_equal(&row.room, room))
            continue;
        hs_outbox_row_delete(s->kv, row.number);
        HS_TRY(hs_op_done(s, hs_op_of_outbox(s->sync, row.number), err, NULL, seq, NULL));
    }
    return s->kv->err;
}

/* ---- everybody's ---- */

enum hs_err hs_proposal_received(struct hs_step *s, struct hs_live_room *room,
                                 const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    HS_REQUIRE(!room->newest.unsettled, HS_ERR_UNEXPECTED);
    if (hs_key_equal(&header->sender_persona, &room->row.self))
        return hs_commit_removed(s, room); /* nothing behind it is for this device */
    HS_TRY(hs_mls_group_process(room->group, body, &event));
    room->group_dirty = true;
    return hs_proposal_check(s, room, header, event);
}

enum hs_err hs_proposal_check(struct hs_step *s, struct hs_live_room *room,
                              const struct hs_record_header *header, const struct hs_mls_event *event)
{
    struct hs_key persona;
    HS_REQUIRE(event->kind == HS_MLS_EVENT_PROPOSAL, HS_ERR_UNEXPECTED);
    HS_TRY(hs_judge_proposal(hs_live_public(room), event, header->hub_time, s->arena));
    HS_REQUIRE(event->proposal.type == HS_MLS_REMOVE && event->proposal.target.leaf == event->sender.leaf,
               HS_ERR_POLICY);
    HS_TRY(hs_room_leaf_persona(&event->sender, &persona));
    HS_REQUIRE(hs_key_equal(&persona, &header->sender_persona), HS_ERR_WRONG_SENDER);
    hs_leaving_put(s->kv, &room->row.id, &persona, header->epoch);
    return s->kv->err;
}

enum hs_err hs_leave_check(struct hs_step *s, const struct hs_live_room *room,
                           const struct hs_judge_facts *facts)
{
    struct hs_kv_key cursor = {0};
    struct hs_key persona;
    if (facts->rejoined) /* MLS has no room in it for anybody else (ROOM-90) */
        return hs_leaving_has(s->kv, &room->row.id, &facts->committer.persona) ? HS_ERR_NOT_MEMBER
                                                                               : s->kv->err;
    while (hs_leaving_next(s->kv, &room->row.id, &cursor, s->arena, &persona)) {
        size_t i = 0;
        while (i < facts->removed_count && !hs_key_equal(&facts->removed[i], &persona))
            i++;
        HS_REQUIRE(i < facts->removed_count, HS_ERR_POLICY);
    }
    return s->kv->err;
}

static bool has_left(void *index, const struct hs_key *persona)
{
    const struct hs_leavers *of = index;
    return hs_leaving_has(of->kv, &of->room, persona);
}

void hs_leavers_known(struct hs_step *s, const struct hs_live_room *room, struct hs_leavers *leavers,
                      struct hs_judge_input *input)
{
    *leavers = (struct hs_leavers){s->kv, room->row.id};
    input->has_left = has_left;
    input->index = leavers;
}

static bool is_among(const struct hs_commit_wish *wish, uint32_t leaf)
{
    for (size_t i = 0; i < wish->remove_count; i++)
        if (wish->removes[i] == leaf)
            return true;
    return false;
}

enum hs_err hs_leavers_removed(struct hs_step *s, struct hs_live_room *room, struct hs_commit_wish *wish)
{
    struct hs_kv_key cursor = {0};
    struct hs_key persona;
    struct hs_mls_member member;
    while (hs_leaving_next(s->kv, &room->row.id, &cursor, s->arena, &persona)) {
        if (hs_leaving_epoch(s->kv, &room->row.id, &persona, s->arena) == hs_mls_group_epoch(room->group) ||
            !hs_live_find(room, &persona, &member) || is_among(wish, member.leaf))
            continue;
        uint32_t *list = hs_arena_alloc(s->arena, (wish->remove_count + 1) * sizeof *list);
        HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
        if (wish->remove_count > 0)
            memcpy(list, wish->removes, wish->remove_count * sizeof *list);
        list[wish->remove_count++] = member.leaf;
        wish->removes = list;
    }
    return s->kv->err;
}

bool hs_leave_waits(struct hs_step *s, const struct hs_live_room *room)
{
    struct hs_kv_key cursor = {0};
    struct hs_key persona;
    enum hs_room_role role = hs_policy_role(&room->policy, &room->row.self, s->now);
    return (role == HS_ROOM_OWNER || role == HS_ROOM_MODERATOR) &&
           hs_leaving_next(s->kv, &room->row.id, &cursor, s->arena, &persona);
}

/* One's own commits on their way, and what they were for. */
#include "room/judge_change.h"
#include "sync/log/gap.h"
#include "sync/move/move.h"
#include "sync/rooms/govern.h"

/* ---- one's own ---- */

/* A bad wish is found out here rather than by the hub: the rules are the same. */
static enum hs_err judge_pending(struct hs_step *s, struct hs_live_room *room,
                                 const struct hs_commit_wish *wish)
{
    struct hs_judge_input input = {.before = hs_mls_group_public(room->group),
                                   .change = hs_mls_group_pending_change(room->group),
                                   .hub_time = s->now};
    struct hs_hub_office office = {*hs_row_hub(&room->row), hs_row_term(&room->row)};
    struct hs_judge_join *joins;
    struct hs_leavers leavers;
    hs_leavers_known(s, room, &leavers, &input);
    input.office = &office;
    if (input.hub_time.ms < room->row.tip.hub_time.ms)
        input.hub_time = room->row.tip.hub_time;
    HS_TRY(hs_joins_named(s, room, wish->joins, wish->join_count, &joins, &input.join_count));
    input.joins = joins;
    input.joins_before_anchor = wish->join_count - input.join_count;
    struct hs_judge_facts facts;
    HS_TRY(hs_judge_change(&input, s->arena, &facts));
    return hs_settle_bar_check(s, room, &facts, input.hub_time);
}

static enum hs_err keep(struct hs_step *s, struct hs_live_room *room, struct hs_bytes commit,
                        struct hs_bytes welcome, struct hs_bytes group_info)
{
    Hanse__SubmitCommit submit = HANSE__SUBMIT_COMMIT__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_outbox_row row = {.kind = HS_OUTBOX_COMMIT,
                                .room = room->row.id,
                                .epoch = hs_mls_group_epoch(room->group),
                                .body_hash = hs_record_body_hash(commit)};
    submit.room = hs_pb_data(HS_VIEW(room->row.id));
    submit.persona = hs_pb_data(HS_VIEW(room->row.self));
    submit.commit = hs_pb_data(commit);
    submit.welcome = hs_pb_data(welcome);
    submit.group_info = hs_pb_data(group_info);
    frame.body_case = HANSE__FRAME__BODY_SUBMIT_COMMIT;
    frame.submit_commit = &submit;
    HS_TRY(hs_frame_pack(s, &frame, &row.frame));
    return hs_outbox_row_add(s, &row);
}

static enum hs_err policy_request(struct hs_step *s, const struct hs_commit_wish *wish,
                                  struct hs_mls_extension *extension, struct hs_mls_commit_request *request)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_POLICY_MAX);
    if (wish->policy == NULL)
        return HS_OK;
    HS_TRY(hs_policy_pack(wish->policy, &w));
    *extension = (struct hs_mls_extension){HS_POLICY_EXTENSION, hs_arena_copy(s->arena, hs_writer_bytes(&w))};
    HS_REQUIRE(extension->data.data != NULL, HS_ERR_NOMEM);
    request->set_extensions = true;
    request->extensions = extension;
    request->extension_count = 1; /* rooms have no other (ROOM-1) */
    return HS_OK;
}

/* New grants are shown with the next commit. */
static enum hs_err credential_request(struct hs_step *s, const struct hs_live_room *room,
                                      struct hs_mls_commit_request *request)
{
    struct hs_self HS_SELF self = {0};
    if (room->row.recredential == 0)
        return HS_OK;
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    return hs_self_credential(s, &self, &request->identity);
}

static enum hs_err make(struct hs_step *s, struct hs_live_room *room, const struct hs_commit_wish *wish)
{
    struct hs_writer HS_WRITER commit = hs_writer(HS_FRAME_MAX), welcome = hs_writer(HS_FRAME_MAX),
                               info = hs_writer(HS_FRAME_MAX);
    struct hs_mls_commit_request request = {.adds = wish->adds,
                                            .add_count = wish->add_count,
                                            .removes = wish->removes,
                                            .remove_count = wish->remove_count,
                                            .bare_group_info = true};
    struct hs_mls_commit_result result = {&commit, &welcome, &info};
    struct hs_mls_extension extension;
    HS_TRY(policy_request(s, wish, &extension, &request));
    HS_TRY(credential_request(s, room, &request));
    HS_TRY(hs_live_context(s, room, wish->joins, wish->join_count, &request.authenticated_data));
    HS_TRY(hs_mls_group_commit(room->group, &request, &result));
    room->group_dirty = true;
    HS_TRY(judge_pending(s, room, wish));
    return keep(s, room, hs_writer_bytes(&commit), hs_writer_bytes(&welcome), hs_writer_bytes(&info));
}

enum hs_err hs_commit_submit(struct hs_step *s, struct hs_live_room *room, const struct hs_commit_wish *wish)
{
    struct hs_commit_wish whole = *wish;
    HS_TRY(hs_leavers_removed(s, room, &whole));
    enum hs_err err = make(s, room, &whole);
    if (err != HS_OK)
        hs_mls_group_drop(room->group);
    return err;
}

bool hs_commit_row(struct hs_step *s, const struct hs_id *room, struct hs_outbox_row *out)
{
    struct hs_kv_key cursor = {0};
    while (hs_outbox_row_next(s->kv, &cursor, s->arena, out))
        if (out->kind == HS_OUTBOX_COMMIT && hs_id_equal(&out->room, room))
            return true;
    return false;
}

enum hs_err hs_commit_rows_drop(struct hs_step *s, const struct hs_id *room)
{
    struct hs_outbox_row row;
    while (hs_commit_row(s, room, &row))
        hs_outbox_row_delete(s->kv, row.number);
    return s->kv->err;
}

/* What the commit was for ends. */
static enum hs_err ops_end(struct hs_step *s, const struct hs_id *room, enum hs_err err)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if ((op->kind == HS_OP_REMOVE || op->kind == HS_OP_POLICY) && hs_id_equal(&op->room, room))
            HS_TRY(hs_op_done(s, op, err, NULL, 0, NULL));
    }
    return HS_OK;
}

/* Whether one's leaf still has to show new grants: an own commit that was under way when they came doesn't.
 */
static void credential_note(struct hs_live_room *room, bool own_settled)
{
    if (room->row.recredential == 0)
        return;
    room->row.recredential = own_settled ? room->row.recredential - 1 : 1;
    room->row_dirty = true;
}

/* Another commit won: this one is forgotten, and what it was for is committed anew behind the winner. */
enum hs_err hs_commit_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err)
{
    struct hs_live_room *room;
    hs_outbox_row_delete(s->kv, row->number);
    if (hs_live_member(s, &row->room, &room) != HS_OK)
        return s->kv->err;
    hs_mls_group_drop(room->group);
    room->group_dirty = true;
    credential_note(room, false);
    if (err == HS_ERR_WRONG_EPOCH) /* the record of the winner is on its way, or of who left meanwhile */
        return row->epoch == hs_mls_group_epoch(room->group) && hs_leave_waits(s, room)
                   ? hs_commit_next(s, room)
                   : HS_OK;
    return ops_end(s, &row->room, err);
}

/* ---- removal ---- */

static bool leaf_of(struct hs_live_room *room, const struct hs_key *persona, uint32_t *out)
{
    struct hs_mls_member member;
    bool found = hs_live_find(room, persona, &member);
    *out = found ? member.leaf : 0;
    return found;
}

static enum hs_err remove_next(struct hs_step *s, struct hs_live_room *room)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (op->kind != HS_OP_REMOVE || !hs_id_equal(&op->room, &room->row.id))
            continue;
        uint32_t leaf;
        enum hs_err err = HS_ERR_NOT_MEMBER;
        if (leaf_of(room, &op->key, &leaf)) {
            struct hs_commit_wish wish = {.removes = &leaf, .remove_count = 1};
            err = hs_commit_submit(s, room, &wish);
        }
        if (err == HS_OK || !hs_sync_is_fault(err))
            return err;
        HS_TRY(hs_op_done(s, op, err, NULL, 0, NULL));
    }
    return HS_OK;
}

static bool self_is_barred(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_mls_member self;
    struct hs_key device;
    return hs_mls_public_member(hs_mls_group_public(room->group), hs_mls_group_own_leaf(room->group),
                                &self) == HS_OK &&
           HS_FIXED(self.signature_key, &device) && hs_settle_barred(s, room, &device, s->now);
}

enum hs_err hs_commit_next(struct hs_step *s, struct hs_live_room *room)
{
    if (!hs_home_is_online(s->sync) || room->group == NULL || room->row.state != HS_ROOM_STATE_MEMBER ||
        !(room->caught_up || s->sync->caught_up) || room->newest.unsettled ||
        hs_mls_group_has_pending(room->group))
        return HS_OK;
    bool behind;
    HS_TRY(hs_policy_follow(s, room, &behind));
    if (!hs_mls_group_has_pending(room->group))
        HS_TRY(remove_next(s, room));
    if (!hs_mls_group_has_pending(room->group))
        HS_TRY(hs_policy_next(s, room));
    if (hs_mls_group_has_pending(room->group) || self_is_barred(s, room))
        return HS_OK;
    if (hs_leave_waits(s, room) || hs_renews(room) || room->row.recredential > 0) {
        const struct hs_commit_wish leavers = {0}; /* what waits is in every commit, and new keys */
        enum hs_err err = hs_commit_submit(s, room, &leavers);
        return hs_sync_is_fault(err) ? HS_OK : err;
    }
    if (behind)
        return HS_OK; /* nobody is added before (ROOM-84) */
    return room->row.kind == HS_ROOM_COUNTER ? hs_counter_admit(s, room) : hs_joiners_admit(s, room);
}

enum hs_err hs_want_removal(struct hs_step *s, const struct hs_id *id, const struct hs_key *persona,
                            uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_op *op;
    uint32_t leaf;
    HS_TRY(hs_live_member(s, id, &room));
    HS_REQUIRE(hs_policy_allows(&room->policy, &room->row.self, s->now, HS_RIGHT_REMOVE), HS_ERR_POLICY);
    HS_REQUIRE(leaf_of(room, persona, &leaf), HS_ERR_NOT_MEMBER);
    HS_REQUIRE(!hs_key_equal(persona, &room->row.self), HS_ERR_INVALID_ARG);
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = HS_OP_REMOVE;
    op->room = *id;
    op->key = *persona;
    op->resume = hs_op_commit;
    return hs_commit_next(s, room);
}

/* The session is up: the room may not have anything new to show, so nothing else would start the commit. */
enum hs_err hs_op_commit(struct hs_step *s, struct hs_op *op)
{
    struct hs_live_room *room;
    enum hs_err err = hs_live_member(s, &op->room, &room);
    if (err != HS_OK)
        return hs_op_done(s, op, err, NULL, 0, NULL);
    return hs_commit_next(s, room);
}

/* ---- it is decided ---- */

/* What waits for exactly this is done; what was overtaken is dropped. */
enum hs_err hs_commit_settled(struct hs_step *s, struct hs_live_room *room,
                              const struct hs_unsettled_row *row)
{
    HS_TRY(hs_commit_rows_drop(s, &room->row.id));
    if (!row->rejoined)
        hs_leaving_delete(s->kv, &room->row.id); /* it took all of them out */
    credential_note(room, row->own);
    HS_TRY(hs_grants_shown(s));
    HS_TRY(hs_policy_settled(s, room, row->seq));
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        uint32_t leaf;
        if (op->kind == HS_OP_REMOVE && hs_id_equal(&op->room, &room->row.id) &&
            !leaf_of(room, &op->key, &leaf))
            HS_TRY(hs_op_done(s, op, HS_OK, NULL, row->seq, NULL));
    }
    HS_TRY(hs_leave_renew(s, room));
    return hs_counter_members_changed(s, room);
}

/* One's own commit that had lost against the void one waits again where the hub may still take it; where it
 * has refused it, nothing is left of it. */
enum hs_err hs_commit_voided(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row)
{
    struct hs_outbox_row commit;
    if (!hs_commit_row(s, &room->row.id, &commit))
        hs_mls_group_drop(room->group);
    room->group_dirty = true;
    credential_note(room, false);
    if (row->own)
        HS_TRY(ops_end(s, &room->row.id, HS_ERR_DENIED));
    HS_TRY(hs_leave_renew(s, room));
    return s->kv->err;
}

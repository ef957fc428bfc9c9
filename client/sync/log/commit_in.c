/* Everybody's commits when their record comes. A pending commit is merged only when its own record comes
 * back: there is one path into every epoch. */
#include "mls/message.h"
#include "room/context.h"
#include "room/judge_change.h"
#include "room/leaf.h"
#include "sync/log/rejoin.h"

/* The line that the commit's settlement will show. */
static enum hs_err describe(struct hs_step *s, struct hs_live_room *room,
                            const struct hs_record_header *header, const struct hs_mls_change *change,
                            struct hs_message_row *row)
{
    bool came_back = change->external; /* to the room nobody was removed */
    size_t count = came_back ? 0 : change->added_count > 0 ? change->added_count : change->removed_count;
    struct hs_person *people = hs_arena_alloc(s->arena, (count + 1) * sizeof *people);
    HS_REQUIRE(people != NULL, HS_ERR_NOMEM);
    if (count == 0)
        return HS_OK;
    for (size_t i = 0; i < count; i++)
        hs_person_of(room, change->added_count > 0 ? &change->added[i].member : &change->removed[i].member,
                     header->hub_time, &people[i]);
    hs_person_of(room, &change->committer, header->hub_time, &row->sender);
    row->kind = change->added_count > 0 ? HANSE_MESSAGE_JOINED : HANSE_MESSAGE_LEFT;
    row->own = hs_key_equal(&row->sender.key, &room->row.self);
    row->text = hs_people_text(s, people, count);
    return HS_OK;
}

static enum hs_err judge(struct hs_step *s, struct hs_live_room *room, const struct hs_record_header *header,
                         const struct hs_mls_change *change, const struct hs_message_context *context,
                         struct hs_judge_facts *facts)
{
    struct hs_judge_join *joins;
    struct hs_hub_office office = {*hs_row_hub(&room->row), hs_row_term(&room->row)};
    struct hs_judge_input input = {
        .before = hs_live_public(room), .change = change, .hub_time = header->hub_time, .office = &office};
    struct hs_leavers leavers;
    hs_leavers_known(s, room, &leavers, &input);
    HS_TRY(hs_joins_named(s, room, context->joins, context->join_count, &joins, &input.join_count));
    input.joins = joins;
    size_t missing = context->join_count - input.join_count;
    HS_REQUIRE(missing == 0 || room->row.has_anchor, HS_ERR_INVITE_UNKNOWN);
    input.joins_before_anchor = missing;
    return hs_judge_change(&input, s->arena, facts);
}

enum hs_err hs_commit_removed(struct hs_step *s, struct hs_live_room *room)
{
    HS_TRY(hs_leave_over(s, &room->row.id, room->row.tip.next_seq - 1, HS_OK));
    room->row.state = HS_ROOM_STATE_LEFT;
    room->row_dirty = true;
    room->group_dirty = false;
    hs_mls_group_free(room->group);
    room->group = NULL;
    hs_lost_forget(s, room);
    room->row.keys = HS_ROOM_KEYS_GOOD;
    hs_group_state_delete(s->kv, &room->row.id); /* no key of the room stays behind */
    struct hanse_event event = {.kind = HANSE_EVENT_REMOVED};
    memcpy(event.room.b, room->row.id.b, sizeof event.room.b);
    return hs_out_event(s, &event, room->row.name);
}

static enum hs_err joins_keep(struct hs_step *s, const struct hs_message_context *context,
                              struct hs_bytes *out)
{
    size_t len = context->join_count * sizeof *context->joins;
    *out = hs_arena_copy(s->arena, hs_bytes((const uint8_t *)context->joins, len));
    return out->data != NULL || len == 0 ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_commit_check(struct hs_step *s, struct hs_live_room *room,
                            const struct hs_record_header *header, struct hs_bytes body,
                            const struct hs_mls_change *change, struct hs_judge_facts *facts,
                            struct hs_bytes *joins)
{
    struct hs_message_context context;
    struct hs_mls_peek peek;
    HS_TRY(hs_mls_message_peek(body, &peek));
    HS_TRY(hs_message_context_parse(peek.authenticated_data, s->arena, &context));
    HS_TRY(judge(s, room, header, change, &context, facts));
    HS_REQUIRE(hs_key_equal(&facts->committer.persona, &header->sender_persona), HS_ERR_WRONG_SENDER);
    HS_TRY(hs_leave_check(s, room, facts));
    HS_TRY(hs_settle_bar_check(s, room, facts, header->hub_time));
    return joins_keep(s, &context, joins);
}

/* The group is in the commit's epoch; row: what there is to be known of it. STATE_LOST where another copy of
 * this device came back by it. */
static enum hs_err follow(struct hs_step *s, struct hs_live_room *room, const struct hs_record_header *header,
                          struct hs_bytes body, struct hs_unsettled_row *row)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_judge_facts facts;
    HS_TRY(hs_mls_group_process(room->group, body, &event));
    row->own = event->kind == HS_MLS_EVENT_OWN_COMMIT;
    HS_REQUIRE(row->own || event->kind == HS_MLS_EVENT_COMMIT, HS_ERR_UNEXPECTED);
    const struct hs_mls_change *change =
        row->own ? hs_mls_group_pending_change(room->group) : hs_mls_staged_change(event->staged);
    HS_TRY(hs_commit_check(s, room, header, body, change, &facts, &row->joins));
    HS_REQUIRE(!(facts.rejoined && change->removes_self), HS_ERR_STATE_LOST);
    HS_TRY(describe(s, room, header, change, &row->line));
    row->committer = facts.committer.device;
    row->rejoined = facts.rejoined;
    row->strict = change->removed_count > 0 || facts.policy_changed;
    row->gone = change->removes_self;
    HS_TRY(row->own ? hs_mls_group_accept(room->group) : hs_mls_group_merge(room->group, event->staged));
    room->group_dirty = true;
    HS_TRY(row->gone ? HS_OK : hs_live_refresh(s, room));
    if (row->gone)
        return HS_OK;
    if (row->strict)
        room->row.epoch_min = room->row.epoch;
    struct hs_window window = row->window;
    hs_window_end(&window, header->epoch, header->hub_time, row->strict);
    hs_window_row_put(s->kv, &room->row.id, &window);
    return HS_OK;
}

/* The hub took what this device can't: it says so, and waits for the others in the epoch before. */
static enum hs_err doubt(struct hs_step *s, struct hs_live_room *room, const struct hs_record_header *header,
                         enum hs_err why, struct hs_unsettled_row *row)
{
    struct hs_mls_member member;
    HS_TRY(s->kv->err);
    *row = (struct hs_unsettled_row){.err = why, .epoch_min = row->epoch_min};
    if (hs_mls_group_is_unsettled(room->group)) {
        HS_TRY(hs_mls_group_revert(room->group));
        HS_TRY(hs_live_refresh(s, room));
    }
    if (hs_live_find(room, &header->sender_persona, &member))
        (void)HS_FIXED(member.signature_key, &row->committer);
    return HS_OK;
}

/* The row of one's own commit has had its effect. */
static void own_row_done(struct hs_step *s, struct hs_live_room *room, const struct hs_record_header *header)
{
    struct hs_outbox_row sent;
    if (hs_outbox_row_find(s->kv, &room->row.id, &header->body_hash, s->arena, &sent))
        hs_outbox_row_delete(s->kv, sent.number);
}

enum hs_err hs_commit_received(struct hs_step *s, struct hs_live_room *room,
                               const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_unsettled_row row = {.epoch_min = room->row.epoch_min};
    hs_window_row_get(s->kv, &room->row.id, &row.window);
    HS_REQUIRE(!room->newest.unsettled, HS_ERR_UNEXPECTED); /* one at a time */
    enum hs_err err = hs_sync_blame(follow(s, room, header, body, &row));
    HS_TRY(hs_sync_is_fault(err) ? doubt(s, room, header, err, &row) : err);
    /* Where this is settled, this copy of the device is too old to go on (lost.c). */
    if (err == HS_ERR_STATE_LOST ||
        (err == HS_ERR_MLS_COMMIT && hs_mls_group_is_own_commit(room->group, body))) {
        row.own = true;
        row.body = body;
    }
    if (row.own)
        own_row_done(s, room, header);
    HS_TRY(hs_settle_begin(s, room, header, &row));
    return row.err == HS_OK && !row.gone ? hs_post_renew(s, room) : s->kv->err;
}

/* SubmitMessage: a post enters the log of the hub, or the outbox of the sender's home. */
#include "core/accounts/account.h"
#include "core/blobs/blob.h"
#include "core/dispatch.h"
#include "core/federation/follow.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room_record.h"
#include "mls/message.h"
#include "room/context.h"
#include "room/head.h"
#include "room/window.h"

/* Is a message of that epoch still taken? EPOCH_TOO_OLD: the sender must encrypt anew. */
static enum hs_err check_epoch(const Hanse__State__RoomView *view, uint64_t epoch, struct hs_time hub_time)
{
    struct hs_window window = {0};
    for (size_t i = 0; i < view->n_past && i < HS_ROOM_PAST_EPOCHS; i++)
        window.past[window.count++] = (struct hs_window_end){view->past[i]->epoch, {view->past[i]->ended_ms}};
    return hs_window_takes(&window, view->epoch, epoch, hub_time);
}

/* The chain hash of the record with that number; false where there is none. */
static bool log_hash(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                     uint64_t seq, struct hs_id *out)
{
    struct hs_record_header header;
    if (seq + 1 == view->next_seq)
        return HS_FIXED(hs_pb_bytes(view->hash), out);
    Hanse__State__RoomEntry *entry = seq < view->next_seq ? hs_room_entry(turn, room, seq) : NULL;
    if (entry == NULL || hs_record_header_parse(hs_pb_bytes(entry->header), &header) != HS_OK)
        return false;
    *out = header.hash;
    return true;
}

/* A post that says something else of the log than this hub does would be shown by nobody. LOG_FORK: also for
 * a record that isn't there yet, of which nobody can know. */
static enum hs_err check_context(struct hs_turn *turn, const Hanse__State__RoomView *view,
                                 const struct hs_id *room, struct hs_bytes bytes)
{
    struct hs_message_context context;
    struct hs_id own;
    HS_TRY(hs_message_context_parse(bytes, turn->arena, &context));
    if (!context.has_head)
        return HS_OK;
    HS_REQUIRE(log_hash(turn, room, view, context.head_seq, &own), HS_ERR_LOG_FORK);
    return hs_head_check_at(&context.head_hash, &own);
}

static enum hs_err check_message(struct hs_turn *turn, const Hanse__State__RoomView *view,
                                 const struct hs_id *room, struct hs_bytes message, struct hs_time hub_time,
                                 uint64_t *epoch)
{
    struct hs_mls_peek peek;
    HS_REQUIRE(message.len <= HS_BLOB_THRESHOLD, HS_ERR_TOO_LARGE);
    HS_TRY(hs_mls_message_peek(message, &peek));
    HS_REQUIRE(peek.wire_format == HS_MLS_PRIVATE_MESSAGE && peek.content_type == HS_MLS_APPLICATION,
               HS_ERR_UNSUPPORTED);
    HS_REQUIRE(hs_bytes_equal(peek.group_id, HS_VIEW(*room)), HS_ERR_MLS_GROUP);
    *epoch = peek.epoch;
    HS_TRY(check_epoch(view, peek.epoch, hub_time));
    return check_context(turn, view, room, peek.authenticated_data);
}

static bool is_proposal(struct hs_bytes message)
{
    struct hs_mls_peek peek;
    return hs_mls_message_peek(message, &peek) == HS_OK && peek.wire_format == HS_MLS_PUBLIC_MESSAGE &&
           peek.content_type == HS_MLS_PROPOSAL;
}

/* What a member sends, who may speak here: judged, and a record. */
static enum hs_err take_post(struct hs_turn *turn, const Hanse__SubmitMessage *s, const struct hs_id *room,
                             const struct hs_key *persona, const struct hs_key *node,
                             Hanse__State__RoomView *view, uint64_t *seq)
{
    struct hs_policy policy;
    struct hs_room_record record = {.room = *room, .view = view};
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    struct hs_bytes message = hs_pb_bytes(s->message);
    struct hs_time hub_time = hs_room_time(turn, view);
    uint64_t epoch;
    HS_TRY(check_message(turn, view, room, message, hub_time, &epoch));
    HS_TRY(hs_room_policy(turn, view, &policy));
    HS_REQUIRE(hs_policy_allows(&policy, persona, hub_time, HS_RIGHT_POST), HS_ERR_POLICY);
    struct hs_record_spec spec = {
        .kind = HS_RECORD_POST,
        .epoch = epoch,
        .sender_persona = *persona,
        .sender_node = *node,
        .body = message,
        .hub_time = hub_time,
    };
    HS_TRY(hs_blobs_check(turn, room, s->blobs, s->n_blobs));
    entry.blobs = s->blobs;
    entry.n_blobs = s->n_blobs;
    HS_TRY(hs_room_append(turn, &spec, &entry, &record));
    hs_post_apply(turn, &record);
    *seq = record.header.seq;
    return HS_OK;
}

static enum hs_err at_hub(struct hs_turn *turn, const Hanse__SubmitMessage *s, const struct hs_id *room,
                          const struct hs_key *persona, Hanse__State__RoomView *view, Hanse__Frame *reply)
{
    struct hs_bytes message = hs_pb_bytes(s->message);
    HS_REQUIRE(!hs_room_stands_still(turn, view), HS_ERR_RECOVERING);
    if (is_proposal(message))
        return hs_room_leave(turn, room, persona, view, message, reply);
    HS_TRY(hs_room_speaker(turn, room, persona));
    if (hs_room_answer_known(turn, room, message, reply))
        return HS_OK;
    uint64_t seq;
    HS_TRY(take_post(turn, s, room, persona, hs_turn_sender_node(turn), view, &seq));
    return hs_reply_accepted(turn, room, seq, reply);
}

enum hs_err hs_post_queued(struct hs_turn *turn, const struct hs_id *room, const Hanse__SubmitMessage *s)
{
    Hanse__State__RoomView *view;
    struct hs_key persona;
    uint64_t seq;
    HS_TAKE32(s->persona, &persona);
    HS_TRY(hs_room_hubbed(turn, room, &view));
    Hanse__State__MemberView *member = hs_member_view(turn, room, &persona);
    HS_REQUIRE(member != NULL && !member->left, HS_ERR_NOT_MEMBER);
    HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(member->home_root), HS_VIEW(*hs_turn_root(turn))),
               HS_ERR_WRONG_SENDER);
    struct hs_id hash = hs_record_body_hash(hs_pb_bytes(s->message));
    if (hs_room_find_body(turn, room, &hash, &seq))
        return HS_OK;
    HS_REQUIRE(!is_proposal(hs_pb_bytes(s->message)), HS_ERR_WRONG_EPOCH); /* whoever leaves says it anew */
    return take_post(turn, s, room, &persona, hs_turn_root(turn), view, &seq);
}

enum hs_err hs_handle_submit_message(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                     uint64_t *detail)
{
    const Hanse__SubmitMessage *s = request->submit_message;
    struct hs_id room;
    struct hs_key persona;
    HS_TAKE32(s->room, &room);
    HS_TAKE32(s->persona, &persona);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL, HS_ERR_ROOM_UNKNOWN);
    *detail = view->epoch;
    if (view->hub)
        return at_hub(turn, s, &room, &persona, view, reply);
    HS_REQUIRE(turn->session->state == HS_SESSION_DEVICE,
               view->was_hub ? HS_ERR_HUB_MOVED : HS_ERR_ROOM_UNKNOWN);
    HS_REQUIRE(hs_session_acts_for(turn, NULL, &persona), HS_ERR_WRONG_SENDER);
    Hanse__State__SubscriptionView *reads = hs_subscription_view(turn, &turn->session->subscriber, &room);
    HS_REQUIRE(reads != NULL && reads->until == UINT64_MAX, HS_ERR_NOT_MEMBER);
    HS_TRY(hs_blobs_check(turn, &room, s->blobs, s->n_blobs));
    return hs_follow_queue(turn, &room, view, request, reply);
}

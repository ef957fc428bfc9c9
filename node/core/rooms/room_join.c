/* Join: a use of an invite enters the log; a moderator's client will admit the joiner. */
#include "core/accounts/account.h"
#include "core/delivery/inbox.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room_record.h"
#include "core/standing/guest.h"
#include "core/standing/standing.h"
#include "room/join.h"

static enum hs_err reply_status(struct hs_turn *turn, Hanse__JoinState state, uint64_t seq,
                                Hanse__Frame *reply)
{
    reply->join_status = HS_NEW(turn, Hanse__JoinStatus, hanse__join_status);
    HS_REQUIRE(reply->join_status != NULL, HS_ERR_NOMEM);
    reply->join_status->state = state;
    reply->join_status->seq = seq;
    reply->body_case = HANSE__FRAME__BODY_JOIN_STATUS;
    return HS_OK;
}

/* The session must be the joiner's device here, or the node that answers for the joiner. */
static enum hs_err check_home(struct hs_turn *turn, const struct hs_join *join)
{
    bool local = turn->session->state == HS_SESSION_DEVICE;
    const struct hs_key *home = local ? hs_turn_root(turn) : &turn->session->subscriber;
    HS_REQUIRE(hs_key_equal(&join->home_root, home), HS_ERR_WRONG_PEER);
    HS_REQUIRE(!local || hs_session_acts_for(turn, NULL, &join->persona), HS_ERR_WRONG_SENDER);
    return HS_OK;
}

/* The JOIN that waits is one that nobody can admit any more. */
static bool is_over(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__JoinView *join,
                    struct hs_time hub_time)
{
    struct hs_record_header header;
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, join->seq);
    return entry != NULL && hs_record_header_parse(hs_pb_bytes(entry->header), &header) == HS_OK &&
           hs_join_is_over(header.hub_time, hub_time);
}

/* A commit that admits this persona is in the log, and isn't settled. */
static bool is_coming(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                      const struct hs_key *persona)
{
    const Hanse__State__UnsettledView *commit = view->unsettled > 0 ? hs_unsettled_view(turn, room) : NULL;
    for (size_t i = 0; commit != NULL && i < commit->n_added; i++)
        if (hs_bytes_equal(hs_pb_bytes(commit->added[i]->persona), HS_VIEW(*persona)))
            return true;
    return false;
}

/* A persona that isn't in the room uses an invite: is there one left, and room for it? */
static enum hs_err check_use(struct hs_turn *turn, const struct hs_join *join,
                             const Hanse__State__RoomView *view, Hanse__State__InviteView **invite)
{
    struct hs_policy policy;
    HS_TRY(hs_invite_is_open(turn, &join->invite_key, &join->room, invite));
    HS_REQUIRE((*invite)->used < (*invite)->max_uses, HS_ERR_INVITE_USED_UP);
    HS_TRY(hs_room_policy(turn, view, &policy));
    HS_REQUIRE(!hs_policy_is_banned(&policy, &join->persona), HS_ERR_DENIED);
    if (turn->session->state == HS_SESSION_NODE)
        HS_TRY(hs_guest_check(turn, &join->home_root, &join->persona, &join->room,
                              hs_quota_of(turn->session->standing)));
    HS_REQUIRE(view->members < policy.max_members, HS_ERR_ROOM_FULL);
    return HS_OK;
}

enum hs_err hs_handle_join(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                           uint64_t *detail)
{
    (void)detail;
    struct hs_bytes body = hs_pb_bytes(request->join->join);
    struct hs_id room;
    struct hs_join join;
    struct hs_room_record record = {0};
    Hanse__State__RoomView *view;
    Hanse__State__InviteView *invite;
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    HS_TAKE32(request->join->room, &room);
    HS_TRY(hs_room_hubbed(turn, &room, &view));
    struct hs_time hub_time = hs_room_time(turn, view);
    struct hs_key brand = hs_room_brand(turn, view);
    HS_TRY(hs_join_verify(body, &room, &brand, hub_time, &join));
    HS_TRY(check_home(turn, &join));
    Hanse__State__JoinView *before = hs_join_view(turn, &room, &join.persona);
    Hanse__State__MemberView *member = hs_member_view(turn, &room, &join.persona);
    if (member != NULL && !member->left) /* who is leaving may come back */
        return reply_status(turn, HANSE__JOIN_STATE__JOIN_JOINED, before != NULL ? before->seq : 0, reply);
    if (before != NULL && !before->joined &&
        (is_coming(turn, &room, view, &join.persona) || !is_over(turn, &room, before, hub_time))) {
        struct hs_id hash = hs_record_body_hash(body);
        HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(before->body_hash), HS_VIEW(hash)), HS_ERR_CONFLICT);
        return reply_status(turn, HANSE__JOIN_STATE__JOIN_WAITING, before->seq, reply);
    }
    HS_REQUIRE(!hs_inbox_is_full(turn, &turn->session->subscriber), HS_ERR_BUSY); /* for the Welcome */
    HS_TRY(check_use(turn, &join, view, &invite));
    HS_REQUIRE(hub_time.ms < invite->not_after_ms, HS_ERR_INVITE_EXPIRED); /* as the members will judge */
    struct hs_record_spec spec = {
        .kind = HS_RECORD_JOIN,
        .epoch = view->epoch,
        .sender_node = join.home_root,
        .sender_persona = join.persona,
        .body = body,
        .hub_time = hub_time,
    };
    uint64_t known;
    struct hs_id hash = hs_record_body_hash(body);
    HS_REQUIRE(!hs_room_find_body(turn, &room, &hash, &known), HS_ERR_INVITE_REPLAYED);
    record.room = room;
    record.view = view;
    HS_TRY(hs_room_append(turn, &spec, &entry, &record));
    hs_join_apply(turn, &record, &join);
    hs_standing_joined(turn);
    return reply_status(turn, HANSE__JOIN_STATE__JOIN_WAITING, record.header.seq, reply);
}

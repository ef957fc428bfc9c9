/* Confirm and Presence: what members say of a commit, and their nodes of how many may, comes to the hub's
 * books. */
#include "core/accounts/account.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/electorate.h"
#include "object/object.h"

/* The verdict's bytes, as a record will quote them: read again here, while its sender can be told. */
static enum hs_err pack_quotable(const Hanse__SignedObject *verdict, struct hs_arena *arena,
                                 struct hs_bytes *out)
{
    Hanse__SignedObject *again;
    HS_TRY(hs_object_pack(verdict, arena, out));
    HS_REQUIRE(out->len <= HS_SETTLE_VERDICT_LEN, HS_ERR_TOO_LARGE);
    return hs_object_unpack(*out, arena, &again);
}

enum hs_err hs_handle_confirm(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                              uint64_t *detail)
{
    const Hanse__Confirm *confirm = request->confirm;
    struct hs_verdict_claim claim;
    struct hs_electorate e = {.turn = turn};
    struct hs_settlement of;
    struct hs_policy policy;
    struct hs_verdict verdict;
    struct hs_bytes object;
    struct hs_id room;
    Hanse__State__RoomView *view;
    (void)detail;
    HS_TAKE32(confirm->room, &room);
    HS_TRY(hs_verdict_claim(confirm->verdict, &claim));
    HS_REQUIRE(hs_id_equal(&claim.room, &room), HS_ERR_MALFORMED);
    HS_TRY(hs_room_hubbed(turn, &room, &view));
    HS_TRY(hs_room_speaker(turn, &room, &claim.persona));
    hs_reply_ack(turn, reply);
    e.room = &room;
    e.was = hs_unsettled_view(turn, &room);
    e.persona = claim.persona;
    if (e.was == NULL || e.was->seq != claim.seq ||
        !hs_bytes_equal(hs_pb_bytes(e.was->commit), HS_VIEW(claim.commit)))
        return HS_OK; /* it has been decided without this one */
    HS_TRY(hs_electorate_settlement(&e, &policy, &of));
    HS_TRY(hs_verdict_open(confirm->verdict, &of, turn->arena, &verdict));
    HS_TRY(pack_quotable(confirm->verdict, turn->arena, &object));
    struct hs_settling *settling = hs_settling_of(turn->core, &room, e.was, turn->now);
    HS_REQUIRE(settling != NULL, HS_ERR_NOMEM);
    bool alone = hs_settle_alone(&of, &verdict.by.persona, hs_room_time(turn, view));
    HS_TRY(hs_vote_add(settling, &verdict, alone, object));
    hs_settle_try(turn, &room, false);
    return HS_OK;
}

enum hs_err hs_handle_presence(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                               uint64_t *detail)
{
    const Hanse__Presence *presence = request->presence;
    struct hs_id room;
    Hanse__State__RoomView *view;
    (void)reply;
    (void)detail;
    HS_TAKE32(presence->room, &room);
    HS_TRY(hs_room_hubbed(turn, &room, &view));
    Hanse__State__SubscriptionView *reads = hs_subscription_view(turn, &turn->session->subscriber, &room);
    Hanse__State__UnsettledView *was = hs_unsettled_view(turn, &room);
    if (reads == NULL || was == NULL || was->seq != presence->seq)
        return HS_OK;
    struct hs_settling *settling = hs_settling_of(turn->core, &room, was, turn->now);
    HS_REQUIRE(settling != NULL, HS_ERR_NOMEM);
    uint32_t connected = presence->connected < reads->members ? presence->connected : reads->members;
    HS_TRY(hs_presence_set(settling, &turn->session->subscriber, connected));
    hs_settle_try(turn, &room, false);
    return HS_OK;
}

void hs_settle_presence(struct hs_turn *turn, const struct hs_id *room, const struct hs_record_header *commit)
{
    const struct hs_readers *readers = hs_session_readers(&turn->core->sessions, room);
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Presence presence = HANSE__PRESENCE__INIT;
    for (size_t i = 0; readers != NULL && i < readers->len; i++) {
        const struct hs_session *session = readers->list[i].session;
        bool reads = session->attached && !session->closed && session->state == HS_SESSION_DEVICE &&
                     session->positions[readers->list[i].position].until == UINT64_MAX;
        presence.connected += reads && !hs_is_session_of(turn, session, &commit->sender_persona) ? 1 : 0;
    }
    presence.room = hs_pb_data(HS_VIEW(*room));
    presence.seq = commit->seq;
    frame.presence = &presence;
    frame.body_case = HANSE__FRAME__BODY_PRESENCE;
    hs_turn_send(turn, turn->session, &frame);
}

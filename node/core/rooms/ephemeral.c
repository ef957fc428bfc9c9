/* Ephemeral: passed on to whoever reads the room just now and has nothing else to take; written nowhere. */
#include "room/ephemeral.h"
#include "core/accounts/account.h"
#include "core/dispatch.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room.h"

enum {
    BURST = 8,        /* at once, of one device ... */
    NODE_BURST = 256, /* ... and of one node, for its users */
    PER_SECOND = 2,   /* of one device: somebody types in one room */
    NODE_PER_SECOND = 64,
    BUDGET_LEFT = 64 * 1024, /* a session that can take less has records to take */
};

/* Past its allowance it is dropped, and nobody is told: there will be another. */
static bool spend(struct hs_turn *turn)
{
    struct hs_session *session = turn->session;
    bool node = session->state == HS_SESSION_NODE;
    double burst = node ? NODE_BURST : BURST, rate = node ? NODE_PER_SECOND : PER_SECOND;
    int64_t passed = turn->now.ms - session->ephemeral_at.ms;
    session->ephemeral_spent -= (double)(passed > 0 ? passed : 0) * rate / 1000;
    session->ephemeral_spent = session->ephemeral_spent > 0 ? session->ephemeral_spent : 0;
    session->ephemeral_at = turn->now;
    if (session->ephemeral_spent + 1 > burst)
        return false;
    session->ephemeral_spent += 1;
    return true;
}

/* To devices of this node but its sender's, and at the hub to followers: also to the one that it came from,
 * for its other users. */
static void fan_out(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                    const struct hs_key *persona, const Hanse__Frame *frame)
{
    const struct hs_readers *readers = hs_session_readers(&turn->core->sessions, room);
    struct hs_bytes bytes = {0};
    struct hs_key own;
    bool local = hs_persona_subscriber(turn, persona, &own);
    for (size_t i = 0; readers != NULL && i < readers->len; i++) {
        const struct hs_session *to = readers->list[i].session;
        const struct hs_position *position = &to->positions[readers->list[i].position];
        bool busy = to->budget < BUDGET_LEFT || position->next < view->next_seq;
        if ((to == turn->session && to->state == HS_SESSION_DEVICE) || !to->attached || to->closed ||
            position->until != UINT64_MAX || busy || (local && hs_key_equal(&to->subscriber, &own)))
            continue;
        if (bytes.len == 0)
            bytes = hs_effects_pack(turn->effects, &frame->base);
        hs_effect_send(turn->effects, to->id, bytes);
    }
}

/* A user's, to the hub of a room that this node follows. */
static void to_hub(struct hs_turn *turn, const Hanse__State__RoomView *view, const Hanse__Frame *frame)
{
    struct hs_key hub;
    struct hs_peer *peer =
        HS_FIXED(hs_pb_bytes(view->hub_root), &hub) ? hs_peer_find(&turn->core->peers, &hub) : NULL;
    struct hs_session *session = peer != NULL && peer->state == HS_PEER_UP
                                     ? hs_session_find(&turn->core->sessions, peer->session)
                                     : NULL;
    if (session != NULL && session->budget >= BUDGET_LEFT)
        hs_turn_send(turn, session, frame);
}

/* May this session send it in that name? */
static bool may_send(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                     const struct hs_key *persona)
{
    if (view->hub)
        return !turn->session->outbound && hs_room_speaker(turn, room, persona) == HS_OK;
    if (turn->session->outbound) /* the hub's own word, for its own rooms */
        return hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(turn->session->subscriber));
    Hanse__State__SubscriptionView *reads = hs_subscription_view(turn, &turn->session->subscriber, room);
    return turn->session->state == HS_SESSION_DEVICE && hs_session_acts_for(turn, NULL, persona) &&
           reads != NULL && reads->until == UINT64_MAX;
}

enum hs_err hs_handle_ephemeral(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                uint64_t *detail)
{
    const Hanse__Ephemeral *in = request->ephemeral;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Ephemeral out = HANSE__EPHEMERAL__INIT;
    struct hs_id room;
    struct hs_key persona;
    (void)reply;
    (void)detail;
    HS_TAKE32(in->room, &room);
    HS_TAKE32(in->persona, &persona);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    if (in->sealed.len > HS_EPHEMERAL_MAX || in->sealed.len == 0 || view == NULL || !spend(turn) ||
        !may_send(turn, &room, view, &persona) || (view->hub && in->epoch != view->epoch))
        return HS_OK; /* nobody waits for it */
    out.room = in->room;
    out.persona = in->persona;
    out.epoch = in->epoch;
    out.sealed = in->sealed;
    frame.ephemeral = &out;
    frame.body_case = HANSE__FRAME__BODY_EPHEMERAL;
    if (!view->hub && !turn->session->outbound)
        to_hub(turn, view, &frame);
    else
        fan_out(turn, &room, view, &persona, &frame);
    return HS_OK;
}

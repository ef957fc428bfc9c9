/* Forward: a device's request to another brand's node, brought there and its answer brought back. This node
 * adds nothing to it but its own name: the hub knows who asks for whom. */
#include "core/accounts/account.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/office/takeover.h"
#include "core/records/table.h"
#include "core/standing/standing.h"
#include "room/home_move.h"
#include "room/hub_move.h"
#include "room/join.h"
#include "room/settlement.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

/* A JOIN's own proof names its joiner: it must be one of this session's personas, or the Welcome would find
 * nobody here. */
static enum hs_err joiner_of(struct hs_turn *turn, struct hs_bytes body, struct hs_key *joiner)
{
    Hanse__JoinBody *join;
    struct hs_join_proof proof;
    HS_TRY(HS_UNPACK(hanse__join_body, body, HS_LENIENT, turn->arena, &join));
    HS_REQUIRE(join->proof != NULL, HS_ERR_MALFORMED);
    HS_TRY(hs_join_proof_verify(join->proof, &proof));
    *joiner = proof.persona;
    return HS_OK;
}

/* Whose home this node shall be. */
static enum hs_err mover_of(struct hs_turn *turn, const Hanse__MoveHome *request, struct hs_key *mover)
{
    struct hs_id room;
    struct hs_home_move move;
    HS_TAKE32(request->room, &room);
    HS_TRY(hs_home_move_verify(hs_pb_bytes(request->move), &room, &move));
    *mover = move.persona;
    return hs_key_equal(&move.home_root, hs_turn_root(turn)) ? HS_OK : HS_ERR_WRONG_PEER;
}

/* Who gives a room to this node: it must be one who may make rooms here, and the room one that is followed
 * here. */
static enum hs_err giver_of(struct hs_turn *turn, const Hanse__MoveHub *request, const struct hs_key *hub,
                            struct hs_key *giver)
{
    struct hs_id room;
    struct hs_hub_move move;
    HS_TAKE32(request->room, &room);
    HS_TRY(hs_hub_move_verify(hs_pb_bytes(request->move), &room, turn->now, turn->arena, &move));
    const Hanse__State__RoomView *view = hs_room_view(turn, &room);
    HS_REQUIRE(hs_key_equal(&move.office.root, hs_turn_root(turn)), HS_ERR_WRONG_PEER);
    HS_REQUIRE(view != NULL && !view->forked && hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(*hub)),
               HS_ERR_ROOM_UNKNOWN);
    *giver = move.owner;
    return hs_account_may_found(turn) ? HS_OK : HS_ERR_DENIED;
}

/* What may be forwarded, and the persona that it speaks for. */
static enum hs_err check_inner(struct hs_turn *turn, const struct hs_key *root, const Hanse__Frame *inner)
{
    ProtobufCBinaryData persona;
    struct hs_key key;
    struct hs_verdict_claim claim;
    switch (inner->body_case) {
    case HANSE__FRAME__BODY_GET_INVITE:
    case HANSE__FRAME__BODY_LEDGER:      /* signed by whom it speaks for */
    case HANSE__FRAME__BODY_SHOW_PROOFS: /* signed by whom it is shown to */
        return HS_OK;
    case HANSE__FRAME__BODY_JOIN:
        HS_TRY(joiner_of(turn, hs_pb_bytes(inner->join->join), &key));
        return hs_session_acts_for(turn, NULL, &key) ? HS_OK : HS_ERR_WRONG_SENDER;
    case HANSE__FRAME__BODY_MOVE_HOME:
        HS_TRY(mover_of(turn, inner->move_home, &key));
        return hs_session_acts_for(turn, NULL, &key) ? HS_OK : HS_ERR_WRONG_SENDER;
    case HANSE__FRAME__BODY_MOVE_HUB:
        HS_TRY(giver_of(turn, inner->move_hub, root, &key));
        return hs_session_acts_for(turn, NULL, &key) ? HS_OK : HS_ERR_WRONG_SENDER;
    case HANSE__FRAME__BODY_CONFIRM: /* signed by whom it speaks for, and counted as that member's */
        HS_TRY(hs_verdict_claim(inner->confirm->verdict, &claim));
        key = claim.persona;
        return hs_session_acts_for(turn, NULL, &key) ? HS_OK : HS_ERR_WRONG_SENDER;
    case HANSE__FRAME__BODY_PUT_INVITE:
        persona = inner->put_invite->persona;
        break;
    case HANSE__FRAME__BODY_SUBMIT_COMMIT:
        persona = inner->submit_commit->persona;
        break;
    case HANSE__FRAME__BODY_GET_GROUP_INFO:
        persona = inner->get_group_info->persona;
        break;
    case HANSE__FRAME__BODY_OPEN_COUNTER:
        persona = inner->open_counter->persona;
        break;
    default:
        return HS_ERR_UNSUPPORTED;
    }
    HS_TAKE32(persona, &key);
    return hs_session_acts_for(turn, NULL, &key) ? HS_OK : HS_ERR_WRONG_SENDER;
}

/* The answer that the hub would give: this node keeps the request, and brings it there itself. */
static enum hs_err reply_kept(struct hs_turn *turn, const Hanse__Frame *inner, Hanse__Frame *reply)
{
    Hanse__Frame kept = HANSE__FRAME__INIT;
    Hanse__Queued queued = HANSE__QUEUED__INIT;
    kept.id = inner->id;
    kept.queued = &queued;
    kept.body_case = HANSE__FRAME__BODY_QUEUED;
    reply->forwarded = HS_NEW(turn, Hanse__Forwarded, hanse__forwarded);
    HS_REQUIRE(reply->forwarded != NULL, HS_ERR_NOMEM);
    reply->forwarded->frame = hs_pb_data(hs_turn_pack(turn, &kept.base));
    reply->body_case = HANSE__FRAME__BODY_FORWARDED;
    return HS_OK;
}

enum hs_err hs_handle_forward(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                              uint64_t *detail)
{
    (void)detail;
    const Hanse__Forward *forward = request->forward;
    struct hs_key root;
    Hanse__Frame *inner;
    bool waits = false;
    HS_TAKE32(forward->node_root, &root);
    HS_REQUIRE(request->id != 0 && forward->n_addresses <= HS_DIAL_ADDRESSES, HS_ERR_MALFORMED);
    HS_REQUIRE(!hs_key_equal(&root, hs_turn_root(turn)), HS_ERR_WRONG_PEER);
    HS_TRY(HS_UNPACK(hanse__frame, hs_pb_bytes(forward->frame), HS_LENIENT, turn->arena, &inner));
    HS_TRY(check_inner(turn, &root, inner));
    HS_REQUIRE(!hs_standing_is_blocked(turn->core, &root, NULL), HS_ERR_DENIED);
    if (inner->body_case == HANSE__FRAME__BODY_MOVE_HUB)
        HS_TRY(hs_takeover_begin(turn, inner->move_hub, &waits));
    if (waits)
        return reply_kept(turn, inner, reply);
    HS_REQUIRE(forward->n_addresses > 0 || hs_peer_find(&turn->core->peers, &root) != NULL ||
                   hs_rules_node(&turn->core->rules, &root) != NULL,
               HS_ERR_UNREACHABLE);
    struct hs_peer *peer = hs_peer_get(turn, &root, forward->addresses, forward->n_addresses);
    HS_REQUIRE(peer != NULL, HS_ERR_BUSY);
    HS_REQUIRE(peer->address_count > 0 || peer->domain_name[0] != '\0', HS_ERR_UNREACHABLE);
    return hs_peer_ask(turn, peer, request->id, inner, hs_pb_bytes(forward->frame)); /* answers later */
}

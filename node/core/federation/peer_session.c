/* The one session to each peer: dialled, greeted, up, down. */
#include "core/blobs/blob.h"
#include "core/federation/discover.h"
#include "core/federation/follow.h"
#include "core/federation/heads.h"
#include "core/federation/node_key.h"
#include "core/federation/outbox.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/standing/standing.h"
#include "crypto/hash.h"
#include "identity/auth.h"

static void dial(struct hs_turn *turn, struct hs_peer *peer)
{
    if (peer->address_count == 0) {
        hs_discover_peer(turn, peer);
        peer->retry_at.ms = turn->now.ms + HS_DISCOVER_MS;
        return;
    }
    struct hs_bytes addresses =
        hs_arena_copy(&turn->effects->arena, hs_bytes(peer->addresses, sizeof peer->addresses));
    struct hs_effect *effect = hs_effect_add(turn->effects, HS_EFFECT_DIAL, 0);
    if (effect == NULL || addresses.data == NULL)
        return;
    effect->root = peer->root;
    effect->addresses = (const char(*)[HS_ADDRESS_SIZE])addresses.data;
    effect->address_count = peer->address_count;
    peer->state = HS_PEER_DIALLING;
    peer->answer_by.ms = turn->now.ms + HS_DIAL_MS;
}

void hs_peer_work(struct hs_turn *turn, struct hs_peer *peer)
{
    bool wanted = peer->followed || peer->asked != NULL || turn->now.ms < peer->call_until.ms ||
                  hs_outbox_waits(turn, &peer->root);
    if (peer->state == HS_PEER_DOWN && wanted && !peer->blocked && turn->now.ms >= peer->retry_at.ms)
        dial(turn, peer);
    if (peer->state != HS_PEER_UP)
        return;
    for (struct hs_asked *asked = peer->asked; asked != NULL; asked = asked->next)
        if (asked->id == 0)
            hs_asked_send(turn, peer, asked);
    hs_outbox_send(turn, peer);
    hs_fetch_work(turn, peer);
    hs_moves_work(turn, peer);
}

/* Who answered shows keys that were replaced: it is somebody who has got hold of them, or a node that was put
 * back to what it was. Those of a hub that is followed are kept. */
static enum hs_err take_keys(struct hs_turn *turn, const struct hs_peer *peer, struct hs_bytes descriptor)
{
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    HS_TRY(hs_object_unpack(descriptor, turn->arena, &object));
    HS_TRY(hs_descriptor_claimed(object, &d)); /* whoever dialled has verified it */
    HS_REQUIRE(hs_key_equal(&d.root, &peer->root), HS_ERR_WRONG_PEER);
    HS_TRY(hs_node_key_check(turn, &d));
    if (peer->followed)
        hs_node_key_learn(turn, descriptor, &d);
    return HS_OK;
}

void hs_peer_opened(struct hs_turn *turn, const struct hs_key *root, struct hs_bytes descriptor)
{
    struct hs_core *core = turn->core;
    struct hs_peer *peer = hs_peer_find(&core->peers, root);
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Authenticate authenticate = HANSE__AUTHENTICATE__INIT;
    struct hs_sig sig;
    bool again = peer != NULL && peer->state == HS_PEER_GREETING && peer->session == turn->session->id;
    if (!hs_session_become(turn->session, HS_SESSION_NODE, root) || peer == NULL ||
        (peer->state != HS_PEER_DIALLING && !again)) {
        hs_turn_close(turn, turn->session, HS_ERR_CLOSED);
        return;
    }
    enum hs_err err = take_keys(turn, peer, descriptor);
    if (err != HS_OK) {
        hs_turn_log(turn, "event=hub-refused error=%s text=\"it shows keys that its root has replaced\"",
                    hs_err_name(err));
        hs_turn_close(turn, turn->session, err);
        hs_peer_failed(turn, root);
        return;
    }
    hs_peer_learn(turn, peer, descriptor);
    turn->session->domain = peer->domain;
    turn->session->standing = hs_standing_of(turn, root, &peer->domain);
    if (turn->session->standing == HS_STANDING_STRANGER)
        turn->session->standing = HS_STANDING_INVITED; /* by the user who named it */
    if (peer->blocked) {
        hs_turn_close(turn, turn->session, HS_ERR_DENIED);
        hs_peer_failed(turn, root);
        return;
    }
    peer->claims = !hs_discover_claim(turn, root, peer->domain_name);
    peer->attached = false;
    peer->state = HS_PEER_GREETING;
    peer->session = turn->session->id;
    peer->answer_by.ms = turn->now.ms + HS_FORWARD_MS;
    hs_auth_sign(&core->signer, hs_bytes(turn->session->handshake_hash, sizeof turn->session->handshake_hash),
                 &sig);
    authenticate.descriptor = core->descriptor_object;
    authenticate.signature = hs_pb_data(HS_VIEW(sig));
    frame.id = ++peer->last_id;
    frame.authenticate = &authenticate;
    frame.body_case = HANSE__FRAME__BODY_AUTHENTICATE;
    hs_turn_send(turn, turn->session, &frame);
}

static void back_off(struct hs_turn *turn, struct hs_peer *peer)
{
    int64_t wait = HS_RETRY_FIRST_MS;
    uint64_t chance = 0;
    for (unsigned i = 0; i < peer->failures && wait < HS_RETRY_MAX_MS; i++)
        wait *= 2;
    wait = wait < HS_RETRY_MAX_MS ? wait : HS_RETRY_MAX_MS;
    /* Between half and all of it, another share for each pair of nodes and each time: the many followers of a
     * hub that comes back don't all come at once. Drawn from what is known, so that the core stays a
     * function. */
    struct hs_sha256 h;
    hs_sha256_init(&h);
    hs_sha256_update(&h, HS_VIEW(*hs_turn_root(turn)));
    hs_sha256_update(&h, HS_VIEW(peer->root));
    hs_sha256_update(&h, hs_bytes(&turn->now.ms, sizeof turn->now.ms));
    struct hs_id hash = hs_sha256_final(&h);
    memcpy(&chance, hash.b, sizeof chance);
    peer->failures++;
    peer->retry_at.ms = turn->now.ms + wait / 2 + (int64_t)(chance % (uint64_t)(wait / 2 + 1));
    if (peer->retry_at.ms < peer->not_before.ms)
        peer->retry_at = peer->not_before;
}

/* The session ended, or there was none to be had: devices are told and ask again; posts wait in the outbox,
 * all of them from the first on, since the same post gets the same answer. */
static void peer_down(struct hs_turn *turn, struct hs_peer *peer)
{
    /* A session that lasted is no failure; one that ends at once is, or a hub that sends nonsense would be
     * dialled without a pause. */
    if (peer->state == HS_PEER_UP && turn->now.ms - peer->up_at.ms >= HS_RETRY_MAX_MS)
        peer->failures = 0;
    peer->state = HS_PEER_DOWN;
    peer->session = 0;
    hs_outbox_restart(peer);
    while (peer->asked != NULL) {
        hs_asked_unreachable(turn, peer->asked);
        hs_asked_free(hs_asked_take(peer, peer->asked));
    }
    back_off(turn, peer);
}

void hs_peer_closed(struct hs_turn *turn)
{
    struct hs_peer *peer = hs_peer_of_session(&turn->core->peers, turn->session->id);
    if (peer != NULL)
        peer_down(turn, peer);
}

void hs_peer_failed(struct hs_turn *turn, const struct hs_key *root)
{
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, root);
    if (peer == NULL || peer->state != HS_PEER_DIALLING)
        return;
    peer_down(turn, peer);
    if (peer->followed || hs_outbox_waits(turn, &peer->root))
        hs_discover_peer(turn, peer); /* all its addresses have failed */
}

/* Dials, greetings and posts without an outcome: the peer is dialled anew. */
static void expire_session(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    bool late = peer->state == HS_PEER_GREETING && turn->now.ms >= peer->answer_by.ms;
    late = late || (peer->posts != NULL && turn->now.ms >= peer->posts->deadline.ms);
    if (late && session != NULL)
        hs_turn_close(turn, session, HS_ERR_TIMEOUT);
    if (peer->state == HS_PEER_DIALLING && turn->now.ms >= peer->answer_by.ms)
        peer_down(turn, peer);
}

static void attach(struct hs_turn *turn, struct hs_peer *peer)
{
    peer->attached = true;
    peer->attach_at.ms = 0;
    hs_follow_attach(turn, peer);
    hs_heads_tell(turn, peer);
}

/* An Attach that was refused; once more where the tick is carried out again. */
static void attach_again(struct hs_turn *turn, struct hs_peer *peer)
{
    bool due = peer->attach_at.ms > 0 && turn->now.ms >= peer->attach_at.ms;
    if (peer->state != HS_PEER_UP || (!due && peer->attach_tried.ms != turn->now.ms))
        return;
    peer->attach_tried = turn->now;
    attach(turn, peer);
}

void hs_peers_tick(struct hs_turn *turn)
{
    for (struct hs_peer *peer = turn->core->peers.list; peer != NULL; peer = peer->next) {
        hs_asked_expire(turn, peer);
        expire_session(turn, peer);
        hs_discover_renewal(turn, peer);
        if (peer->claims)
            peer->claims = !hs_discover_claim(turn, &peer->root, peer->domain_name);
        if (peer->state == HS_PEER_UP && turn->now.ms >= peer->heads_at.ms)
            hs_heads_tell(turn, peer);
        attach_again(turn, peer);
        hs_peer_work(turn, peer);
    }
}

struct hs_time hs_peers_deadline(const struct hs_peers *peers)
{
    struct hs_time first = {INT64_MAX};
    for (const struct hs_peer *peer = peers->list; peer != NULL; peer = peer->next) {
        bool wanted = !peer->blocked && (peer->followed || peer->asked != NULL);
        if (peer->state == HS_PEER_DOWN && wanted && peer->retry_at.ms < first.ms)
            first = peer->retry_at;
        if (peer->state == HS_PEER_UP && peer->outbox_at.ms > 0 && peer->outbox_at.ms < first.ms)
            first = peer->outbox_at;
        if (peer->state == HS_PEER_UP && peer->attach_at.ms > 0 && peer->attach_at.ms < first.ms)
            first = peer->attach_at;
        for (const struct hs_asked *a = peer->asked; a != NULL; a = a->next)
            if (a->deadline.ms < first.ms)
                first = a->deadline;
    }
    return first;
}

/* The hub knows who this is: attach to the rooms that are followed, then say what waits. */
static void greeted(struct hs_turn *turn, struct hs_peer *peer, const Hanse__Frame *frame)
{
    if (frame->body_case != HANSE__FRAME__BODY_AUTHENTICATED) {
        hs_turn_close(turn, turn->session, HS_ERR_DENIED);
        return;
    }
    (void)hs_effect_add(turn->effects, HS_EFFECT_AUTHENTICATED, turn->session->id);
    struct hs_asked *asked = peer->asked;
    while (asked != NULL) { /* where this is carried out again: no post has gone out yet */
        struct hs_asked *next = asked->next;
        if (asked->is_fetch || asked->is_push || asked->is_log)
            hs_asked_free(hs_asked_take(peer, asked));
        asked = next;
    }
    hs_outbox_restart(peer);
    peer->window = HS_OUTBOX_WINDOW_FIRST;
    peer->attach_wait_ms = 0;
    peer->state = HS_PEER_UP;
    peer->up_at = turn->now;
    peer->outbox_at.ms = 0;
    if (peer->followed)
        attach(turn, peer);
    if (turn->now.ms < peer->call_until.ms)
        hs_tell_came(turn->core, &peer->root);
    hs_peer_work(turn, peer);
}

static bool is_answer(const Hanse__Frame *frame)
{
    switch (frame->body_case) {
    case HANSE__FRAME__BODY_ERROR:
    case HANSE__FRAME__BODY_ACK:
    case HANSE__FRAME__BODY_AUTHENTICATED:
    case HANSE__FRAME__BODY_INVITE_INFO:
    case HANSE__FRAME__BODY_JOIN_STATUS:
    case HANSE__FRAME__BODY_ACCEPTED:
    case HANSE__FRAME__BODY_MOVED:
    case HANSE__FRAME__BODY_LEDGER_REPLY:
    case HANSE__FRAME__BODY_PROOFS_SHOWN:
    case HANSE__FRAME__BODY_CHUNK:
    case HANSE__FRAME__BODY_GROUP_INFO:
    case HANSE__FRAME__BODY_BLOB_STATUS:
    case HANSE__FRAME__BODY_TAIL:
        return true;
    default:
        return false;
    }
}

/* A room's new hub may still be on its way into office; others of its rooms wait for nothing. */
static void attach_answered(struct hs_turn *turn, struct hs_peer *peer, const Hanse__Frame *frame)
{
    if (frame->body_case != HANSE__FRAME__BODY_ERROR) {
        peer->attach_wait_ms = 0;
        return;
    }
    int64_t wait = 2 * peer->attach_wait_ms;
    peer->attach_wait_ms = wait < HS_RETRY_FIRST_MS ? HS_RETRY_FIRST_MS
                           : wait > HS_RETRY_MAX_MS ? HS_RETRY_MAX_MS
                                                    : wait;
    peer->attach_at.ms = turn->now.ms + peer->attach_wait_ms;
}

bool hs_peer_answered(struct hs_turn *turn, const Hanse__Frame *frame)
{
    struct hs_peer *peer = hs_peer_of_session(&turn->core->peers, turn->session->id);
    if (peer == NULL || !is_answer(frame))
        return false;
    if (peer->state == HS_PEER_GREETING || frame->body_case == HANSE__FRAME__BODY_AUTHENTICATED) {
        greeted(turn, peer, frame);
        return true;
    }
    struct hs_asked *asked = peer->asked;
    while (asked != NULL && asked->id != frame->id)
        asked = asked->next;
    if (asked == NULL && frame->id != 0 && hs_outbox_answered(turn, peer, frame))
        hs_peer_work(turn, peer);
    if (asked == NULL && frame->body_case == HANSE__FRAME__BODY_TAIL)
        hs_office_answered(turn, peer, NULL, frame); /* where this is carried out again */
    if (asked == NULL || frame->id == 0) {
        if (frame->id == peer->attach_id)
            attach_answered(turn, peer, frame);
        return true; /* or the answer to somebody who has given up */
    }
    hs_asked_take(peer, asked);
    if (asked->is_join && frame->body_case != HANSE__FRAME__BODY_ERROR &&
        frame->body_case != HANSE__FRAME__BODY_MOVED)
        hs_peer_follow(turn, peer); /* the Welcome will come through its session */
    if (peer->followed && !peer->attached)
        attach(turn, peer); /* before, the hub didn't know this node */
    if (asked->is_push)
        hs_push_answered(turn, peer, asked, frame);
    else if (asked->is_log)
        hs_office_answered(turn, peer, asked, frame);
    else if (asked->is_fetch)
        hs_fetch_answered(turn, peer, asked, frame);
    else
        hs_asked_hand_back(turn, asked, frame);
    hs_asked_free(asked);
    hs_peer_work(turn, peer);
    return true;
}

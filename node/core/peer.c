#include "core/peer.h"

#include "core/follow.h"
#include "core/internal.h"
#include "core/outbox.h"
#include "core/table.h"
#include "identity/auth.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <stdlib.h>

static void asked_free(struct hs_asked *asked)
{
    free(asked->frame);
    free(asked);
}

static void peer_free(struct hs_peer *peer)
{
    while (peer->asked != NULL) {
        struct hs_asked *asked = peer->asked;
        peer->asked = asked->next;
        asked_free(asked);
    }
    free(peer);
}

void hs_peers_free(struct hs_peers *peers)
{
    while (peers->list != NULL) {
        struct hs_peer *peer = peers->list;
        peers->list = peer->next;
        peer_free(peer);
    }
}

struct hs_peer *hs_peer_find(const struct hs_peers *peers, const struct hs_key *root)
{
    struct hs_peer *peer = peers->list;
    while (peer != NULL && !hs_key_equal(&peer->root, root))
        peer = peer->next;
    return peer;
}

static struct hs_peer *peer_of_session(const struct hs_peers *peers, uint64_t session)
{
    struct hs_peer *peer = peers->list;
    while (peer != NULL && (peer->session != session || peer->state < HS_PEER_GREETING))
        peer = peer->next;
    return peer;
}

static void set_addresses(struct hs_peer *peer, char *const *addresses, size_t count)
{
    for (size_t i = 0; i < count && peer->address_count < HS_DIAL_ADDRESSES; i++)
        if (hs_address_is_valid(hs_bytes_str(addresses[i])))
            (void)snprintf(peer->addresses[peer->address_count++], HS_ADDRESS_SIZE, "%s", addresses[i]);
}

struct hs_peer *hs_peer_get(struct hs_turn *turn, const struct hs_key *root, char *const *addresses,
                            size_t count)
{
    struct hs_peers *peers = &turn->core->peers;
    struct hs_peer *peer = hs_peer_find(peers, root);
    if (peer == NULL) {
        peer = peers->count < HS_PEERS_MAX ? calloc(1, sizeof *peer) : NULL;
        if (peer == NULL)
            return NULL;
        peer->root = *root;
        peer->next = peers->list;
        peers->list = peer;
        peers->count++;
    }
    if (peer->address_count == 0)
        set_addresses(peer, addresses, count);
    return peer;
}

void hs_peers_load(struct hs_turn *turn)
{
    struct hs_bytes key, value, none = {0};
    struct hs_kv_key from = {0};
    while (hs_kv_next(turn->kv, HS_T_PEER, none, hs_kv_key_bytes(&from), turn->arena, &key, &value)) {
        struct hs_key root;
        struct hs_kv_key at = hs_key1(key);
        Hanse__State__PeerView *view =
            (Hanse__State__PeerView *)HS_VIEW_GET(turn, HS_T_PEER, &at, hanse__state__peer_view);
        if (view == NULL || !HS_FIXED(key, &root))
            return;
        struct hs_peer *peer = hs_peer_get(turn, &root, view->addresses, view->n_addresses);
        if (peer != NULL)
            peer->followed = true;
        from = hs_kv_after(key);
    }
}

void hs_peer_follow(struct hs_turn *turn, struct hs_peer *peer)
{
    Hanse__State__PeerView view = HANSE__STATE__PEER_VIEW__INIT;
    struct hs_kv_key key = hs_key1(HS_VIEW(peer->root));
    char *addresses[HS_DIAL_ADDRESSES];
    if (peer->followed)
        return;
    for (size_t i = 0; i < peer->address_count; i++)
        addresses[i] = peer->addresses[i];
    view.addresses = addresses;
    view.n_addresses = peer->address_count;
    hs_view_put(turn, HS_T_PEER, &key, &view.base);
    peer->followed = true;
}

static void dial(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_bytes addresses =
        hs_arena_copy(&turn->effects->arena, hs_bytes(peer->addresses, sizeof peer->addresses));
    struct hs_effect *effect = hs_effect_add(turn->effects, HS_EFFECT_DIAL, 0);
    if (effect == NULL || addresses.data == NULL)
        return;
    effect->root = peer->root;
    effect->addresses = (const char(*)[HS_ADDRESS_SIZE])addresses.data;
    effect->address_count = peer->address_count;
    peer->state = HS_PEER_DIALLING;
}

static void send_asked(struct hs_turn *turn, struct hs_peer *peer, struct hs_asked *asked)
{
    Hanse__Frame *frame;
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    if (session == NULL || HS_UNPACK(hanse__frame, hs_bytes(asked->frame, asked->frame_len), HS_LENIENT,
                                     turn->arena, &frame) != HS_OK)
        return;
    asked->id = frame->id = ++peer->last_id;
    hs_turn_send(turn, session, frame);
    free(asked->frame);
    asked->frame = NULL;
}

void hs_peer_work(struct hs_turn *turn, struct hs_peer *peer)
{
    bool wanted = peer->followed || peer->asked != NULL || hs_outbox_waits(turn, &peer->root);
    if (peer->state == HS_PEER_DOWN && wanted && turn->now.ms >= peer->retry_at.ms)
        dial(turn, peer);
    if (peer->state != HS_PEER_UP)
        return;
    for (struct hs_asked *asked = peer->asked; asked != NULL; asked = asked->next)
        if (asked->id == 0)
            send_asked(turn, peer, asked);
    hs_outbox_send(turn, peer);
}

struct hs_asked *hs_asked_add(struct hs_peer *peer)
{
    struct hs_asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL)
        return NULL;
    asked->next = peer->asked;
    peer->asked = asked;
    peer->asked_count++;
    return asked;
}

enum hs_err hs_peer_ask(struct hs_turn *turn, struct hs_peer *peer, uint64_t session_id, uint64_t inner_id,
                        struct hs_bytes frame)
{
    HS_REQUIRE(peer->asked_count < HS_FORWARDS_MAX, HS_ERR_BUSY);
    uint8_t *copy = malloc(frame.len);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    memcpy(copy, frame.data, frame.len);
    struct hs_asked *asked = hs_asked_add(peer);
    if (asked == NULL) {
        free(copy);
        return HS_ERR_NOMEM;
    }
    asked->frame = copy;
    asked->frame_len = frame.len;
    asked->session = turn->session->id;
    asked->session_id = session_id;
    asked->inner_id = inner_id;
    asked->deadline.ms = turn->now.ms + HS_FORWARD_MS;
    if (peer->state == HS_PEER_DOWN)
        peer->retry_at = turn->now; /* somebody waits: no need to hold back */
    hs_peer_work(turn, peer);
    return HS_OK;
}

/* Takes asked out of the peer's list, without freeing it. */
static struct hs_asked *asked_take(struct hs_peer *peer, struct hs_asked *wanted)
{
    struct hs_asked **at = &peer->asked;
    while (*at != wanted)
        at = &(*at)->next;
    *at = wanted->next;
    peer->asked_count--;
    peer->posts_asked -= wanted->is_post ? 1 : 0;
    return wanted;
}

void hs_peer_opened(struct hs_turn *turn, const struct hs_key *root, struct hs_bytes descriptor)
{
    (void)descriptor;
    struct hs_core *core = turn->core;
    struct hs_peer *peer = hs_peer_find(&core->peers, root);
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Authenticate authenticate = HANSE__AUTHENTICATE__INIT;
    struct hs_sig sig;
    if (peer == NULL) {
        hs_turn_close(turn, turn->session, HS_ERR_CLOSED);
        return;
    }
    hs_session_become(turn->session, HS_SESSION_NODE, root);
    peer->state = HS_PEER_GREETING;
    peer->session = turn->session->id;
    peer->failures = 0;
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
    for (unsigned i = 0; i < peer->failures && wait < HS_RETRY_MAX_MS; i++)
        wait *= 2;
    peer->failures++;
    peer->retry_at.ms = turn->now.ms + (wait < HS_RETRY_MAX_MS ? wait : HS_RETRY_MAX_MS);
}

static void tell_unreachable(struct hs_turn *turn, const struct hs_asked *asked)
{
    struct hs_session *origin = hs_session_find(&turn->core->sessions, asked->session);
    if (!asked->is_post && origin != NULL)
        hs_turn_send_error(turn, origin, asked->session_id, HS_ERR_UNREACHABLE, 0);
}

/* The session ended, or there was none to be had: devices are told and ask again; posts wait in the outbox,
 * all of them from the first on, since the same post gets the same answer. */
static void peer_down(struct hs_turn *turn, struct hs_peer *peer)
{
    peer->state = HS_PEER_DOWN;
    peer->session = 0;
    peer->outbox_next = 0;
    while (peer->asked != NULL) {
        tell_unreachable(turn, peer->asked);
        asked_free(asked_take(peer, peer->asked));
    }
    back_off(turn, peer);
}

void hs_peer_closed(struct hs_turn *turn)
{
    struct hs_peer *peer = peer_of_session(&turn->core->peers, turn->session->id);
    if (peer != NULL)
        peer_down(turn, peer);
}

void hs_peer_failed(struct hs_turn *turn, const struct hs_key *root)
{
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, root);
    if (peer != NULL && peer->state == HS_PEER_DIALLING)
        peer_down(turn, peer);
}

/* Devices that have waited too long are told so. */
static void expire(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_asked *asked = peer->asked;
    while (asked != NULL) {
        struct hs_asked *next = asked->next;
        if (!asked->is_post && asked->deadline.ms <= turn->now.ms) {
            tell_unreachable(turn, asked);
            asked_free(asked_take(peer, asked));
        }
        asked = next;
    }
}

void hs_peers_tick(struct hs_turn *turn)
{
    for (struct hs_peer *peer = turn->core->peers.list; peer != NULL; peer = peer->next) {
        expire(turn, peer);
        hs_peer_work(turn, peer);
    }
}

struct hs_time hs_peers_deadline(const struct hs_peers *peers)
{
    struct hs_time first = {INT64_MAX};
    for (const struct hs_peer *peer = peers->list; peer != NULL; peer = peer->next) {
        bool wanted = peer->followed || peer->asked != NULL;
        if (peer->state == HS_PEER_DOWN && wanted && peer->retry_at.ms < first.ms)
            first = peer->retry_at;
        for (const struct hs_asked *a = peer->asked; a != NULL; a = a->next)
            if (!a->is_post && a->deadline.ms < first.ms)
                first = a->deadline;
    }
    return first;
}

void hs_peers_forget_origin(struct hs_peers *peers, uint64_t session)
{
    for (struct hs_peer *peer = peers->list; peer != NULL; peer = peer->next)
        for (struct hs_asked *a = peer->asked; a != NULL; a = a->next)
            if (!a->is_post && a->session == session)
                a->session = 0;
}

/* The hub knows who this is: attach to the rooms that are followed, then say what waits. */
static void greeted(struct hs_turn *turn, struct hs_peer *peer, const Hanse__Frame *frame)
{
    if (frame->body_case != HANSE__FRAME__BODY_AUTHENTICATED) {
        hs_turn_close(turn, turn->session, HS_ERR_DENIED);
        return;
    }
    (void)hs_effect_add(turn->effects, HS_EFFECT_AUTHENTICATED, turn->session->id);
    peer->state = HS_PEER_UP;
    hs_follow_attach(turn, peer);
    hs_peer_work(turn, peer);
}

/* The answer goes back to the device under the ids that it knows. */
static void hand_back(struct hs_turn *turn, const struct hs_asked *asked, const Hanse__Frame *answer)
{
    struct hs_session *origin = hs_session_find(&turn->core->sessions, asked->session);
    Hanse__Frame inner = *answer, outer = HANSE__FRAME__INIT;
    Hanse__Forwarded forwarded = HANSE__FORWARDED__INIT;
    if (origin == NULL)
        return;
    inner.id = asked->inner_id;
    forwarded.frame = hs_pb_data(hs_turn_pack(turn, &inner.base));
    outer.id = asked->session_id;
    outer.forwarded = &forwarded;
    outer.body_case = HANSE__FRAME__BODY_FORWARDED;
    hs_turn_send(turn, origin, &outer);
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
    case HANSE__FRAME__BODY_LEDGER_REPLY:
        return true;
    default:
        return false;
    }
}

bool hs_peer_answered(struct hs_turn *turn, const Hanse__Frame *frame, struct hs_bytes bytes)
{
    (void)bytes;
    struct hs_peer *peer = peer_of_session(&turn->core->peers, turn->session->id);
    if (peer == NULL || !is_answer(frame))
        return false;
    if (peer->state == HS_PEER_GREETING) {
        greeted(turn, peer, frame);
        return true;
    }
    struct hs_asked *asked = peer->asked;
    while (asked != NULL && asked->id != frame->id)
        asked = asked->next;
    if (asked == NULL || frame->id == 0)
        return true; /* the answer to an Attach, or to somebody who has given up */
    asked_take(peer, asked);
    if (asked->is_post)
        hs_outbox_answered(turn, peer, asked->seq, frame);
    else
        hand_back(turn, asked, frame);
    asked_free(asked);
    hs_peer_work(turn, peer);
    return true;
}

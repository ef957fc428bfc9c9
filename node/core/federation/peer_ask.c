/* What is asked of other nodes on behalf of devices, until it is answered. */
#include "core/federation/outbox.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdlib.h>

void hs_asked_free(struct hs_asked *asked)
{
    free(asked->frame);
    free(asked);
}

struct hs_asked *hs_asked_add(struct hs_peer *peer)
{
    struct hs_asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL)
        return NULL;
    struct hs_asked **end = &peer->asked; /* they go out in the order in which they came */
    while (*end != NULL)
        end = &(*end)->next;
    *end = asked;
    peer->asked_count++;
    return asked;
}

static bool is_asked(const struct hs_peer *peer, const struct hs_id *room)
{
    for (const struct hs_asked *a = peer->asked; a != NULL; a = a->next)
        if (a->is_log && hs_id_equal(&a->room, room))
            return true;
    return false;
}

bool hs_asked_log(struct hs_turn *turn, struct hs_peer *peer, const struct hs_id *room, uint64_t seq,
                  int64_t wait_ms, Hanse__Frame *frame)
{
    if (peer == NULL || peer->state != HS_PEER_UP || is_asked(peer, room))
        return false;
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    struct hs_asked *asked = session != NULL ? hs_asked_add(peer) : NULL;
    if (asked == NULL)
        return false;
    asked->is_log = true;
    asked->room = *room;
    asked->seq = seq;
    asked->deadline.ms = turn->now.ms + wait_ms;
    asked->id = frame->id = ++peer->last_id;
    hs_turn_send(turn, session, frame);
    return true;
}

/* Takes asked out of the peer's list, without freeing it. */
struct hs_asked *hs_asked_take(struct hs_peer *peer, struct hs_asked *wanted)
{
    struct hs_asked **at = &peer->asked;
    while (*at != wanted)
        at = &(*at)->next;
    *at = wanted->next;
    peer->asked_count--;
    return wanted;
}

void hs_peers_undone(struct hs_peers *peers)
{
    for (struct hs_peer *peer = peers->list; peer != NULL; peer = peer->next) {
        struct hs_asked *asked = peer->asked;
        while (asked != NULL) {
            struct hs_asked *next = asked->next;
            if (asked->is_log)
                hs_asked_free(hs_asked_take(peer, asked));
            asked = next;
        }
        hs_outbox_restart(peer);
    }
}

/* How many questions of one device wait, for whatever node. */
static size_t asked_by(const struct hs_peers *peers, uint64_t session)
{
    size_t n = 0;
    for (const struct hs_peer *peer = peers->list; peer != NULL; peer = peer->next)
        for (const struct hs_asked *a = peer->asked; a != NULL; a = a->next)
            n += a->session == session ? 1 : 0;
    return n;
}

enum hs_err hs_peer_ask(struct hs_turn *turn, struct hs_peer *peer, uint64_t session_id,
                        const Hanse__Frame *inner, struct hs_bytes frame)
{
    HS_REQUIRE(!peer->blocked, HS_ERR_DENIED);
    HS_REQUIRE(peer->asked_count < HS_FORWARDS_MAX, HS_ERR_BUSY);
    HS_REQUIRE(asked_by(&turn->core->peers, turn->session->id) < HS_FORWARDS_SESSION, HS_ERR_BUSY);
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
    asked->inner_id = inner->id;
    asked->is_join = inner->body_case == HANSE__FRAME__BODY_JOIN ||
                     inner->body_case == HANSE__FRAME__BODY_MOVE_HOME ||
                     inner->body_case == HANSE__FRAME__BODY_OPEN_COUNTER;
    asked->deadline.ms = turn->now.ms + HS_FORWARD_MS;
    int64_t soon = turn->now.ms + HS_RETRY_FIRST_MS;
    if (soon < peer->not_before.ms)
        soon = peer->not_before.ms;
    if (peer->retry_at.ms > soon)
        peer->retry_at.ms = soon; /* somebody waits: no need to hold back for long */
    hs_peer_work(turn, peer);
    return HS_OK;
}

void hs_asked_send(struct hs_turn *turn, struct hs_peer *peer, struct hs_asked *asked)
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

void hs_asked_unreachable(struct hs_turn *turn, const struct hs_asked *asked)
{
    struct hs_session *origin = hs_session_find(&turn->core->sessions, asked->session);
    if (origin != NULL)
        hs_turn_send_error(turn, origin, asked->session_id, HS_ERR_UNREACHABLE, 0);
}

void hs_asked_give_up(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_asked *asked = peer->asked;
    while (asked != NULL) {
        struct hs_asked *next = asked->next;
        hs_asked_unreachable(turn, asked);
        hs_asked_free(hs_asked_take(peer, asked));
        asked = next;
    }
}

/* Devices that have waited too long are told so. */
void hs_asked_expire(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_asked *asked = peer->asked;
    while (asked != NULL) {
        struct hs_asked *next = asked->next;
        if (asked->deadline.ms <= turn->now.ms) {
            hs_asked_unreachable(turn, asked);
            hs_asked_free(hs_asked_take(peer, asked));
        }
        asked = next;
    }
}

void hs_peers_forget_origin(struct hs_peers *peers, uint64_t session)
{
    for (struct hs_peer *peer = peers->list; peer != NULL; peer = peer->next) {
        struct hs_asked *asked = peer->asked;
        while (asked != NULL) {
            struct hs_asked *next = asked->next;
            if (asked->session == session)
                hs_asked_free(hs_asked_take(peer, asked));
            asked = next;
        }
    }
}

/* The answer goes back to the device under the ids that it knows. */
void hs_asked_hand_back(struct hs_turn *turn, const struct hs_asked *asked, const Hanse__Frame *answer)
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
    if (protobuf_c_message_get_packed_size(&outer.base) > HS_FRAME_MAX)
        hs_turn_send_error(turn, origin, asked->session_id, HS_ERR_TOO_LARGE, 0);
    else
        hs_turn_send(turn, origin, &outer);
}

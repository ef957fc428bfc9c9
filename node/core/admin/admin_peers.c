/* hansed peers: nodes that this one dials, and nodes that came by themselves. */
#include "core/admin/admin.h"
#include "core/federation/node_key.h"
#include "core/federation/outbox.h"
#include "core/internal.h"
#include "core/standing/standing.h"

static const char *state_name(enum hs_peer_state state)
{
    switch (state) {
    case HS_PEER_DOWN:
        return "down";
    case HS_PEER_DIALLING:
        return "dialling";
    case HS_PEER_GREETING:
        return "greeting";
    case HS_PEER_UP:
        return "up";
    }
    return "";
}

/* The attached session that the node of that root opened here. */
static const struct hs_session *session_in(struct hs_turn *turn, const struct hs_key *root)
{
    const struct hs_session *session = hs_session_of(&turn->core->sessions, root);
    return session != NULL && !session->outbound && session->state == HS_SESSION_NODE ? session : NULL;
}

static Hanse__State__AdminPeer *add(struct hs_turn *turn, Hanse__State__AdminPeers *list,
                                    const struct hs_key *root)
{
    Hanse__State__AdminPeer *row = HS_NEW(turn, Hanse__State__AdminPeer, hanse__state__admin_peer);
    const struct hs_session *in = session_in(turn, root);
    if (row == NULL)
        return NULL;
    const struct hs_peer *peer = hs_peer_find(&turn->core->peers, root);
    const struct hs_id *domain = in != NULL ? &in->domain : peer != NULL ? &peer->domain : NULL;
    static const char *const names[] = {[HS_STANDING_STRANGER] = "stranger",
                                        [HS_STANDING_INVITED] = "invited",
                                        [HS_STANDING_ALLOWED] = "allowed",
                                        [HS_STANDING_BLOCKED] = "blocked"};
    enum hs_peer_standing standing = hs_standing_of(turn, root, domain);
    if (peer != NULL && standing == HS_STANDING_STRANGER)
        standing = HS_STANDING_INVITED; /* by the user who named it */
    row->standing = (char *)(uintptr_t)names[standing];
    row->root = hs_pb_data(HS_VIEW(*root));
    row->state = (char *)(uintptr_t) "none";
    row->connected = in != NULL;
    struct hs_descriptor known;
    if (hs_node_key_newest(turn, root, &known) != NULL) {
        row->descriptor = known.sequence;
        row->domain = hs_arena_str(turn->arena, hs_bytes_str(known.domain));
        HS_REQUIRE(row->domain != NULL, NULL);
    }
    row->rooms = in != NULL ? in->position_count : 0;
    list->peers[list->n_peers++] = row;
    return row;
}

static void fill(struct hs_turn *turn, const struct hs_peer *peer, Hanse__State__AdminPeer *row)
{
    bool wanted = peer->followed || peer->asked != NULL;
    row->state = (char *)(uintptr_t)state_name(peer->state);
    row->since_ms = peer->state == HS_PEER_UP ? peer->up_at.ms : 0;
    row->outbox = hs_outbox_count(turn, &peer->root);
    row->failures = peer->failures;
    row->followed = peer->followed;
    if (peer->domain_name[0] != '\0')
        row->domain = (char *)(uintptr_t)peer->domain_name;
    if (peer->root_changed)
        row->other_root = hs_pb_data(HS_VIEW(peer->other_root));
    if (peer->state == HS_PEER_DOWN && (wanted || row->outbox > 0))
        row->retry_ms = peer->retry_at.ms;
    if (peer->address_count > 0)
        row->address = (char *)(uintptr_t)peer->addresses[0];
}

enum hs_err hs_admin_peers(struct hs_turn *turn, const Hanse__State__AdminRequest *request,
                           Hanse__State__AdminAnswer *answer)
{
    struct hs_core *core = turn->core;
    Hanse__State__AdminPeers *list = HS_NEW(turn, Hanse__State__AdminPeers, hanse__state__admin_peers);
    size_t most = core->peers.count + HASH_CNT(hh_subscriber, core->sessions.by_subscriber);
    (void)request;
    HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
    list->peers = hs_arena_alloc(turn->arena, (most + 1) * sizeof *list->peers);
    HS_REQUIRE(list->peers != NULL, HS_ERR_NOMEM);
    for (const struct hs_peer *peer = core->peers.list; peer != NULL; peer = peer->next) {
        Hanse__State__AdminPeer *row = add(turn, list, &peer->root);
        HS_REQUIRE(row != NULL, HS_ERR_NOMEM);
        fill(turn, peer, row);
    }
    for (const struct hs_session *s = core->sessions.by_subscriber; s != NULL; s = s->hh_subscriber.next)
        if (s->state == HS_SESSION_NODE && !s->outbound && hs_peer_find(&core->peers, &s->subscriber) == NULL)
            HS_REQUIRE(add(turn, list, &s->subscriber) != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_admin_roots_seen(turn, list));
    answer->peers = list;
    answer->body_case = HANSE__STATE__ADMIN_ANSWER__BODY_PEERS;
    return HS_OK;
}

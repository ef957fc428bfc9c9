#include "core/federation/peer.h"

#include "core/federation/node_key.h"
#include "core/federation/outbox.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "core/standing/kept.h"
#include "core/standing/standing.h"
#include "identity/descriptor.h"
#include "object/object.h"

#include <stdio.h>
#include <stdlib.h>

static void peer_free(struct hs_peer *peer)
{
    while (peer->asked != NULL) {
        struct hs_asked *asked = peer->asked;
        peer->asked = asked->next;
        hs_asked_free(asked);
    }
    hs_outbox_restart(peer);
    free((void *)(uintptr_t)peer->descriptor.data);
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

struct hs_peer *hs_peer_of_session(const struct hs_peers *peers, uint64_t session)
{
    struct hs_peer *peer = peers->list;
    while (peer != NULL && (peer->session != session || peer->state < HS_PEER_GREETING))
        peer = peer->next;
    return peer;
}

static void add_address(char (*list)[HS_ADDRESS_SIZE], size_t *count, const char *address)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i], address) == 0)
            return;
    if (*count < HS_DIAL_ADDRESSES && hs_address_is_valid(hs_bytes_str(address)))
        (void)snprintf(list[(*count)++], HS_ADDRESS_SIZE, "%s", address);
}

/* The operator's come first, then the node's own. New ones come before those that somebody named earlier. */
static void set_addresses(struct hs_turn *turn, struct hs_peer *peer, char *const *addresses, size_t count)
{
    char list[HS_DIAL_ADDRESSES][HS_ADDRESS_SIZE] = {0};
    const struct hs_rule *row = hs_rules_node(&turn->core->rules, &peer->root);
    size_t n = 0;
    if (row != NULL)
        (void)snprintf(peer->domain_name, sizeof peer->domain_name, "%s", row->domain_name);
    for (size_t i = 0; row != NULL && i < row->address_count; i++)
        add_address(list, &n, row->addresses[i]);
    for (size_t i = 0; peer->known && i < peer->address_count; i++)
        add_address(list, &n, peer->addresses[i]);
    for (size_t i = 0; i < count; i++) {
        bool bare = hs_domain_is_valid(hs_bytes_str(addresses[i]));
        if (bare && row == NULL && peer->sequence == 0)
            (void)snprintf(peer->domain_name, sizeof peer->domain_name, "%s", addresses[i]);
        add_address(list, &n, addresses[i]);
    }
    for (size_t i = 0; i < peer->address_count; i++)
        add_address(list, &n, peer->addresses[i]);
    memcpy(peer->addresses, list, sizeof list);
    peer->address_count = n;
}

void hs_followed_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                       const Hanse__State__StreamRecord *record)
{
    Hanse__State__PeerView view = HANSE__STATE__PEER_VIEW__INIT;
    struct hs_kv_key key = hs_key1(HS_VIEW(at->id));
    view.addresses = record->followed->addresses;
    view.n_addresses = record->followed->n_addresses;
    view.descriptor = record->followed->descriptor;
    hs_view_put(turn, HS_T_PEER, &key, &view.base);
}

static bool is_stored(struct hs_turn *turn, const struct hs_peer *peer)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(peer->root));
    Hanse__State__PeerView *view =
        (Hanse__State__PeerView *)HS_VIEW_GET(turn, HS_T_PEER, &key, hanse__state__peer_view);
    bool same = view != NULL && view->n_addresses == peer->address_count &&
                hs_bytes_equal(hs_pb_bytes(view->descriptor), peer->descriptor);
    for (size_t i = 0; same && i < peer->address_count; i++)
        same = strcmp(view->addresses[i], peer->addresses[i]) == 0;
    return same;
}

static void peer_store(struct hs_turn *turn, struct hs_peer *peer)
{
    Hanse__State__PeerFollowed followed = HANSE__STATE__PEER_FOLLOWED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    char *addresses[HS_DIAL_ADDRESSES];
    if (is_stored(turn, peer))
        return;
    for (size_t i = 0; i < peer->address_count; i++)
        addresses[i] = peer->addresses[i];
    followed.addresses = addresses;
    followed.n_addresses = peer->address_count;
    followed.descriptor = hs_pb_data(peer->descriptor);
    record.followed = &followed;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_FOLLOWED;
    hs_stream_record(turn, HS_STREAM_PEER, HS_VIEW(peer->root), &record);
}

/* The node's own addresses, from the descriptor that its session was opened with. */
void hs_peer_learn(struct hs_turn *turn, struct hs_peer *peer, struct hs_bytes bytes)
{
    Hanse__SignedObject *object;
    struct hs_descriptor descriptor;
    char *addresses[HS_DESCRIPTOR_ADDRESSES];
    if (hs_object_unpack(bytes, turn->arena, &object) != HS_OK ||
        hs_descriptor_open(object, &peer->root, &descriptor) != HS_OK || descriptor.address_count == 0 ||
        descriptor.sequence < peer->sequence)
        return;
    for (size_t i = 0; i < descriptor.address_count; i++)
        addresses[i] = descriptor.addresses[i];
    uint8_t *kept = malloc(bytes.len);
    if (kept == NULL)
        return;
    memcpy(kept, bytes.data, bytes.len);
    free((void *)(uintptr_t)peer->descriptor.data);
    peer->descriptor = hs_bytes(kept, bytes.len);
    peer->domain = hs_domain_hash(hs_bytes_str(descriptor.domain));
    (void)snprintf(peer->domain_name, sizeof peer->domain_name, "%s", descriptor.domain);
    peer->sequence = descriptor.sequence;
    peer->not_after = descriptor.not_after;
    peer->blocked = hs_standing_is_blocked(turn->core, &peer->root, &peer->domain);
    peer->known = false;
    peer->address_count = 0;
    set_addresses(turn, peer, addresses, descriptor.address_count);
    peer->known = true;
    if (peer->followed)
        peer_store(turn, peer);
}

void hs_peer_found(struct hs_turn *turn, struct hs_peer *peer, char *const *addresses, size_t count)
{
    bool known = peer->known;
    if (count == 0)
        return;
    peer->known = false;
    set_addresses(turn, peer, addresses, count);
    peer->known = known;
}

/* Room for a new peer: the first that nobody needs goes. */
static void drop_idle(struct hs_peers *peers)
{
    struct hs_peer **at = &peers->list;
    while (*at != NULL && ((*at)->followed || (*at)->state != HS_PEER_DOWN || (*at)->asked != NULL))
        at = &(*at)->next;
    struct hs_peer *idle = *at;
    if (idle == NULL)
        return;
    *at = idle->next;
    peers->count--;
    peer_free(idle);
}

struct hs_peer *hs_peer_get(struct hs_turn *turn, const struct hs_key *root, char *const *addresses,
                            size_t count)
{
    struct hs_peers *peers = &turn->core->peers;
    struct hs_peer *peer = hs_peer_find(peers, root);
    if (peer == NULL) {
        if (peers->count == HS_PEERS_MAX)
            drop_idle(peers);
        peer = peers->count < HS_PEERS_MAX ? calloc(1, sizeof *peer) : NULL;
        if (peer == NULL)
            return NULL;
        peer->root = *root;
        peer->blocked = hs_standing_is_blocked(turn->core, root, NULL);
        peer->kept_known = hs_kept_is_nothing(turn, root, 0);
        peer->next = peers->list;
        peers->list = peer;
        peers->count++;
    }
    if (peer->state == HS_PEER_DOWN)
        set_addresses(turn, peer, addresses, count);
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
        if (peer == NULL && turn->core->peers.count < HS_PEERS_MAX)
            turn->kv->err = HS_ERR_NOMEM; /* once more, then: who is passed over now isn't dialled again */
        if (peer == NULL)
            return;
        if (view->descriptor.len > 0)
            hs_peer_learn(turn, peer, hs_pb_bytes(view->descriptor));
        peer->followed = true;
        from = hs_kv_after(key);
    }
}

void hs_peer_follow(struct hs_turn *turn, struct hs_peer *peer)
{
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    if (hs_object_unpack(peer->descriptor, turn->arena, &object) == HS_OK &&
        hs_descriptor_claimed(object, &d) == HS_OK)
        hs_node_key_learn(turn, peer->descriptor, &d);
    peer_store(turn, peer); /* also where it is followed already: that may not have become durable */
    peer->followed = true;
}

void hs_peers_judge(struct hs_turn *turn)
{
    for (struct hs_peer *peer = turn->core->peers.list; peer != NULL; peer = peer->next) {
        bool before = peer->blocked;
        peer->blocked = hs_standing_is_blocked(turn->core, &peer->root, &peer->domain);
        if (peer->blocked != before) { /* what failed before has no more to say */
            peer->failures = 0;
            peer->retry_at = peer->not_before;
        }
        if (peer->state == HS_PEER_DOWN)
            set_addresses(turn, peer, NULL, 0);
        while (peer->blocked && peer->asked != NULL) {
            hs_asked_unreachable(turn, peer->asked);
            hs_asked_free(hs_asked_take(peer, peer->asked));
        }
    }
}

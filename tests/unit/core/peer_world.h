/* Nodes that aren't part of the world: anybody who has made a root, speaking to a node by hand. */
#ifndef TESTS_CORE_PEER_WORLD_H
#define TESTS_CORE_PEER_WORLD_H

#include "core/state.pb-c.h"
#include "world.h"

struct raw_node {
    struct world_device *mouth; /* whose session is this node's */
    struct hs_signer root, signer;
    struct hs_secret32 transport;
    struct hs_key transport_pub;
    Hanse__SignedObject *descriptor;
    char domain[64];
};

/* Keys and a descriptor for that domain; it will speak to the node of mouth. */
struct raw_node raw_node_new(struct world_device *mouth, const char *domain);

/* Opens a session and authenticates; gives its number, 0 where it was refused with *err. */
uint64_t raw_node_connect(struct raw_node *raw, enum hs_err *err);

/* What the node's operator says: kind is an hs_rule_kind; root or domain may be NULL. */
struct raw_rules {
    Hanse__State__PeerRule *list[64];
    size_t len;
};
void raw_rule(struct world *w, struct raw_rules *rules, uint32_t kind, const struct hs_key *root,
              const char *domain);
void raw_rules_set(struct world_node *node, const struct raw_rules *rules);

/* What was found at a domain for that root: a page or NULL, an address of DNS or NULL. */
void raw_discovered(struct world_node *node, const struct hs_key *root, const char *domain,
                    const Hanse__SignedObject *page, const char *address);

/* A turn of the node, outside of any input: what views are made of can be brought about without their rooms.
 */
struct hs_turn;
struct hs_turn *raw_turn_begin(struct world_node *node);
void raw_turn_end(struct hs_turn *turn);

/* Bytes that records of the node say of the items which that hub brought. */
uint64_t raw_items_of(struct world_node *node, const struct hs_key *hub);

#endif

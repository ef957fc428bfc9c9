/* Finding a peer anew by its domain: where all its addresses have failed, or none is known, or its descriptor
 * is about to run out. What is found counts only as far as the pinned root has signed it. */
#ifndef HS_CORE_DISCOVER_H
#define HS_CORE_DISCOVER_H

#include "core/federation/peer.h"
#include "core/turn.h"

enum {
    HS_DISCOVER_MS = 60000,           /* between two lookups of one domain: it may be a small web server */
    HS_DISCOVER_AHEAD_MS = 604800000, /* a descriptor that runs out within a week is asked for, */
    HS_DISCOVER_DAILY_MS = 86400000,  /* once a day */
    HS_DISCOVER_NOTED = 256, /* domains that were asked of late; of more, some are asked more often */
};

/* In memory: a domain that was asked, for whatever reason. */
struct hs_page_asked {
    struct hs_id domain;
    struct hs_key root; /* for whom */
    struct hs_time at;  /* 0: free */
    bool others;        /* wanted to ask meanwhile for another root: they come first */
};

/* Asks for what the peer's domain shows, where that is known and wasn't asked for just now. */
void hs_discover_peer(struct hs_turn *turn, struct hs_peer *peer);

/* Its descriptor runs out soon: asks once a day. */
void hs_discover_renewal(struct hs_turn *turn, struct hs_peer *peer);

/* The node of that root claims the domain. Where the operator allows the domain, or another root is known for
 * it, its own page is asked. False where that has to wait, since it was asked just now. */
bool hs_discover_claim(struct hs_turn *turn, const struct hs_key *root, const char *domain);

/* The domain may be asked now, whenever that was done last. */
void hs_discover_at_once(struct hs_core *core, const struct hs_id *domain);

/* What was found: the bytes of a Discovered (core/state.proto). */
void hs_discover_found(struct hs_turn *turn, struct hs_bytes bytes);

#endif

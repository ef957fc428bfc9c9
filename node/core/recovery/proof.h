/* What a restored node has signed behind its backup, and others hold: definitions of coupons, coupons,
 * reservations, receipts. Whoever holds them shows them, and the ledger has them back. Nothing of that is
 * believed but by this node's own signature, under a descriptor of its root, by no key that was replaced
 * before the backup; of a definition by its merchant's. So it makes no difference who shows it. */
#ifndef HS_CORE_PROOF_H
#define HS_CORE_PROOF_H

#include "core/turn.h"
#include "identity/chain.h"

enum {
    HS_PROOFS_MAX = 32, /* in one frame */
    /* Signatures that are checked for one frame, at most: those of its chain, and one for each proof. What
     * the ledger knows already, or looks up, costs none. */
    HS_PROOFS_CHECKS = HS_CHAIN_MAX + HS_PROOFS_MAX
};

/* Since the last restoring, for the operator. */
struct hs_proofs {
    uint64_t taken;      /* that the ledger didn't know */
    uint64_t against;    /* that contradict it: units that were redeemed twice */
    uint64_t from;       /* devices here, and nodes, that have shown these */
    uint64_t tills;      /* that this node knows of */
    uint64_t tills_done; /* and that have shown all they hold */
};
void hs_proofs_count(struct hs_turn *turn, struct hs_proofs *out);

#endif

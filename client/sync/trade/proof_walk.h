/* What is shown to an issuer that may have forgotten it: the rows of this store that are about it, gathered
 * into one batch after another. */
#ifndef HS_CLIENT_PROOF_WALK_H
#define HS_CLIENT_PROOF_WALK_H

#include "sync/trade/deal.h"

enum { HS_PROOF_OBJECTS = 32 /* in one batch: as many as a node takes */ };

/* What is walked, in this order. */
enum hs_proof_phase { HS_PROOF_COUPONS, HS_PROOF_STEPS, HS_PROOF_DONE };

struct hs_proof_batch {
    Hanse__Proof list[HS_PROOF_OBJECTS];
    size_t count, bytes;
    struct hs_chain_set chain;
    struct hs_id campaigns[HS_PROOF_OBJECTS]; /* whose definitions are in it */
    size_t campaign_count;
};

struct hs_proof_walk {
    struct hs_step *s;
    const struct hs_key *root;
    struct hs_proof_batch *b;
    size_t rows;
    enum hs_proof_phase phase;
    struct hs_kv_key from;
};

/* Rows from where w stands on, as many as fit; w then stands behind them. One that doesn't fit by itself, or
 * can't be read, is left out. What is in the batch lives in the step's arena. The store's errors, NOMEM. */
enum hs_err hs_proof_gather(struct hs_proof_walk *w);

#endif

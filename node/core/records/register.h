/* Streams that keep their last record only: what a subscriber holds for good, the newest head of a hub. Each
 * record says everything that there is to say, so the one before it is worth nothing, and nothing of it
 * stays. They aren't in the journal: views are made from its records first, then from these. */
#ifndef HS_CORE_REGISTER_H
#define HS_CORE_REGISTER_H

#include "core/turn.h"

/* The first byte of a key in HS_T_REGISTER. */
enum hs_register {
    HS_REGISTER_CURSOR = 'C',    /* subscriber 32 | room 32 -> u64: the next record that it wants */
    HS_REGISTER_INBOX = 'I',     /* subscriber 32           -> u64: the next inbox item that it wants */
    HS_REGISTER_RETAINED = 'E',  /* room 32              -> u64 | u64: retention.h */
    HS_REGISTER_RETENTION = 'T', /* room 32              -> u64: what its hub says of it, at a follower */
    HS_REGISTER_HEAD = 'H',      /* room 32                 -> SignedObject: the newest head, at a follower */
    HS_REGISTER_PROMISE = 'P',   /* the same: the nearest one that covered more than there was (promise.h) */
    HS_REGISTER_HELD = 'D',      /* the same: the newest one that didn't, while newer ones do */
    HS_REGISTER_SHOWN = 'S',     /* subscriber 32 -> u64 incarnation | u64 | u64 | u64: recovery/proof.c */
};

struct hs_kv_key hs_register_key(enum hs_register kind, struct hs_bytes a, struct hs_bytes b);

/* False where nothing was ever said; the value is in the turn's arena. */
bool hs_register_get(struct hs_turn *turn, const struct hs_kv_key *key, struct hs_bytes *value);
uint64_t hs_register_number(struct hs_turn *turn, enum hs_register kind, struct hs_bytes a,
                            struct hs_bytes b);

/* Replaces the record and applies it: the views that follow from it are those of the new one. */
void hs_register_put(struct hs_turn *turn, const struct hs_kv_key *key, struct hs_bytes value);
void hs_register_put_number(struct hs_turn *turn, enum hs_register kind, struct hs_bytes a, struct hs_bytes b,
                            uint64_t number);

#endif

/* Altered MLS messages made good again, as somebody could who holds the keys and means no good: what lies
 * behind signatures, tags and ciphertexts is reached too. Views that are put in live in the arena; bytes that
 * are no such message come back as they are. */
#ifndef TESTS_FUZZ_MLS_REPAIR_H
#define TESTS_FUZZ_MLS_REPAIR_H

#include "base/arena.h"
#include "fuzz/mls_world.h"
#include "mls/codec.h"

/* How far it goes. */
enum mls_repair {
    MLS_REPAIR_NONE,
    MLS_REPAIR_SIGN, /* leaves, KeyPackages, the message and its membership tag are signed anew */
    MLS_REPAIR_TAG,  /* a commit's confirmation tag besides, where its secrets can be had */
    MLS_REPAIR_SEAL, /* the same, and the message goes as a PrivateMessage of its sender */
    MLS_REPAIRS,
};

/* A PublicMessage of that world's epoch. */
struct hs_bytes mls_repair(const struct mls_world *w, enum mls_repair how, struct hs_bytes message,
                           struct hs_arena *arena);

/* A KeyPackage and its leaf: by the key of the person outside, which becomes the leaf's. */
void mls_repair_key_package(const struct mls_world *w, struct hs_mls_key_package *kp, struct hs_arena *arena);

/* A GroupInfo: signed by the member that it names. joiner: where its confirmation tag follows from that
 * joiner secret (with no PSK); NULL: the tag stays. */
void mls_repair_group_info(const struct mls_world *w, struct hs_mls_group_info *info,
                           const struct hs_mls_secret *joiner, struct hs_arena *arena);

#endif

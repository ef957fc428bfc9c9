/* Who appears in fuzz targets, corpora and benches: signers by name, the same in every run, and what they
 * sign. */
#ifndef TESTS_FUZZ_CAST_H
#define TESTS_FUZZ_CAST_H

#include "identity/certificate.h"
#include "identity/descriptor.h"
#include "identity/grant.h"

/* Everybody; a phone or till is the device of the persona before it. INVITE is an invite's key. */
enum cast_member {
    CAST_ROOT,
    CAST_NODE,
    CAST_SHOP,
    CAST_TILL,
    CAST_CUSTOMER,
    CAST_PHONE,
    CAST_FRIEND,
    CAST_TABLET,
    CAST_TICKET,
    CAST_INVITE,
    CAST_COUNT
};

/* The present of all stories. */
#define CAST_NOW_MS INT64_C(1700000000000)
#define CAST_DAY_MS INT64_C(86400000)
#define CAST_DOMAIN "rosa.example"

extern const uint8_t cast_invite_seed[16];

struct hs_time cast_at(int64_t offset_ms);
const struct hs_signer *cast(enum cast_member who);

/* The one with that public key; NULL where it is nobody's. */
const struct hs_signer *cast_by_key(const struct hs_key *key);

/* X25519 key of a device or of the node. */
struct hs_key cast_transport(enum cast_member who);

/* persona says that the device acts for it, for a year. */
Hanse__SignedObject *cast_certificate(struct hs_arena *arena, enum cast_member persona,
                                      enum cast_member device);

/* The root's word on who a persona is. */
Hanse__SignedObject *cast_grant(struct hs_arena *arena, enum cast_member persona, Hanse__Role role);
Hanse__SignedObject *cast_handle(struct hs_arena *arena, enum cast_member persona, const char *name);
Hanse__SignedObject *cast_descriptor(struct hs_arena *arena);

/* The author of what a device signs for its persona. */
struct hs_author cast_author(enum cast_member persona, enum cast_member device);

#endif

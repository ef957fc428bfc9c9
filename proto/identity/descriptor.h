/* Node descriptors: a root says which keys and addresses its node has. The root is what everybody pins. */
#ifndef HS_IDENTITY_DESCRIPTOR_H
#define HS_IDENTITY_DESCRIPTOR_H

#include "object/object.h"

enum {
    HS_DESCRIPTOR_ADDRESSES = 4,
    /* domain or bracketed address, ':', five digits */
    HS_ADDRESS_MAX = HS_DOMAIN_MAX + 6
};

struct hs_descriptor {
    struct hs_key root;          /* who signed it */
    struct hs_key signing_key;   /* Ed25519: heads, coupons, receipts */
    struct hs_key transport_key; /* X25519: Noise static key */
    char domain[HS_DOMAIN_MAX + 1];
    char addresses[HS_DESCRIPTOR_ADDRESSES][HS_ADDRESS_MAX + 1]; /* "host:port" */
    size_t address_count;
    uint64_t sequence;                   /* the higher one replaces the lower */
    struct hs_time created, not_after;   /* not_after 0 = no end */
    const Hanse__SignedObject *succeeds; /* to build one: a RootSuccessor, or NULL. Never read from one */
};

/* True for a domain in A-labels: lower-case letters, digits and hyphens, labels of 1 to 63 characters that
 * neither begin nor end with a hyphen, 253 characters at most (RFC 1035, RFC 5890). */
bool hs_domain_is_valid(struct hs_bytes domain);

/* True for "host:port": a valid domain, an IPv4 address or an IPv6 address in brackets; port 1 to 65535
 * without leading zeros. */
bool hs_address_is_valid(struct hs_bytes address);

/* Signs a descriptor; of *d everything but root and created is taken. INVALID_ARG for a bad domain, address
 * or count, BAD_KEY, TOO_LARGE where the whole object would be more than HS_DESCRIPTOR_MAX bytes, NOMEM. */
enum hs_err hs_descriptor_build(const struct hs_signer *root, const struct hs_descriptor *d,
                                struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out);

/* Everything but time. pinned NULL: any root, which out->root then names; it has proved nothing but that it
 * knows its own key. WRONG_SIGNER for another root than the pinned; BAD_KEY; MALFORMED; errors of
 * hs_object_open(). */
enum hs_err hs_descriptor_open(const Hanse__SignedObject *obj, const struct hs_key *pinned,
                               struct hs_descriptor *out);

/* The same and its window at now: also NOT_YET, EXPIRED. */
enum hs_err hs_descriptor_verify(const Hanse__SignedObject *obj, const struct hs_key *pinned,
                                 struct hs_time now, struct hs_descriptor *out);

/* What it says, with no look at its signature: for one's own store, where only verified ones are. MALFORMED,
 * NOMEM. */
enum hs_err hs_descriptor_claimed(const Hanse__SignedObject *obj, struct hs_descriptor *out);

/* A descriptor that was verified: true where its root takes another one's place, as that one has signed too
 * (successor.h). */
bool hs_descriptor_vouched(const Hanse__SignedObject *obj, struct hs_time now, struct hs_key *old_root);

enum hs_err hs_descriptor_check_time(const struct hs_descriptor *d, struct hs_time at);

#endif

/* BindPersona: the account at a home node serves the persona that another brand knows. Both keys sign, so
 * neither can be bound without its owner. */
#ifndef HS_IDENTITY_BIND_H
#define HS_IDENTITY_BIND_H

#include "object/object.h"

struct hs_bind {
    struct hs_key account;    /* the account's persona: the session's */
    struct hs_key home_root;  /* the node that it is meant for */
    struct hs_key persona;    /* the persona that the brand knows */
    struct hs_key brand_root; /* the brand */
    struct hs_time created, not_after;
};

/* account and persona are the two personas' own signers (derive.h). INVALID_ARG, NOMEM. */
enum hs_err hs_bind_build(const struct hs_signer *account, const struct hs_signer *persona,
                          const struct hs_key *home_root, const struct hs_key *brand_root, struct hs_time now,
                          struct hs_time not_after, struct hs_arena *arena, Hanse__SignedObject **out);

/* account: the session's persona; home_root: this node's. WRONG_SIGNER for another account, WRONG_PEER where
 * it is meant for another node, BAD_KEY, NOT_YET, EXPIRED, MALFORMED, errors of hs_object_open(). */
enum hs_err hs_bind_verify(const Hanse__SignedObject *obj, const struct hs_key *account,
                           const struct hs_key *home_root, struct hs_time now, struct hs_bind *out);

#endif

/* What stands in an MLS leaf: the device's certificate, the brand's grants for its persona, a chosen name.
 * Every member checks it on every leaf that enters the tree. */
#ifndef HS_IDENTITY_CREDENTIAL_H
#define HS_IDENTITY_CREDENTIAL_H

#include "identity/certificate.h"
#include "identity/grant.h"

enum {
    HS_CREDENTIAL_GRANTS = 8,
    HS_CREDENTIAL_NAME_MAX = 64,
    /* certificate, grants and name; what is longer isn't looked at */
    HS_CREDENTIAL_MAX = 8192
};

struct hs_credential {
    struct hs_certificate certificate;
    uint32_t roles;                                /* HS_ROLE_BIT()s granted by the brand's root */
    char handle[HS_HANDLE_TEXT_SIZE];              /* "name@domain", or empty */
    char display_name[HS_CREDENTIAL_NAME_MAX + 1]; /* chosen by its bearer: shown as such, or empty */
};

/* The bytes of the basic credential's identity, in the arena. grants: Grant and HandleGrant objects.
 * INVALID_ARG for a display name past 64 bytes or not clean or too many grants, TOO_LARGE, NOMEM. */
enum hs_err hs_credential_pack(const Hanse__SignedObject *certificate, Hanse__SignedObject *const *grants,
                               size_t grant_count, const char *display_name, struct hs_arena *arena,
                               struct hs_bytes *out);

/* leaf_key: the MLS leaf's signature key, which must be the certificate's (WRONG_SENDER where it isn't).
 * root: the brand's. domain: the brand's domain, or NULL where it isn't known. Every grant must be by this
 * root (WRONG_SIGNER), for this certificate's persona (BAD_CHAIN) and valid now; one handle at most
 * (MALFORMED), of this domain (NAME_REFUSED). Errors of hs_certificate_verify(), hs_grant_verify(),
 * hs_unpack(). */
enum hs_err hs_credential_verify(struct hs_bytes bytes, const struct hs_key *leaf_key,
                                 const struct hs_key *root, const char *domain, struct hs_time now,
                                 struct hs_credential *out);

#endif

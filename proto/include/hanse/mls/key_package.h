/* libhanse-mls: KeyPackages (RFC 9420, 10): what makes it possible to be added while away.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_KEY_PACKAGE_H
#define HANSE_MLS_KEY_PACKAGE_H

#include <hanse/mls/extension.h>
#include <hanse/mls/signer.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Credential types (RFC 9420, 5.3). What an identity means, and whether a signature key belongs to it, is for
 * the application to judge. */
enum { HANSE_MLS_BASIC = 1, HANSE_MLS_X509 = 2 };

/* What a member says of itself in its leaf. Types that every implementation knows, or that are listed
 * already, are left out of the capabilities by themselves. */
struct hanse_mls_leaf {
    size_t size;
    const struct hanse_mls_signer *signer;        /* its suite is the leaf's */
    uint16_t credential_type;                     /* HANSE_MLS_BASIC (also for 0) or HANSE_MLS_X509 */
    struct hanse_mls_bytes identity;              /* basic: any bytes; X.509: the encoded certificate list */
    uint64_t not_before, not_after;               /* lifetime; both ends are within it */
    const struct hanse_mls_extension *extensions; /* leaf extensions; their types are supported, then */
    size_t extension_count;
    const uint16_t *extension_types; /* further types that this member supports */
    size_t extension_type_count;
    const uint16_t *proposal_types;
    size_t proposal_type_count;
    const uint16_t *credential_types; /* the credential's own type is always there */
    size_t credential_type_count;
    const uint16_t *suites; /* the signer's is always there */
    size_t suite_count;
};

/* A new KeyPackage as MLSMessage, to be published, and its private half, to be stored before that: needed
 * once, to join with a Welcome. last_resort: it may be used more than once, as the last one that is left.
 * INVALID_ARG for a lifetime that ends before it begins, too many extensions or too long an identity. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_key_package_new(const struct hanse_mls_leaf *leaf,
                                                                   bool last_resort,
                                                                   struct hanse_mls_buf *message,
                                                                   struct hanse_mls_buf *private_half);

/* What a valid KeyPackage says. Views borrow from the message. */
struct hanse_mls_key_package {
    uint16_t suite, credential_type;
    bool last_resort;
    struct hanse_mls_hash ref; /* KeyPackageRef (RFC 9420, 5.2): names it in a Welcome */
    struct hanse_mls_bytes identity, signature_key;
    uint64_t not_before, not_after;
    struct hanse_mls_bytes extensions; /* leaf extensions, encoded */
};

/* Checks all that RFC 9420, 10.1 asks for, its lifetime at the time now included: to be called by whoever
 * takes it from its publisher. MLS_VERSION (another version, or a suite that this build lacks),
 * MLS_KEY_PACKAGE (signature, lifetime), MLS_LEAF, MALFORMED, UNEXPECTED (another message), SELFTEST. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_key_package_check(struct hanse_mls_bytes message,
                                                                     uint64_t now,
                                                                     struct hanse_mls_key_package *out);

#ifdef __cplusplus
}
#endif

#endif

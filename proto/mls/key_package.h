/* KeyPackages (RFC 9420, 10): what a device publishes so that it can be added to groups while it is away. */
#ifndef HS_MLS_KEY_PACKAGE_H
#define HS_MLS_KEY_PACKAGE_H

#include "base/writer.h"
#include "mls/provider.h"

/* One extension of a leaf or of the group (RFC 9420, 13); data is its extension_data. */
struct hs_mls_extension {
    uint16_t type;
    struct hs_bytes data;
};

/* What a member says of itself in its leaf: for a new KeyPackage, for a group's creator, for an external
 * join. Types that are default ones, or listed already, are left out of the capabilities by themselves. */
struct hs_mls_leaf_params {
    const struct hs_mls_signer *signer; /* its suite is the leaf's */
    uint16_t credential_type;           /* HS_MLS_BASIC (also for 0) or HS_MLS_X509 */
    struct hs_bytes identity;           /* of the basic credential, or the encoded certificate list; at most
                                           HS_MLS_MAX_IDENTITY bytes */
    uint64_t not_before, not_after;     /* lifetime in Unix seconds */
    const struct hs_mls_extension
        *extensions; /* leaf extensions; their types are added to the capabilities */
    size_t extension_count;
    const uint16_t *extension_types; /* further types for the capabilities */
    size_t extension_type_count;
    const uint16_t *proposal_types;
    size_t proposal_type_count;
    const uint16_t *credential_types; /* the credential's own type is always there */
    size_t credential_type_count;
    const uint16_t *suites; /* further suites, the signer's is always there */
    size_t suite_count;
    bool grease; /* lists a random value that means nothing in each of them (RFC 9420, 13.5) */
};

/* The private half: needed once, to join with a Welcome, then to be wiped; that of a last-resort KeyPackage
 * is kept until the package is replaced. */
struct hs_mls_key_package_private {
    struct hs_mls_secret init, leaf;
};

#define HS_MLS_KEY_PACKAGE_PRIVATE HS_AUTO(hs_mls_key_package_private_wipe)

enum { HS_MLS_KEY_PACKAGE_PRIVATE_MAX = 1 + 2 * (1 + HS_MLS_MAX_SECRET) };

void hs_mls_key_package_private_wipe(struct hs_mls_key_package_private *priv);

/* A version byte and the two keys with their lengths; the caller seals them. */
void hs_mls_key_package_private_save(const struct hs_mls_key_package_private *priv, struct hs_writer *out);

/* MALFORMED where saved isn't of a known version and exact length. */
enum hs_err hs_mls_key_package_private_load(struct hs_bytes saved, struct hs_mls_key_package_private *priv);

/* A new KeyPackage as MLSMessage into out (about 300 bytes with a short identity). last_resort: it carries
 * the last_resort extension (RFC 9420, 16.8 and the registry's type 10), and its leaf lists that type: it may
 * be used more than once, as the last one that is left. INVALID_ARG for a lifetime that ends before it
 * begins, too many extensions or too long an identity; NOMEM, TOO_LARGE from the writer. */
enum hs_err hs_mls_key_package_new(const struct hs_mls_leaf_params *params, bool last_resort,
                                   struct hs_writer *out, struct hs_mls_key_package_private *priv);

/* What a valid KeyPackage says; views borrow the message's bytes. */
struct hs_mls_key_package_facts {
    const struct hs_mls_suite *suite;
    struct hs_mls_hash ref; /* KeyPackageRef (RFC 9420, 5.2) */
    uint16_t credential_type;
    struct hs_bytes identity, signature_key;
    uint64_t not_before, not_after;
    struct hs_bytes extensions; /* leaf extensions, for hs_mls_extension_find() */
    bool last_resort;
};

/* Checks all that RFC 9420, 10.1 asks for, at the time now (Unix seconds): MLS_VERSION for another version or
 * a suite that this build doesn't have, MLS_KEY_PACKAGE for a bad signature or lifetime, MLS_LEAF for a bad
 * leaf, MALFORMED. That the signature key belongs to the identity is for the application to judge. */
enum hs_err hs_mls_key_package_check(struct hs_bytes message, uint64_t now,
                                     struct hs_mls_key_package_facts *facts);

/* The extension of that type in an encoded list; false where there is none. */
bool hs_mls_extension_find(struct hs_bytes extensions, uint16_t type, struct hs_bytes *data);

#endif

/* KeyPackages (RFC 9420, 10): what a device publishes so that it can be added to groups while it is away. */
#ifndef HS_MLS_KEY_PACKAGE_H
#define HS_MLS_KEY_PACKAGE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/writer.h"
#include "crypto/sign.h"

/* One extension of a leaf or of the group (RFC 9420, 13); data is its extension_data. */
struct hs_mls_extension {
    uint16_t type;
    struct hs_bytes data;
};

/* What a member says of itself in its leaf: for a new KeyPackage and for a group's creator. */
struct hs_mls_leaf_params {
    const struct hs_signer *signer;
    struct hs_bytes identity;       /* of the basic credential, at most HS_MLS_MAX_IDENTITY bytes */
    uint64_t not_before, not_after; /* lifetime in Unix seconds */
    const struct hs_mls_extension
        *extensions; /* leaf extensions; their types are added to the capabilities */
    size_t extension_count;
    const uint16_t *extension_types; /* further extension types for the capabilities, as 0xF4A1 */
    size_t extension_type_count;
    const uint16_t
        *credential_types; /* further credential types for the capabilities; basic is always there */
    size_t credential_type_count;
};

/* The private half: needed once, to join with a Welcome, then to be wiped. */
struct hs_mls_key_package_private {
    struct hs_secret32 init, leaf;
};

#define HS_MLS_KEY_PACKAGE_PRIVATE HS_AUTO(hs_mls_key_package_private_wipe)

enum { HS_MLS_KEY_PACKAGE_PRIVATE_LEN = 1 + 32 + 32 };

void hs_mls_key_package_private_wipe(struct hs_mls_key_package_private *priv);

/* A version byte and the two keys; the caller seals them. */
void hs_mls_key_package_private_save(const struct hs_mls_key_package_private *priv, struct hs_writer *out);

/* MALFORMED where saved isn't HS_MLS_KEY_PACKAGE_PRIVATE_LEN bytes of a known version. */
enum hs_err hs_mls_key_package_private_load(struct hs_bytes saved, struct hs_mls_key_package_private *priv);

/* A new KeyPackage as MLSMessage into out (about 400 bytes with a short identity). INVALID_ARG for a lifetime
 * that ends before it begins, too many extensions or too long an identity; NOMEM, TOO_LARGE from the writer.
 */
enum hs_err hs_mls_key_package_new(const struct hs_mls_leaf_params *params, struct hs_writer *out,
                                   struct hs_mls_key_package_private *priv);

/* What a valid KeyPackage says; views borrow the message's bytes. */
struct hs_mls_key_package_facts {
    struct hs_id ref; /* KeyPackageRef (RFC 9420, 5.2) */
    struct hs_bytes identity;
    struct hs_key signature_key;
    uint64_t not_before, not_after;
    struct hs_bytes extensions; /* leaf extensions, for hs_mls_extension_find() */
};

/* Checks all that RFC 9420, 10.1 asks for, at the time now (Unix seconds): MLS_VERSION for another version or
 * suite, MLS_KEY_PACKAGE for a bad signature or lifetime, MLS_LEAF for a bad leaf, MALFORMED. */
enum hs_err hs_mls_key_package_check(struct hs_bytes message, uint64_t now,
                                     struct hs_mls_key_package_facts *facts);

/* The extension of that type in an encoded list; false where there is none. */
bool hs_mls_extension_find(struct hs_bytes extensions, uint16_t type, struct hs_bytes *data);

#endif

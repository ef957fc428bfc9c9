/* Leaves: made, signed, checked (RFC 9420, 7.2 and 7.3). A leaf never changes, so that trees share it. */
#ifndef HS_MLS_LEAF_H
#define HS_MLS_LEAF_H

#include "mls/codec.h"
#include "mls/key_package.h"

/* What a leaf's signature is over: it, the group's id and the leaf's place. */
enum { HS_MLS_MAX_LEAF_TBS = HS_MLS_MAX_LEAF + HS_MLS_MAX_GROUP_ID + 16 };

struct hs_mls_leaf {
    uint32_t refs, len;
    uint8_t
        bytes[]; /* the encoded LeafNode: a group holds one a member, so nothing is kept that can be read */
};

/* A copy of node->raw with one reference. MLS_LEAF where a key is no key of the suite; NOMEM. */
enum hs_err hs_mls_leaf_new(const struct hs_mls_suite *suite, const struct hs_mls_leaf_node *node,
                            struct hs_mls_leaf **out);

/* The same from one's own store: bytes that were a leaf once. TOO_LARGE, NOMEM. */
enum hs_err hs_mls_leaf_copy(struct hs_bytes raw, struct hs_mls_leaf **out);

/* Its parts, as views into it. The two keys can be had for less. */
struct hs_mls_leaf_node hs_mls_leaf_node(const struct hs_mls_leaf *leaf);
struct hs_bytes hs_mls_leaf_encryption_key(const struct hs_mls_leaf *leaf);
struct hs_bytes hs_mls_leaf_signature_key(const struct hs_mls_leaf *leaf);
struct hs_mls_leaf *hs_mls_leaf_ref(struct hs_mls_leaf *leaf);
void hs_mls_leaf_unref(struct hs_mls_leaf *leaf);
void hs_mls_leaf_unref_at(struct hs_mls_leaf **leaf);
#define HS_MLS_LEAF HS_AUTO(hs_mls_leaf_unref_at)

/* What must hold of a leaf by itself: sound extensions; all of them, the credential's type, version and suite
 * within its own capabilities. MLS_LEAF. */
enum hs_err hs_mls_leaf_check(const struct hs_mls_suite *suite, const struct hs_mls_leaf *leaf);

/* The leaf's own signature (RFC 9420, 7.3); group id and index count but for KEY_PACKAGE. BAD_SIGNATURE. */
enum hs_err hs_mls_leaf_verify(const struct hs_mls_suite *suite, const struct hs_mls_leaf *leaf,
                               struct hs_bytes group_id, uint32_t index);

/* MLS_LEAF unless the leaf supports all that these GroupContext extensions ask for: their types, and what
 * required_capabilities lists; MALFORMED where that extension can't be read. */
enum hs_err hs_mls_leaf_supports(const struct hs_mls_leaf *leaf, struct hs_bytes group_extensions);

/* What a new leaf for an existing member is made of. */
struct hs_mls_leaf_renewal {
    const struct hs_mls_leaf *old; /* credential, capabilities and extensions stay */
    struct hs_bytes identity;      /* a new basic identity, or empty */
    struct hs_bytes encryption_key;
    const struct hs_mls_signer *signer; /* may have another key than the old leaf */
    enum hs_mls_leaf_source source;
    struct hs_bytes parent_hash;
    struct hs_bytes group_id;
    uint32_t index;
};

enum hs_err hs_mls_leaf_renew(const struct hs_mls_leaf_renewal *renewal, struct hs_mls_leaf **out);

/* The first leaf of a member, of source KEY_PACKAGE. INVALID_ARG for a lifetime that ends before it begins,
 * lists that are too long, an identity that is, or is no certificate list where it must be one. */
enum hs_err hs_mls_leaf_create(const struct hs_mls_leaf_params *params, struct hs_bytes encryption_key,
                               struct hs_mls_leaf **out);

/* The leaf as the outside sees it. */
struct hs_mls_member hs_mls_leaf_member(const struct hs_mls_leaf *leaf, uint32_t index);

/* True for the types that every implementation knows (RFC 9420, 7.2): they are not listed in capabilities. */
bool hs_mls_extension_is_default(uint16_t type);
bool hs_mls_proposal_is_default(uint16_t type);

enum {
    HS_MLS_EXT_APPLICATION_ID = 1,
    HS_MLS_EXT_RATCHET_TREE = 2,
    HS_MLS_EXT_REQUIRED_CAPABILITIES = 3,
    HS_MLS_EXT_EXTERNAL_PUB = 4,
    HS_MLS_EXT_EXTERNAL_SENDERS = 5,
    HS_MLS_EXT_LAST_RESORT = 10, /* of KeyPackages */
};

#endif

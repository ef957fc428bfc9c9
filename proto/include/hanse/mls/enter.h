/* libhanse-mls: how a member comes into a group: by making it, by Welcome, by an external commit, after
 * another group.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_ENTER_H
#define HANSE_MLS_ENTER_H

#include <hanse/mls/group.h>
#include <hanse/mls/key_package.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hanse_mls_create {
    size_t size;
    const struct hanse_mls_leaf *leaf;
    struct hanse_mls_bytes group_id;              /* 1 to HANSE_MLS_MAX_GROUP_ID bytes */
    const struct hanse_mls_extension *extensions; /* of the GroupContext; the leaf must support their types */
    size_t extension_count;
    const struct hanse_mls_settings *settings; /* NULL: the defaults; so everywhere */
};

/* A group of one, at epoch 0 (RFC 9420, 11). INVALID_ARG, MLS_LEAF (an extension that the leaf doesn't
 * support). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_create(const struct hanse_mls_create *create,
                                                                struct hanse_mls_group **out);

struct hanse_mls_join {
    size_t size;
    struct hanse_mls_bytes welcome;                   /* MLSMessage */
    struct hanse_mls_bytes key_package, private_half; /* of hanse_mls_key_package_new() */
    const struct hanse_mls_signer *signer;            /* the KeyPackage's */
    struct hanse_mls_bytes tree;                      /* ratchet tree, where it goes out of band */
    const struct hanse_mls_psk *psks;                 /* that the Welcome may name */
    size_t psk_count;
    const struct hanse_mls_group *from; /* the group that this one follows or branches from, or NULL */
    const struct hanse_mls_settings *settings;
};

/* Joins by Welcome and checks the whole group (RFC 9420, 12.4.3.1; 11.2 and 11.3 where it follows another).
 * Delete the KeyPackage's private half together with storing the group, but for a last-resort one. Whether
 * the inviter may invite is for the application: look at hanse_mls_group_inviter() and the members.
 * MLS_WELCOME (not for this KeyPackage, altered, or not what ReInit or branch allow), MLS_TREE, MLS_LEAF,
 * BAD_SIGNATURE, MLS_CONFIRMATION, MLS_VERSION, MALFORMED, NOT_FOUND (a PSK that isn't given), INVALID_ARG.
 */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_join(const struct hanse_mls_join *join,
                                                              struct hanse_mls_group **out);

/* The leaf that signed the Welcome's GroupInfo; one's own in a group that one created. */
HANSE_API uint32_t hanse_mls_group_inviter(const struct hanse_mls_group *group);

struct hanse_mls_external_join {
    size_t size;
    struct hanse_mls_bytes group_info; /* MLSMessage, of the current epoch, with external_pub */
    struct hanse_mls_bytes tree;       /* ratchet tree, where it goes out of band */
    const struct hanse_mls_leaf *leaf;
    bool resync; /* remove one's former leaf: the one with the same signature key */
    const struct hanse_mls_psk_id *psk_ids; /* to bring in */
    size_t psk_id_count;
    const struct hanse_mls_psk *psks; /* their secrets */
    size_t psk_count;
    struct hanse_mls_bytes authenticated_data;
    const struct hanse_mls_settings *settings;
};

/* Joins by an external commit (RFC 9420, 12.4.3.2). The commit goes to the orderer; the group, which is in
 * the next epoch already, counts only if it was accepted: else free it and join the newer epoch. group_info
 * (may be NULL): that of the new epoch, with tree. MLS_TREE, MLS_LEAF, BAD_SIGNATURE, MLS_VERSION, MALFORMED,
 * MLS_PROPOSAL (a key of one's own is in the group already), NOT_FOUND (no external_pub, former leaf or PSK),
 * INVALID_ARG. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_join_external(
    const struct hanse_mls_external_join *join, struct hanse_mls_buf *commit,
    struct hanse_mls_buf *group_info, struct hanse_mls_group **out);

/* Makes the group that a ReInit announced (RFC 9420, 11.2), or a branch (11.3): a new group with all of adds
 * in it, at epoch 1, bound to the old one by its resumption secret. */
struct hanse_mls_successor {
    size_t size;
    const struct hanse_mls_group *from;
    enum hanse_mls_psk_usage usage;     /* HANSE_MLS_PSK_REINIT or HANSE_MLS_PSK_BRANCH */
    const struct hanse_mls_leaf *leaf;  /* one's own; of the new suite */
    const struct hanse_mls_bytes *adds; /* KeyPackages of the others */
    size_t add_count;
    struct hanse_mls_bytes group_id;              /* BRANCH; a ReInit says it by itself */
    const struct hanse_mls_extension *extensions; /* BRANCH */
    size_t extension_count;
    bool tree_in_welcome;
    const struct hanse_mls_settings *settings;
};

/* welcome: one MLSMessage for all of adds. INVALID_STATE for a REINIT where none was committed, INVALID_ARG
 * for a BRANCH with a KeyPackage whose signature key isn't a member's; otherwise as create and commit. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_succeed(const struct hanse_mls_successor *successor,
                                                                 struct hanse_mls_buf *welcome,
                                                                 struct hanse_mls_group **out);

#ifdef __cplusplus
}
#endif

#endif

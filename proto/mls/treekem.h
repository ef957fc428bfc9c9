/* TreeKEM: update paths (RFC 9420, 7.4 to 7.6 and 12.4.2). */
#ifndef HS_MLS_TREEKEM_H
#define HS_MLS_TREEKEM_H

#include "mls/codec.h"
#include "mls/tree.h"

/* The private keys that a member knows on its way to the root, by level; [0] is the leaf's. */
struct hs_mls_path_keys {
    bool have[HS_MLS_MAX_DEPTH];
    struct hs_mls_secret priv[HS_MLS_MAX_DEPTH];
};

#define HS_MLS_PATH_KEYS HS_AUTO(hs_mls_path_keys_wipe)
void hs_mls_path_keys_wipe(struct hs_mls_path_keys *keys);

/* The path secrets of one commit, by level, as far as this member learns them, and what follows from them. */
struct hs_mls_path_secrets {
    bool have[HS_MLS_MAX_DEPTH];
    struct hs_mls_secret secret[HS_MLS_MAX_DEPTH];
    struct hs_mls_secret start; /* what the first of them is, or would be */
    struct hs_mls_secret commit;
};

#define HS_MLS_PATH_SECRETS HS_AUTO(hs_mls_path_secrets_wipe)
void hs_mls_path_secrets_wipe(struct hs_mls_path_secrets *secrets);

/* Leaves that this commit adds: they get their secrets by Welcome. Ascending. */
struct hs_mls_newcomers {
    const uint32_t *leaves;
    size_t count;
};

/* The level where the ways of two leaves meet. */
unsigned hs_mls_common_level(uint32_t a, uint32_t b);

/* A new path for a member in a tree that the proposals were applied to: fills in the filtered direct path and
 * the new leaf. renewal: encryption_key, source and parent_hash are set here; old is the member's leaf, or
 * that of source KEY_PACKAGE which an external committer has just made and put into the tree. */
enum hs_err hs_mls_path_make(struct hs_mls_tree *tree, const struct hs_mls_leaf_renewal *renewal,
                             struct hs_mls_path_keys *keys, struct hs_mls_path_secrets *secrets);

/* Encrypts that path to all others: writes the content of UpdatePath.nodes. context: the provisional
 * GroupContext. BAD_KEY, NOMEM. */
enum hs_err hs_mls_path_encrypt(const struct hs_mls_tree *tree, uint32_t sender,
                                const struct hs_mls_path_secrets *secrets,
                                const struct hs_mls_newcomers *newcomers, struct hs_bytes context,
                                struct hs_writer *nodes);

struct hs_mls_path_apply {
    uint32_t sender;
    bool newcomer; /* an external committer: its leaf was put into the tree just before, by
                      hs_mls_stage_newcomer(), so that there is no old key to differ from */
    const struct hs_mls_update_path *path;
    const struct hs_mls_newcomers *newcomers;
    struct hs_bytes group_id;
};

/* Applies a path's public part to a tree that the proposals were applied to, with all checks that need no
 * secret: the leaf, the number of nodes and ciphertexts, the parent hashes. MLS_COMMIT, MLS_LEAF, MLS_TREE,
 * NOMEM. */
enum hs_err hs_mls_path_apply(struct hs_mls_tree *tree, const struct hs_mls_path_apply *apply);

struct hs_mls_path_open {
    const struct hs_mls_tree *tree; /* with the path applied */
    uint32_t own, sender;
    const struct hs_mls_update_path *path;
    const struct hs_mls_newcomers *newcomers;
    struct hs_bytes context;
};

/* Decrypts the path secret meant for one's own part of the tree and derives all above; keys become the new
 * ones. DECRYPT, BAD_KEY, MLS_COMMIT (the secret doesn't match the public keys). */
enum hs_err hs_mls_path_open(const struct hs_mls_path_open *open, struct hs_mls_path_keys *keys,
                             struct hs_mls_path_secrets *secrets);

/* From the path secret of the node at that level over leaf: the keys and secrets up to the root, checked
 * against the tree's public keys (MLS_COMMIT). */
enum hs_err hs_mls_path_derive(const struct hs_mls_tree *tree, uint32_t leaf, unsigned level,
                               const struct hs_mls_secret *secret, struct hs_mls_path_keys *keys,
                               struct hs_mls_path_secrets *secrets);

/* Wipes the keys of nodes that the tree has blank. */
void hs_mls_path_keys_prune(const struct hs_mls_tree *tree, uint32_t leaf, struct hs_mls_path_keys *keys);

#endif

/* Which node of a tree has this key? A hash index, so that keys can be kept unique (RFC 9420, 7.3 and 12.4.2)
 * without looking at every member at every commit. Entries are hints: each find is checked against the tree,
 * so an entry of a node that has changed since does no harm. The index of the newest saved tree is in the
 * store too, kept by hs_mls_tree_save() and hs_mls_tree_revert(): a group that was loaded asks there for what
 * isn't in memory. */
#ifndef HS_MLS_KEYS_H
#define HS_MLS_KEYS_H

#include "mls/tree.h"

enum hs_mls_key_kind { HS_MLS_KEY_SIGNATURE = 1, HS_MLS_KEY_ENCRYPTION = 2 };

struct hs_mls_keys {
    uint8_t seed[16]; /* keyed hashing: nobody can choose keys that collide */
    struct hs_mls_keys_slot {
        uint32_t tag, node; /* node + 1; 0: free */
    } * slots;
    uint32_t used, size;
    bool stored; /* the tree's store has more */
};

void hs_mls_keys_init(struct hs_mls_keys *keys);

/* For a tree that was loaded. */
void hs_mls_keys_init_stored(struct hs_mls_keys *keys);

void hs_mls_keys_free(struct hs_mls_keys *keys);
#define HS_MLS_KEYS HS_AUTO(hs_mls_keys_free)

/* NOMEM. node: index in the array form. */
enum hs_err hs_mls_keys_add(struct hs_mls_keys *keys, enum hs_mls_key_kind kind, struct hs_bytes key,
                            uint32_t node);

/* The node of the tree that has the key now, other than except; false where there is none. What the store
 * fails to tell is noted in the tree (hs_mls_tree_error()). */
bool hs_mls_keys_find(const struct hs_mls_keys *keys, const struct hs_mls_tree *tree,
                      enum hs_mls_key_kind kind, struct hs_bytes key, uint32_t except, uint32_t *node);

#define HS_MLS_NO_NODE UINT32_MAX

/* Adds both keys of a leaf, or the key of a parent, at that index; MLS_TREE where another node of the tree
 * has it. */
enum hs_err hs_mls_keys_claim(struct hs_mls_keys *keys, const struct hs_mls_tree *tree, uint32_t node);

/* Claims every node of the tree. */
enum hs_err hs_mls_keys_claim_tree(struct hs_mls_keys *keys, const struct hs_mls_tree *tree);

/* Takes the index from one tree to another that shares most of it, as at a merge, or when a group goes back:
 * keys of nodes that changed go out, new ones come in. Nothing is judged. On failure entries may be left that
 * do no harm. */
enum hs_err hs_mls_keys_follow(struct hs_mls_keys *keys, const struct hs_mls_tree *before,
                               const struct hs_mls_tree *tree);

#endif

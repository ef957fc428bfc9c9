/* The ratchet tree (RFC 9420, 4.1 and 7) as a persistent tree: nodes are counted references, a copy of a tree
 * costs one reference, and a change replaces the nodes from one leaf to the root only (in place where nobody
 * else holds them). So a staged commit or a past epoch shares all that it doesn't change, and tree hashes
 * stay cached. */
#ifndef HS_MLS_TREE_H
#define HS_MLS_TREE_H

#include "mls/leaf.h"
#include "mls/limits.h"

struct hs_mls_node {
    uint32_t refs;
    uint8_t level; /* 0: a leaf */
    bool hashed;   /* hash is the tree hash of this subtree */
    bool filled;   /* a parent that isn't blank */
    bool has_parent_hash;
    uint32_t members; /* leaves below that aren't blank */
    struct hs_id hash;
    union {
        struct hs_mls_leaf *leaf; /* level 0; NULL: blank */
        struct {
            struct hs_mls_node *child[2];
            struct hs_key key;
            struct hs_id parent_hash;
            uint32_t *unmerged; /* sorted */
            uint32_t unmerged_count, unmerged_size;
        };
    };
};

struct hs_mls_tree {
    struct hs_mls_node *root; /* NULL: no tree */
};

/* A tree of one blank leaf. NOMEM. */
enum hs_err hs_mls_tree_init(struct hs_mls_tree *tree);
struct hs_mls_tree hs_mls_tree_share(const struct hs_mls_tree *tree);
void hs_mls_tree_free(struct hs_mls_tree *tree);
#define HS_MLS_TREE HS_AUTO(hs_mls_tree_free)

uint32_t hs_mls_tree_width(const struct hs_mls_tree *tree);
unsigned hs_mls_tree_depth(const struct hs_mls_tree *tree);

/* NULL for a blank leaf or one past the width; borrowed. */
struct hs_mls_leaf *hs_mls_tree_leaf(const struct hs_mls_tree *tree, uint32_t index);

/* The node at that index of the array form; NULL past the end. */
const struct hs_mls_node *hs_mls_tree_node(const struct hs_mls_tree *tree, uint32_t node);

/* The first leaf at or after *index that isn't blank; false at the end. */
bool hs_mls_tree_next(const struct hs_mls_tree *tree, uint32_t *index, struct hs_mls_leaf **leaf);

/* The nodes from a leaf (on[0]) to the root (on[depth]); co[level] is the sibling of on[level - 1]. */
struct hs_mls_tree_path {
    unsigned depth;
    struct hs_mls_node *on[HS_MLS_MAX_DEPTH], *co[HS_MLS_MAX_DEPTH];
};

/* leaf is below the width. The nodes are for looking at. */
void hs_mls_tree_path(const struct hs_mls_tree *tree, uint32_t leaf, struct hs_mls_tree_path *path);

/* The same, with nodes on the path that may be changed. NOMEM. */
enum hs_err hs_mls_tree_path_own(struct hs_mls_tree *tree, uint32_t leaf, struct hs_mls_tree_path *path);

/* Replaces a leaf (NULL: blank) and blanks the parents above it (RFC 9420, 7.7: Update, Remove). Takes a
 * reference of its own. */
enum hs_err hs_mls_tree_replace(struct hs_mls_tree *tree, uint32_t index, struct hs_mls_leaf *leaf);

/* Replaces a leaf and touches nothing else but hashes. */
enum hs_err hs_mls_tree_put(struct hs_mls_tree *tree, uint32_t index, struct hs_mls_leaf *leaf);

/* Puts a new member at the leftmost blank leaf, widening the tree where there is none, and notes it as
 * unmerged (RFC 9420, 7.7: Add). TOO_LARGE past HS_MLS_MAX_LEAVES. */
enum hs_err hs_mls_tree_add(struct hs_mls_tree *tree, struct hs_mls_leaf *leaf, uint32_t *index);

/* Drops the right half while it is blank (RFC 9420, 7.7: Remove). */
void hs_mls_tree_truncate(struct hs_mls_tree *tree);

/* Makes the tree that wide, a power of two: blank leaves are appended, or the right side cut off. */
enum hs_err hs_mls_tree_resize(struct hs_mls_tree *tree, uint32_t width);

/* The tree hash (RFC 9420, 7.8); only what changed is hashed again. NOMEM. */
enum hs_err hs_mls_tree_hash(struct hs_mls_tree *tree, struct hs_id *hash);

/* One entry of a resolution (RFC 9420, 4.1.1). */
struct hs_mls_resolved {
    const struct hs_mls_node *node;
    uint32_t index; /* in the array form */
};

struct hs_mls_resolution {
    struct hs_mls_resolved *list;
    size_t count, size;
};

void hs_mls_resolution_free(struct hs_mls_resolution *resolution);
#define HS_MLS_RESOLUTION HS_AUTO(hs_mls_resolution_free)

/* Appends the resolution of a node whose leftmost leaf is first. */
enum hs_err hs_mls_resolve(const struct hs_mls_node *node, uint32_t first, struct hs_mls_resolution *out);

/* True where the sorted list of unmerged leaves holds the leaf. */
bool hs_mls_node_is_unmerged(const struct hs_mls_node *node, uint32_t leaf);

/* The public key of a leaf or a parent that aren't blank. */
const struct hs_key *hs_mls_node_key(const struct hs_mls_node *node);

/* The parent's parts of a node that was owned through a path: filled anew, with nobody unmerged. */
void hs_mls_node_fill(struct hs_mls_node *node, const struct hs_key *key);
void hs_mls_node_blank(struct hs_mls_node *node);

/* The encoded ratchet_tree extension (RFC 9420, 12.4.3.3). */
void hs_mls_tree_write(const struct hs_mls_tree *tree, struct hs_writer *w);
enum hs_err hs_mls_tree_read(struct hs_bytes in, struct hs_mls_tree *out);

/* The hash for a node's parent_hash field (RFC 9420, 7.9) where sibling is the one not on the way. The
 * sibling is taken as it was before the leaves that are unmerged at the parent came. first: the sibling's
 * leftmost leaf. */
enum hs_err hs_mls_parent_hash(const struct hs_mls_node *parent, struct hs_mls_node *sibling, uint32_t first,
                               struct hs_id *out);

/* All that RFC 9420, 12.4.3.1 asks of a tree but for leaves' own validity: parent hashes, unmerged leaves. */
enum hs_err hs_mls_tree_check(struct hs_mls_tree *tree);

#endif

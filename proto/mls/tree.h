/* The ratchet tree (RFC 9420, 4.1 and 7) as a persistent tree: nodes are counted references, a copy of a tree
 * costs one reference, and a change replaces the nodes from one leaf to the root only (in place where nobody
 * else holds them). So a staged commit or a past epoch shares all that it doesn't change, and tree hashes
 * stay cached. A subtree where all is blank is one node, and what a store has is read when it is needed. */
#ifndef HS_MLS_TREE_H
#define HS_MLS_TREE_H

#include "mls/leaf.h"
#include "mls/limits.h"
#include "mls/store.h"

/* The content of a parent: key and parent hash stand in bytes, one after another; no key: blank. */
struct hs_mls_parent {
    struct hs_mls_node *child[2];
    uint8_t *unmerged; /* sorted leaf indices, four bytes each as RFC 9420 encodes them */
    uint32_t unmerged_count, unmerged_size;
    uint8_t key_len, parent_hash_len;
    uint8_t bytes[];
};

/* Its tree hash follows the struct in the same memory. */
struct hs_mls_node {
    uint32_t refs;
    uint8_t level;    /* 0: a leaf */
    bool filled;      /* a parent that isn't blank */
    bool hashed;      /* the tree hash of this subtree is known */
    bool saved;       /* the store has it, as made in that epoch */
    bool stub;        /* its content is in the store only */
    int16_t err;      /* of a root: what hs_mls_tree_error() answers */
    uint32_t index;   /* in the array form */
    uint32_t members; /* leaves below that aren't blank */
    uint64_t made;
    union {
        struct hs_mls_leaf *leaf;     /* level 0; NULL: blank */
        struct hs_mls_parent *parent; /* else; NULL: all below is blank too */
    };
};

struct hs_mls_tree {
    const struct hs_mls_suite *suite;
    const struct hs_mls_store *store; /* where nodes that aren't in memory are read; NULL: all are */
    struct hs_mls_node *root;         /* NULL: no tree */
};

/* A tree of one blank leaf. NOMEM. */
enum hs_err hs_mls_tree_init(const struct hs_mls_suite *suite, struct hs_mls_tree *tree);
struct hs_mls_tree hs_mls_tree_share(const struct hs_mls_tree *tree);
void hs_mls_tree_free(struct hs_mls_tree *tree);
#define HS_MLS_TREE HS_AUTO(hs_mls_tree_free)

uint32_t hs_mls_tree_width(const struct hs_mls_tree *tree);
unsigned hs_mls_tree_depth(const struct hs_mls_tree *tree);

/* NULL for a blank leaf or one past the width; borrowed. */
struct hs_mls_leaf *hs_mls_tree_leaf(const struct hs_mls_tree *tree, uint32_t index);

/* The node at that index of the array form, with its content; NULL past the end. */
const struct hs_mls_node *hs_mls_tree_node(const struct hs_mls_tree *tree, uint32_t node);

/* The first leaf at or after *index that isn't blank; false at the end. */
bool hs_mls_tree_next(const struct hs_mls_tree *tree, uint32_t *index, struct hs_mls_leaf **leaf);

/* The nodes from a leaf (on[0]) to the root (on[depth]); co[level] is the sibling of on[level - 1]. */
struct hs_mls_tree_path {
    unsigned depth;
    struct hs_mls_node *on[HS_MLS_MAX_DEPTH], *co[HS_MLS_MAX_DEPTH];
};

/* leaf is below the width. The nodes are for looking at; of co those fields alone that stand in the node
 * itself. */
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

/* Drops the right half while it is blank (RFC 9420, 7.7: Remove). NOMEM, the store's errors. */
enum hs_err hs_mls_tree_truncate(struct hs_mls_tree *tree);

/* Makes the tree that wide, a power of two: blank leaves are appended, or the right side cut off. */
enum hs_err hs_mls_tree_resize(struct hs_mls_tree *tree, uint32_t width);

/* The tree hash (RFC 9420, 7.8); only what changed is hashed again. NOMEM. */
enum hs_err hs_mls_tree_hash(struct hs_mls_tree *tree, struct hs_mls_hash *hash);

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

/* Appends the resolution of a node of that tree. NOMEM. */
enum hs_err hs_mls_resolve(const struct hs_mls_tree *tree, struct hs_mls_node *node,
                           struct hs_mls_resolution *out);

/* One of the unmerged leaves of a parent that is filled; true where the sorted list holds the leaf. */
uint32_t hs_mls_node_unmerged(const struct hs_mls_node *node, uint32_t place);
bool hs_mls_node_is_unmerged(const struct hs_mls_node *node, uint32_t leaf);

/* The public key of a leaf or a parent that aren't blank; the parent hash of a parent; the tree hash, once it
 * was asked for. Borrowed. */
struct hs_bytes hs_mls_node_key(const struct hs_mls_node *node);
struct hs_bytes hs_mls_node_parent_hash(const struct hs_mls_node *node);
struct hs_bytes hs_mls_node_hash(const struct hs_mls_tree *tree, const struct hs_mls_node *node);

/* The parent's parts of a node that was owned through a path: filled anew, with no parent hash and nobody
 * unmerged; the key has the suite's length. */
void hs_mls_node_fill(struct hs_mls_node *node, struct hs_bytes key);
void hs_mls_node_set_parent_hash(struct hs_mls_node *node, struct hs_bytes hash);
void hs_mls_node_blank(struct hs_mls_node *node);

/* The encoded ratchet_tree extension (RFC 9420, 12.4.3.3). */
void hs_mls_tree_write(const struct hs_mls_tree *tree, struct hs_writer *w);
enum hs_err hs_mls_tree_read(const struct hs_mls_suite *suite, struct hs_bytes in, struct hs_mls_tree *out);

/* Storage (store.h). Each node is a record of its own, named by its place and the epoch that made it, so that
 * the trees of several epochs share what they have in common and a commit writes its path alone.
 *
 * save: writes the nodes of the epoch's tree that no tree before has, its root, and the list of what it
 * replaced in the tree that was saved before it (NULL for the first). Epochs ascend; they may leave gaps. The
 * tree then reads from this store too. load: the tree of that epoch; nothing is read but the root. forget:
 * the tree of the oldest epoch isn't needed any more; next is the epoch that follows it in the store. revert:
 * deletes what the newest epoch wrote, so that the one before it is the newest again. */
enum hs_err hs_mls_tree_save(struct hs_mls_tree *tree, const struct hs_mls_tree *before,
                             const struct hs_mls_store *store, uint64_t epoch);
enum hs_err hs_mls_tree_load(const struct hs_mls_suite *suite, const struct hs_mls_store *store,
                             uint64_t epoch, struct hs_mls_tree *out);
enum hs_err hs_mls_tree_forget(const struct hs_mls_store *store, uint64_t epoch, uint64_t next);
enum hs_err hs_mls_tree_revert(const struct hs_mls_suite *suite, const struct hs_mls_store *store,
                               uint64_t epoch);

/* A node that can't be read from the store (its error, or NOMEM) looks blank, and the failure is kept here:
 * the steps that judge or change a group ask for it at their end, before anything counts. */
enum hs_err hs_mls_tree_error(const struct hs_mls_tree *tree);

/* The hash for a node's parent_hash field (RFC 9420, 7.9) where sibling is the child of parent that is not on
 * the way. The sibling is taken as it was before the leaves that are unmerged at the parent came. */
enum hs_err hs_mls_parent_hash(const struct hs_mls_tree *tree, const struct hs_mls_node *parent,
                               struct hs_mls_node *sibling, struct hs_mls_hash *out);

/* All that RFC 9420, 12.4.3.1 asks of a tree but for leaves' own validity: parent hashes, unmerged leaves. */
enum hs_err hs_mls_tree_check(struct hs_mls_tree *tree);

#endif

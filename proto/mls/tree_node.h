/* The nodes of a tree: made, shared, owned, read from the store when their content is needed. */
#ifndef HS_MLS_TREE_NODE_H
#define HS_MLS_TREE_NODE_H

#include "mls/tree.h"

/* A node where all is blank; NULL without memory. */
struct hs_mls_node *hs_mls_node_new(const struct hs_mls_suite *suite, unsigned level, uint32_t index);
void hs_mls_node_unref(struct hs_mls_node *node);

/* Gives a node that has none the content of a blank parent, its children where they are NULL yet being all
 * blank. NOMEM. */
enum hs_err hs_mls_node_content(const struct hs_mls_suite *suite, struct hs_mls_node *node);

/* Sees to it that the content is in memory: of a stub from the store (its errors, MALFORMED), of a parent
 * where all is blank made (NOMEM). A failure is noted in the tree. */
enum hs_err hs_mls_node_open(const struct hs_mls_tree *tree, struct hs_mls_node *node);

/* The node with its content in memory. Where it can't be had, a blank one that is for looking at only; the
 * failure is noted in the tree. */
struct hs_mls_node *hs_mls_node_opened(const struct hs_mls_tree *tree, struct hs_mls_node *node);

/* The child on that side, blank and noted like that too. */
struct hs_mls_node *hs_mls_node_child(const struct hs_mls_tree *tree, struct hs_mls_node *node,
                                      unsigned side);

/* The leaf of a node of level 0; NULL where it is blank or can't be read (noted). */
struct hs_mls_leaf *hs_mls_node_leaf(const struct hs_mls_tree *tree, struct hs_mls_node *node);

/* Makes *slot a node that nobody else holds, with its content, to be changed by the caller. NOMEM, the
 * store's errors. */
enum hs_err hs_mls_node_own(const struct hs_mls_tree *tree, struct hs_mls_node **slot);

/* Is everything below blank, and kept as this one node? */
bool hs_mls_node_is_bare(const struct hs_mls_node *node);

/* Drops the content of a blank parent that has bare children alone. */
void hs_mls_node_strip(struct hs_mls_node *node);

/* The same for all below, where no member is. */
void hs_mls_node_strip_all(struct hs_mls_node *node);

/* Forgets the content of a parent. */
void hs_mls_node_drop_content(struct hs_mls_node *node);

/* Makes room for that many unmerged leaves. NOMEM. */
enum hs_err hs_mls_node_reserve_unmerged(struct hs_mls_node *node, uint32_t count);

/* Fills in the content of a stub (tree_store.c). */
enum hs_err hs_mls_node_read(const struct hs_mls_tree *tree, struct hs_mls_node *node);

/* Keeps the first failure in the tree; returns it. */
enum hs_err hs_mls_tree_fail(const struct hs_mls_tree *tree, enum hs_err err);

static inline uint8_t *hs_mls_node_hash_bytes(struct hs_mls_node *node)
{
    return (uint8_t *)(node + 1);
}

/* The leftmost leaf below, and how many there are. */
static inline uint32_t hs_mls_node_first(const struct hs_mls_node *node)
{
    return (node->index + 1 - ((uint32_t)1 << node->level)) / 2;
}

static inline uint32_t hs_mls_node_span(const struct hs_mls_node *node)
{
    return (uint32_t)1 << node->level;
}

/* On which side of a parent a leaf below it is. */
static inline unsigned hs_mls_node_side(const struct hs_mls_node *node, uint32_t leaf)
{
    return leaf >> (node->level - 1) & 1;
}

#endif

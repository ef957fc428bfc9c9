/* What one tree has and another one hasn't: the way through both that costs no more than they differ. */
#ifndef HS_MLS_TREE_DIFF_H
#define HS_MLS_TREE_DIFF_H

#include "mls/keys.h"
#include "mls/tree_node.h"

struct hs_mls_tree_diff {
    const struct hs_mls_tree *of, *other; /* other NULL: all of the first */
    void *context;
    /* Called for each node of the first tree that isn't shared, children first, with its content. other: the
     * node with the same place in the other tree, or NULL where all is blank. */
    enum hs_err (*visit)(void *context, struct hs_mls_node *node, struct hs_mls_node *other);
};

/* The visits' errors, NOMEM, the store's errors. */
enum hs_err hs_mls_tree_diff(const struct hs_mls_tree_diff *diff);

/* Visits each key that the node has and the other one, with the same place or NULL, hasn't. */
enum hs_err hs_mls_node_new_keys(const struct hs_mls_node *node, const struct hs_mls_node *other,
                                 enum hs_err (*visit)(void *context, enum hs_mls_key_kind kind,
                                                      struct hs_bytes key, uint32_t node),
                                 void *context);

#endif

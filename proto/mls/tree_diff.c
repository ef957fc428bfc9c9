#include "mls/tree_diff.h"

static bool are_same(const struct hs_mls_node *a, const struct hs_mls_node *b)
{
    return a == b || (b != NULL && a->saved && b->saved && a->made == b->made && a->index == b->index);
}

/* A node with its content; NULL where all is blank, however it is kept. */
static enum hs_err opened(const struct hs_mls_tree *tree, struct hs_mls_node **node)
{
    if (*node == NULL)
        return HS_OK;
    hs_mls_node_strip_all(*node);
    if (hs_mls_node_is_bare(*node)) {
        *node = NULL;
        return HS_OK;
    }
    return hs_mls_node_open(tree, *node);
}

static struct hs_mls_node *child_of(const struct hs_mls_node *node, unsigned side)
{
    return node->level > 0 ? node->parent->child[side] : NULL;
}

/* Of trees that differ in width the smaller one is the left side of the other. */
static enum hs_err visit_below(const struct hs_mls_tree_diff *diff, struct hs_mls_node *node,
                               struct hs_mls_node *other)
{
    if (node == NULL || are_same(node, other))
        return HS_OK;
    HS_TRY(opened(diff->of, &node));
    if (node == NULL)
        return HS_OK;
    if (other != NULL)
        HS_TRY(opened(diff->other, &other));
    if (other != NULL && other->level > node->level)
        return visit_below(diff, node, child_of(other, 0));
    bool same_place = other != NULL && other->level == node->level;
    HS_TRY(visit_below(diff, child_of(node, 0), same_place ? child_of(other, 0) : other));
    HS_TRY(visit_below(diff, child_of(node, 1), same_place ? child_of(other, 1) : NULL));
    return diff->visit(diff->context, node, same_place ? other : NULL);
}

enum hs_err hs_mls_tree_diff(const struct hs_mls_tree_diff *diff)
{
    return visit_below(diff, diff->of->root, diff->other != NULL ? diff->other->root : NULL);
}

enum hs_err hs_mls_node_new_keys(const struct hs_mls_node *node, const struct hs_mls_node *other,
                                 enum hs_err (*visit)(void *context, enum hs_mls_key_kind kind,
                                                      struct hs_bytes key, uint32_t node),
                                 void *context)
{
    if (node->level > 0 && !node->filled)
        return HS_OK;
    if (other != NULL && other->level > 0 && !other->filled)
        other = NULL;
    if (other == NULL || !hs_bytes_equal(hs_mls_node_key(node), hs_mls_node_key(other)))
        HS_TRY(visit(context, HS_MLS_KEY_ENCRYPTION, hs_mls_node_key(node), node->index));
    if (node->level > 0)
        return HS_OK;
    struct hs_bytes key = hs_mls_leaf_signature_key(node->leaf);
    if (other != NULL && hs_bytes_equal(key, hs_mls_leaf_signature_key(other->leaf)))
        return HS_OK;
    return visit(context, HS_MLS_KEY_SIGNATURE, key, node->index);
}

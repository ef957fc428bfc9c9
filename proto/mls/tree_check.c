/* Is this tree one that honest members could have made (RFC 9420, 7.9.2 and 12.4.3.1)? */
#include "mls/tree_node.h"

/* A part of a parent's sorted list of unmerged leaves. */
struct part {
    const struct hs_mls_node *of;
    uint32_t from, to;
};

/* The first place in the part whose leaf is not before this one. */
static uint32_t part_cut(const struct part *part, uint32_t leaf)
{
    uint32_t low = part->from, high = part->to;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (hs_mls_node_unmerged(part->of, middle) < leaf)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Each leaf of the part, which lies below node, is unmerged at the next filled nodes below, or a member. What
 * is further below follows from their own checks. */
static enum hs_err check_part(const struct hs_mls_tree *tree, struct hs_mls_node *node, struct part part)
{
    if (part.from == part.to)
        return HS_OK;
    HS_TRY(hs_mls_node_open(tree, node));
    if (node->level == 0)
        return node->leaf != NULL ? HS_OK : HS_ERR_MLS_TREE;
    if (!node->filled) {
        struct hs_mls_node *right = node->parent->child[1];
        uint32_t cut = part_cut(&part, hs_mls_node_first(right));
        HS_TRY(check_part(tree, node->parent->child[0], (struct part){part.of, part.from, cut}));
        return check_part(tree, right, (struct part){part.of, cut, part.to});
    }
    for (uint32_t i = part.from, at = 0; i < part.to; i++) {
        uint32_t leaf = hs_mls_node_unmerged(part.of, i);
        while (at < node->parent->unmerged_count && hs_mls_node_unmerged(node, at) < leaf)
            at++;
        HS_REQUIRE(at < node->parent->unmerged_count && hs_mls_node_unmerged(node, at) == leaf,
                   HS_ERR_MLS_TREE);
    }
    return HS_OK;
}

/* Unmerged leaves: sorted, members below this node, and unmerged too at every filled node between. */
static enum hs_err check_unmerged(const struct hs_mls_tree *tree, struct hs_mls_node *node)
{
    uint32_t count = node->parent->unmerged_count, first = hs_mls_node_first(node);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t leaf = hs_mls_node_unmerged(node, i);
        HS_REQUIRE(leaf >= first && leaf - first < hs_mls_node_span(node), HS_ERR_MLS_TREE);
        HS_REQUIRE(i == 0 || hs_mls_node_unmerged(node, i - 1) < leaf, HS_ERR_MLS_TREE);
    }
    struct hs_mls_node *right = node->parent->child[1];
    uint32_t cut = part_cut(&(struct part){node, 0, count}, hs_mls_node_first(right));
    HS_TRY(check_part(tree, node->parent->child[0], (struct part){node, 0, cut}));
    return check_part(tree, right, (struct part){node, cut, count});
}

static bool has_parent_hash(const struct hs_mls_node *node, const struct hs_mls_hash *hash)
{
    if (node->level > 0)
        return hs_bytes_equal(hs_mls_node_parent_hash(node), HS_MLS_VIEW(*hash));
    struct hs_mls_leaf_node leaf = hs_mls_leaf_node(node->leaf);
    return leaf.source == HS_MLS_LEAF_COMMIT && hs_bytes_equal(leaf.parent_hash, HS_MLS_VIEW(*hash));
}

/* The one node of the child's resolution that isn't an unmerged leaf of the parent; NULL where there isn't
 * exactly one, or where an unmerged leaf below the child is missing from the resolution. */
static const struct hs_mls_node *chained(const struct hs_mls_node *parent, const struct hs_mls_node *child,
                                         const struct hs_mls_resolution *resolution)
{
    const struct part all = {parent, 0, parent->parent->unmerged_count};
    const struct hs_mls_node *found = NULL;
    uint32_t first = hs_mls_node_first(child);
    uint32_t unmerged = part_cut(&all, first + hs_mls_node_span(child)) - part_cut(&all, first);
    if (resolution->count != (size_t)unmerged + 1)
        return NULL;
    for (size_t i = 0; i < resolution->count; i++) {
        const struct hs_mls_resolved *at = &resolution->list[i];
        if (at->node->level == 0 && hs_mls_node_is_unmerged(parent, at->index / 2))
            continue;
        if (found != NULL)
            return NULL;
        found = at->node;
    }
    return found;
}

/* Is the parent bound by a node below that child (RFC 9420, 7.9.2)? */
static enum hs_err chained_through(const struct hs_mls_tree *tree, const struct hs_mls_node *node,
                                   unsigned side, bool *valid)
{
    struct hs_mls_resolution HS_MLS_RESOLUTION resolution = {0};
    struct hs_mls_hash hash;
    HS_TRY(hs_mls_resolve(tree, node->parent->child[side], &resolution));
    const struct hs_mls_node *found = chained(node, node->parent->child[side], &resolution);
    *valid = false;
    if (found == NULL)
        return HS_OK;
    HS_TRY(hs_mls_parent_hash(tree, node, node->parent->child[1 - side], &hash));
    *valid = has_parent_hash(found, &hash);
    return HS_OK;
}

static enum hs_err check_node(const struct hs_mls_tree *tree, struct hs_mls_node *node)
{
    if (node->level == 0 || hs_mls_node_is_bare(node))
        return HS_OK;
    HS_TRY(hs_mls_node_open(tree, node));
    HS_TRY(check_node(tree, node->parent->child[0]));
    HS_TRY(check_node(tree, node->parent->child[1]));
    if (!node->filled)
        return HS_OK;
    HS_TRY(check_unmerged(tree, node));
    bool valid = false;
    HS_TRY(chained_through(tree, node, 0, &valid));
    if (!valid)
        HS_TRY(chained_through(tree, node, 1, &valid));
    return valid ? HS_OK : HS_ERR_MLS_TREE;
}

enum hs_err hs_mls_tree_check(struct hs_mls_tree *tree)
{
    HS_REQUIRE(tree->root->members > 0, HS_ERR_MLS_TREE);
    return check_node(tree, tree->root);
}

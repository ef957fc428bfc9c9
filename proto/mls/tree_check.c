/* Is this tree one that honest members could have made (RFC 9420, 7.9.2 and 12.4.3.1)? */
#include "mls/tree.h"

/* Unmerged leaves: sorted, members below this node, and unmerged too at every filled node between. */
static enum hs_err check_unmerged(const struct hs_mls_node *node, uint32_t first)
{
    uint32_t width = (uint32_t)1 << node->level;
    for (uint32_t i = 0; i < node->unmerged_count; i++) {
        uint32_t leaf = node->unmerged[i];
        HS_REQUIRE(leaf >= first && leaf - first < width, HS_ERR_MLS_TREE);
        HS_REQUIRE(i == 0 || node->unmerged[i - 1] < leaf, HS_ERR_MLS_TREE);
        const struct hs_mls_node *at = node->child[leaf >> (node->level - 1) & 1];
        for (; at->level > 0; at = at->child[leaf >> (at->level - 1) & 1])
            HS_REQUIRE(!at->filled || hs_mls_node_is_unmerged(at, leaf), HS_ERR_MLS_TREE);
        HS_REQUIRE(at->leaf != NULL, HS_ERR_MLS_TREE);
    }
    return HS_OK;
}

static bool has_parent_hash(const struct hs_mls_node *node, const struct hs_id *hash)
{
    if (node->level > 0)
        return node->has_parent_hash && hs_id_equal(&node->parent_hash, hash);
    const struct hs_mls_leaf_node *leaf = &node->leaf->node;
    return leaf->source == HS_MLS_LEAF_COMMIT && hs_bytes_equal(leaf->parent_hash, HS_VIEW(*hash));
}

/* The one node of the child's resolution that isn't an unmerged leaf of the parent; NULL where there isn't
 * exactly one, or where an unmerged leaf below the child is missing from the resolution. */
static const struct hs_mls_node *chained(const struct hs_mls_node *parent, uint32_t first, uint32_t width,
                                         const struct hs_mls_resolution *resolution)
{
    const struct hs_mls_node *found = NULL;
    size_t unmerged = 0;
    for (size_t i = 0; i < resolution->count; i++) {
        const struct hs_mls_resolved *at = &resolution->list[i];
        if (at->node->level == 0 && hs_mls_node_is_unmerged(parent, at->index / 2))
            continue;
        if (found != NULL)
            return NULL;
        found = at->node;
    }
    for (uint32_t i = 0; i < parent->unmerged_count; i++)
        unmerged += parent->unmerged[i] >= first && parent->unmerged[i] - first < width;
    return found != NULL && resolution->count == unmerged + 1 ? found : NULL;
}

/* Is the parent bound by a node below that child (RFC 9420, 7.9.2)? */
static enum hs_err chained_through(struct hs_mls_node *node, uint32_t first, unsigned side, bool *valid)
{
    uint32_t half = (uint32_t)1 << (node->level - 1);
    uint32_t child_first = first + (side == 0 ? 0 : half), sibling_first = first + (side == 0 ? half : 0);
    struct hs_mls_resolution HS_MLS_RESOLUTION resolution = {0};
    struct hs_id hash;
    HS_TRY(hs_mls_resolve(node->child[side], child_first, &resolution));
    const struct hs_mls_node *found = chained(node, child_first, half, &resolution);
    *valid = false;
    if (found == NULL)
        return HS_OK;
    HS_TRY(hs_mls_parent_hash(node, node->child[1 - side], sibling_first, &hash));
    *valid = has_parent_hash(found, &hash);
    return HS_OK;
}

static enum hs_err check_node(struct hs_mls_node *node, uint32_t first)
{
    if (node->level == 0)
        return HS_OK;
    HS_TRY(check_node(node->child[0], first));
    HS_TRY(check_node(node->child[1], first + ((uint32_t)1 << (node->level - 1))));
    if (!node->filled)
        return HS_OK;
    HS_TRY(check_unmerged(node, first));
    bool valid = false;
    HS_TRY(chained_through(node, first, 0, &valid));
    if (!valid)
        HS_TRY(chained_through(node, first, 1, &valid));
    return valid ? HS_OK : HS_ERR_MLS_TREE;
}

enum hs_err hs_mls_tree_check(struct hs_mls_tree *tree)
{
    HS_REQUIRE(tree->root->members > 0, HS_ERR_MLS_TREE);
    return check_node(tree->root, 0);
}

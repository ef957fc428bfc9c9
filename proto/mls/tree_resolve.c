/* Resolutions (RFC 9420, 4.1.1). */
#include "mls/tree_node.h"

#include <stdlib.h>

void hs_mls_resolution_free(struct hs_mls_resolution *resolution)
{
    free(resolution->list);
    *resolution = (struct hs_mls_resolution){0};
}

static enum hs_err resolution_push(struct hs_mls_resolution *out, const struct hs_mls_node *node)
{
    if (out->count == out->size) {
        size_t size = out->size == 0 ? 16 : 2 * out->size;
        struct hs_mls_resolved *list = realloc(out->list, size * sizeof *list);
        HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
        out->list = list;
        out->size = size;
    }
    out->list[out->count++] = (struct hs_mls_resolved){.node = node, .index = node->index};
    return HS_OK;
}

/* The leaf of a tree's node that is unmerged there. */
static enum hs_err push_unmerged(const struct hs_mls_tree *tree, struct hs_mls_node *node, uint32_t leaf,
                                 struct hs_mls_resolution *out)
{
    while (node->level > 0) {
        HS_TRY(hs_mls_node_open(tree, node));
        node = node->parent->child[hs_mls_node_side(node, leaf)];
    }
    HS_TRY(hs_mls_node_open(tree, node));
    return resolution_push(out, node);
}

enum hs_err hs_mls_resolve(const struct hs_mls_tree *tree, struct hs_mls_node *node,
                           struct hs_mls_resolution *out)
{
    if (hs_mls_node_is_bare(node))
        return HS_OK;
    HS_TRY(hs_mls_node_open(tree, node));
    if (node->level == 0)
        return resolution_push(out, node);
    if (!node->filled) {
        HS_TRY(hs_mls_resolve(tree, node->parent->child[0], out));
        return hs_mls_resolve(tree, node->parent->child[1], out);
    }
    HS_TRY(resolution_push(out, node));
    for (uint32_t i = 0; i < node->parent->unmerged_count; i++)
        HS_TRY(push_unmerged(tree, node, hs_mls_node_unmerged(node, i), out));
    return HS_OK;
}

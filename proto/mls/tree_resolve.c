/* Resolutions (RFC 9420, 4.1.1). */
#include "mls/tree.h"

#include <stdlib.h>

void hs_mls_resolution_free(struct hs_mls_resolution *resolution)
{
    free(resolution->list);
    *resolution = (struct hs_mls_resolution){0};
}

static enum hs_err resolution_push(struct hs_mls_resolution *out, const struct hs_mls_node *node,
                                   uint32_t index)
{
    if (out->count == out->size) {
        size_t size = out->size == 0 ? 16 : 2 * out->size;
        struct hs_mls_resolved *list = realloc(out->list, size * sizeof *list);
        HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
        out->list = list;
        out->size = size;
    }
    out->list[out->count++] = (struct hs_mls_resolved){.node = node, .index = index};
    return HS_OK;
}

enum hs_err hs_mls_resolve(const struct hs_mls_node *node, uint32_t first, struct hs_mls_resolution *out)
{
    if (node->level == 0)
        return node->leaf != NULL ? resolution_push(out, node, 2 * first) : HS_OK;
    uint32_t half = (uint32_t)1 << (node->level - 1);
    if (!node->filled) {
        HS_TRY(hs_mls_resolve(node->child[0], first, out));
        return hs_mls_resolve(node->child[1], first + half, out);
    }
    HS_TRY(resolution_push(out, node, 2 * first + 2 * half - 1));
    for (uint32_t i = 0; i < node->unmerged_count; i++) {
        const struct hs_mls_node *leaf = node;
        while (leaf->level > 0)
            leaf = leaf->child[node->unmerged[i] >> (leaf->level - 1) & 1];
        HS_TRY(resolution_push(out, leaf, 2 * node->unmerged[i]));
    }
    return HS_OK;
}

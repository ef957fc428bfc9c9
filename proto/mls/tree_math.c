#include "mls/tree_math.h"

unsigned hs_mls_node_level(uint32_t node)
{
    unsigned level = 0;
    while (level < 32 && (node >> level & 1) == 1)
        level++;
    return level;
}

/* The indices of a tree of more than 2^31 leaves don't fit 32 bits: there is none. */
static bool is_width(uint32_t width)
{
    return width != 0 && (width & (width - 1)) == 0;
}

uint32_t hs_mls_node_width(uint32_t width)
{
    return is_width(width) ? 2 * (width - 1) + 1 : 0;
}

uint32_t hs_mls_node_root(uint32_t width)
{
    return width - 1;
}

uint32_t hs_mls_node_over(uint32_t leaf, unsigned level)
{
    HS_ASSERT(level < 32 && leaf < (uint32_t)1 << 31);
    return (uint32_t)(((uint64_t)(leaf >> level) << (level + 1)) + (((uint64_t)1 << level) - 1));
}

enum hs_err hs_mls_node_left(uint32_t node, uint32_t *out)
{
    unsigned level = hs_mls_node_level(node);
    HS_REQUIRE(level > 0 && level < 32, HS_ERR_INVALID_ARG);
    *out = node ^ ((uint32_t)1 << (level - 1));
    return HS_OK;
}

enum hs_err hs_mls_node_right(uint32_t node, uint32_t *out)
{
    unsigned level = hs_mls_node_level(node);
    HS_REQUIRE(level > 0 && level < 32, HS_ERR_INVALID_ARG);
    *out = node ^ ((uint32_t)3 << (level - 1));
    return HS_OK;
}

enum hs_err hs_mls_node_parent(uint32_t node, uint32_t width, uint32_t *out)
{
    HS_REQUIRE(node < hs_mls_node_width(width) && node != hs_mls_node_root(width), HS_ERR_INVALID_ARG);
    unsigned level = hs_mls_node_level(node); /* below the root's, which is 31 at most */
    uint32_t bit = node >> (level + 1) & 1;
    *out = (node | (uint32_t)1 << level) ^ (bit << (level + 1));
    return HS_OK;
}

enum hs_err hs_mls_node_sibling(uint32_t node, uint32_t width, uint32_t *out)
{
    uint32_t parent;
    HS_TRY(hs_mls_node_parent(node, width, &parent));
    return node < parent ? hs_mls_node_right(parent, out) : hs_mls_node_left(parent, out);
}

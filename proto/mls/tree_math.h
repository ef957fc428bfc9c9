/* Node indices of the array form of a tree (RFC 9420, 4.1.2 and appendix C). Leaves are even, parents odd;
 * the width is the number of leaves, a power of two. A bad index is an error, never clamped. */
#ifndef HS_MLS_TREE_MATH_H
#define HS_MLS_TREE_MATH_H

#include "base/err.h"

#include <stdint.h>

/* 0 for a leaf. */
unsigned hs_mls_node_level(uint32_t node);

/* Nodes of a tree: 2 * width - 1; 0 for what is no width. */
uint32_t hs_mls_node_width(uint32_t width);

uint32_t hs_mls_node_root(uint32_t width);

/* The node over leaf (below 2^31) at that level (below 32); the tree need not be that high. */
uint32_t hs_mls_node_over(uint32_t leaf, unsigned level);

/* INVALID_ARG for a leaf's child, the root's parent or sibling, a node past the width, or what is no width.
 */
enum hs_err hs_mls_node_left(uint32_t node, uint32_t *out);
enum hs_err hs_mls_node_right(uint32_t node, uint32_t *out);
enum hs_err hs_mls_node_parent(uint32_t node, uint32_t width, uint32_t *out);
enum hs_err hs_mls_node_sibling(uint32_t node, uint32_t width, uint32_t *out);

#endif

/* Tree hashes and parent hashes (RFC 9420, 7.8 and 7.9), straight from the nodes. */
#include "mls/tree_node.h"

#include <stdlib.h>

enum { TYPE_LEAF = 1, TYPE_PARENT = 2, MOST_PARTS = 16 };

/* What is hashed, in parts, with the headers of vectors in a buffer of its own. */
struct input {
    struct hs_bytes parts[MOST_PARTS];
    size_t count, used;
    uint8_t heads[4 * MOST_PARTS];
};

static void add(struct input *in, struct hs_bytes bytes)
{
    in->parts[in->count++] = bytes;
}

static void add_byte(struct input *in, uint8_t byte)
{
    in->heads[in->used] = byte;
    add(in, hs_bytes(&in->heads[in->used++], 1));
}

/* A vector with its header (RFC 9420, 2.1.2). */
static void add_vec(struct input *in, struct hs_bytes bytes)
{
    uint8_t *head = &in->heads[in->used];
    size_t len = bytes.len < 0x40 ? 1 : bytes.len < 0x4000 ? 2 : 4;
    for (size_t i = 0; i < len; i++)
        head[i] = (uint8_t)(bytes.len >> (8 * (len - 1 - i)));
    head[0] |= (uint8_t)(len == 1 ? 0 : len == 2 ? 0x40 : 0x80);
    in->used += len;
    add(in, hs_bytes(head, len));
    add(in, bytes);
}

static void digest(const struct hs_mls_suite *suite, const struct input *in, uint8_t *out)
{
    suite->hash(in->parts, in->count, out);
}

/* Leaves that count as removed: sorted. */
struct without {
    const struct hs_mls_node *node;
    uint32_t count;
};

static const struct without nobody;

static uint32_t below(const struct without *without, uint32_t leaf)
{
    uint32_t low = 0, high = without->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (hs_mls_node_unmerged(without->node, middle) < leaf)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void hash_leaf(const struct hs_mls_suite *suite, const struct hs_mls_leaf *leaf, uint32_t index,
                      uint8_t *out)
{
    const uint8_t head[] = {
        TYPE_LEAF,   (uint8_t)(index >> 24), (uint8_t)(index >> 16), (uint8_t)(index >> 8), (uint8_t)index,
        leaf != NULL};
    struct input in;
    in.count = in.used = 0;
    add(&in, hs_bytes(head, sizeof head));
    if (leaf != NULL)
        add(&in, hs_bytes(leaf->bytes, leaf->len));
    digest(suite, &in, out);
}

/* The unmerged leaves that are left: in a buffer of their own only where some are not. */
static enum hs_err unmerged_without(const struct hs_mls_node *node, const struct without *without,
                                    uint8_t **own, struct hs_bytes *out)
{
    const struct hs_mls_parent *parent = node->parent;
    *own = NULL;
    *out = hs_bytes(parent->unmerged, (size_t)4 * parent->unmerged_count);
    if (without->count == 0 || parent->unmerged_count == 0)
        return HS_OK;
    *own = malloc(out->len);
    HS_REQUIRE(*own != NULL, HS_ERR_NOMEM);
    size_t kept = 0;
    uint32_t at = below(without, hs_mls_node_first(node));
    for (uint32_t i = 0; i < parent->unmerged_count; i++) {
        uint32_t leaf = hs_mls_node_unmerged(node, i);
        while (at < without->count && hs_mls_node_unmerged(without->node, at) < leaf)
            at++;
        if (at < without->count && hs_mls_node_unmerged(without->node, at) == leaf)
            continue;
        memcpy(*own + kept, parent->unmerged + (size_t)4 * i, 4);
        kept += 4;
    }
    *out = hs_bytes(*own, kept);
    return HS_OK;
}

static enum hs_err hash_parent(const struct hs_mls_suite *suite, const struct hs_mls_node *node,
                               const struct without *without, const uint8_t *left, const uint8_t *right,
                               uint8_t *out)
{
    struct input in;
    uint8_t *own = NULL;
    in.count = in.used = 0;
    add_byte(&in, TYPE_PARENT);
    add_byte(&in, node->filled ? 1 : 0);
    if (node->filled) {
        struct hs_bytes unmerged;
        HS_TRY(unmerged_without(node, without, &own, &unmerged));
        add_vec(&in, hs_mls_node_key(node));
        add_vec(&in, hs_mls_node_parent_hash(node));
        add_vec(&in, unmerged);
    }
    add_vec(&in, hs_bytes(left, suite->hash_len));
    add_vec(&in, hs_bytes(right, suite->hash_len));
    digest(suite, &in, out);
    free(own);
    return HS_OK;
}

/* Of leaves that are all blank. */
static void hash_blank(const struct hs_mls_suite *suite, unsigned level, uint32_t first, uint8_t *out)
{
    uint8_t left[HS_MLS_MAX_HASH], right[HS_MLS_MAX_HASH];
    const struct hs_mls_node blank = {.level = (uint8_t)level};
    if (level == 0) {
        hash_leaf(suite, NULL, first, out);
        return;
    }
    hash_blank(suite, level - 1, first, left);
    hash_blank(suite, level - 1, first + ((uint32_t)1 << (level - 1)), right);
    enum hs_err err = hash_parent(suite, &blank, &nobody, left, right, out);
    HS_ASSERT(err == HS_OK);
}

static enum hs_err hash_subtree(const struct hs_mls_tree *tree, struct hs_mls_node *node)
{
    uint8_t *out = hs_mls_node_hash_bytes(node);
    if (node->hashed)
        return HS_OK;
    HS_ASSERT(node->refs > 0); /* what stands for a node that can't be read has no room for a hash */
    if (hs_mls_node_is_bare(node)) {
        hash_blank(tree->suite, node->level, hs_mls_node_first(node), out);
    } else if (node->level == 0) {
        hash_leaf(tree->suite, node->leaf, node->index / 2, out);
    } else {
        struct hs_mls_node *left = node->parent->child[0], *right = node->parent->child[1];
        HS_TRY(hash_subtree(tree, left));
        HS_TRY(hash_subtree(tree, right));
        HS_TRY(hash_parent(tree->suite, node, &nobody, hs_mls_node_hash_bytes(left),
                           hs_mls_node_hash_bytes(right), out));
    }
    node->hashed = true;
    return HS_OK;
}

enum hs_err hs_mls_tree_hash(struct hs_mls_tree *tree, struct hs_mls_hash *hash)
{
    HS_TRY(hash_subtree(tree, tree->root));
    hash->len = tree->suite->hash_len;
    memcpy(hash->v, hs_mls_node_hash_bytes(tree->root), hash->len);
    return HS_OK;
}

/* The hash of the subtree as if those leaves had never come; subtrees without any of them have it cached. */
static enum hs_err hash_original(const struct hs_mls_tree *tree, struct hs_mls_node *node,
                                 const struct without *without, uint8_t *out)
{
    uint8_t left[HS_MLS_MAX_HASH], right[HS_MLS_MAX_HASH];
    uint32_t first = hs_mls_node_first(node);
    if (below(without, first) == below(without, first + hs_mls_node_span(node))) {
        HS_TRY(hash_subtree(tree, node));
        memcpy(out, hs_mls_node_hash_bytes(node), tree->suite->hash_len);
        return HS_OK;
    }
    if (node->level == 0) {
        hash_leaf(tree->suite, NULL, first, out);
        return HS_OK;
    }
    HS_TRY(hs_mls_node_open(tree, node));
    HS_TRY(hash_original(tree, node->parent->child[0], without, left));
    HS_TRY(hash_original(tree, node->parent->child[1], without, right));
    return hash_parent(tree->suite, node, without, left, right, out);
}

enum hs_err hs_mls_parent_hash(const struct hs_mls_tree *tree, const struct hs_mls_node *parent,
                               struct hs_mls_node *sibling, struct hs_mls_hash *out)
{
    const struct without unmerged = {.node = parent, .count = parent->parent->unmerged_count};
    uint8_t original[HS_MLS_MAX_HASH];
    struct input in;
    HS_TRY(hash_original(tree, sibling, &unmerged, original));
    in.count = in.used = 0;
    add_vec(&in, hs_mls_node_key(parent));
    add_vec(&in, hs_mls_node_parent_hash(parent));
    add_vec(&in, hs_bytes(original, tree->suite->hash_len));
    out->len = tree->suite->hash_len;
    digest(tree->suite, &in, out->v);
    return HS_OK;
}

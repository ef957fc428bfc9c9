/* Tree hashes and parent hashes (RFC 9420, 7.8 and 7.9). */
#include "crypto/hash.h"
#include "mls/tree.h"

enum { TYPE_LEAF = 1, TYPE_PARENT = 2, HASH_CAP = 16 + 4 * HS_MLS_MAX_LEAVES + 256 };

/* Leaves that count as removed: sorted. */
struct without {
    const uint32_t *list;
    uint32_t count;
};

static uint32_t below(const struct without *without, uint32_t leaf)
{
    uint32_t low = 0, high = without->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (without->list[middle] < leaf)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct hs_id leaf_hash(const struct hs_mls_leaf *leaf, uint32_t index)
{
    const uint8_t head[] = {
        TYPE_LEAF,   (uint8_t)(index >> 24), (uint8_t)(index >> 16), (uint8_t)(index >> 8), (uint8_t)index,
        leaf != NULL};
    struct hs_sha256 h;
    hs_sha256_init(&h);
    hs_sha256_update(&h, hs_bytes(head, sizeof head));
    if (leaf != NULL)
        hs_sha256_update(&h, hs_bytes(leaf->bytes, leaf->len));
    return hs_sha256_final(&h);
}

static void write_parent(struct hs_writer *w, const struct hs_mls_node *node, const struct without *without)
{
    hs_write_mls_vec(w, HS_VIEW(node->key));
    hs_write_mls_vec(w, node->has_parent_hash ? HS_VIEW(node->parent_hash) : (struct hs_bytes){0});
    size_t mark = hs_writer_open(w);
    for (uint32_t i = 0; i < node->unmerged_count; i++) {
        uint32_t at = below(without, node->unmerged[i]);
        if (at == without->count || without->list[at] != node->unmerged[i])
            hs_write_u32(w, node->unmerged[i]);
    }
    hs_writer_close(w, mark);
}

static enum hs_err parent_node_hash(const struct hs_mls_node *node, const struct without *without,
                                    const struct hs_id *left, const struct hs_id *right, struct hs_id *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HASH_CAP);
    hs_write_u8(&w, TYPE_PARENT);
    hs_write_u8(&w, node->filled ? 1 : 0);
    if (node->filled)
        write_parent(&w, node, without);
    hs_write_mls_vec(&w, HS_VIEW(*left));
    hs_write_mls_vec(&w, HS_VIEW(*right));
    HS_TRY(w.err);
    *out = hs_sha256(hs_writer_bytes(&w));
    return HS_OK;
}

static enum hs_err subtree_hash(struct hs_mls_node *node, uint32_t first)
{
    const struct without nobody = {0};
    if (node->hashed)
        return HS_OK;
    if (node->level == 0) {
        node->hash = leaf_hash(node->leaf, first);
    } else {
        HS_TRY(subtree_hash(node->child[0], first));
        HS_TRY(subtree_hash(node->child[1], first + ((uint32_t)1 << (node->level - 1))));
        HS_TRY(parent_node_hash(node, &nobody, &node->child[0]->hash, &node->child[1]->hash, &node->hash));
    }
    node->hashed = true;
    return HS_OK;
}

enum hs_err hs_mls_tree_hash(struct hs_mls_tree *tree, struct hs_id *hash)
{
    HS_TRY(subtree_hash(tree->root, 0));
    *hash = tree->root->hash;
    return HS_OK;
}

/* The hash of the subtree as if those leaves had never come; subtrees without any of them have it cached. */
static enum hs_err original_hash(struct hs_mls_node *node, uint32_t first, const struct without *without,
                                 struct hs_id *out)
{
    uint32_t half = (uint32_t)1 << node->level >> 1;
    uint32_t from = below(without, first), to = below(without, first + ((uint32_t)1 << node->level));
    if (from == to) {
        HS_TRY(subtree_hash(node, first));
        *out = node->hash;
        return HS_OK;
    }
    if (node->level == 0) {
        *out = leaf_hash(NULL, first);
        return HS_OK;
    }
    struct hs_id left, right;
    HS_TRY(original_hash(node->child[0], first, without, &left));
    HS_TRY(original_hash(node->child[1], first + half, without, &right));
    return parent_node_hash(node, without, &left, &right, out);
}

enum hs_err hs_mls_parent_hash(const struct hs_mls_node *parent, struct hs_mls_node *sibling, uint32_t first,
                               struct hs_id *out)
{
    const struct without unmerged = {.list = parent->unmerged, .count = parent->unmerged_count};
    struct hs_id original;
    HS_TRY(original_hash(sibling, first, &unmerged, &original));
    struct hs_writer HS_WRITER w = hs_writer(HASH_CAP);
    hs_write_mls_vec(&w, HS_VIEW(parent->key));
    hs_write_mls_vec(&w, parent->has_parent_hash ? HS_VIEW(parent->parent_hash) : (struct hs_bytes){0});
    hs_write_mls_vec(&w, HS_VIEW(original));
    HS_TRY(w.err);
    *out = hs_sha256(hs_writer_bytes(&w));
    return HS_OK;
}

/* The ratchet_tree extension (RFC 9420, 12.4.3.3): the array form, which is the tree in order from left to
 * right. */
#include "mls/suite.h"
#include "mls/tree.h"

#include <stdlib.h>

enum { NODE_LEAF = 1, NODE_PARENT = 2 };

static void write_parent(struct hs_writer *w, const struct hs_mls_node *node)
{
    hs_write_u8(w, 1);
    hs_write_u8(w, NODE_PARENT);
    hs_write_mls_vec(w, HS_VIEW(node->key));
    hs_write_mls_vec(w, node->has_parent_hash ? HS_VIEW(node->parent_hash) : (struct hs_bytes){0});
    size_t mark = hs_writer_open(w);
    for (uint32_t i = 0; i < node->unmerged_count; i++)
        hs_write_u32(w, node->unmerged[i]);
    hs_writer_close(w, mark);
}

/* Writes the subtree; *end is where the last node that isn't blank ended. */
static void write_node(struct hs_writer *w, const struct hs_mls_node *node, size_t *end)
{
    bool blank = node->level == 0 ? node->leaf == NULL : !node->filled;
    if (node->level > 0)
        write_node(w, node->child[0], end);
    if (blank) {
        hs_write_u8(w, 0);
    } else if (node->level == 0) {
        hs_write_u8(w, 1);
        hs_write_u8(w, NODE_LEAF);
        hs_write_bytes(w, hs_bytes(node->leaf->bytes, node->leaf->len));
    } else {
        write_parent(w, node);
    }
    *end = blank ? *end : w->len;
    if (node->level > 0)
        write_node(w, node->child[1], end);
}

void hs_mls_tree_write(const struct hs_mls_tree *tree, struct hs_writer *w)
{
    size_t mark = hs_writer_open(w), end = mark;
    write_node(w, tree->root, &end);
    if (w->err == HS_OK)
        w->len = end; /* blanks at the end are left out */
    hs_writer_close(w, mark);
}

static enum hs_err read_parent(struct hs_reader *r, struct hs_mls_node *node)
{
    struct hs_mls_parent_node parent;
    hs_mls_read_parent_node(r, &parent);
    HS_TRY(r->err);
    HS_REQUIRE(hs_mls_hpke_key(parent.encryption_key, &node->key) == HS_OK, HS_ERR_MLS_TREE);
    node->has_parent_hash = parent.parent_hash.len > 0;
    if (node->has_parent_hash)
        HS_REQUIRE(HS_FIXED(parent.parent_hash, &node->parent_hash), HS_ERR_MLS_TREE);
    node->filled = true;
    if (parent.unmerged.len == 0)
        return HS_OK;
    node->unmerged = malloc(parent.unmerged.len);
    HS_REQUIRE(node->unmerged != NULL, HS_ERR_NOMEM);
    struct hs_reader list = hs_reader(parent.unmerged);
    node->unmerged_count = node->unmerged_size = (uint32_t)(parent.unmerged.len / 4);
    for (uint32_t i = 0; i < node->unmerged_count; i++)
        node->unmerged[i] = hs_read_u32(&list);
    return HS_OK;
}

static enum hs_err read_leaf(struct hs_reader *r, struct hs_mls_node *node)
{
    struct hs_mls_leaf_node leaf;
    hs_mls_read_leaf_node(r, &leaf);
    HS_TRY(r->err);
    HS_TRY(hs_mls_leaf_new(&leaf, &node->leaf));
    node->members = 1;
    return HS_OK;
}

/* Fills in one node; what lies past the end of the bytes is blank. */
static enum hs_err read_one(struct hs_reader *r, struct hs_mls_node *node)
{
    if (hs_reader_left(r) == 0)
        return r->err;
    uint8_t present = hs_read_u8(r);
    HS_REQUIRE(present <= 1, HS_ERR_MALFORMED);
    if (present == 0)
        return HS_OK;
    uint8_t type = hs_read_u8(r);
    HS_REQUIRE(type == (node->level == 0 ? NODE_LEAF : NODE_PARENT), HS_ERR_MLS_TREE);
    return node->level == 0 ? read_leaf(r, node) : read_parent(r, node);
}

static enum hs_err read_node(struct hs_reader *r, struct hs_mls_node *node)
{
    if (node->level == 0)
        return read_one(r, node);
    HS_TRY(read_node(r, node->child[0]));
    HS_TRY(read_one(r, node));
    HS_TRY(read_node(r, node->child[1]));
    node->members = node->child[0]->members + node->child[1]->members;
    return HS_OK;
}

/* The number of nodes; the last one must not be blank. */
static enum hs_err count_nodes(struct hs_reader r, size_t *count)
{
    bool blank = true;
    for (*count = 0; hs_reader_left(&r) > 0; ++*count) {
        struct hs_mls_leaf_node leaf;
        struct hs_mls_parent_node parent;
        blank = hs_read_u8(&r) == 0;
        uint8_t type = blank ? 0 : hs_read_u8(&r);
        if (type == NODE_LEAF)
            hs_mls_read_leaf_node(&r, &leaf);
        else if (type == NODE_PARENT)
            hs_mls_read_parent_node(&r, &parent);
        else if (!blank)
            return HS_ERR_MALFORMED;
    }
    HS_TRY(r.err);
    return blank ? HS_ERR_MLS_TREE : HS_OK;
}

enum hs_err hs_mls_tree_read(struct hs_bytes in, struct hs_mls_tree *out)
{
    size_t count;
    struct hs_reader whole = hs_reader(in);
    struct hs_reader nodes = hs_read_mls_sub(&whole);
    HS_TRY(hs_reader_finish(&whole));
    HS_TRY(count_nodes(nodes, &count));
    HS_REQUIRE(count <= 2 * (size_t)HS_MLS_MAX_LEAVES - 1, HS_ERR_TOO_LARGE);
    uint32_t width = 1;
    while (2 * (size_t)width - 1 < count)
        width *= 2;
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    HS_TRY(hs_mls_tree_init(&tree));
    HS_TRY(hs_mls_tree_resize(&tree, width));
    HS_TRY(read_node(&nodes, tree.root));
    HS_REQUIRE(hs_reader_finish(&nodes) == HS_OK, HS_ERR_MALFORMED);
    *out = hs_mls_tree_share(&tree);
    return HS_OK;
}

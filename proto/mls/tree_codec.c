/* The ratchet_tree extension (RFC 9420, 12.4.3.3): the array form, which is the tree in order from left to
 * right. */
#include "mls/suite.h"
#include "mls/tree_node.h"

#include <stdlib.h>

enum { NODE_LEAF = 1, NODE_PARENT = 2 };

static void write_parent(struct hs_writer *w, const struct hs_mls_node *node)
{
    const struct hs_mls_parent *parent = node->parent;
    hs_write_u8(w, 1);
    hs_write_u8(w, NODE_PARENT);
    hs_write_mls_vec(w, hs_mls_node_key(node));
    hs_write_mls_vec(w, hs_mls_node_parent_hash(node));
    hs_write_mls_vec(w, hs_bytes(parent->unmerged, (size_t)4 * parent->unmerged_count));
}

static void write_leaf(struct hs_writer *w, const struct hs_mls_leaf *leaf)
{
    hs_write_u8(w, 1);
    hs_write_u8(w, NODE_LEAF);
    hs_write_bytes(w, hs_bytes(leaf->bytes, leaf->len));
}

/* Writes the subtree; *end is where the last node that isn't blank ended. */
static void write_node(const struct hs_mls_tree *tree, struct hs_writer *w, struct hs_mls_node *node,
                       size_t *end)
{
    enum hs_err err = node->stub ? hs_mls_node_open(tree, node) : HS_OK;
    if (err != HS_OK) {
        hs_writer_fail(w, err);
        return;
    }
    if (hs_mls_node_is_bare(node)) {
        for (uint32_t i = 0; i < 2 * hs_mls_node_span(node) - 1; i++)
            hs_write_u8(w, 0);
        return;
    }
    if (node->level > 0)
        write_node(tree, w, node->parent->child[0], end);
    if (node->level == 0)
        write_leaf(w, node->leaf);
    else if (node->filled)
        write_parent(w, node);
    else
        hs_write_u8(w, 0);
    if (node->level == 0 || node->filled)
        *end = w->len;
    if (node->level > 0)
        write_node(tree, w, node->parent->child[1], end);
}

void hs_mls_tree_write(const struct hs_mls_tree *tree, struct hs_writer *w)
{
    size_t mark = hs_writer_open(w), end = mark;
    write_node(tree, w, tree->root, &end);
    if (w->err == HS_OK)
        w->len = end; /* blanks at the end are left out */
    hs_writer_close(w, mark);
}

static enum hs_err fill_parent(const struct hs_mls_suite *suite, struct hs_reader *r,
                               struct hs_mls_node *node)
{
    struct hs_mls_parent_node parent;
    hs_mls_read_parent_node(r, &parent);
    HS_TRY(r->err);
    HS_REQUIRE(parent.encryption_key.len == suite->kem_pub_len, HS_ERR_MLS_TREE);
    HS_REQUIRE(suite->kem_check(parent.encryption_key) == HS_OK, HS_ERR_MLS_TREE);
    HS_REQUIRE(parent.parent_hash.len == 0 || parent.parent_hash.len == suite->hash_len, HS_ERR_MLS_TREE);
    HS_REQUIRE(parent.unmerged.len <= (size_t)4 * HS_MLS_MAX_LEAVES, HS_ERR_MLS_TREE);
    hs_mls_node_fill(node, parent.encryption_key);
    hs_mls_node_set_parent_hash(node, parent.parent_hash);
    if (parent.unmerged.len == 0)
        return HS_OK;
    uint32_t count = (uint32_t)(parent.unmerged.len / 4);
    HS_TRY(hs_mls_node_reserve_unmerged(node, count));
    memcpy(node->parent->unmerged, parent.unmerged.data, parent.unmerged.len);
    node->parent->unmerged_count = count;
    return HS_OK;
}

static enum hs_err fill_leaf(const struct hs_mls_suite *suite, struct hs_reader *r, struct hs_mls_node *node)
{
    struct hs_mls_leaf_node leaf;
    hs_mls_read_leaf_node(r, &leaf);
    HS_TRY(r->err);
    HS_TRY(hs_mls_leaf_new(suite, &leaf, &node->leaf));
    node->members = 1;
    return HS_OK;
}

/* What is read: the bytes, and whether the last node was a blank one. */
struct source {
    const struct hs_mls_suite *suite;
    struct hs_reader r;
    bool blank;
};

/* Fills in one node; what lies past the end of the bytes is blank. A parent has its children already. */
static enum hs_err read_one(struct source *from, struct hs_mls_node *node)
{
    struct hs_reader *r = &from->r;
    if (hs_reader_left(r) == 0)
        return r->err;
    uint8_t present = hs_read_u8(r);
    HS_REQUIRE(present <= 1, HS_ERR_MALFORMED);
    from->blank = present == 0;
    if (from->blank)
        return HS_OK;
    uint8_t type = hs_read_u8(r);
    HS_TRY(r->err);
    HS_REQUIRE(type == NODE_LEAF || type == NODE_PARENT, HS_ERR_MALFORMED);
    HS_REQUIRE(type == (node->level == 0 ? NODE_LEAF : NODE_PARENT), HS_ERR_MLS_TREE);
    return node->level == 0 ? fill_leaf(from->suite, r, node) : fill_parent(from->suite, r, node);
}

/* Fills in a subtree where all is blank yet. */
static enum hs_err read_node(struct source *from, struct hs_mls_node *node)
{
    if (hs_reader_left(&from->r) == 0)
        return from->r.err;
    if (node->level == 0)
        return read_one(from, node);
    HS_TRY(hs_mls_node_content(from->suite, node));
    struct hs_mls_node *left = node->parent->child[0], *right = node->parent->child[1];
    HS_TRY(read_node(from, left));
    HS_TRY(read_one(from, node));
    HS_TRY(read_node(from, right));
    node->members = left->members + right->members;
    hs_mls_node_strip(node);
    return HS_OK;
}

/* The tree grows to the right as long as there is more. */
static enum hs_err read_rest(struct source *from, struct hs_mls_tree *tree)
{
    HS_TRY(read_node(from, tree->root));
    while (hs_reader_left(&from->r) > 0) {
        HS_TRY(hs_mls_tree_resize(tree, 2 * hs_mls_tree_width(tree)));
        struct hs_mls_node *root = tree->root;
        HS_TRY(hs_mls_node_open(tree, root));
        HS_TRY(read_one(from, root));
        HS_TRY(read_node(from, root->parent->child[1]));
        root->members = root->parent->child[0]->members + root->parent->child[1]->members;
    }
    return from->r.err;
}

enum hs_err hs_mls_tree_read(const struct hs_mls_suite *suite, struct hs_bytes in, struct hs_mls_tree *out)
{
    struct hs_reader whole = hs_reader(in);
    struct source from = {.suite = suite, .r = hs_read_mls_sub(&whole), .blank = true};
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    HS_TRY(hs_reader_finish(&whole));
    HS_TRY(hs_mls_tree_init(suite, &tree));
    HS_TRY(read_rest(&from, &tree));
    HS_REQUIRE(!from.blank, HS_ERR_MLS_TREE);
    *out = hs_mls_tree_share(&tree);
    return HS_OK;
}

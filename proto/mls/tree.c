#include "mls/tree.h"

#include "mls/tree_node.h"

enum hs_err hs_mls_tree_init(const struct hs_mls_suite *suite, struct hs_mls_tree *tree)
{
    *tree = (struct hs_mls_tree){.suite = suite, .root = hs_mls_node_new(suite, 0, 0)};
    return tree->root != NULL ? HS_OK : HS_ERR_NOMEM;
}

struct hs_mls_tree hs_mls_tree_share(const struct hs_mls_tree *tree)
{
    if (tree->root != NULL)
        tree->root->refs++;
    return *tree;
}

void hs_mls_tree_free(struct hs_mls_tree *tree)
{
    hs_mls_node_unref(tree->root);
    tree->root = NULL;
}

uint32_t hs_mls_tree_width(const struct hs_mls_tree *tree)
{
    return (uint32_t)1 << tree->root->level;
}

unsigned hs_mls_tree_depth(const struct hs_mls_tree *tree)
{
    return tree->root->level;
}

static struct hs_mls_node *step(const struct hs_mls_tree *tree, struct hs_mls_node *node, uint32_t leaf)
{
    return hs_mls_node_child(tree, node, hs_mls_node_side(node, leaf));
}

struct hs_mls_leaf *hs_mls_tree_leaf(const struct hs_mls_tree *tree, uint32_t index)
{
    if (index >= hs_mls_tree_width(tree))
        return NULL;
    struct hs_mls_node *node = tree->root;
    while (node->level > 0 && node->members > 0)
        node = step(tree, node, index);
    return node->level == 0 ? hs_mls_node_leaf(tree, node) : NULL;
}

const struct hs_mls_node *hs_mls_tree_node(const struct hs_mls_tree *tree, uint32_t index)
{
    if (index > 2 * (hs_mls_tree_width(tree) - 1))
        return NULL;
    struct hs_mls_node *node = tree->root;
    uint32_t at = hs_mls_tree_width(tree) - 1;
    while (at != index) {
        uint32_t half = (uint32_t)1 << (node->level - 1);
        node = hs_mls_node_child(tree, node, index > at);
        at = index > at ? at + half : at - half;
    }
    return hs_mls_node_opened(tree, node);
}

static bool next_below(const struct hs_mls_tree *tree, struct hs_mls_node *node, uint32_t *index,
                       struct hs_mls_leaf **leaf)
{
    uint32_t first = hs_mls_node_first(node);
    if (node->members == 0 || *index >= first + hs_mls_node_span(node))
        return false;
    if (node->level == 0) {
        *index = first;
        *leaf = hs_mls_node_leaf(tree, node);
        return *leaf != NULL;
    }
    return next_below(tree, hs_mls_node_child(tree, node, 0), index, leaf) ||
           next_below(tree, hs_mls_node_child(tree, node, 1), index, leaf);
}

bool hs_mls_tree_next(const struct hs_mls_tree *tree, uint32_t *index, struct hs_mls_leaf **leaf)
{
    return next_below(tree, tree->root, index, leaf);
}

void hs_mls_tree_path(const struct hs_mls_tree *tree, uint32_t leaf, struct hs_mls_tree_path *path)
{
    struct hs_mls_node *node = tree->root;
    *path = (struct hs_mls_tree_path){.depth = node->level};
    for (; node->level > 0; node = step(tree, node, leaf)) {
        node = hs_mls_node_opened(tree, node);
        path->on[node->level] = node;
        path->co[node->level] = hs_mls_node_child(tree, node, 1 - hs_mls_node_side(node, leaf));
    }
    path->on[0] = hs_mls_node_opened(tree, node);
}

enum hs_err hs_mls_tree_path_own(struct hs_mls_tree *tree, uint32_t leaf, struct hs_mls_tree_path *path)
{
    struct hs_mls_node **slot = &tree->root;
    HS_TRY(hs_mls_node_own(tree, slot));
    while ((*slot)->level > 0) {
        slot = &(*slot)->parent->child[hs_mls_node_side(*slot, leaf)];
        HS_TRY(hs_mls_node_own(tree, slot));
    }
    hs_mls_tree_path(tree, leaf, path);
    return HS_OK;
}

static void put_leaf(struct hs_mls_tree_path *path, struct hs_mls_leaf *leaf)
{
    hs_mls_leaf_ref(leaf);
    hs_mls_leaf_unref(path->on[0]->leaf);
    path->on[0]->leaf = leaf;
    path->on[0]->members = leaf != NULL;
    for (unsigned level = 1; level <= path->depth; level++)
        path->on[level]->members = path->on[level - 1]->members + path->co[level]->members;
}

enum hs_err hs_mls_tree_put(struct hs_mls_tree *tree, uint32_t index, struct hs_mls_leaf *leaf)
{
    struct hs_mls_tree_path path;
    HS_TRY(hs_mls_tree_path_own(tree, index, &path));
    put_leaf(&path, leaf);
    return HS_OK;
}

enum hs_err hs_mls_tree_replace(struct hs_mls_tree *tree, uint32_t index, struct hs_mls_leaf *leaf)
{
    struct hs_mls_tree_path path;
    HS_TRY(hs_mls_tree_path_own(tree, index, &path));
    put_leaf(&path, leaf);
    for (unsigned level = 1; level <= path.depth; level++) {
        hs_mls_node_blank(path.on[level]);
        hs_mls_node_strip(path.on[level]);
    }
    return HS_OK;
}

/* Where the leaf is, or would be, in the sorted list. */
static uint32_t unmerged_place(const struct hs_mls_node *node, uint32_t leaf)
{
    uint32_t low = 0, high = node->parent->unmerged_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (hs_mls_node_unmerged(node, middle) < leaf)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool hs_mls_node_is_unmerged(const struct hs_mls_node *node, uint32_t leaf)
{
    uint32_t place = unmerged_place(node, leaf);
    return place < node->parent->unmerged_count && hs_mls_node_unmerged(node, place) == leaf;
}

static void unmerged_insert(struct hs_mls_node *node, uint32_t leaf)
{
    struct hs_mls_parent *parent = node->parent;
    size_t place = unmerged_place(node, leaf);
    uint8_t *at = parent->unmerged + 4 * place;
    memmove(at + 4, at, 4 * (parent->unmerged_count - place));
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(leaf >> (24 - 8 * i));
    parent->unmerged_count++;
}

static enum hs_err widen(struct hs_mls_tree *tree)
{
    unsigned level = tree->root->level + 1u;
    HS_REQUIRE(hs_mls_tree_width(tree) < HS_MLS_MAX_LEAVES, HS_ERR_TOO_LARGE);
    struct hs_mls_node *root = hs_mls_node_new(tree->suite, level, ((uint32_t)1 << level) - 1);
    HS_REQUIRE(root != NULL, HS_ERR_NOMEM);
    if (!hs_mls_node_is_bare(tree->root)) {
        if (hs_mls_node_content(tree->suite, root) != HS_OK) {
            hs_mls_node_unref(root);
            return HS_ERR_NOMEM;
        }
        hs_mls_node_unref(root->parent->child[0]);
        root->parent->child[0] = tree->root;
        root->members = tree->root->members;
        root->err = tree->root->err;
    } else {
        hs_mls_node_unref(tree->root);
    }
    tree->root = root;
    return HS_OK;
}

static enum hs_err leftmost_blank(const struct hs_mls_tree *tree, uint32_t *leaf)
{
    struct hs_mls_node *node = tree->root;
    while (node->level > 0 && node->members > 0) {
        HS_TRY(hs_mls_node_open(tree, node));
        struct hs_mls_node *left = node->parent->child[0];
        node = node->parent->child[left->members == hs_mls_node_span(left)];
    }
    *leaf = hs_mls_node_first(node);
    return HS_OK;
}

enum hs_err hs_mls_tree_add(struct hs_mls_tree *tree, struct hs_mls_leaf *leaf, uint32_t *index)
{
    struct hs_mls_tree_path path;
    if (tree->root->members == hs_mls_tree_width(tree))
        HS_TRY(widen(tree));
    HS_TRY(leftmost_blank(tree, index));
    HS_TRY(hs_mls_tree_path_own(tree, *index, &path));
    for (unsigned level = 1; level <= path.depth; level++)
        if (path.on[level]->filled)
            HS_TRY(hs_mls_node_reserve_unmerged(path.on[level], path.on[level]->parent->unmerged_count + 1));
    put_leaf(&path, leaf);
    for (unsigned level = 1; level <= path.depth; level++)
        if (path.on[level]->filled)
            unmerged_insert(path.on[level], *index);
    return HS_OK;
}

/* The left half becomes the tree. */
static enum hs_err halve(struct hs_mls_tree *tree)
{
    struct hs_mls_node *old = tree->root;
    HS_TRY(hs_mls_node_open(tree, old));
    tree->root = old->parent->child[0];
    tree->root->refs++;
    if (tree->root->err == HS_OK)
        tree->root->err = old->err;
    hs_mls_node_unref(old);
    return HS_OK;
}

enum hs_err hs_mls_tree_truncate(struct hs_mls_tree *tree)
{
    while (tree->root->level > 0 && tree->root->members > 0) {
        HS_TRY(hs_mls_node_open(tree, tree->root));
        if (tree->root->parent->child[1]->members > 0)
            break;
        HS_TRY(halve(tree));
    }
    return HS_OK;
}

enum hs_err hs_mls_tree_resize(struct hs_mls_tree *tree, uint32_t width)
{
    HS_REQUIRE(width > 0 && (width & (width - 1)) == 0, HS_ERR_MALFORMED);
    while (hs_mls_tree_width(tree) > width)
        HS_TRY(halve(tree));
    while (hs_mls_tree_width(tree) < width)
        HS_TRY(widen(tree));
    return HS_OK;
}

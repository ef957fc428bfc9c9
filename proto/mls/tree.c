#include "mls/tree.h"

#include <stdlib.h>

static struct hs_mls_node *node_new(unsigned level)
{
    struct hs_mls_node *node = calloc(1, sizeof *node);
    if (node != NULL) {
        node->refs = 1;
        node->level = (uint8_t)level;
    }
    return node;
}

static void node_unref(struct hs_mls_node *node)
{
    if (node == NULL || --node->refs > 0)
        return;
    if (node->level == 0) {
        hs_mls_leaf_unref(node->leaf);
    } else {
        node_unref(node->child[0]);
        node_unref(node->child[1]);
        free(node->unmerged);
    }
    free(node);
}

/* A blank subtree of that height; NULL without memory. */
static struct hs_mls_node *blank_new(unsigned level)
{
    struct hs_mls_node *node = node_new(level);
    if (node == NULL || level == 0)
        return node;
    node->child[0] = blank_new(level - 1);
    node->child[1] = node->child[0] != NULL ? blank_new(level - 1) : NULL;
    if (node->child[1] != NULL)
        return node;
    node_unref(node);
    return NULL;
}

/* Makes *slot a node that nobody else holds, to be changed by the caller. */
static enum hs_err node_own(struct hs_mls_node **slot)
{
    struct hs_mls_node *old = *slot;
    old->hashed = old->refs > 1 && old->hashed;
    if (old->refs == 1)
        return HS_OK;
    struct hs_mls_node *copy = malloc(sizeof *copy);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    *copy = *old;
    copy->refs = 1;
    copy->hashed = false;
    if (old->level == 0) {
        hs_mls_leaf_ref(copy->leaf);
    } else {
        copy->unmerged = NULL;
        copy->unmerged_size = copy->unmerged_count;
        if (copy->unmerged_count > 0) {
            copy->unmerged = malloc(copy->unmerged_count * sizeof *copy->unmerged);
            if (copy->unmerged == NULL) {
                free(copy);
                return HS_ERR_NOMEM;
            }
            memcpy(copy->unmerged, old->unmerged, copy->unmerged_count * sizeof *copy->unmerged);
        }
        copy->child[0]->refs++;
        copy->child[1]->refs++;
    }
    old->refs--;
    *slot = copy;
    return HS_OK;
}

enum hs_err hs_mls_tree_init(struct hs_mls_tree *tree)
{
    tree->root = node_new(0);
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
    node_unref(tree->root);
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

static struct hs_mls_node *step(const struct hs_mls_node *node, uint32_t leaf)
{
    return node->child[leaf >> (node->level - 1) & 1];
}

struct hs_mls_leaf *hs_mls_tree_leaf(const struct hs_mls_tree *tree, uint32_t index)
{
    if (index >= hs_mls_tree_width(tree))
        return NULL;
    const struct hs_mls_node *node = tree->root;
    while (node->level > 0)
        node = step(node, index);
    return node->leaf;
}

const struct hs_mls_node *hs_mls_tree_node(const struct hs_mls_tree *tree, uint32_t index)
{
    if (index > 2 * (hs_mls_tree_width(tree) - 1))
        return NULL;
    const struct hs_mls_node *node = tree->root;
    uint32_t at = hs_mls_tree_width(tree) - 1;
    while (at != index) {
        uint32_t half = (uint32_t)1 << (node->level - 1);
        node = node->child[index > at];
        at = index > at ? at + half : at - half;
    }
    return node;
}

static bool next_below(const struct hs_mls_node *node, uint32_t first, uint32_t *index,
                       struct hs_mls_leaf **leaf)
{
    uint32_t width = (uint32_t)1 << node->level;
    if (node->members == 0 || *index >= first + width)
        return false;
    if (node->level == 0) {
        *index = first;
        *leaf = node->leaf;
        return true;
    }
    return next_below(node->child[0], first, index, leaf) ||
           next_below(node->child[1], first + width / 2, index, leaf);
}

bool hs_mls_tree_next(const struct hs_mls_tree *tree, uint32_t *index, struct hs_mls_leaf **leaf)
{
    return next_below(tree->root, 0, index, leaf);
}

void hs_mls_tree_path(const struct hs_mls_tree *tree, uint32_t leaf, struct hs_mls_tree_path *path)
{
    struct hs_mls_node *node = tree->root;
    *path = (struct hs_mls_tree_path){.depth = node->level};
    for (; node->level > 0; node = step(node, leaf)) {
        path->on[node->level] = node;
        path->co[node->level] = node->child[~leaf >> (node->level - 1) & 1];
    }
    path->on[0] = node;
}

enum hs_err hs_mls_tree_path_own(struct hs_mls_tree *tree, uint32_t leaf, struct hs_mls_tree_path *path)
{
    struct hs_mls_node **slot = &tree->root;
    HS_TRY(node_own(slot));
    while ((*slot)->level > 0) {
        slot = &(*slot)->child[leaf >> ((*slot)->level - 1) & 1];
        HS_TRY(node_own(slot));
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

void hs_mls_node_fill(struct hs_mls_node *node, const struct hs_key *key)
{
    node->filled = true;
    node->key = *key;
    node->has_parent_hash = false;
    node->unmerged_count = 0;
}

void hs_mls_node_blank(struct hs_mls_node *node)
{
    node->filled = false;
    node->has_parent_hash = false;
    node->unmerged_count = 0;
}

enum hs_err hs_mls_tree_replace(struct hs_mls_tree *tree, uint32_t index, struct hs_mls_leaf *leaf)
{
    struct hs_mls_tree_path path;
    HS_TRY(hs_mls_tree_path_own(tree, index, &path));
    put_leaf(&path, leaf);
    for (unsigned level = 1; level <= path.depth; level++)
        hs_mls_node_blank(path.on[level]);
    return HS_OK;
}

/* Where the leaf is, or would be, in the sorted list. */
static uint32_t unmerged_place(const struct hs_mls_node *node, uint32_t leaf)
{
    uint32_t low = 0, high = node->unmerged_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (node->unmerged[middle] < leaf)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool hs_mls_node_is_unmerged(const struct hs_mls_node *node, uint32_t leaf)
{
    uint32_t place = unmerged_place(node, leaf);
    return place < node->unmerged_count && node->unmerged[place] == leaf;
}

static enum hs_err unmerged_reserve(struct hs_mls_node *node)
{
    if (node->unmerged_count < node->unmerged_size)
        return HS_OK;
    uint32_t size = node->unmerged_size < 4 ? 8 : 2 * node->unmerged_size;
    uint32_t *list = realloc(node->unmerged, size * sizeof *list);
    HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
    node->unmerged = list;
    node->unmerged_size = size;
    return HS_OK;
}

static void unmerged_insert(struct hs_mls_node *node, uint32_t leaf)
{
    uint32_t place = unmerged_place(node, leaf);
    memmove(node->unmerged + place + 1, node->unmerged + place,
            (node->unmerged_count - place) * sizeof *node->unmerged);
    node->unmerged[place] = leaf;
    node->unmerged_count++;
}

static enum hs_err widen(struct hs_mls_tree *tree)
{
    HS_REQUIRE(hs_mls_tree_width(tree) < HS_MLS_MAX_LEAVES, HS_ERR_TOO_LARGE);
    struct hs_mls_node *root = node_new(tree->root->level + 1u);
    struct hs_mls_node *right = root != NULL ? blank_new(tree->root->level) : NULL;
    if (right == NULL) {
        free(root);
        return HS_ERR_NOMEM;
    }
    root->child[0] = tree->root;
    root->child[1] = right;
    root->members = tree->root->members;
    tree->root = root;
    return HS_OK;
}

static uint32_t leftmost_blank(const struct hs_mls_node *node)
{
    uint32_t leaf = 0;
    while (node->level > 0) {
        uint32_t half = (uint32_t)1 << (node->level - 1);
        bool right = node->child[0]->members == half;
        leaf += right ? half : 0;
        node = node->child[right];
    }
    return leaf;
}

enum hs_err hs_mls_tree_add(struct hs_mls_tree *tree, struct hs_mls_leaf *leaf, uint32_t *index)
{
    struct hs_mls_tree_path path;
    if (tree->root->members == hs_mls_tree_width(tree))
        HS_TRY(widen(tree));
    *index = leftmost_blank(tree->root);
    HS_TRY(hs_mls_tree_path_own(tree, *index, &path));
    for (unsigned level = 1; level <= path.depth; level++)
        if (path.on[level]->filled)
            HS_TRY(unmerged_reserve(path.on[level]));
    put_leaf(&path, leaf);
    for (unsigned level = 1; level <= path.depth; level++)
        if (path.on[level]->filled)
            unmerged_insert(path.on[level], *index);
    return HS_OK;
}

/* The left half becomes the tree. */
static void halve(struct hs_mls_tree *tree)
{
    struct hs_mls_node *old = tree->root;
    tree->root = old->child[0];
    tree->root->refs++;
    node_unref(old);
}

void hs_mls_tree_truncate(struct hs_mls_tree *tree)
{
    while (tree->root->level > 0 && tree->root->child[1]->members == 0)
        halve(tree);
}

enum hs_err hs_mls_tree_resize(struct hs_mls_tree *tree, uint32_t width)
{
    HS_REQUIRE(width > 0 && (width & (width - 1)) == 0, HS_ERR_MALFORMED);
    while (hs_mls_tree_width(tree) > width)
        halve(tree);
    while (hs_mls_tree_width(tree) < width)
        HS_TRY(widen(tree));
    return HS_OK;
}

const struct hs_key *hs_mls_node_key(const struct hs_mls_node *node)
{
    return node->level == 0 ? &node->leaf->encryption_key : &node->key;
}

#include "mls/tree_node.h"

#include <stdlib.h>

/* Stand where a node can't be read: blank, held by nobody, never changed. */
#define ABSENT(n)                                                                                            \
    {                                                                                                        \
        .level = (n)                                                                                         \
    }
static struct hs_mls_node absent[] = {ABSENT(0),  ABSENT(1),  ABSENT(2),  ABSENT(3),  ABSENT(4),  ABSENT(5),
                                      ABSENT(6),  ABSENT(7),  ABSENT(8),  ABSENT(9),  ABSENT(10), ABSENT(11),
                                      ABSENT(12), ABSENT(13), ABSENT(14), ABSENT(15), ABSENT(16), ABSENT(17)};
_Static_assert(sizeof absent / sizeof absent[0] == HS_MLS_MAX_DEPTH, "one for each level");

static bool is_absent(const struct hs_mls_node *node)
{
    return node->refs == 0;
}

enum hs_err hs_mls_tree_fail(const struct hs_mls_tree *tree, enum hs_err err)
{
    if (tree->root != NULL && tree->root->err == HS_OK)
        tree->root->err = (int16_t)err;
    return err;
}

enum hs_err hs_mls_tree_error(const struct hs_mls_tree *tree)
{
    return tree->root != NULL ? tree->root->err : HS_OK;
}

struct hs_mls_node *hs_mls_node_new(const struct hs_mls_suite *suite, unsigned level, uint32_t index)
{
    struct hs_mls_node *node = malloc(sizeof *node + suite->hash_len);
    if (node != NULL)
        *node = (struct hs_mls_node){.refs = 1, .level = (uint8_t)level, .index = index};
    return node;
}

static void parent_free(struct hs_mls_parent *parent)
{
    if (parent == NULL)
        return;
    hs_mls_node_unref(parent->child[0]);
    hs_mls_node_unref(parent->child[1]);
    free(parent->unmerged);
    free(parent);
}

void hs_mls_node_unref(struct hs_mls_node *node)
{
    if (node == NULL || --node->refs > 0)
        return;
    if (node->level == 0)
        hs_mls_leaf_unref(node->leaf);
    else
        parent_free(node->parent);
    free(node);
}

static struct hs_mls_parent *parent_new(const struct hs_mls_suite *suite)
{
    struct hs_mls_parent *parent = malloc(sizeof *parent + suite->kem_pub_len + suite->hash_len);
    if (parent != NULL)
        *parent = (struct hs_mls_parent){0};
    return parent;
}

enum hs_err hs_mls_node_content(const struct hs_mls_suite *suite, struct hs_mls_node *node)
{
    struct hs_mls_parent *parent = parent_new(suite);
    HS_REQUIRE(parent != NULL, HS_ERR_NOMEM);
    uint32_t half = (uint32_t)1 << (node->level - 1);
    parent->child[0] = hs_mls_node_new(suite, node->level - 1u, node->index - half);
    parent->child[1] = hs_mls_node_new(suite, node->level - 1u, node->index + half);
    if (parent->child[0] == NULL || parent->child[1] == NULL) {
        parent_free(parent);
        return HS_ERR_NOMEM;
    }
    node->parent = parent;
    return HS_OK;
}

enum hs_err hs_mls_node_open(const struct hs_mls_tree *tree, struct hs_mls_node *node)
{
    enum hs_err err = HS_OK;
    if (is_absent(node))
        return tree->root->err;
    if (node->stub)
        err = hs_mls_node_read(tree, node);
    else if (node->level > 0 && node->parent == NULL)
        err = hs_mls_node_content(tree->suite, node);
    return err == HS_OK ? HS_OK : hs_mls_tree_fail(tree, err);
}

struct hs_mls_node *hs_mls_node_opened(const struct hs_mls_tree *tree, struct hs_mls_node *node)
{
    return hs_mls_node_open(tree, node) == HS_OK ? node : &absent[node->level];
}

struct hs_mls_node *hs_mls_node_child(const struct hs_mls_tree *tree, struct hs_mls_node *node, unsigned side)
{
    if (hs_mls_node_open(tree, node) != HS_OK)
        return &absent[node->level - 1];
    return node->parent->child[side];
}

struct hs_mls_leaf *hs_mls_node_leaf(const struct hs_mls_tree *tree, struct hs_mls_node *node)
{
    if (node->stub && hs_mls_node_open(tree, node) != HS_OK)
        return NULL;
    return node->leaf;
}

bool hs_mls_node_is_bare(const struct hs_mls_node *node)
{
    return !node->stub && (node->level == 0 ? node->leaf == NULL : node->parent == NULL);
}

void hs_mls_node_strip(struct hs_mls_node *node)
{
    if (node->level == 0 || node->parent == NULL || node->filled ||
        !hs_mls_node_is_bare(node->parent->child[0]) || !hs_mls_node_is_bare(node->parent->child[1]))
        return;
    hs_mls_node_drop_content(node);
}

void hs_mls_node_strip_all(struct hs_mls_node *node)
{
    if (node->level == 0 || node->stub || node->parent == NULL || node->filled || node->members > 0)
        return;
    hs_mls_node_strip_all(node->parent->child[0]);
    hs_mls_node_strip_all(node->parent->child[1]);
    hs_mls_node_strip(node);
}

void hs_mls_node_drop_content(struct hs_mls_node *node)
{
    parent_free(node->parent);
    node->parent = NULL;
}

static struct hs_mls_parent *parent_copy(const struct hs_mls_suite *suite, const struct hs_mls_parent *from)
{
    struct hs_mls_parent *copy = parent_new(suite);
    if (copy == NULL)
        return NULL;
    *copy = *from;
    memcpy(copy->bytes, from->bytes, (size_t)from->key_len + from->parent_hash_len);
    copy->unmerged = NULL;
    copy->unmerged_size = from->unmerged_count;
    if (from->unmerged_count > 0) {
        copy->unmerged = malloc((size_t)4 * from->unmerged_count);
        if (copy->unmerged == NULL) {
            free(copy);
            return NULL;
        }
        memcpy(copy->unmerged, from->unmerged, (size_t)4 * from->unmerged_count);
    }
    copy->child[0]->refs++;
    copy->child[1]->refs++;
    return copy;
}

static struct hs_mls_node *node_copy(const struct hs_mls_suite *suite, const struct hs_mls_node *from)
{
    struct hs_mls_node *copy = hs_mls_node_new(suite, from->level, from->index);
    if (copy == NULL)
        return NULL;
    *copy = *from;
    copy->refs = 1;
    if (from->level == 0) {
        hs_mls_leaf_ref(copy->leaf);
    } else {
        copy->parent = parent_copy(suite, from->parent);
        if (copy->parent == NULL) {
            free(copy);
            return NULL;
        }
    }
    return copy;
}

enum hs_err hs_mls_node_own(const struct hs_mls_tree *tree, struct hs_mls_node **slot)
{
    struct hs_mls_node *old = *slot;
    HS_TRY(hs_mls_node_open(tree, old));
    if (old->refs > 1) {
        struct hs_mls_node *copy = node_copy(tree->suite, old);
        HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
        old->refs--;
        *slot = copy;
    }
    (*slot)->hashed = false;
    (*slot)->saved = false;
    return HS_OK;
}

struct hs_bytes hs_mls_node_key(const struct hs_mls_node *node)
{
    if (node->level == 0)
        return hs_mls_leaf_encryption_key(node->leaf);
    return hs_bytes(node->parent->bytes, node->parent->key_len);
}

struct hs_bytes hs_mls_node_parent_hash(const struct hs_mls_node *node)
{
    const struct hs_mls_parent *parent = node->parent;
    return hs_bytes(parent->bytes + parent->key_len, parent->parent_hash_len);
}

struct hs_bytes hs_mls_node_hash(const struct hs_mls_tree *tree, const struct hs_mls_node *node)
{
    return hs_bytes((const uint8_t *)(node + 1), node->hashed ? tree->suite->hash_len : 0);
}

void hs_mls_node_fill(struct hs_mls_node *node, struct hs_bytes key)
{
    node->filled = true;
    node->parent->key_len = (uint8_t)key.len;
    memcpy(node->parent->bytes, key.data, key.len);
    node->parent->parent_hash_len = 0;
    node->parent->unmerged_count = 0;
}

void hs_mls_node_set_parent_hash(struct hs_mls_node *node, struct hs_bytes hash)
{
    node->parent->parent_hash_len = (uint8_t)hash.len;
    if (hash.len > 0)
        memcpy(node->parent->bytes + node->parent->key_len, hash.data, hash.len);
}

void hs_mls_node_blank(struct hs_mls_node *node)
{
    node->filled = false;
    node->parent->key_len = 0;
    node->parent->parent_hash_len = 0;
    node->parent->unmerged_count = node->parent->unmerged_size = 0;
    free(node->parent->unmerged);
    node->parent->unmerged = NULL;
}

uint32_t hs_mls_node_unmerged(const struct hs_mls_node *node, uint32_t place)
{
    const uint8_t *at = node->parent->unmerged + (size_t)4 * place;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

enum hs_err hs_mls_node_reserve_unmerged(struct hs_mls_node *node, uint32_t count)
{
    struct hs_mls_parent *parent = node->parent;
    if (count <= parent->unmerged_size)
        return HS_OK;
    uint32_t size = parent->unmerged_size < 4 ? 8 : 2 * parent->unmerged_size;
    size = size < count ? count : size;
    uint8_t *list = realloc(parent->unmerged, (size_t)4 * size);
    HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
    parent->unmerged = list;
    parent->unmerged_size = size;
    return HS_OK;
}

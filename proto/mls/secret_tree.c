#include "mls/secret_tree.h"

#include "mls/limits.h"
#include "mls/suite.h"

#include <stdlib.h>

/* A node holds its secret until it is split among its children; a leaf, until its two ratchets are made. */
struct node {
    bool has_secret;
    struct hs_secret32 secret;
    struct node *child[2];
    struct hs_mls_ratchet *ratchet[2];
};

struct hs_mls_secret_tree {
    unsigned depth;
    struct node *root;
};

static void node_free(struct node *node)
{
    if (node == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        node_free(node->child[i]);
        hs_mls_ratchet_free(node->ratchet[i]);
    }
    hs_wipe(node, sizeof *node);
    free(node);
}

static struct node *node_new(const struct hs_secret32 *secret)
{
    struct node *node = calloc(1, sizeof *node);
    if (node != NULL && secret != NULL) {
        node->has_secret = true;
        node->secret = *secret;
    }
    return node;
}

struct hs_mls_secret_tree *hs_mls_secret_tree_new(const struct hs_secret32 *encryption, unsigned depth)
{
    struct hs_mls_secret_tree *tree = malloc(sizeof *tree);
    struct node *root = tree != NULL ? node_new(encryption) : NULL;
    if (root == NULL) {
        free(tree);
        return NULL;
    }
    *tree = (struct hs_mls_secret_tree){.depth = depth, .root = root};
    return tree;
}

void hs_mls_secret_tree_free(struct hs_mls_secret_tree *tree)
{
    if (tree == NULL)
        return;
    node_free(tree->root);
    free(tree);
}

static enum hs_err child_secret(const struct hs_secret32 *secret, unsigned side, struct hs_secret32 *out)
{
    return hs_mls_expand_label(HS_VIEW(*secret), "tree", hs_bytes_str(side == 0 ? "left" : "right"), out->b,
                               sizeof out->b);
}

enum hs_err hs_mls_ratchet_take(const struct hs_mls_secret_tree *tree, uint32_t leaf,
                                enum hs_mls_ratchet_kind kind, struct hs_mls_ratchet **out)
{
    HS_REQUIRE(leaf < (uint32_t)1 << tree->depth, HS_ERR_INVALID_ARG);
    struct hs_secret32 HS_SECRET secret = {0};
    const struct node *node = tree->root;
    for (unsigned level = tree->depth; level > 0; level--) {
        unsigned side = leaf >> (level - 1) & 1;
        if (node != NULL && node->has_secret) {
            secret = node->secret;
            node = NULL;
        }
        if (node == NULL)
            HS_TRY(child_secret(&secret, side, &secret));
        else
            node = node->child[side];
    }
    if (node != NULL && node->ratchet[kind] != NULL)
        return hs_mls_ratchet_copy(node->ratchet[kind], out);
    return hs_mls_ratchet_new(node != NULL ? &node->secret : &secret, leaf, kind, out);
}

/* Splits the secrets on the way to a leaf and makes its two ratchets; a failure leaves a tree that is worth
 * the same. */
static enum hs_err open_leaf(struct hs_mls_secret_tree *tree, uint32_t leaf, struct node **out)
{
    struct node *node = tree->root;
    for (unsigned level = tree->depth; level > 0; level--) {
        for (unsigned side = 0; side < 2 && node->has_secret; side++) {
            struct hs_secret32 HS_SECRET secret;
            HS_TRY(child_secret(&node->secret, side, &secret));
            if (node->child[side] == NULL)
                node->child[side] = node_new(&secret);
            HS_REQUIRE(node->child[side] != NULL, HS_ERR_NOMEM);
        }
        node->has_secret = false;
        hs_secret32_wipe(&node->secret);
        node = node->child[leaf >> (level - 1) & 1];
    }
    for (unsigned kind = 0; kind < 2 && node->has_secret; kind++)
        if (node->ratchet[kind] == NULL)
            HS_TRY(hs_mls_ratchet_new(&node->secret, leaf, kind, &node->ratchet[kind]));
    node->has_secret = false;
    hs_secret32_wipe(&node->secret);
    *out = node;
    return HS_OK;
}

enum hs_err hs_mls_ratchet_put(struct hs_mls_secret_tree *tree, struct hs_mls_ratchet *ratchet)
{
    struct node *node;
    enum hs_err err = open_leaf(tree, ratchet->leaf, &node);
    if (err != HS_OK) {
        hs_mls_ratchet_free(ratchet);
        return err;
    }
    hs_mls_ratchet_free(node->ratchet[ratchet->kind]);
    node->ratchet[ratchet->kind] = ratchet;
    return HS_OK;
}

/* Saved form: depth, then the nodes from the root down; each opens with what it holds. */
enum { NODE_NONE = 0, NODE_SECRET = 1, NODE_SPLIT = 2, NODE_RATCHETS = 3 };

static void write_node(struct hs_writer *w, const struct node *node)
{
    if (node == NULL) {
        hs_write_u8(w, NODE_NONE);
    } else if (node->has_secret) {
        hs_write_u8(w, NODE_SECRET);
        hs_write_bytes(w, HS_VIEW(node->secret));
    } else if (node->ratchet[0] != NULL) {
        hs_write_u8(w, NODE_RATCHETS);
        hs_mls_ratchet_write(node->ratchet[0], w);
        hs_mls_ratchet_write(node->ratchet[1], w);
    } else {
        hs_write_u8(w, NODE_SPLIT);
        write_node(w, node->child[0]);
        write_node(w, node->child[1]);
    }
}

void hs_mls_secret_tree_write(const struct hs_mls_secret_tree *tree, struct hs_writer *w)
{
    hs_write_u8(w, (uint8_t)tree->depth);
    write_node(w, tree->root);
}

static enum hs_err read_node(struct hs_reader *r, unsigned level, uint32_t first, struct node **out)
{
    uint8_t holds = hs_read_u8(r);
    HS_TRY(r->err);
    HS_REQUIRE(holds == NODE_SECRET || (holds == NODE_SPLIT && level > 0) ||
                   (holds == NODE_RATCHETS && level == 0),
               HS_ERR_MALFORMED);
    struct node *node = *out = node_new(NULL);
    HS_REQUIRE(node != NULL, HS_ERR_NOMEM);
    node->has_secret = holds == NODE_SECRET;
    if (node->has_secret)
        hs_read_fixed(r, node->secret.b, sizeof node->secret.b);
    for (unsigned i = 0; i < 2 && holds == NODE_RATCHETS; i++)
        HS_TRY(hs_mls_ratchet_read(r, first, i, &node->ratchet[i]));
    for (unsigned i = 0; i < 2 && holds == NODE_SPLIT; i++)
        HS_TRY(read_node(r, level - 1, first + (i << (level - 1)), &node->child[i]));
    return r->err;
}

enum hs_err hs_mls_secret_tree_read(struct hs_reader *r, struct hs_mls_secret_tree **out)
{
    unsigned depth = hs_read_u8(r);
    HS_TRY(r->err);
    HS_REQUIRE(depth < HS_MLS_MAX_DEPTH, HS_ERR_MALFORMED);
    struct hs_mls_secret_tree *tree = calloc(1, sizeof *tree);
    HS_REQUIRE(tree != NULL, HS_ERR_NOMEM);
    tree->depth = depth;
    enum hs_err err = read_node(r, depth, 0, &tree->root);
    if (err == HS_OK) {
        *out = tree;
        return HS_OK;
    }
    hs_mls_secret_tree_free(tree);
    return err;
}

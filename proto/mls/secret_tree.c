#include "mls/secret_tree.h"

#include "mls/limits.h"
#include "mls/suite.h"

#include <stdlib.h>

/* Keys that were passed over and may still be asked for: at most out_of_order of them. */
struct hs_mls_ratchet {
    uint32_t leaf;
    enum hs_mls_ratchet_kind kind;
    uint32_t next; /* the generation that secret is for */
    bool spent;    /* all generations are used up */
    struct hs_secret32 secret;
    struct hs_mls_message_key *skipped; /* by generation, ascending */
    size_t skipped_count, skipped_size;
};

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

void hs_mls_message_key_wipe(struct hs_mls_message_key *key)
{
    hs_wipe(key, sizeof *key);
}

void hs_mls_ratchet_free(struct hs_mls_ratchet *ratchet)
{
    if (ratchet == NULL)
        return;
    hs_wipe(ratchet->skipped, ratchet->skipped_size * sizeof *ratchet->skipped);
    free(ratchet->skipped);
    hs_wipe(ratchet, sizeof *ratchet);
    free(ratchet);
}

void hs_mls_ratchet_free_at(struct hs_mls_ratchet **ratchet)
{
    hs_mls_ratchet_free(*ratchet);
    *ratchet = NULL;
}

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

static const char *ratchet_label(enum hs_mls_ratchet_kind kind)
{
    return kind == HS_MLS_RATCHET_HANDSHAKE ? "handshake" : "application";
}

static enum hs_err ratchet_new(const struct hs_secret32 *leaf_secret, uint32_t leaf, enum hs_mls_ratchet_kind kind,
                               struct hs_mls_ratchet **out)
{
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = calloc(1, sizeof *ratchet);
    HS_REQUIRE(ratchet != NULL, HS_ERR_NOMEM);
    ratchet->leaf = leaf;
    ratchet->kind = kind;
    HS_TRY(hs_mls_derive_secret(leaf_secret, ratchet_label(kind), &ratchet->secret));
    *out = ratchet;
    ratchet = NULL;
    return HS_OK;
}

static enum hs_err ratchet_copy(const struct hs_mls_ratchet *ratchet, struct hs_mls_ratchet **out)
{
    struct hs_mls_ratchet *copy = malloc(sizeof *copy);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    *copy = *ratchet;
    copy->skipped = NULL;
    copy->skipped_size = copy->skipped_count;
    if (copy->skipped_count > 0) {
        copy->skipped = malloc(copy->skipped_count * sizeof *copy->skipped);
        if (copy->skipped == NULL) {
            hs_wipe(copy, sizeof *copy);
            free(copy);
            return HS_ERR_NOMEM;
        }
        memcpy(copy->skipped, ratchet->skipped, copy->skipped_count * sizeof *copy->skipped);
    }
    *out = copy;
    return HS_OK;
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
        return ratchet_copy(node->ratchet[kind], out);
    return ratchet_new(node != NULL ? &node->secret : &secret, leaf, kind, out);
}

/* Turns the ratchet once (RFC 9420, 9.1). */
static enum hs_err ratchet_turn(struct hs_mls_ratchet *ratchet, struct hs_mls_message_key *key)
{
    HS_REQUIRE(!ratchet->spent, HS_ERR_MLS_GENERATION);
    uint32_t generation = ratchet->next;
    key->generation = generation;
    HS_TRY(hs_mls_derive_tree_secret(&ratchet->secret, "key", generation, key->key.b, sizeof key->key.b));
    HS_TRY(hs_mls_derive_tree_secret(&ratchet->secret, "nonce", generation, key->nonce, sizeof key->nonce));
    HS_TRY(hs_mls_derive_tree_secret(&ratchet->secret, "secret", generation, ratchet->secret.b,
                                     sizeof ratchet->secret.b));
    ratchet->spent = generation == UINT32_MAX;
    ratchet->next = ratchet->spent ? generation : generation + 1;
    return HS_OK;
}

enum hs_err hs_mls_ratchet_next(struct hs_mls_ratchet *ratchet, struct hs_mls_message_key *key)
{
    return ratchet_turn(ratchet, key);
}

/* Forgets the kept keys that lie more than out_of_order behind newest. */
static void skipped_forget(struct hs_mls_ratchet *ratchet, uint32_t newest, uint32_t out_of_order)
{
    size_t old = 0;
    while (old < ratchet->skipped_count && newest - ratchet->skipped[old].generation > out_of_order)
        old++;
    if (old == 0)
        return;
    ratchet->skipped_count -= old;
    memmove(ratchet->skipped, ratchet->skipped + old, ratchet->skipped_count * sizeof *ratchet->skipped);
    hs_wipe(ratchet->skipped + ratchet->skipped_count, old * sizeof *ratchet->skipped);
}

static enum hs_err skipped_keep(struct hs_mls_ratchet *ratchet, const struct hs_mls_message_key *key)
{
    if (ratchet->skipped_count == ratchet->skipped_size) {
        size_t size = ratchet->skipped_size == 0 ? 8 : 2 * ratchet->skipped_size;
        struct hs_mls_message_key *list = malloc(size * sizeof *list);
        HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
        if (ratchet->skipped_count > 0)
            memcpy(list, ratchet->skipped, ratchet->skipped_count * sizeof *list);
        hs_wipe(ratchet->skipped, ratchet->skipped_size * sizeof *list);
        free(ratchet->skipped);
        ratchet->skipped = list;
        ratchet->skipped_size = size;
    }
    ratchet->skipped[ratchet->skipped_count++] = *key;
    return HS_OK;
}

/* A kept key is given out once. */
static enum hs_err skipped_use(struct hs_mls_ratchet *ratchet, uint32_t generation, struct hs_mls_message_key *key)
{
    for (size_t i = 0; i < ratchet->skipped_count; i++) {
        if (ratchet->skipped[i].generation != generation)
            continue;
        *key = ratchet->skipped[i];
        ratchet->skipped_count--;
        memmove(ratchet->skipped + i, ratchet->skipped + i + 1,
                (ratchet->skipped_count - i) * sizeof *ratchet->skipped);
        hs_wipe(ratchet->skipped + ratchet->skipped_count, sizeof *ratchet->skipped);
        return HS_OK;
    }
    return HS_ERR_MLS_GENERATION;
}

enum hs_err hs_mls_ratchet_find(struct hs_mls_ratchet *ratchet, uint32_t generation, uint32_t out_of_order,
                                uint32_t forward, struct hs_mls_message_key *key)
{
    if (ratchet->spent || generation < ratchet->next)
        return skipped_use(ratchet, generation, key);
    HS_REQUIRE(generation - ratchet->next <= forward, HS_ERR_MLS_GENERATION);
    skipped_forget(ratchet, generation, out_of_order);
    for (;;) {
        HS_TRY(ratchet_turn(ratchet, key));
        if (key->generation == generation)
            return HS_OK;
        if (generation - key->generation <= out_of_order)
            HS_TRY(skipped_keep(ratchet, key));
    }
}

/* Splits the secrets on the way to a leaf and makes its two ratchets; a failure leaves a tree that is worth the
 * same. */
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
            HS_TRY(ratchet_new(&node->secret, leaf, kind, &node->ratchet[kind]));
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

enum hs_err hs_mls_sender_data_key(const struct hs_secret32 *sender_data, struct hs_bytes ciphertext,
                                   struct hs_mls_message_key *out)
{
    struct hs_bytes sample = hs_bytes(ciphertext.data, ciphertext.len < 32 ? ciphertext.len : 32);
    HS_TRY(hs_mls_expand_label(HS_VIEW(*sender_data), "key", sample, out->key.b, sizeof out->key.b));
    return hs_mls_expand_label(HS_VIEW(*sender_data), "nonce", sample, out->nonce, sizeof out->nonce);
}

/* Saved form: depth, then the nodes from the root down; each opens with what it holds. */
enum { NODE_NONE = 0, NODE_SECRET = 1, NODE_SPLIT = 2, NODE_RATCHETS = 3 };

static void write_ratchet(struct hs_writer *w, const struct hs_mls_ratchet *ratchet)
{
    hs_write_u32(w, ratchet->next);
    hs_write_u8(w, ratchet->spent ? 1 : 0);
    hs_write_bytes(w, HS_VIEW(ratchet->secret));
    hs_write_u32(w, (uint32_t)ratchet->skipped_count);
    for (size_t i = 0; i < ratchet->skipped_count; i++) {
        hs_write_u32(w, ratchet->skipped[i].generation);
        hs_write_bytes(w, HS_VIEW(ratchet->skipped[i].key));
        hs_write_bytes(w, hs_bytes(ratchet->skipped[i].nonce, sizeof ratchet->skipped[i].nonce));
    }
}

static void write_node(struct hs_writer *w, const struct node *node)
{
    if (node == NULL) {
        hs_write_u8(w, NODE_NONE);
    } else if (node->has_secret) {
        hs_write_u8(w, NODE_SECRET);
        hs_write_bytes(w, HS_VIEW(node->secret));
    } else if (node->ratchet[0] != NULL) {
        hs_write_u8(w, NODE_RATCHETS);
        write_ratchet(w, node->ratchet[0]);
        write_ratchet(w, node->ratchet[1]);
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

static enum hs_err read_ratchet(struct hs_reader *r, uint32_t leaf, unsigned kind, struct hs_mls_ratchet **out)
{
    struct hs_mls_ratchet *ratchet = *out = calloc(1, sizeof *ratchet);
    HS_REQUIRE(ratchet != NULL, HS_ERR_NOMEM);
    ratchet->leaf = leaf;
    ratchet->kind = kind;
    ratchet->next = hs_read_u32(r);
    ratchet->spent = hs_read_u8(r) == 1;
    hs_read_fixed(r, ratchet->secret.b, sizeof ratchet->secret.b);
    uint32_t count = hs_read_u32(r);
    HS_REQUIRE(count <= HS_MLS_MAX_OUT_OF_ORDER, HS_ERR_MALFORMED);
    for (uint32_t i = 0; i < count && r->err == HS_OK; i++) {
        struct hs_mls_message_key HS_MLS_MESSAGE_KEY key = {.generation = hs_read_u32(r)};
        hs_read_fixed(r, key.key.b, sizeof key.key.b);
        hs_read_fixed(r, key.nonce, sizeof key.nonce);
        HS_TRY(skipped_keep(ratchet, &key));
    }
    return r->err;
}

static enum hs_err read_node(struct hs_reader *r, unsigned level, uint32_t first, struct node **out)
{
    uint8_t holds = hs_read_u8(r);
    HS_TRY(r->err);
    HS_REQUIRE(holds == NODE_SECRET || (holds == NODE_SPLIT && level > 0) || (holds == NODE_RATCHETS && level == 0),
               HS_ERR_MALFORMED);
    struct node *node = *out = node_new(NULL);
    HS_REQUIRE(node != NULL, HS_ERR_NOMEM);
    node->has_secret = holds == NODE_SECRET;
    if (node->has_secret)
        hs_read_fixed(r, node->secret.b, sizeof node->secret.b);
    for (unsigned i = 0; i < 2 && holds == NODE_RATCHETS; i++)
        HS_TRY(read_ratchet(r, first, i, &node->ratchet[i]));
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

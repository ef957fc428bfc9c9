#include "mls/keys.h"

#include "mls/tree_diff.h"
#include "mls/tree_record.h"

#include <sodium.h>
#include <stdlib.h>

void hs_mls_keys_init(struct hs_mls_keys *keys)
{
    *keys = (struct hs_mls_keys){0};
    randombytes_buf(keys->seed, sizeof keys->seed);
}

void hs_mls_keys_init_stored(struct hs_mls_keys *keys)
{
    hs_mls_keys_init(keys);
    keys->stored = true;
}

void hs_mls_keys_free(struct hs_mls_keys *keys)
{
    free(keys->slots);
    *keys = (struct hs_mls_keys){0};
}

static uint32_t key_tag(const struct hs_mls_keys *keys, enum hs_mls_key_kind kind, struct hs_bytes key)
{
    uint8_t input[1 + HS_MLS_MAX_PUB] = {(uint8_t)kind};
    uint8_t hash[crypto_shorthash_BYTES];
    HS_ASSERT(key.len < sizeof input);
    memcpy(input + 1, key.data, key.len);
    crypto_shorthash(hash, input, 1 + key.len, keys->seed);
    uint32_t tag;
    memcpy(&tag, hash, sizeof tag);
    return tag;
}

static void insert(struct hs_mls_keys *keys, struct hs_mls_keys_slot slot)
{
    uint32_t at = slot.tag & (keys->size - 1);
    while (keys->slots[at].node != 0) {
        if (keys->slots[at].node == slot.node && keys->slots[at].tag == slot.tag)
            return;
        at = (at + 1) & (keys->size - 1);
    }
    keys->slots[at] = slot;
    keys->used++;
}

static enum hs_err grow(struct hs_mls_keys *keys)
{
    struct hs_mls_keys old = *keys;
    uint32_t size = old.size == 0 ? 16 : 2 * old.size;
    struct hs_mls_keys_slot *slots = calloc(size, sizeof *slots);
    HS_REQUIRE(slots != NULL, HS_ERR_NOMEM);
    keys->slots = slots;
    keys->size = size;
    keys->used = 0;
    for (uint32_t i = 0; i < old.size; i++)
        if (old.slots[i].node != 0)
            insert(keys, old.slots[i]);
    free(old.slots);
    return HS_OK;
}

enum hs_err hs_mls_keys_add(struct hs_mls_keys *keys, enum hs_mls_key_kind kind, struct hs_bytes key,
                            uint32_t node)
{
    if (4 * (keys->used + 1) > 3 * keys->size)
        HS_TRY(grow(keys));
    insert(keys, (struct hs_mls_keys_slot){.tag = key_tag(keys, kind, key), .node = node + 1});
    return HS_OK;
}

/* The node at that place; NULL where all around it is blank, or past the end. */
static struct hs_mls_node *node_at(const struct hs_mls_tree *tree, uint32_t index)
{
    struct hs_mls_node *node = tree->root;
    if (index > 2 * (hs_mls_tree_width(tree) - 1))
        return NULL;
    while (node->index != index && !hs_mls_node_is_bare(node) && hs_mls_node_open(tree, node) == HS_OK)
        node = node->parent->child[index > node->index];
    return node->index == index && !hs_mls_node_is_bare(node) ? node : NULL;
}

static bool node_has_key(const struct hs_mls_tree *tree, uint32_t index, enum hs_mls_key_kind kind,
                         struct hs_bytes key)
{
    struct hs_mls_node *node = node_at(tree, index);
    if (node == NULL || hs_mls_node_open(tree, node) != HS_OK || (node->level > 0 && !node->filled))
        return false;
    if (kind == HS_MLS_KEY_SIGNATURE)
        return node->level == 0 && hs_bytes_equal(hs_mls_leaf_signature_key(node->leaf), key);
    return hs_bytes_equal(hs_mls_node_key(node), key);
}

/* What the store says; NO_NODE where it has nothing, or fails. */
static uint32_t find_stored(const struct hs_mls_tree *tree, enum hs_mls_key_kind kind, struct hs_bytes key)
{
    struct hs_mls_store_key record = hs_mls_index_record_key(tree->suite, kind, key);
    struct hs_writer HS_WRITER value = hs_writer(sizeof(uint32_t));
    enum hs_err err = hs_mls_store_get(tree->store, &record, &value);
    if (err == HS_ERR_NOT_FOUND)
        return HS_MLS_NO_NODE;
    struct hs_reader r = hs_reader(hs_writer_bytes(&value));
    uint32_t node = hs_read_u32(&r);
    if (err == HS_OK)
        err = hs_reader_finish(&r);
    if (err == HS_OK)
        return node;
    (void)hs_mls_tree_fail(tree, err);
    return HS_MLS_NO_NODE;
}

bool hs_mls_keys_find(const struct hs_mls_keys *keys, const struct hs_mls_tree *tree,
                      enum hs_mls_key_kind kind, struct hs_bytes key, uint32_t except, uint32_t *node)
{
    if (key.len > HS_MLS_MAX_PUB)
        return false;
    uint32_t tag = key_tag(keys, kind, key);
    for (uint32_t i = 0; i < keys->size; i++) {
        const struct hs_mls_keys_slot *slot = &keys->slots[(tag + i) & (keys->size - 1)];
        if (slot->node == 0)
            break;
        *node = slot->node - 1;
        if (slot->tag == tag && *node != except && node_has_key(tree, *node, kind, key))
            return true;
    }
    if (!keys->stored || tree->store == NULL)
        return false;
    *node = find_stored(tree, kind, key);
    return *node != HS_MLS_NO_NODE && *node != except && node_has_key(tree, *node, kind, key);
}

static enum hs_err claim_one(struct hs_mls_keys *keys, const struct hs_mls_tree *tree,
                             enum hs_mls_key_kind kind, struct hs_bytes key, uint32_t node)
{
    uint32_t other;
    HS_REQUIRE(!hs_mls_keys_find(keys, tree, kind, key, node, &other), HS_ERR_MLS_TREE);
    return hs_mls_keys_add(keys, kind, key, node);
}

static enum hs_err claim_node(struct hs_mls_keys *keys, const struct hs_mls_tree *tree,
                              const struct hs_mls_node *node)
{
    if (node->level == 0 ? node->leaf == NULL : !node->filled)
        return HS_OK;
    if (node->level == 0)
        HS_TRY(
            claim_one(keys, tree, HS_MLS_KEY_SIGNATURE, hs_mls_leaf_signature_key(node->leaf), node->index));
    return claim_one(keys, tree, HS_MLS_KEY_ENCRYPTION, hs_mls_node_key(node), node->index);
}

enum hs_err hs_mls_keys_claim(struct hs_mls_keys *keys, const struct hs_mls_tree *tree, uint32_t node)
{
    struct hs_mls_node *at = node_at(tree, node);
    if (at == NULL)
        return hs_mls_tree_error(tree);
    HS_TRY(hs_mls_node_open(tree, at));
    return claim_node(keys, tree, at);
}

static enum hs_err claim_below(struct hs_mls_keys *keys, const struct hs_mls_tree *tree,
                               struct hs_mls_node *node)
{
    if (hs_mls_node_is_bare(node))
        return HS_OK;
    HS_TRY(hs_mls_node_open(tree, node));
    HS_TRY(claim_node(keys, tree, node));
    if (node->level == 0)
        return HS_OK;
    HS_TRY(claim_below(keys, tree, node->parent->child[0]));
    return claim_below(keys, tree, node->parent->child[1]);
}

enum hs_err hs_mls_keys_claim_tree(struct hs_mls_keys *keys, const struct hs_mls_tree *tree)
{
    return claim_below(keys, tree, tree->root);
}

/* Takes an entry out and closes the gap, so that those behind it are still found. */
static void take_out(struct hs_mls_keys *keys, uint32_t tag, uint32_t node)
{
    const uint32_t mask = keys->size - 1;
    uint32_t at = tag & mask;
    while (keys->slots[at].node != 0 && (keys->slots[at].tag != tag || keys->slots[at].node != node + 1))
        at = (at + 1) & mask;
    if (keys->slots[at].node == 0)
        return;
    keys->used--;
    for (uint32_t next = (at + 1) & mask; keys->slots[next].node != 0; next = (next + 1) & mask) {
        uint32_t home = keys->slots[next].tag & mask;
        if (((next - home) & mask) < ((next - at) & mask))
            continue;
        keys->slots[at] = keys->slots[next];
        at = next;
    }
    keys->slots[at].node = 0;
}

static enum hs_err drop_key(void *context, enum hs_mls_key_kind kind, struct hs_bytes key, uint32_t node)
{
    struct hs_mls_keys *keys = context;
    if (keys->size > 0)
        take_out(keys, key_tag(keys, kind, key), node);
    return HS_OK;
}

static enum hs_err add_key(void *context, enum hs_mls_key_kind kind, struct hs_bytes key, uint32_t node)
{
    return hs_mls_keys_add(context, kind, key, node);
}

static enum hs_err drop_node(void *keys, struct hs_mls_node *node, struct hs_mls_node *other)
{
    return hs_mls_node_new_keys(node, other, drop_key, keys);
}

static enum hs_err add_node(void *keys, struct hs_mls_node *node, struct hs_mls_node *other)
{
    return hs_mls_node_new_keys(node, other, add_key, keys);
}

enum hs_err hs_mls_keys_follow(struct hs_mls_keys *keys, const struct hs_mls_tree *before,
                               const struct hs_mls_tree *tree)
{
    const struct hs_mls_tree_diff added = {.of = tree, .other = before, .context = keys, .visit = add_node};
    const struct hs_mls_tree_diff gone = {.of = before, .other = tree, .context = keys, .visit = drop_node};
    HS_TRY(hs_mls_tree_diff(&added));
    return hs_mls_tree_diff(&gone);
}

#include "mls/keys.h"

#include "mls/tree_math.h"

#include <sodium.h>
#include <stdlib.h>

void hs_mls_keys_init(struct hs_mls_keys *keys)
{
    *keys = (struct hs_mls_keys){0};
    randombytes_buf(keys->seed, sizeof keys->seed);
}

void hs_mls_keys_free(struct hs_mls_keys *keys)
{
    free(keys->slots);
    *keys = (struct hs_mls_keys){0};
}

static uint32_t key_tag(const struct hs_mls_keys *keys, enum hs_mls_key_kind kind, const struct hs_key *key)
{
    uint8_t input[1 + HS_KEY_LEN] = {(uint8_t)kind};
    uint8_t hash[crypto_shorthash_BYTES];
    memcpy(input + 1, key->b, sizeof key->b);
    crypto_shorthash(hash, input, sizeof input, keys->seed);
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

enum hs_err hs_mls_keys_add(struct hs_mls_keys *keys, enum hs_mls_key_kind kind, const struct hs_key *key,
                            uint32_t node)
{
    if (2 * (keys->used + 1) > keys->size)
        HS_TRY(grow(keys));
    insert(keys, (struct hs_mls_keys_slot){.tag = key_tag(keys, kind, key), .node = node + 1});
    return HS_OK;
}

static bool node_has_key(const struct hs_mls_node *node, enum hs_mls_key_kind kind, const struct hs_key *key)
{
    if (node == NULL || (node->level == 0 ? node->leaf == NULL : !node->filled))
        return false;
    if (kind == HS_MLS_KEY_SIGNATURE)
        return node->level == 0 && hs_key_equal(&node->leaf->signature_key, key);
    return hs_key_equal(hs_mls_node_key(node), key);
}

bool hs_mls_keys_find(const struct hs_mls_keys *keys, const struct hs_mls_tree *tree,
                      enum hs_mls_key_kind kind, const struct hs_key *key, uint32_t except, uint32_t *node)
{
    uint32_t tag = key_tag(keys, kind, key);
    if (keys->size == 0)
        return false;
    for (uint32_t at = tag & (keys->size - 1); keys->slots[at].node != 0; at = (at + 1) & (keys->size - 1)) {
        uint32_t index = keys->slots[at].node - 1;
        if (keys->slots[at].tag != tag || index == except)
            continue;
        if (node_has_key(hs_mls_tree_node(tree, index), kind, key)) {
            *node = index;
            return true;
        }
    }
    return false;
}

static enum hs_err claim_one(struct hs_mls_keys *keys, const struct hs_mls_tree *tree,
                             enum hs_mls_key_kind kind, const struct hs_key *key, uint32_t node)
{
    uint32_t other;
    HS_REQUIRE(!hs_mls_keys_find(keys, tree, kind, key, node, &other), HS_ERR_MLS_TREE);
    return hs_mls_keys_add(keys, kind, key, node);
}

static enum hs_err claim_node(struct hs_mls_keys *keys, const struct hs_mls_tree *tree,
                              const struct hs_mls_node *node, uint32_t index)
{
    if (node->level == 0 ? node->leaf == NULL : !node->filled)
        return HS_OK;
    if (node->level == 0)
        HS_TRY(claim_one(keys, tree, HS_MLS_KEY_SIGNATURE, &node->leaf->signature_key, index));
    return claim_one(keys, tree, HS_MLS_KEY_ENCRYPTION, hs_mls_node_key(node), index);
}

enum hs_err hs_mls_keys_claim(struct hs_mls_keys *keys, const struct hs_mls_tree *tree, uint32_t node)
{
    return claim_node(keys, tree, hs_mls_tree_node(tree, node), node);
}

static enum hs_err claim_below(struct hs_mls_keys *keys, const struct hs_mls_tree *tree,
                               const struct hs_mls_node *node, uint32_t first)
{
    HS_TRY(claim_node(keys, tree, node, hs_mls_node_over(first, node->level)));
    if (node->level == 0)
        return HS_OK;
    HS_TRY(claim_below(keys, tree, node->child[0], first));
    return claim_below(keys, tree, node->child[1], first + ((uint32_t)1 << (node->level - 1)));
}

enum hs_err hs_mls_keys_claim_tree(struct hs_mls_keys *keys, const struct hs_mls_tree *tree)
{
    return claim_below(keys, tree, tree->root, 0);
}

void hs_mls_keys_tidy(struct hs_mls_keys *keys, const struct hs_mls_tree *tree)
{
    /* A full tree has three keys a leaf: signature, encryption, parent. */
    if (keys->used <= 6 * hs_mls_tree_width(tree) + 64)
        return;
    struct hs_mls_keys HS_MLS_KEYS fresh;
    hs_mls_keys_init(&fresh);
    if (hs_mls_keys_claim_tree(&fresh, tree) != HS_OK)
        return;
    struct hs_mls_keys old = *keys;
    *keys = fresh;
    fresh = old;
}

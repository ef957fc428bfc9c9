/* Ratchet trees for tests, and the same trees as plain arrays: slow, simple, written from RFC 9420 alone, to
 * compare with. */
#ifndef TESTS_MLS_TREE_KIT_H
#define TESTS_MLS_TREE_KIT_H

#include "support/rng.h"
#include "support/test.h"

#include "crypto/hash.h"
#include "mls/keys.h"
#include "mls/suite.h"
#include "mls/treekem.h"

#include <stdlib.h>
#include <string.h>

enum { KIT_CAP = 1 << 24, MODEL_WIDTH = 64 };

static const struct hs_mls_suite *const kit_suite = &hs_mls_suite_3;

/* A leaf of its own keys; signer may be NULL. The identity has 16 bytes. */
static inline struct hs_mls_leaf *kit_leaf(struct hs_mls_signer *signer)
{
    struct hs_mls_signer own;
    struct hs_mls_secret priv;
    struct hs_mls_pub pub;
    struct hs_mls_leaf *leaf = NULL;
    signer = signer == NULL ? &own : signer;
    assert_ok(hs_mls_signer_random(kit_suite, signer));
    assert_ok(hs_mls_kem_generate(kit_suite, &priv, &pub));
    const struct hs_mls_leaf_params params = {
        .signer = signer, .identity = hs_bytes_str("0123456789abcdef"), .not_after = 1};
    assert_ok(hs_mls_leaf_create(&params, HS_MLS_VIEW(pub), &leaf));
    return leaf;
}

/* A commit's path by that member, whose new leaf has the signer's key. */
static inline void kit_path(struct hs_mls_tree *tree, uint32_t leaf, const struct hs_mls_signer *signer)
{
    struct hs_mls_path_keys HS_MLS_PATH_KEYS keys;
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets;
    const struct hs_mls_leaf_renewal renewal = {
        .old = hs_mls_tree_leaf(tree, leaf), .signer = signer, .group_id = hs_bytes_str("g"), .index = leaf};
    assert_ok(hs_mls_path_make(tree, &renewal, &keys, &secrets));
}

static inline struct hs_mls_hash kit_hash(const struct hs_mls_tree *tree)
{
    struct hs_mls_tree copy = *tree;
    struct hs_mls_hash hash;
    assert_ok(hs_mls_tree_hash(&copy, &hash));
    return hash;
}

/* Into w, which is emptied before. */
static inline struct hs_bytes kit_encoded(const struct hs_mls_tree *tree, struct hs_writer *w)
{
    hs_writer_reset(w);
    hs_mls_tree_write(tree, w);
    assert_ok(w->err);
    return hs_writer_bytes(w);
}

/* A node of the array form. */
struct model_node {
    bool filled;
    struct hs_mls_leaf *leaf;
    uint8_t key[32], parent_hash[32];
    size_t parent_hash_len;
    uint32_t unmerged[MODEL_WIDTH], unmerged_count;
};

struct model {
    uint32_t width;
    struct model_node nodes[2 * MODEL_WIDTH - 1];
};

/* Over the leaves from first, span of them. */
static inline struct model_node *model_over(struct model *m, uint32_t first, uint32_t span)
{
    return &m->nodes[2 * first + span - 1];
}

static inline void model_write_parent(struct hs_writer *w, const struct model_node *n, uint64_t without)
{
    hs_write_mls_vec(w, hs_bytes(n->key, 32));
    hs_write_mls_vec(w, hs_bytes(n->parent_hash, n->parent_hash_len));
    size_t mark = hs_writer_open(w);
    for (uint32_t i = 0; i < n->unmerged_count; i++)
        if ((without >> n->unmerged[i] & 1) == 0)
            hs_write_u32(w, n->unmerged[i]);
    hs_writer_close(w, mark);
}

/* RFC 9420, 7.8; without: leaves taken as blank, and out of all lists. */
static inline struct hs_id model_hash(struct model *m, uint32_t first, uint32_t span, uint64_t without)
{
    struct hs_writer HS_WRITER w = hs_writer(KIT_CAP);
    const struct model_node *n = model_over(m, first, span);
    if (span == 1) {
        bool there = n->leaf != NULL && (without >> first & 1) == 0;
        hs_write_u8(&w, 1);
        hs_write_u32(&w, first);
        hs_write_u8(&w, there);
        if (there)
            hs_write_bytes(&w, hs_bytes(n->leaf->bytes, n->leaf->len));
    } else {
        struct hs_id left = model_hash(m, first, span / 2, without);
        struct hs_id right = model_hash(m, first + span / 2, span / 2, without);
        hs_write_u8(&w, 2);
        hs_write_u8(&w, n->filled);
        if (n->filled)
            model_write_parent(&w, n, without);
        hs_write_mls_vec(&w, HS_VIEW(left));
        hs_write_mls_vec(&w, HS_VIEW(right));
    }
    assert_ok(w.err);
    return hs_sha256(hs_writer_bytes(&w));
}

/* RFC 9420, 4.1.1; appends node indices. */
static inline void model_resolve(struct model *m, uint32_t first, uint32_t span, uint32_t *list,
                                 size_t *count)
{
    const struct model_node *n = model_over(m, first, span);
    if (span == 1 ? n->leaf != NULL : n->filled) {
        list[(*count)++] = 2 * first + span - 1;
        for (uint32_t i = 0; span > 1 && i < n->unmerged_count; i++)
            list[(*count)++] = 2 * n->unmerged[i];
    } else if (span > 1) {
        model_resolve(m, first, span / 2, list, count);
        model_resolve(m, first + span / 2, span / 2, list, count);
    }
}

/* RFC 9420, 7.9. */
static inline struct hs_id model_parent_hash(struct model *m, uint32_t first, uint32_t span, bool right)
{
    struct hs_writer HS_WRITER w = hs_writer(KIT_CAP);
    const struct model_node *n = model_over(m, first, span);
    uint64_t without = 0;
    for (uint32_t i = 0; i < n->unmerged_count; i++)
        without |= (uint64_t)1 << n->unmerged[i];
    struct hs_id sibling = model_hash(m, right ? first + span / 2 : first, span / 2, without);
    hs_write_mls_vec(&w, hs_bytes(n->key, 32));
    hs_write_mls_vec(&w, hs_bytes(n->parent_hash, n->parent_hash_len));
    hs_write_mls_vec(&w, HS_VIEW(sibling));
    assert_ok(w.err);
    return hs_sha256(hs_writer_bytes(&w));
}

static inline void model_set_leaf(struct model *m, uint32_t leaf, struct hs_mls_leaf *to)
{
    m->nodes[2 * leaf].leaf = to;
}

/* Update and Remove (RFC 9420, 7.7): the leaf, and blanks above it. */
static inline void model_replace(struct model *m, uint32_t leaf, struct hs_mls_leaf *to)
{
    model_set_leaf(m, leaf, to);
    for (uint32_t span = 2; span <= m->width; span *= 2)
        *model_over(m, leaf & ~(span - 1), span) = (struct model_node){0};
    bool right = to == NULL;
    while (right && m->width > 1) {
        for (uint32_t i = m->width / 2; i < m->width; i++)
            right = right && m->nodes[2 * i].leaf == NULL;
        if (!right)
            break;
        for (uint32_t i = m->width - 1; i < 2 * m->width - 1; i++)
            m->nodes[i] = (struct model_node){0};
        m->width /= 2;
    }
}

/* Add (RFC 9420, 7.7). */
static inline uint32_t model_add(struct model *m, struct hs_mls_leaf *to)
{
    uint32_t leaf = 0;
    while (leaf < m->width && m->nodes[2 * leaf].leaf != NULL)
        leaf++;
    if (leaf == m->width)
        m->width *= 2;
    assert_true(m->width <= MODEL_WIDTH);
    model_set_leaf(m, leaf, to);
    for (uint32_t span = 2; span <= m->width; span *= 2) {
        struct model_node *n = model_over(m, leaf & ~(span - 1), span);
        uint32_t at = n->unmerged_count;
        if (!n->filled)
            continue;
        for (; at > 0 && n->unmerged[at - 1] > leaf; at--)
            n->unmerged[at] = n->unmerged[at - 1];
        n->unmerged[at] = leaf;
        n->unmerged_count++;
    }
    return leaf;
}

/* A path that was made in the tree: the keys are taken from there, all else is worked out. */
static inline void model_path(struct model *m, uint32_t leaf, const struct hs_mls_tree *tree)
{
    for (uint32_t span = 2; span <= m->width; span *= 2) {
        uint32_t first = leaf & ~(span - 1), list[4 * MODEL_WIDTH];
        uint32_t other = (leaf & (span / 2)) != 0 ? first : first + span / 2;
        size_t count = 0;
        struct model_node *n = model_over(m, first, span);
        model_resolve(m, other, span / 2, list, &count);
        *n = (struct model_node){.filled = count > 0};
        const struct hs_mls_node *made = hs_mls_tree_node(tree, 2 * first + span - 1);
        assert_int_equal(made->filled, n->filled);
        if (n->filled)
            memcpy(n->key, hs_mls_node_key(made).data, 32);
    }
    struct hs_id last;
    bool has_last = false;
    for (uint32_t span = m->width; span > 1; span /= 2) {
        uint32_t first = leaf & ~(span - 1);
        struct model_node *n = model_over(m, first, span);
        if (!n->filled)
            continue;
        n->parent_hash_len = has_last ? 32 : 0;
        if (has_last)
            memcpy(n->parent_hash, last.b, 32);
        last = model_parent_hash(m, first, span, (leaf & (span / 2)) == 0);
        has_last = true;
    }
    struct hs_mls_leaf *made = hs_mls_tree_leaf(tree, leaf);
    assert_bytes(hs_mls_leaf_node(made).parent_hash, hs_bytes(last.b, has_last ? 32 : 0));
    model_set_leaf(m, leaf, made);
}

/* RFC 9420, 12.4.3.3. */
static inline void model_write(struct model *m, struct hs_writer *w)
{
    uint32_t last = 2 * m->width - 1;
    while (last > 0 && m->nodes[last - 1].leaf == NULL && !m->nodes[last - 1].filled)
        last--;
    hs_writer_reset(w);
    size_t mark = hs_writer_open(w);
    for (uint32_t i = 0; i < last; i++) {
        const struct model_node *n = &m->nodes[i];
        bool there = i % 2 == 0 ? n->leaf != NULL : n->filled;
        hs_write_u8(w, there);
        if (!there)
            continue;
        hs_write_u8(w, i % 2 == 0 ? 1 : 2);
        if (i % 2 == 0)
            hs_write_bytes(w, hs_bytes(n->leaf->bytes, n->leaf->len));
        else
            model_write_parent(w, n, 0);
    }
    hs_writer_close(w, mark);
    assert_ok(w->err);
}

static inline uint32_t model_members(const struct model *m)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->width; i++)
        count += m->nodes[2 * i].leaf != NULL;
    return count;
}

/* Bytes and tree hash are the model's. */
static inline void model_compare(struct model *m, struct hs_mls_tree *tree)
{
    struct hs_writer HS_WRITER have = hs_writer(KIT_CAP), HS_WRITER want = hs_writer(KIT_CAP);
    model_write(m, &want);
    assert_int_equal(hs_mls_tree_width(tree), m->width);
    assert_bytes(kit_encoded(tree, &have), hs_writer_bytes(&want));
    struct hs_id hash = model_hash(m, 0, m->width, 0);
    assert_bytes(HS_MLS_VIEW(kit_hash(tree)), HS_VIEW(hash));
    assert_int_equal(tree->root->members, model_members(m));
    assert_ok(hs_mls_tree_error(tree));
}

/* A tree that changes at random, and the model beside it. */
enum { KIT_LEAVES = 4096 };

struct kit {
    struct rng rng;
    struct hs_mls_tree tree;
    struct model model;
    struct hs_mls_signer signers[MODEL_WIDTH]; /* by leaf */
    struct hs_mls_leaf *leaves[KIT_LEAVES];    /* all that ever were: the model borrows them */
    size_t leaf_count;
};

static inline struct hs_mls_leaf *kit_keep(struct kit *kit, struct hs_mls_leaf *leaf)
{
    assert_true(kit->leaf_count < KIT_LEAVES);
    kit->leaves[kit->leaf_count++] = leaf;
    return leaf;
}

static inline void kit_free(struct kit *kit)
{
    hs_mls_tree_free(&kit->tree);
    for (size_t i = 0; i < kit->leaf_count; i++)
        hs_mls_leaf_unref(kit->leaves[i]);
}

static inline void kit_add(struct kit *kit)
{
    struct hs_mls_signer signer;
    struct hs_mls_leaf *leaf = kit_keep(kit, kit_leaf(&signer));
    uint32_t index;
    assert_ok(hs_mls_tree_add(&kit->tree, leaf, &index));
    assert_int_equal(index, model_add(&kit->model, leaf));
    kit->signers[index] = signer;
}

static inline void kit_commit(struct kit *kit, uint32_t leaf)
{
    kit_path(&kit->tree, leaf, &kit->signers[leaf]);
    model_path(&kit->model, leaf, &kit->tree);
    kit_keep(kit, hs_mls_leaf_ref(hs_mls_tree_leaf(&kit->tree, leaf)));
}

static inline void kit_init(struct kit *kit)
{
    *kit = (struct kit){.rng = rng_new()};
    kit->model.width = 1;
    assert_ok(hs_mls_tree_init(kit_suite, &kit->tree));
    kit_add(kit);
}

static inline uint32_t kit_member(struct kit *kit)
{
    uint32_t leaf;
    do
        leaf = (uint32_t)rng_below(&kit->rng, kit->model.width);
    while (kit->model.nodes[2 * leaf].leaf == NULL);
    return leaf;
}

/* Add, Update, Remove, or a path. */
static inline void kit_step(struct kit *kit)
{
    size_t choice = rng_below(&kit->rng, 10);
    uint32_t members = model_members(&kit->model), leaf = kit_member(kit);
    if (choice < 4 && members < MODEL_WIDTH) {
        kit_add(kit);
    } else if (choice < 7) {
        kit_commit(kit, leaf);
    } else if (choice < 9 && members > 1) {
        assert_ok(hs_mls_tree_replace(&kit->tree, leaf, NULL));
        assert_ok(hs_mls_tree_truncate(&kit->tree));
        model_replace(&kit->model, leaf, NULL);
    } else {
        struct hs_mls_leaf *renewed = kit_keep(kit, kit_leaf(&kit->signers[leaf]));
        assert_ok(hs_mls_tree_replace(&kit->tree, leaf, renewed));
        model_replace(&kit->model, leaf, renewed);
    }
}

#endif

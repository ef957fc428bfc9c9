/* The ratchet tree by itself: indices, sharing, parent hashes, what must be refused. */
#include "unit/mls/tree_kit.h"

#include "crypto/selftest.h"
#include "mls/tree_math.h"

/* A tree of that many members; signers has room for them. */
static struct hs_mls_tree grow(uint32_t members, struct hs_mls_signer *signers)
{
    struct hs_mls_tree tree;
    assert_ok(hs_mls_tree_init(kit_suite, &tree));
    for (uint32_t i = 0; i < members; i++) {
        uint32_t index;
        struct hs_mls_leaf HS_MLS_LEAF *leaf = kit_leaf(&signers[i]);
        assert_ok(hs_mls_tree_add(&tree, leaf, &index));
        assert_int_equal(index, i);
    }
    return tree;
}

/* Bad indices are errors at the very edges of 32 bits too. */
static void maths(void **state)
{
    (void)state;
    uint32_t out;
    assert_err(hs_mls_node_left(0, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_node_right(UINT32_MAX - 1, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_node_left(UINT32_MAX, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_node_parent(7, 8, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_node_parent(15, 8, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_node_sibling(7, 8, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_node_parent(0, 0, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_node_parent(0, 3, &out), HS_ERR_INVALID_ARG); /* no width */
    assert_err(hs_mls_node_sibling(0, 0x80000001, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_node_parent(UINT32_MAX, 0x80000000, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_node_parent(0x7fffffff, 0x80000000, &out), HS_ERR_INVALID_ARG); /* the root */
    assert_ok(hs_mls_node_parent(UINT32_MAX - 1, 0x80000000, &out));
    assert_int_equal(out, UINT32_MAX - 2);
    assert_ok(hs_mls_node_parent(0xbfffffff, 0x80000000, &out));
    assert_int_equal(out, 0x7fffffff);
    assert_ok(hs_mls_node_sibling(0xbfffffff, 0x80000000, &out));
    assert_int_equal(out, 0x3fffffff);
    assert_int_equal(hs_mls_node_width(0x80000000), UINT32_MAX);
    assert_int_equal(hs_mls_node_width(0x80000001), 0);
    assert_ok(hs_mls_node_left(0x7fffffff, &out));
    assert_int_equal(out, 0x3fffffff);
    assert_ok(hs_mls_node_right(0x7fffffff, &out));
    assert_int_equal(out, 0xbfffffff);
    assert_int_equal(hs_mls_node_over(5, 0), 10);
    assert_int_equal(hs_mls_node_over(5, 1), 9);
    assert_int_equal(hs_mls_node_over(5, 3), 7);
}

/* Whatever happens to a tree, it is what the array model says; copies from before stay what they were, and
 * the wire form gives the same tree. MLS-12 */
static void at_random(void **state)
{
    (void)state;
    struct kit HS_AUTO(kit_free) kit;
    struct hs_mls_tree HS_MLS_TREE kept = {0};
    struct hs_writer HS_WRITER then = hs_writer(KIT_CAP), HS_WRITER now = hs_writer(KIT_CAP);
    struct hs_mls_hash hash = {0};
    kit_init(&kit);
    for (int i = 0; i < 600; i++) {
        kit_step(&kit);
        model_compare(&kit.model, &kit.tree);
        assert_ok(hs_mls_tree_check(&kit.tree));
        if (kept.root != NULL) {
            assert_bytes(kit_encoded(&kept, &now), hs_writer_bytes(&then));
            assert_bytes(HS_MLS_VIEW(kit_hash(&kept)), HS_MLS_VIEW(hash));
        }
        struct hs_mls_tree HS_MLS_TREE read = {0};
        assert_ok(hs_mls_tree_read(kit_suite, kit_encoded(&kit.tree, &now), &read));
        model_compare(&kit.model, &read);
        assert_ok(hs_mls_tree_check(&read));
        if (rng_below(&kit.rng, 4) == 0) {
            hs_mls_tree_free(&kept);
            kept = hs_mls_tree_share(&kit.tree);
            hash = kit_hash(&kept);
            (void)kit_encoded(&kept, &then);
        }
    }
}

/* Resolutions and hashes of all nodes, of those too that are kept as one blank. */
static void every_node(void **state)
{
    (void)state;
    struct kit HS_AUTO(kit_free) kit;
    kit_init(&kit);
    for (int i = 0; i < 200; i++) {
        kit_step(&kit);
        struct hs_mls_tree HS_MLS_TREE tree = hs_mls_tree_share(&kit.tree);
        for (uint32_t span = 1; span <= kit.model.width; span *= 2) {
            for (uint32_t first = 0; first < kit.model.width; first += span) {
                uint32_t want[4 * MODEL_WIDTH];
                size_t count = 0;
                struct hs_mls_resolution HS_MLS_RESOLUTION have = {0};
                struct hs_mls_tree_path path;
                hs_mls_tree_path(&tree, first, &path);
                model_resolve(&kit.model, first, span, want, &count);
                assert_ok(hs_mls_resolve(&tree, path.on[hs_mls_node_level(span - 1)], &have));
                assert_int_equal(have.count, count);
                for (size_t at = 0; at < count; at++)
                    assert_int_equal(have.list[at].index, want[at]);
            }
        }
    }
}

/* A copy shares all and still never changes; neither do hashes depend on when they were made. */
static void sharing(void **state)
{
    (void)state;
    struct hs_mls_signer signers[9];
    struct hs_mls_tree HS_MLS_TREE tree = grow(9, signers);
    struct hs_mls_tree HS_MLS_TREE before = hs_mls_tree_share(&tree), HS_MLS_TREE read = {0};
    struct hs_writer HS_WRITER old = hs_writer(KIT_CAP), HS_WRITER now = hs_writer(KIT_CAP),
                               HS_WRITER later = hs_writer(KIT_CAP);
    struct hs_mls_hash hash, hash_before, hash_read;
    assert_ptr_equal(before.root, tree.root);
    hs_mls_tree_write(&tree, &old);
    assert_ok(hs_mls_tree_hash(&tree, &hash_before));
    kit_path(&tree, 4, &signers[4]);
    assert_ok(hs_mls_tree_replace(&tree, 8, NULL));
    assert_ok(hs_mls_tree_truncate(&tree));
    assert_int_equal(hs_mls_tree_width(&tree), 8);
    hs_mls_tree_write(&before, &later);
    assert_bytes(hs_writer_bytes(&later), hs_writer_bytes(&old));
    assert_ok(hs_mls_tree_hash(&tree, &hash));
    assert_false(hs_bytes_equal(HS_MLS_VIEW(hash), HS_MLS_VIEW(hash_before)));
    hs_mls_tree_write(&tree, &now);
    assert_ok(hs_mls_tree_read(kit_suite, hs_writer_bytes(&now), &read));
    assert_ok(hs_mls_tree_hash(&read, &hash_read));
    assert_bytes(HS_MLS_VIEW(hash), HS_MLS_VIEW(hash_read));
    assert_ok(hs_mls_tree_hash(&before, &hash));
    assert_bytes(HS_MLS_VIEW(hash), HS_MLS_VIEW(hash_before));
}

/* Parent hashes hold with unmerged leaves and blanks, and break with each thing that they bind. */
static void parent_hashes(void **state)
{
    (void)state;
    struct hs_mls_signer signers[8], extra;
    struct hs_mls_tree HS_MLS_TREE tree = grow(7, signers);
    kit_path(&tree, 0, &signers[0]);
    kit_path(&tree, 5, &signers[5]);
    assert_ok(hs_mls_tree_replace(&tree, 3, NULL));
    kit_path(&tree, 1, &signers[1]);
    assert_ok(hs_mls_tree_check(&tree));
    for (int i = 0; i < 2; i++) {
        uint32_t index;
        struct hs_mls_leaf HS_MLS_LEAF *leaf = kit_leaf(&extra);
        assert_ok(hs_mls_tree_add(&tree, leaf, &index));
        assert_int_equal(index, i == 0 ? 3 : 7);
        assert_ok(hs_mls_tree_check(&tree));
    }
    assert_int_equal(tree.root->parent->unmerged_count, 2);
    assert_int_equal(hs_mls_node_unmerged(tree.root, 0), 3); /* sorted */
    struct hs_mls_tree_path path;
    struct hs_mls_tree HS_MLS_TREE bad = hs_mls_tree_share(&tree);
    assert_ok(hs_mls_tree_path_own(&bad, 1, &path));
    struct hs_mls_parent *low = path.on[1]->parent, *top = path.on[3]->parent;
    low->bytes[0] ^= 1; /* the key */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    low->bytes[0] ^= 1;
    assert_ok(hs_mls_tree_check(&bad));
    low->bytes[low->key_len] ^= 1; /* the parent hash */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    low->bytes[low->key_len] ^= 1;
    low->parent_hash_len = 0;
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    low->parent_hash_len = 32;
    top->unmerged_count = 1; /* leaf 7 no longer noted at the root */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    top->unmerged_count = 2;
    memcpy(top->unmerged, "\0\0\0\7\0\0\0\3", 8); /* not sorted */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    memcpy(top->unmerged, "\0\0\0\3\0\0\0\3", 8); /* twice */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    memcpy(top->unmerged, "\0\0\0\3\0\0\0\x64", 8); /* outside */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    memcpy(top->unmerged, "\0\0\0\3\0\0\0\6", 8); /* not noted at the nodes between */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    memcpy(top->unmerged, "\0\0\0\3\0\0\0\7", 8);
    assert_ok(hs_mls_tree_check(&bad));
    assert_ok(hs_mls_tree_check(&tree));
}

/* Lists of unmerged leaves are sorted whatever the order in which the leaves came. */
static void unmerged_sorted(void **state)
{
    (void)state;
    struct hs_mls_signer signers[8], extra;
    struct hs_mls_tree HS_MLS_TREE tree = grow(8, signers);
    struct hs_mls_leaf HS_MLS_LEAF *first = kit_leaf(&extra), HS_MLS_LEAF *second = kit_leaf(&extra);
    uint32_t index;
    assert_ok(hs_mls_tree_replace(&tree, 3, NULL));
    assert_ok(hs_mls_tree_replace(&tree, 6, NULL));
    kit_path(&tree, 0, &signers[0]);
    assert_ok(hs_mls_tree_put(&tree, 3, first)); /* as if it were there */
    assert_ok(hs_mls_tree_add(&tree, second, &index));
    assert_int_equal(index, 6);
    assert_ok(hs_mls_tree_put(&tree, 3, NULL));
    assert_ok(hs_mls_tree_add(&tree, first, &index));
    assert_int_equal(index, 3);
    assert_int_equal(tree.root->parent->unmerged_count, 2);
    assert_int_equal(hs_mls_node_unmerged(tree.root, 0), 3);
    assert_int_equal(hs_mls_node_unmerged(tree.root, 1), 6);
    assert_true(hs_mls_node_is_unmerged(tree.root, 6));
    assert_false(hs_mls_node_is_unmerged(tree.root, 5));
    assert_ok(hs_mls_tree_check(&tree));
    assert_ok(hs_mls_tree_put(&tree, 6, NULL)); /* listed, but blank */
    assert_err(hs_mls_tree_check(&tree), HS_ERR_MLS_TREE);
}

/* The encoded form: what no honest tree looks like. */
static void encoded(void **state)
{
    (void)state;
    struct hs_mls_signer signers[3];
    struct hs_mls_tree HS_MLS_TREE tree = grow(3, signers), HS_MLS_TREE out = {0};
    struct hs_writer HS_WRITER w = hs_writer(KIT_CAP);
    kit_path(&tree, 0, &signers[0]);
    hs_mls_tree_write(&tree, &w);
    assert_ok(hs_mls_tree_read(kit_suite, hs_writer_bytes(&w), &out));
    for (size_t i = 0; i < w.len; i++) {
        struct hs_mls_tree HS_MLS_TREE cut = {0};
        assert_true(hs_mls_tree_read(kit_suite, hs_bytes(w.data, i), &cut) != HS_OK);
    }
    static const uint8_t empty[] = {0}, blank[] = {1, 0}, unknown[] = {3, 1, 3, 0}, odd[] = {2, 2, 1};
    struct hs_mls_tree bad = {0};
    assert_err(hs_mls_tree_read(kit_suite, hs_bytes(empty, sizeof empty), &bad), HS_ERR_MLS_TREE);
    assert_err(hs_mls_tree_read(kit_suite, hs_bytes(blank, sizeof blank), &bad), HS_ERR_MLS_TREE);
    assert_err(hs_mls_tree_read(kit_suite, hs_bytes(unknown, sizeof unknown), &bad), HS_ERR_MALFORMED);
    assert_true(hs_mls_tree_read(kit_suite, hs_bytes(odd, sizeof odd), &bad) != HS_OK);
    /* a leaf where a parent must be */
    struct hs_writer HS_WRITER wrong = hs_writer(KIT_CAP);
    size_t mark = hs_writer_open(&wrong);
    for (int i = 0; i < 2; i++) {
        hs_write_u8(&wrong, 1);
        hs_write_u8(&wrong, 1);
        hs_write_bytes(&wrong, hs_mls_leaf_node(hs_mls_tree_leaf(&tree, 1)).raw);
    }
    hs_writer_close(&wrong, mark);
    assert_err(hs_mls_tree_read(kit_suite, hs_writer_bytes(&wrong), &bad), HS_ERR_MLS_TREE);
}

/* The widest tree, and one leaf more. MLS-10 */
static void widest(void **state)
{
    (void)state;
    struct hs_mls_signer signer;
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    struct hs_mls_leaf HS_MLS_LEAF *leaf = kit_leaf(&signer);
    uint32_t index;
    assert_ok(hs_mls_tree_init(kit_suite, &tree));
    assert_ok(hs_mls_tree_resize(&tree, HS_MLS_MAX_LEAVES));
    assert_err(hs_mls_tree_resize(&tree, 2 * HS_MLS_MAX_LEAVES), HS_ERR_TOO_LARGE);
    assert_err(hs_mls_tree_resize(&tree, 3), HS_ERR_MALFORMED);
    for (uint32_t i = 0; i < HS_MLS_MAX_LEAVES; i++)
        assert_ok(hs_mls_tree_add(&tree, leaf, &index));
    assert_int_equal(index, HS_MLS_MAX_LEAVES - 1);
    assert_err(hs_mls_tree_add(&tree, leaf, &index), HS_ERR_TOO_LARGE);
}

/* No key twice, and keys of nodes that are gone don't count. */
static void unique_keys(void **state)
{
    (void)state;
    struct hs_mls_signer signers[4];
    struct hs_mls_tree HS_MLS_TREE tree = grow(4, signers);
    struct hs_mls_keys HS_MLS_KEYS keys, HS_MLS_KEYS again;
    uint32_t node, index;
    hs_mls_keys_init(&keys);
    hs_mls_keys_init(&again);
    kit_path(&tree, 0, &signers[0]);
    assert_ok(hs_mls_keys_claim_tree(&keys, &tree));
    struct hs_mls_leaf HS_MLS_LEAF *leaf = hs_mls_leaf_ref(hs_mls_tree_leaf(&tree, 2));
    assert_true(hs_mls_keys_find(&keys, &tree, HS_MLS_KEY_SIGNATURE, hs_mls_leaf_signature_key(leaf),
                                 HS_MLS_NO_NODE, &node));
    assert_int_equal(node, 4);
    assert_false(
        hs_mls_keys_find(&keys, &tree, HS_MLS_KEY_SIGNATURE, hs_mls_leaf_signature_key(leaf), 4, &node));
    assert_false(hs_mls_keys_find(&keys, &tree, HS_MLS_KEY_ENCRYPTION, hs_mls_leaf_signature_key(leaf),
                                  HS_MLS_NO_NODE, &node));
    assert_ok(hs_mls_tree_add(&tree, leaf, &index));
    assert_err(hs_mls_keys_claim(&keys, &tree, 2 * index), HS_ERR_MLS_TREE);
    assert_err(hs_mls_keys_claim_tree(&again, &tree), HS_ERR_MLS_TREE);
    assert_ok(hs_mls_tree_replace(&tree, 2, NULL));
    assert_ok(hs_mls_keys_claim(&keys, &tree, 2 * index));
    assert_true(hs_mls_keys_find(&keys, &tree, HS_MLS_KEY_SIGNATURE, hs_mls_leaf_signature_key(leaf),
                                 HS_MLS_NO_NODE, &node));
    assert_int_equal(node, 2 * index);
}

/* The index follows a tree from change to change, back and forth: it holds the keys that are there and no
 * others. */
static void index_follows(void **state)
{
    (void)state;
    struct kit HS_AUTO(kit_free) kit;
    struct hs_mls_keys HS_MLS_KEYS keys;
    hs_mls_keys_init(&keys);
    kit_init(&kit);
    assert_ok(hs_mls_keys_claim_tree(&keys, &kit.tree));
    for (int i = 0; i < 400; i++) {
        struct hs_mls_tree HS_MLS_TREE before = hs_mls_tree_share(&kit.tree);
        for (size_t steps = 1 + rng_below(&kit.rng, 3); steps > 0; steps--)
            kit_step(&kit);
        assert_ok(hs_mls_keys_follow(&keys, &before, &kit.tree));
        if (rng_below(&kit.rng, 3) == 0) {
            assert_ok(hs_mls_keys_follow(&keys, &kit.tree, &before));
            assert_ok(hs_mls_keys_follow(&keys, &before, &kit.tree));
        }
        uint32_t live = 0;
        for (uint32_t at = 0; at < 2 * kit.model.width - 1; at++) {
            const struct hs_mls_node *node = hs_mls_tree_node(&kit.tree, at);
            uint32_t found;
            if (at % 2 == 0 ? node->leaf == NULL : !node->filled)
                continue;
            assert_true(hs_mls_keys_find(&keys, &kit.tree, HS_MLS_KEY_ENCRYPTION, hs_mls_node_key(node),
                                         HS_MLS_NO_NODE, &found));
            assert_int_equal(found, at);
            live += at % 2 == 0 ? 2 : 1;
        }
        assert_int_equal(keys.used, live);
    }
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maths),         cmocka_unit_test(at_random),     cmocka_unit_test(every_node),
        cmocka_unit_test(sharing),       cmocka_unit_test(parent_hashes), cmocka_unit_test(unmerged_sorted),
        cmocka_unit_test(encoded),       cmocka_unit_test(widest),        cmocka_unit_test(unique_keys),
        cmocka_unit_test(index_follows),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

/* The ratchet tree by itself: indices, sharing, parent hashes, what must be refused. */
#include "support/test.h"

#include "crypto/dh.h"
#include "crypto/selftest.h"
#include "mls/keys.h"
#include "mls/tree.h"
#include "mls/tree_math.h"
#include "mls/treekem.h"

#include <string.h>

enum { CAP = 1 << 24 };

static struct hs_mls_leaf *new_leaf(struct hs_signer *signer)
{
    struct hs_secret32 priv;
    struct hs_key pub;
    struct hs_mls_leaf *leaf = NULL;
    hs_signer_random(signer);
    hs_dh_keypair(&priv, &pub);
    const struct hs_mls_leaf_params params = {
        .signer = signer, .identity = hs_bytes_str("x"), .not_after = 1};
    assert_ok(hs_mls_leaf_create(&params, &pub, &leaf));
    return leaf;
}

/* A tree of that many members; signers has room for them. */
static struct hs_mls_tree grow(uint32_t members, struct hs_signer *signers)
{
    struct hs_mls_tree tree;
    assert_ok(hs_mls_tree_init(&tree));
    for (uint32_t i = 0; i < members; i++) {
        uint32_t index;
        struct hs_mls_leaf HS_MLS_LEAF *leaf = new_leaf(&signers[i]);
        assert_ok(hs_mls_tree_add(&tree, leaf, &index));
        assert_int_equal(index, i);
    }
    return tree;
}

static void make_path(struct hs_mls_tree *tree, uint32_t leaf, const struct hs_signer *signer)
{
    struct hs_mls_path_keys HS_MLS_PATH_KEYS keys;
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets;
    const struct hs_mls_leaf_renewal renewal = {
        .old = hs_mls_tree_leaf(tree, leaf), .signer = signer, .group_id = hs_bytes_str("g"), .index = leaf};
    assert_ok(hs_mls_path_make(tree, &renewal, &keys, &secrets));
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
    assert_ok(hs_mls_node_left(0x7fffffff, &out));
    assert_int_equal(out, 0x3fffffff);
    assert_ok(hs_mls_node_right(0x7fffffff, &out));
    assert_int_equal(out, 0xbfffffff);
    assert_int_equal(hs_mls_node_over(5, 0), 10);
    assert_int_equal(hs_mls_node_over(5, 1), 9);
    assert_int_equal(hs_mls_node_over(5, 3), 7);
}

/* A copy shares all and still never changes; neither do hashes depend on when they were made. */
static void sharing(void **state)
{
    (void)state;
    struct hs_signer signers[9];
    struct hs_mls_tree HS_MLS_TREE tree = grow(9, signers);
    struct hs_mls_tree HS_MLS_TREE before = hs_mls_tree_share(&tree), HS_MLS_TREE read = {0};
    struct hs_writer HS_WRITER old = hs_writer(CAP), HS_WRITER now = hs_writer(CAP),
                               HS_WRITER later = hs_writer(CAP);
    struct hs_id hash, hash_before, hash_read;
    assert_ptr_equal(before.root, tree.root);
    hs_mls_tree_write(&tree, &old);
    assert_ok(hs_mls_tree_hash(&tree, &hash_before));
    make_path(&tree, 4, &signers[4]);
    assert_ok(hs_mls_tree_replace(&tree, 8, NULL));
    hs_mls_tree_truncate(&tree);
    assert_int_equal(hs_mls_tree_width(&tree), 8);
    hs_mls_tree_write(&before, &later);
    assert_bytes(hs_writer_bytes(&later), hs_writer_bytes(&old));
    assert_ok(hs_mls_tree_hash(&tree, &hash));
    assert_false(hs_id_equal(&hash, &hash_before));
    hs_mls_tree_write(&tree, &now);
    assert_ok(hs_mls_tree_read(hs_writer_bytes(&now), &read));
    assert_ok(hs_mls_tree_hash(&read, &hash_read));
    assert_memory_equal(hash.b, hash_read.b, 32);
    assert_ok(hs_mls_tree_hash(&before, &hash));
    assert_memory_equal(hash.b, hash_before.b, 32);
}

/* Parent hashes hold with unmerged leaves and blanks, and break with each thing that they bind. */
static void parent_hashes(void **state)
{
    (void)state;
    struct hs_signer signers[8], extra;
    struct hs_mls_tree HS_MLS_TREE tree = grow(7, signers);
    make_path(&tree, 0, &signers[0]);
    make_path(&tree, 5, &signers[5]);
    assert_ok(hs_mls_tree_replace(&tree, 3, NULL));
    make_path(&tree, 1, &signers[1]);
    assert_ok(hs_mls_tree_check(&tree));
    for (int i = 0; i < 2; i++) {
        uint32_t index;
        struct hs_mls_leaf HS_MLS_LEAF *leaf = new_leaf(&extra);
        assert_ok(hs_mls_tree_add(&tree, leaf, &index));
        assert_int_equal(index, i == 0 ? 3 : 7);
        assert_ok(hs_mls_tree_check(&tree));
    }
    assert_int_equal(tree.root->unmerged_count, 2);
    assert_int_equal(tree.root->unmerged[0], 3); /* sorted */
    struct hs_mls_tree_path path;
    struct hs_mls_tree HS_MLS_TREE bad = hs_mls_tree_share(&tree);
    assert_ok(hs_mls_tree_path_own(&bad, 1, &path));
    path.on[1]->key.b[0] ^= 1;
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    path.on[1]->key.b[0] ^= 1;
    assert_ok(hs_mls_tree_check(&bad));
    path.on[1]->parent_hash.b[0] ^= 1;
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    path.on[1]->parent_hash.b[0] ^= 1;
    path.on[1]->has_parent_hash = false;
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    path.on[1]->has_parent_hash = true;
    path.on[3]->unmerged_count = 1; /* leaf 7 no longer noted at the root */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    path.on[3]->unmerged_count = 2;
    path.on[3]->unmerged[0] = 7;
    path.on[3]->unmerged[1] = 3; /* not sorted */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    path.on[3]->unmerged[0] = 3;
    path.on[3]->unmerged[1] = 3; /* twice */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    path.on[3]->unmerged[1] = 100; /* outside */
    assert_err(hs_mls_tree_check(&bad), HS_ERR_MLS_TREE);
    path.on[3]->unmerged[1] = 7;
    assert_ok(hs_mls_tree_check(&bad));
    assert_ok(hs_mls_tree_check(&tree));
}

/* The encoded form: what no honest tree looks like. */
static void encoded(void **state)
{
    (void)state;
    struct hs_signer signers[3];
    struct hs_mls_tree HS_MLS_TREE tree = grow(3, signers), HS_MLS_TREE out = {0};
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    make_path(&tree, 0, &signers[0]);
    hs_mls_tree_write(&tree, &w);
    assert_ok(hs_mls_tree_read(hs_writer_bytes(&w), &out));
    for (size_t i = 0; i < w.len; i++) {
        struct hs_mls_tree HS_MLS_TREE cut = {0};
        assert_true(hs_mls_tree_read(hs_bytes(w.data, i), &cut) != HS_OK);
    }
    static const uint8_t empty[] = {0}, blank[] = {1, 0}, unknown[] = {3, 1, 3, 0}, odd[] = {2, 2, 1};
    struct hs_mls_tree bad = {0};
    assert_err(hs_mls_tree_read(hs_bytes(empty, sizeof empty), &bad), HS_ERR_MLS_TREE);
    assert_err(hs_mls_tree_read(hs_bytes(blank, sizeof blank), &bad), HS_ERR_MLS_TREE);
    assert_err(hs_mls_tree_read(hs_bytes(unknown, sizeof unknown), &bad), HS_ERR_MALFORMED);
    assert_true(hs_mls_tree_read(hs_bytes(odd, sizeof odd), &bad) != HS_OK);
    /* a leaf where a parent must be */
    struct hs_writer HS_WRITER wrong = hs_writer(CAP);
    size_t mark = hs_writer_open(&wrong);
    for (int i = 0; i < 2; i++) {
        hs_write_u8(&wrong, 1);
        hs_write_u8(&wrong, 1);
        hs_write_bytes(&wrong, hs_mls_tree_leaf(&tree, 1)->node.raw);
    }
    hs_writer_close(&wrong, mark);
    assert_err(hs_mls_tree_read(hs_writer_bytes(&wrong), &bad), HS_ERR_MLS_TREE);
}

/* The widest tree, and one leaf more. MLS-10 */
static void widest(void **state)
{
    (void)state;
    struct hs_signer signer;
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    struct hs_mls_leaf HS_MLS_LEAF *leaf = new_leaf(&signer);
    uint32_t index;
    assert_ok(hs_mls_tree_init(&tree));
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
    struct hs_signer signers[4];
    struct hs_mls_tree HS_MLS_TREE tree = grow(4, signers);
    struct hs_mls_keys HS_MLS_KEYS keys, HS_MLS_KEYS again;
    uint32_t node, index;
    hs_mls_keys_init(&keys);
    hs_mls_keys_init(&again);
    make_path(&tree, 0, &signers[0]);
    assert_ok(hs_mls_keys_claim_tree(&keys, &tree));
    struct hs_mls_leaf HS_MLS_LEAF *leaf = hs_mls_leaf_ref(hs_mls_tree_leaf(&tree, 2));
    assert_true(
        hs_mls_keys_find(&keys, &tree, HS_MLS_KEY_SIGNATURE, &leaf->signature_key, HS_MLS_NO_NODE, &node));
    assert_int_equal(node, 4);
    assert_false(hs_mls_keys_find(&keys, &tree, HS_MLS_KEY_SIGNATURE, &leaf->signature_key, 4, &node));
    assert_false(
        hs_mls_keys_find(&keys, &tree, HS_MLS_KEY_ENCRYPTION, &leaf->signature_key, HS_MLS_NO_NODE, &node));
    assert_ok(hs_mls_tree_add(&tree, leaf, &index));
    assert_err(hs_mls_keys_claim(&keys, &tree, 2 * index), HS_ERR_MLS_TREE);
    assert_err(hs_mls_keys_claim_tree(&again, &tree), HS_ERR_MLS_TREE);
    assert_ok(hs_mls_tree_replace(&tree, 2, NULL));
    assert_ok(hs_mls_keys_claim(&keys, &tree, 2 * index));
    assert_true(
        hs_mls_keys_find(&keys, &tree, HS_MLS_KEY_SIGNATURE, &leaf->signature_key, HS_MLS_NO_NODE, &node));
    assert_int_equal(node, 2 * index);
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maths),   cmocka_unit_test(sharing), cmocka_unit_test(parent_hashes),
        cmocka_unit_test(encoded), cmocka_unit_test(widest),  cmocka_unit_test(unique_keys),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

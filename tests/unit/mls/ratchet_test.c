/* The secret tree and its ratchets by themselves. */
#include "support/test.h"

#include "crypto/selftest.h"
#include "mls/limits.h"
#include "mls/secret_tree.h"

#include <string.h>

static const struct hs_secret32 root = {{7}};

/* The key of one generation; puts the ratchet back where it was found. */
static enum hs_err find(struct hs_mls_secret_tree *tree, uint32_t leaf, uint32_t generation,
                        uint32_t out_of_order, uint32_t forward, struct hs_mls_message_key *key)
{
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = NULL;
    HS_TRY(hs_mls_ratchet_take(tree, leaf, HS_MLS_RATCHET_APPLICATION, &ratchet));
    HS_TRY(hs_mls_ratchet_find(ratchet, generation, out_of_order, forward, key));
    struct hs_mls_ratchet *turned = ratchet;
    ratchet = NULL;
    return hs_mls_ratchet_put(tree, turned);
}

/* Whatever the order, and whichever leaves came before, a generation has the same key. */
static void order(void **state)
{
    (void)state;
    struct hs_mls_secret_tree *a = hs_mls_secret_tree_new(&root, 4), *b = hs_mls_secret_tree_new(&root, 4);
    struct hs_mls_message_key x, y;
    for (uint32_t leaf = 0; leaf < 16; leaf++) {
        uint32_t other = (leaf * 7) % 16;
        for (uint32_t i = 0; i < 5; i++) {
            assert_ok(find(a, other, i, 32, 2000, &x));
            assert_int_equal(x.generation, i);
        }
        assert_ok(find(b, leaf, 4, 32, 2000, &y));
    }
    struct hs_mls_secret_tree *c = hs_mls_secret_tree_new(&root, 4);
    assert_ok(find(c, 9, 3, 32, 2000, &x));
    assert_ok(find(b, 9, 3, 32, 2000, &y));
    assert_memory_equal(&x.key, &y.key, sizeof x.key);
    assert_memory_equal(x.nonce, y.nonce, sizeof x.nonce);
    assert_err(find(a, 16, 0, 32, 2000, &x), HS_ERR_INVALID_ARG);
    assert_err(find(a, UINT32_MAX, 0, 32, 2000, &x), HS_ERR_INVALID_ARG);
    hs_mls_secret_tree_free(a);
    hs_mls_secret_tree_free(b);
    hs_mls_secret_tree_free(c);
}

/* MLS-26 */
static void window(void **state)
{
    (void)state;
    struct hs_mls_secret_tree *tree = hs_mls_secret_tree_new(&root, 0);
    struct hs_mls_message_key key;
    assert_err(find(tree, 0, 11, 3, 10, &key), HS_ERR_MLS_GENERATION);
    assert_ok(find(tree, 0, 10, 3, 10, &key));
    assert_err(find(tree, 0, 10, 3, 10, &key), HS_ERR_MLS_GENERATION);
    assert_err(find(tree, 0, 6, 3, 10, &key), HS_ERR_MLS_GENERATION);
    assert_ok(find(tree, 0, 7, 3, 10, &key));
    assert_err(find(tree, 0, 7, 3, 10, &key), HS_ERR_MLS_GENERATION);
    assert_ok(find(tree, 0, 12, 3, 10, &key));
    assert_err(find(tree, 0, 8, 3, 10, &key), HS_ERR_MLS_GENERATION);
    assert_ok(find(tree, 0, 9, 3, 10, &key));
    assert_ok(find(tree, 0, 11, 3, 10, &key));
    assert_err(find(tree, 0, UINT32_MAX, 3, 10, &key), HS_ERR_MLS_GENERATION);
    /* nothing kept at all */
    assert_ok(find(tree, 0, 15, 0, 10, &key));
    assert_err(find(tree, 0, 14, 0, 10, &key), HS_ERR_MLS_GENERATION);
    hs_mls_secret_tree_free(tree);
}

/* A ratchet that isn't put back leaves the tree as it was; saved bytes say the same. MLS-26 */
static void no_trace(void **state)
{
    (void)state;
    struct hs_mls_secret_tree *tree = hs_mls_secret_tree_new(&root, 3);
    struct hs_writer HS_WRITER before = hs_writer(1 << 20), HS_WRITER after = hs_writer(1 << 20);
    struct hs_mls_message_key key;
    struct hs_mls_ratchet *ratchet = NULL;
    assert_ok(find(tree, 2, 9, 32, 2000, &key));
    hs_mls_secret_tree_write(tree, &before);
    for (uint32_t leaf = 0; leaf < 8; leaf++) {
        assert_ok(hs_mls_ratchet_take(tree, leaf, HS_MLS_RATCHET_APPLICATION, &ratchet));
        assert_ok(hs_mls_ratchet_find(ratchet, 20, 32, 2000, &key));
        hs_mls_ratchet_free(ratchet);
    }
    hs_mls_secret_tree_write(tree, &after);
    assert_bytes(hs_writer_bytes(&after), hs_writer_bytes(&before));
    hs_mls_secret_tree_free(tree);
}

static void saved(void **state)
{
    (void)state;
    struct hs_mls_secret_tree *tree = hs_mls_secret_tree_new(&root, 3), *read = NULL;
    struct hs_writer HS_WRITER w = hs_writer(1 << 20), HS_WRITER again = hs_writer(1 << 20);
    struct hs_mls_message_key x, y;
    assert_ok(find(tree, 5, 40, 32, 2000, &x));
    assert_ok(find(tree, 1, 0, 32, 2000, &x));
    hs_mls_secret_tree_write(tree, &w);
    struct hs_reader r = hs_reader(hs_writer_bytes(&w));
    assert_ok(hs_mls_secret_tree_read(&r, &read));
    assert_ok(hs_reader_finish(&r));
    hs_mls_secret_tree_write(read, &again);
    assert_bytes(hs_writer_bytes(&again), hs_writer_bytes(&w));
    const uint32_t leaves[] = {5, 5, 1, 7}, generations[] = {39, 41, 1, 3};
    for (size_t i = 0; i < 4; i++) {
        assert_ok(find(tree, leaves[i], generations[i], 32, 2000, &x));
        assert_ok(find(read, leaves[i], generations[i], 32, 2000, &y));
        assert_memory_equal(&x.key, &y.key, sizeof x.key);
    }
    assert_err(find(read, 5, 40, 32, 2000, &y), HS_ERR_MLS_GENERATION);
    for (size_t i = 0; i < w.len; i++) {
        struct hs_mls_secret_tree *cut = NULL;
        struct hs_reader short_reader = hs_reader(hs_bytes(w.data, i));
        assert_true(hs_mls_secret_tree_read(&short_reader, &cut) != HS_OK);
    }
    hs_mls_secret_tree_free(tree);
    hs_mls_secret_tree_free(read);
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),
        cmocka_unit_test(window),
        cmocka_unit_test(no_trace),
        cmocka_unit_test(saved),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

/* The ratchets of a secret tree: which keys are given out, in what order, how far off. */
#include "support/test.h"

#include "crypto/selftest.h"
#include "mls/limits.h"
#include "mls/secret_tree.h"

#include <sodium.h>
#include <string.h>

static const struct hs_mls_suite *const suite = &hs_mls_suite_3;

static struct hs_mls_secret_tree *tree_of(unsigned depth)
{
    const struct hs_mls_secret root = {.len = 32, .v = {7}};
    struct hs_mls_secret_tree *tree = hs_mls_secret_tree_new(suite, &root, depth);
    assert_non_null(tree);
    return tree;
}

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
    struct hs_mls_secret_tree *a = tree_of(4), *b = tree_of(4), *c = tree_of(4);
    struct hs_mls_message_key x, y;
    for (uint32_t leaf = 0; leaf < 16; leaf++) {
        uint32_t other = (leaf * 7) % 16;
        for (uint32_t i = 0; i < 5; i++) {
            assert_ok(find(a, other, i, 32, 2000, &x));
            assert_int_equal(x.generation, i);
        }
        assert_ok(find(b, leaf, 4, 32, 2000, &y));
    }
    assert_ok(find(c, 9, 3, 32, 2000, &x));
    assert_ok(find(b, 9, 3, 32, 2000, &y));
    assert_memory_equal(x.key, y.key, sizeof x.key);
    assert_memory_equal(x.nonce, y.nonce, sizeof x.nonce);
    assert_err(find(a, 16, 0, 32, 2000, &x), HS_ERR_INVALID_ARG);
    assert_err(find(a, UINT32_MAX, 0, 32, 2000, &x), HS_ERR_INVALID_ARG);
    hs_mls_secret_tree_free(a);
    hs_mls_secret_tree_free(b);
    hs_mls_secret_tree_free(c);
}

/* Keys that are jumped over without being kept change nothing in those that follow. */
static void jump(void **state)
{
    (void)state;
    struct hs_mls_secret_tree *a = tree_of(0), *b = tree_of(0);
    struct hs_mls_message_key x, y;
    for (uint32_t i = 0; i <= 100; i++)
        assert_ok(find(a, 0, i, 32, 2000, &x));
    assert_ok(find(b, 0, 100, 2, 2000, &y));
    assert_memory_equal(&x, &y, sizeof x);
    assert_err(find(b, 0, 97, 2, 2000, &y), HS_ERR_MLS_GENERATION);
    assert_ok(find(b, 0, 98, 2, 2000, &y));
    assert_ok(find(b, 0, 99, 2, 2000, &y));
    assert_err(find(b, 0, 99, 2, 2000, &y), HS_ERR_MLS_GENERATION);
    hs_mls_secret_tree_free(a);
    hs_mls_secret_tree_free(b);
}

/* MLS-26 */
static void window(void **state)
{
    (void)state;
    struct hs_mls_secret_tree *tree = tree_of(0);
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

/* The settings' maxima: what is kept, and what a message far ahead costs, stay bounded. */
static void widest(void **state)
{
    (void)state;
    enum { AHEAD = 3 * HS_MLS_MAX_OUT_OF_ORDER };
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_mls_secret_tree *tree = tree_of(0);
    struct hs_mls_message_key key;
    assert_ok(hs_mls_ratchet_take(tree, 0, HS_MLS_RATCHET_APPLICATION, &ratchet));
    assert_ok(hs_mls_ratchet_find(ratchet, AHEAD, HS_MLS_MAX_OUT_OF_ORDER, HS_MLS_MAX_FORWARD, &key));
    assert_int_equal(ratchet->skipped_count, HS_MLS_MAX_OUT_OF_ORDER);
    assert_int_equal(ratchet->skipped[0].generation, AHEAD - HS_MLS_MAX_OUT_OF_ORDER);
    assert_err(hs_mls_ratchet_find(ratchet, AHEAD - HS_MLS_MAX_OUT_OF_ORDER - 1, HS_MLS_MAX_OUT_OF_ORDER,
                                   HS_MLS_MAX_FORWARD, &key),
               HS_ERR_MLS_GENERATION);
    assert_err(hs_mls_ratchet_find(ratchet, AHEAD + 1 + HS_MLS_MAX_FORWARD + 1, HS_MLS_MAX_OUT_OF_ORDER,
                                   HS_MLS_MAX_FORWARD, &key),
               HS_ERR_MLS_GENERATION);
    assert_ok(hs_mls_ratchet_find(ratchet, AHEAD + 2, HS_MLS_MAX_OUT_OF_ORDER, HS_MLS_MAX_FORWARD, &key));
    assert_int_equal(ratchet->skipped_count, HS_MLS_MAX_OUT_OF_ORDER - 1);
    hs_mls_ratchet_free(ratchet);
    hs_mls_secret_tree_free(tree);
}

/* The 2^32nd key is the last one; what was skipped before it can still be had. */
static void end_of_numbers(void **state)
{
    (void)state;
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_mls_secret_tree *tree = tree_of(0);
    struct hs_mls_message_key key;
    assert_ok(hs_mls_ratchet_take(tree, 0, HS_MLS_RATCHET_APPLICATION, &ratchet));
    ratchet->next = UINT32_MAX - 2;
    assert_ok(hs_mls_ratchet_find(ratchet, UINT32_MAX, 32, 2000, &key));
    assert_int_equal(key.generation, UINT32_MAX);
    assert_err(hs_mls_ratchet_next(ratchet, &key), HS_ERR_MLS_GENERATION);
    assert_err(hs_mls_ratchet_find(ratchet, UINT32_MAX, 32, 2000, &key), HS_ERR_MLS_GENERATION);
    assert_err(hs_mls_ratchet_find(ratchet, 0, 32, 2000, &key), HS_ERR_MLS_GENERATION);
    assert_ok(hs_mls_ratchet_find(ratchet, UINT32_MAX - 1, 32, 2000, &key));
    assert_ok(hs_mls_ratchet_find(ratchet, UINT32_MAX - 2, 32, 2000, &key));
    assert_err(hs_mls_ratchet_find(ratchet, UINT32_MAX - 2, 32, 2000, &key), HS_ERR_MLS_GENERATION);
    hs_mls_ratchet_free(ratchet);
    hs_mls_secret_tree_free(tree);
}

/* What a ratchet's saved bytes are read back from must be all of them, in order, and no more keys than the
 * widest settings keep. */
static void malformed(void **state)
{
    (void)state;
    struct hs_mls_ratchet *ratchet = NULL, *read = NULL;
    struct hs_mls_secret_tree *tree = tree_of(0);
    struct hs_mls_message_key key;
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    assert_ok(hs_mls_ratchet_take(tree, 0, HS_MLS_RATCHET_APPLICATION, &ratchet));
    assert_ok(hs_mls_ratchet_find(ratchet, 5, 3, 10, &key));
    hs_mls_ratchet_write(ratchet, &w);
    for (size_t i = 0; i <= w.len; i++) {
        struct hs_reader r = hs_reader(hs_bytes(w.data, i));
        enum hs_err err = hs_mls_ratchet_read(suite, &r, 0, HS_MLS_RATCHET_APPLICATION, &read);
        assert_err(err, i == w.len ? HS_OK : HS_ERR_MALFORMED);
    }
    hs_mls_ratchet_free(read);
    read = NULL;
    enum { KEY_LEN = 4 + 32 + 12, COUNT_AT = 4 + 1 + 32, FIRST_AT = COUNT_AT + 2 };
    w.data[FIRST_AT + 3] = w.data[FIRST_AT + KEY_LEN + 3];
    struct hs_reader r = hs_reader(hs_writer_bytes(&w));
    assert_err(hs_mls_ratchet_read(suite, &r, 0, HS_MLS_RATCHET_APPLICATION, &read), HS_ERR_MALFORMED);
    hs_mls_ratchet_free(ratchet);
    for (uint16_t count = HS_MLS_MAX_OUT_OF_ORDER; count <= HS_MLS_MAX_OUT_OF_ORDER + 1; count++) {
        struct hs_writer HS_WRITER many = hs_writer(1 << 20);
        const uint8_t zeros[COUNT_AT + KEY_LEN] = {0};
        hs_write_bytes(&many, hs_bytes(zeros, COUNT_AT));
        hs_write_u16(&many, count);
        for (uint32_t i = 0; i < count; i++) {
            hs_write_u32(&many, i);
            hs_write_bytes(&many, hs_bytes(zeros, KEY_LEN - 4));
        }
        r = hs_reader(hs_writer_bytes(&many));
        enum hs_err err = hs_mls_ratchet_read(suite, &r, 0, HS_MLS_RATCHET_APPLICATION, &read);
        assert_err(err, count > HS_MLS_MAX_OUT_OF_ORDER ? HS_ERR_MALFORMED : HS_OK);
    }
    hs_mls_ratchet_free(read);
    hs_mls_secret_tree_free(tree);
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),  cmocka_unit_test(jump),           cmocka_unit_test(window),
        cmocka_unit_test(widest), cmocka_unit_test(end_of_numbers), cmocka_unit_test(malformed),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

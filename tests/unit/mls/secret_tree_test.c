/* A secret tree and its pieces in a store: what is written, what is read, what goes. */
#include "support/mls_store.h"
#include "support/rng.h"
#include "support/test.h"

#include "crypto/selftest.h"
#include "mls/secret_tree.h"

#include <string.h>

#include <stdlib.h>

/* Memory that runs out: every allocation of the code under test comes here (the linker's --wrap). */
static size_t fail_after = SIZE_MAX;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool is_out_of_memory(void)
{
    if (fail_after == SIZE_MAX)
        return false;
    return fail_after == 0 || fail_after-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return is_out_of_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_out_of_memory() ? NULL : __real_calloc(count, size);
}

static const struct hs_mls_suite *const suite = &hs_mls_suite_3;

enum { EPOCH = 5, DEPTH = 10 };

static struct hs_mls_secret_tree *tree_of(uint8_t seed, unsigned depth)
{
    const struct hs_mls_secret root = {.len = 32, .v = {seed}};
    struct hs_mls_secret_tree *tree = hs_mls_secret_tree_new(suite, &root, depth);
    assert_non_null(tree);
    return tree;
}

static struct hs_mls_secret_tree *loaded(const struct mls_store *store, uint64_t epoch, unsigned depth)
{
    struct hs_mls_secret_tree *tree = NULL;
    assert_ok(hs_mls_secret_tree_load(suite, &store->store, epoch, depth, &tree));
    return tree;
}

static enum hs_err find_kind(struct hs_mls_secret_tree *tree, uint32_t leaf, enum hs_mls_ratchet_kind kind,
                             uint32_t generation, struct hs_mls_message_key *key)
{
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = NULL;
    HS_TRY(hs_mls_ratchet_take(tree, leaf, kind, &ratchet));
    HS_TRY(hs_mls_ratchet_find(ratchet, generation, 32, 2000, key));
    struct hs_mls_ratchet *turned = ratchet;
    ratchet = NULL;
    return hs_mls_ratchet_put(tree, turned);
}

static enum hs_err find(struct hs_mls_secret_tree *tree, uint32_t leaf, uint32_t generation,
                        struct hs_mls_message_key *key)
{
    return find_kind(tree, leaf, HS_MLS_RATCHET_APPLICATION, generation, key);
}

/* Both trees give the same key, or neither. */
static void assert_same(struct hs_mls_secret_tree *a, struct hs_mls_secret_tree *b, uint32_t leaf,
                        enum hs_mls_ratchet_kind kind, uint32_t generation)
{
    struct hs_mls_message_key x, y;
    enum hs_err err = find_kind(a, leaf, kind, generation, &x);
    assert_err(find_kind(b, leaf, kind, generation, &y), err);
    if (err == HS_OK)
        assert_memory_equal(&x, &y, sizeof x);
}

/* A new tree is one record; a sender's first post writes the way down to its leaf, each later one its ratchet
 * alone. MLS-27 */
static void what_is_written(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_mls_secret_tree *tree = tree_of(1, DEPTH);
    struct hs_mls_message_key key;
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_int_equal(store->records, 1);
    mls_store_count_from_here(store);
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_int_equal(store->counts.puts + store->counts.dels, 0);
    assert_ok(find(tree, 77, 0, &key));
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_int_equal(store->counts.puts, DEPTH + 2); /* the siblings on the way, two ratchets */
    assert_int_equal(store->counts.dels, 1);         /* the root */
    assert_int_equal(store->records, DEPTH + 2);
    mls_store_count_from_here(store);
    assert_ok(find(tree, 77, 1, &key));
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_int_equal(store->counts.puts, 1);
    assert_int_equal(store->counts.dels, 0);
    assert_true(store->counts.bytes_written < 64);
    mls_store_count_from_here(store);
    assert_ok(find(tree, 76, 0, &key)); /* its sibling: that one's secret goes, two ratchets come */
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_int_equal(store->counts.puts, 2);
    assert_int_equal(store->counts.dels, 1);
    hs_mls_secret_tree_free(tree);
}

/* What isn't needed isn't read. */
static void lazy(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_mls_secret_tree *tree = tree_of(1, DEPTH), *again;
    struct hs_mls_message_key key;
    for (uint32_t leaf = 0; leaf < 64; leaf++)
        assert_ok(find(tree, leaf, 0, &key));
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    mls_store_count_from_here(store);
    again = loaded(store, EPOCH, DEPTH);
    assert_int_equal(store->counts.gets, 0);
    assert_ok(find(again, 5, 1, &key));
    assert_int_equal(store->counts.gets, 1);
    assert_ok(find(again, 5, 2, &key));
    assert_int_equal(store->counts.gets, 1);
    assert_ok(find(again, 1023, 0, &key));
    assert_true(store->counts.gets <= 1 + 3 * (DEPTH + 1));
    hs_mls_secret_tree_free(tree);
    hs_mls_secret_tree_free(again);
}

/* Used keys stay used, kept ones can be had, whatever was saved and loaded between. MLS-26 */
static void life(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_mls_secret_tree *tree = tree_of(1, 3), *twin = tree_of(1, 3);
    struct hs_mls_message_key key;
    for (uint32_t round = 0; round < 4; round++) {
        assert_same(tree, twin, 5, HS_MLS_RATCHET_APPLICATION, 40 + 2 * round);
        assert_same(tree, twin, 1 + round, HS_MLS_RATCHET_HANDSHAKE, round);
        assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
        assert_same(tree, twin, 5, HS_MLS_RATCHET_APPLICATION, 39 + 2 * round); /* after the save */
        assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
        hs_mls_secret_tree_free(tree);
        tree = loaded(store, EPOCH, 3);
        assert_err(find(tree, 5, 39 + 2 * round, &key), HS_ERR_MLS_GENERATION);
        assert_err(find(tree, 5, 40 + 2 * round, &key), HS_ERR_MLS_GENERATION);
    }
    for (uint32_t leaf = 0; leaf < 8; leaf++)
        for (unsigned kind = 0; kind < 2; kind++)
            for (uint32_t generation = 0; generation < 60; generation += 3)
                assert_same(tree, twin, leaf, kind, generation);
    hs_mls_secret_tree_free(tree);
    hs_mls_secret_tree_free(twin);
}

/* A tree that was loaded, used and saved holds the same records as one that stayed in memory. */
static void same_records(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    struct mls_store MLS_STORE *one = mls_store_new(), MLS_STORE *two = mls_store_new();
    struct hs_mls_secret_tree *stays = tree_of(3, 5), *moves = tree_of(3, 5);
    assert_ok(hs_mls_secret_tree_save(moves, &two->store, EPOCH));
    for (int i = 0; i < 300; i++) {
        uint32_t leaf = (uint32_t)rng_below(&rng, 32), generation = (uint32_t)rng_below(&rng, 40);
        unsigned kind = (unsigned)rng_below(&rng, 2);
        assert_same(stays, moves, leaf, kind, generation);
        if (rng_below(&rng, 3) == 0) {
            assert_ok(hs_mls_secret_tree_save(moves, &two->store, EPOCH));
            hs_mls_secret_tree_free(moves);
            moves = loaded(two, EPOCH, 5);
        } else if (rng_below(&rng, 3) == 0) {
            assert_ok(hs_mls_secret_tree_save(moves, &two->store, EPOCH));
        }
    }
    assert_ok(hs_mls_secret_tree_save(stays, &one->store, EPOCH));
    assert_ok(hs_mls_secret_tree_save(moves, &two->store, EPOCH));
    const struct hs_id a = mls_store_hash(one), b = mls_store_hash(two);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(one->records, two->records);
    hs_mls_secret_tree_free(stays);
    hs_mls_secret_tree_free(moves);
}

/* The trees of several epochs lie side by side, and each goes by itself. */
static void epochs(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_mls_secret_tree *trees[3], *twins[3];
    struct hs_mls_message_key key;
    for (uint8_t i = 0; i < 3; i++) {
        trees[i] = tree_of(i, 4);
        twins[i] = tree_of(i, 4);
        assert_same(trees[i], twins[i], i, HS_MLS_RATCHET_APPLICATION, i);
        assert_ok(hs_mls_secret_tree_save(trees[i], &store->store, EPOCH + i));
    }
    assert_ok(hs_mls_secret_tree_erase(&store->store, EPOCH + 1));
    for (uint8_t i = 0; i < 3; i++) {
        hs_mls_secret_tree_free(trees[i]);
        trees[i] = loaded(store, EPOCH + i, 4);
        if (i != 1)
            for (uint32_t leaf = 0; leaf < 16; leaf++)
                assert_same(trees[i], twins[i], leaf, HS_MLS_RATCHET_APPLICATION, 7);
    }
    assert_err(find(trees[1], 0, 0, &key), HS_ERR_MALFORMED);
    for (uint8_t i = 0; i < 3; i++) {
        hs_mls_secret_tree_free(trees[i]);
        hs_mls_secret_tree_free(twins[i]);
        assert_ok(hs_mls_secret_tree_erase(&store->store, EPOCH + i));
    }
    assert_int_equal(store->records, 0);
}

/* A ratchet that isn't put back leaves the tree as it was. MLS-26 */
static void no_trace(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_mls_secret_tree *tree = tree_of(2, 3);
    struct hs_mls_message_key key;
    struct hs_mls_ratchet *ratchet = NULL;
    assert_ok(find(tree, 2, 9, &key));
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    mls_store_count_from_here(store);
    for (uint32_t leaf = 0; leaf < 8; leaf++) {
        assert_ok(hs_mls_ratchet_take(tree, leaf, HS_MLS_RATCHET_APPLICATION, &ratchet));
        assert_ok(hs_mls_ratchet_find(ratchet, 20, 32, 2000, &key));
        hs_mls_ratchet_free(ratchet);
    }
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_int_equal(store->counts.puts + store->counts.dels, 0);
    hs_mls_secret_tree_free(tree);
}

/* A store that fails is an error, never "there is none"; once it works again, nothing is lost. */
static void reading_fails(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_mls_secret_tree *tree = tree_of(4, 4), *twin = tree_of(4, 4);
    struct hs_mls_message_key key;
    assert_same(tree, twin, 3, HS_MLS_RATCHET_APPLICATION, 0);
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    hs_mls_secret_tree_free(tree);
    const uint32_t leaves[] = {3, 2, 12};
    for (size_t i = 0; i < 3; i++)
        for (size_t after = 0;; after++) {
            tree = loaded(store, EPOCH, 4);
            store->fail_after = after;
            store->fail_with = HS_ERR_STORE;
            enum hs_err err = find(tree, leaves[i], 1, &key);
            store->fail_with = HS_OK;
            if (err != HS_OK) {
                assert_err(err, HS_ERR_STORE);
                assert_ok(find(tree, leaves[i], 1, &key));
            }
            hs_mls_secret_tree_free(tree);
            if (err == HS_OK)
                break;
        }
    tree = loaded(store, EPOCH, 4);
    for (uint32_t leaf = 0; leaf < 16; leaf++)
        assert_same(tree, twin, leaf, HS_MLS_RATCHET_APPLICATION, 1);
    hs_mls_secret_tree_free(tree);
    hs_mls_secret_tree_free(twin);
}

/* A save that fails half-way is an error; the next one writes what is missing. */
static void writing_fails(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_mls_secret_tree *tree = tree_of(4, 4), *twin = tree_of(4, 4);
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_same(tree, twin, 3, HS_MLS_RATCHET_APPLICATION, 0);
    for (size_t after = 0; after < 7; after++) {
        store->fail_after = after;
        store->fail_with = HS_ERR_STORE;
        enum hs_err err = hs_mls_secret_tree_save(tree, &store->store, EPOCH);
        store->fail_with = HS_OK;
        if (after == 0)
            assert_err(err, HS_ERR_STORE);
    }
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_int_equal(store->records, 4 + 2);
    hs_mls_secret_tree_free(tree);
    tree = loaded(store, EPOCH, 4);
    for (uint32_t leaf = 0; leaf < 16; leaf++)
        assert_same(tree, twin, leaf, HS_MLS_RATCHET_APPLICATION, 1);
    hs_mls_secret_tree_free(tree);
    hs_mls_secret_tree_free(twin);
}

/* The first error of using every ratchet; a generation further than any before. */
static enum hs_err use_all(const struct mls_store *store)
{
    struct hs_mls_message_key key;
    struct hs_mls_secret_tree *tree = loaded(store, EPOCH, 2);
    enum hs_err err = HS_OK;
    for (uint32_t leaf = 0; leaf < 4 && err == HS_OK; leaf++)
        for (unsigned kind = 0; kind < 2 && err == HS_OK; kind++)
            err = find_kind(tree, leaf, kind, 5, &key);
    hs_mls_secret_tree_free(tree);
    return err;
}

/* Records that were cut, or grew, are refused. */
static void altered(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *good = mls_store_new();
    struct hs_mls_secret_tree *tree = tree_of(4, 2);
    struct hs_mls_message_key key;
    assert_ok(find(tree, 1, 3, &key));
    assert_ok(hs_mls_secret_tree_save(tree, &good->store, EPOCH));
    hs_mls_secret_tree_free(tree);
    for (size_t index = 0; index < good->records; index++) {
        struct mls_store MLS_STORE *bad = mls_store_copy(good);
        struct hs_writer HS_WRITER value = hs_writer(1 << 20);
        struct hs_bytes record;
        size_t *len;
        assert_ok(use_all(bad));
        assert_non_null(mls_store_value(bad, index, &record, &len));
        assert_ok(bad->store.get(bad, record, &value));
        assert_ok(bad->store.put(bad, record, hs_bytes(value.data, value.len - 1)));
        assert_err(use_all(bad), HS_ERR_MALFORMED);
        hs_write_u8(&value, 0);
        assert_ok(bad->store.put(bad, record, hs_writer_bytes(&value)));
        assert_err(use_all(bad), HS_ERR_MALFORMED);
    }
    assert_err(hs_mls_secret_tree_load(suite, &good->store, EPOCH, 64, &tree), HS_ERR_MALFORMED);
}

/* Secrets leave the store with their first use: the root at once, a node's with the second of its leaves.
 * MLS-27 */
static void used_up(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *store = mls_store_new();
    const struct hs_mls_secret root = {.len = 32, .v = {9}};
    struct hs_mls_secret left, leaf, ratchet_secret;
    struct hs_mls_secret_tree *tree = tree_of(9, 2);
    struct hs_mls_message_key first, second;
    struct hs_mls_ratchet *ratchet = NULL;
    assert_ok(hs_mls_expand_secret(suite, HS_MLS_VIEW(root), "tree", hs_bytes_str("left"), &left));
    assert_ok(hs_mls_expand_secret(suite, HS_MLS_VIEW(left), "tree", hs_bytes_str("right"), &leaf));
    assert_ok(hs_mls_ratchet_take(tree, 1, HS_MLS_RATCHET_APPLICATION, &ratchet));
    ratchet_secret = ratchet->secret;
    hs_mls_ratchet_free(ratchet);
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_true(mls_store_holds(store, HS_MLS_VIEW(root)));
    assert_ok(find(tree, 0, 0, &first));
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_false(mls_store_holds(store, HS_MLS_VIEW(root)));
    assert_false(mls_store_holds(store, HS_MLS_VIEW(left)));
    assert_true(mls_store_holds(store, HS_MLS_VIEW(leaf)));
    assert_ok(find(tree, 1, 1, &second));
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_false(mls_store_holds(store, HS_MLS_VIEW(leaf)));
    assert_false(mls_store_holds(store, HS_MLS_VIEW(ratchet_secret)));
    assert_false(mls_store_holds(store, hs_bytes(first.key, 32)));
    assert_false(mls_store_holds(store, hs_bytes(second.key, 32)));
    assert_ok(find(tree, 1, 0, &first));
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_false(mls_store_holds(store, hs_bytes(first.key, 32)));
    hs_mls_secret_tree_free(tree);
}

/* Every leaf of a wide tree sends: the table of pieces grows and shrinks. */
static void everybody(void **state)
{
    (void)state;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_mls_secret_tree *tree = tree_of(6, DEPTH), *twin = tree_of(6, DEPTH);
    struct hs_mls_message_key key;
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    for (uint32_t i = 0; i < 1 << DEPTH; i++) {
        uint32_t leaf = i * 389 % (1 << DEPTH);
        assert_same(tree, twin, leaf, HS_MLS_RATCHET_APPLICATION, 2);
        if (i % 100 == 0)
            assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    }
    assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
    assert_int_equal(store->records, 2 << DEPTH);
    for (uint32_t leaf = 0; leaf < 1 << DEPTH; leaf++) {
        assert_err(find(tree, leaf, 2, &key), HS_ERR_MLS_GENERATION);
        assert_same(tree, twin, leaf, HS_MLS_RATCHET_APPLICATION, 1);
    }
    hs_mls_secret_tree_free(tree);
    hs_mls_secret_tree_free(twin);
}

/* A post of a leaf that was opened before, and one of a leaf that wasn't; once done, again is no error. */
static enum hs_err use(struct hs_mls_secret_tree *tree, uint32_t leaf, uint32_t opened)
{
    struct hs_mls_message_key key;
    enum hs_err err = find(tree, opened, 1, &key);
    if (err != HS_ERR_MLS_GENERATION)
        HS_TRY(err);
    return find(tree, leaf, 2, &key);
}

/* Wherever memory runs out, nothing is lost, and nothing is left that should have gone: after another try the
 * records are those of a tree that never failed. */
static void out_of_memory(void **state)
{
    (void)state;
    enum { LEAF = 9, FAR = 14, TREE_DEPTH = 4 };
    struct mls_store MLS_STORE *want = mls_store_new();
    struct hs_mls_secret_tree *control = tree_of(5, TREE_DEPTH);
    struct hs_mls_message_key key;
    size_t failures = 0;
    assert_ok(find(control, FAR, 0, &key));
    assert_ok(use(control, LEAF, FAR));
    assert_ok(find_kind(control, LEAF, HS_MLS_RATCHET_HANDSHAKE, 0, &key));
    assert_ok(hs_mls_secret_tree_save(control, &want->store, EPOCH));
    const struct hs_id want_hash = mls_store_hash(want);
    hs_mls_secret_tree_free(control);
    for (int reload = 0; reload < 2; reload++)
        for (size_t after = 0;; after++) {
            struct mls_store MLS_STORE *store = mls_store_new();
            struct hs_mls_secret_tree *tree = tree_of(5, TREE_DEPTH);
            assert_ok(find(tree, FAR, 0, &key));
            assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
            if (reload == 1) {
                hs_mls_secret_tree_free(tree);
                tree = loaded(store, EPOCH, TREE_DEPTH);
            }
            fail_after = after;
            enum hs_err err = use(tree, LEAF, FAR);
            fail_after = SIZE_MAX;
            failures += err != HS_OK;
            assert_ok(find_kind(tree, LEAF, HS_MLS_RATCHET_HANDSHAKE, 0, &key));
            if (err != HS_OK) {
                assert_err(err, HS_ERR_NOMEM);
                assert_ok(use(tree, LEAF, FAR));
            }
            assert_err(find_kind(tree, LEAF, HS_MLS_RATCHET_HANDSHAKE, 0, &key), HS_ERR_MLS_GENERATION);
            assert_ok(hs_mls_secret_tree_save(tree, &store->store, EPOCH));
            const struct hs_id hash = mls_store_hash(store);
            assert_memory_equal(&hash, &want_hash, sizeof hash);
            hs_mls_secret_tree_free(tree);
            if (err == HS_OK)
                break;
        }
    assert_true(failures > 10);
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written), cmocka_unit_test(lazy),          cmocka_unit_test(life),
        cmocka_unit_test(same_records),    cmocka_unit_test(epochs),        cmocka_unit_test(no_trace),
        cmocka_unit_test(reading_fails),   cmocka_unit_test(writing_fails), cmocka_unit_test(altered),
        cmocka_unit_test(used_up),         cmocka_unit_test(everybody),     cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

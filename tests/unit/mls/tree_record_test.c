/* The records of a tree's nodes: what was altered in a store is refused, or gives another tree, no worse. */
#include "unit/mls/tree_kit.h"

#include "crypto/selftest.h"
#include "support/mls_store.h"

struct saved {
    struct kit kit;
    struct hs_mls_tree last;
    struct mls_store *store;
};

static void saved_free(struct saved *h)
{
    hs_mls_tree_free(&h->last);
    kit_free(&h->kit);
    mls_store_free(h->store);
}

static void save(struct saved *h, uint64_t epoch)
{
    struct hs_mls_tree before = h->last;
    assert_ok(hs_mls_tree_save(&h->kit.tree, before.root != NULL ? &before : NULL, &h->store->store, epoch));
    h->last = hs_mls_tree_share(&h->kit.tree);
    hs_mls_tree_free(&before);
}

/* Bytes that were altered in the store: another error, or another tree, but nothing worse. */
static void altered(void **state)
{
    (void)state;
    struct saved HS_AUTO(saved_free) h = {.store = mls_store_new()};
    size_t refused = 0, *len;
    struct hs_bytes key;
    kit_init(&h.kit);
    for (int i = 0; i < 60; i++)
        kit_step(&h.kit);
    save(&h, 1);
    kit_commit(&h.kit, kit_member(&h.kit));
    save(&h, 2);
    for (size_t i = 0; i < 4000; i++) {
        struct mls_store *MLS_STORE bad = mls_store_copy(h.store);
        struct hs_mls_tree HS_MLS_TREE tree = {0};
        struct hs_writer HS_WRITER w = hs_writer(KIT_CAP);
        uint8_t *value = mls_store_value(bad, rng_below(&h.kit.rng, bad->records), &key, &len);
        if (*len == 0)
            continue;
        if (rng_below(&h.kit.rng, 4) == 0)
            *len = rng_below(&h.kit.rng, *len);
        else
            value[rng_below(&h.kit.rng, *len)] ^= (uint8_t)(1 + rng_below(&h.kit.rng, 255));
        enum hs_err err = hs_mls_tree_load(kit_suite, &bad->store, 2, &tree);
        if (err == HS_OK) {
            hs_mls_tree_write(&tree, &w);
            (void)!hs_mls_tree_check(&tree);
            struct hs_mls_resolution HS_MLS_RESOLUTION all = {0};
            (void)!hs_mls_resolve(&tree, tree.root, &all);
            for (size_t at = 0; at < all.count; at++)
                assert_int_equal(hs_mls_node_key(all.list[at].node).len, 32);
            err = hs_mls_tree_error(&tree);
        }
        refused += err != HS_OK;
        (void)!hs_mls_tree_revert(kit_suite, &bad->store, 2);
        (void)!hs_mls_tree_forget(&bad->store, 1, 2);
    }
    printf("%zu refused\n", refused);
    assert_true(refused > 100);
}

/* The record of the only node that is as high as the tree. */
static uint8_t *root_record(struct mls_store *store, uint32_t root, size_t **len)
{
    for (size_t i = 0; i < store->records; i++) {
        struct hs_bytes key;
        uint8_t *value = mls_store_value(store, i, &key, len);
        if (key.data[0] == HS_MLS_RECORD_NODE && key.data[4] == root)
            return value;
    }
    return NULL;
}

/* Counts and lists that contradict each other are found. */
static void contradictory(void **state)
{
    (void)state;
    struct saved HS_AUTO(saved_free) h = {.store = mls_store_new()};
    size_t *len;
    kit_init(&h.kit);
    for (int i = 0; i < 6; i++)
        kit_add(&h.kit);
    kit_commit(&h.kit, 2);
    kit_add(&h.kit); /* unmerged at the root */
    save(&h, 1);
    uint8_t *value = root_record(h.store, 7, &len);
    assert_non_null(value);
    const size_t child = 1 + 8 + 4 + 32, list = 1 + 33 + 1;
    const struct {
        size_t at;
        uint8_t to;
        enum hs_err want;
    } rows[] = {
        {0, 1, HS_OK},                            /* nothing changes */
        {0, 0, HS_ERR_MALFORMED},                 /* not filled, says the node above */
        {*len - child + 12, 2, HS_ERR_MALFORMED}, /* members on the right */
        {*len - child, 3, HS_ERR_MALFORMED},      /* its kind */
        {list, 0, HS_ERR_MALFORMED},              /* no unmerged leaf, but four bytes more */
        {list + 4, 8, HS_ERR_MALFORMED},          /* one outside */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hs_mls_tree HS_MLS_TREE tree = {0};
        uint8_t was = value[rows[i].at];
        value[rows[i].at] = rows[i].to;
        assert_ok(hs_mls_tree_load(kit_suite, &h.store->store, 1, &tree));
        assert_true((hs_mls_tree_leaf(&tree, 0) != NULL) == (rows[i].want == HS_OK));
        assert_err(hs_mls_tree_error(&tree), rows[i].want);
        value[rows[i].at] = was;
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
        cmocka_unit_test(altered),
        cmocka_unit_test(contradictory),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

/* Trees in a store: pieces that are read when they are needed, epochs that share them, forgotten or taken
 * back; what a store holds then, and what it costs. */
#include "unit/mls/tree_kit.h"

#include "crypto/selftest.h"
#include "mls/tree_math.h"
#include "support/mls_store.h"

enum { KEPT = 5 };

/* One epoch as it was saved. */
struct epoch {
    uint64_t number;
    struct hs_mls_tree tree;
    struct model model;
    struct hs_mls_signer signers[MODEL_WIDTH];
};

/* The epochs that a store has, the newest last. */
struct history {
    struct kit kit;
    struct mls_store *store;
    struct epoch epochs[KEPT];
    size_t count;
    struct hs_mls_keys keys;
};

static void history_free(struct history *h)
{
    for (size_t i = 0; i < h->count; i++)
        hs_mls_tree_free(&h->epochs[i].tree);
    hs_mls_keys_free(&h->keys);
    kit_free(&h->kit);
    mls_store_free(h->store);
}

static struct epoch *newest(struct history *h)
{
    return h->count > 0 ? &h->epochs[h->count - 1] : NULL;
}

static void forget_oldest(struct history *h)
{
    assert_ok(hs_mls_tree_forget(&h->store->store, h->epochs[0].number, h->epochs[1].number));
    hs_mls_tree_free(&h->epochs[0].tree);
    h->count--;
    memmove(&h->epochs[0], &h->epochs[1], h->count * sizeof h->epochs[0]);
}

static void save(struct history *h, uint64_t number)
{
    const struct hs_mls_tree *before = h->count > 0 ? &newest(h)->tree : NULL;
    if (h->count == KEPT)
        forget_oldest(h);
    assert_ok(hs_mls_tree_save(&h->kit.tree, before, &h->store->store, number));
    struct epoch *e = &h->epochs[h->count++];
    *e = (struct epoch){.number = number, .tree = hs_mls_tree_share(&h->kit.tree), .model = h->kit.model};
    memcpy(e->signers, h->kit.signers, sizeof e->signers);
}

/* The tree goes on from the newest epoch that is saved. */
static void go_back(struct history *h)
{
    struct epoch *e = newest(h);
    assert_ok(hs_mls_keys_follow(&h->keys, &h->kit.tree, &e->tree));
    hs_mls_tree_free(&h->kit.tree);
    h->kit.tree = hs_mls_tree_share(&e->tree);
    h->kit.model = e->model;
    memcpy(h->kit.signers, e->signers, sizeof e->signers);
}

static void revert(struct history *h)
{
    assert_ok(hs_mls_tree_revert(kit_suite, &h->store->store, newest(h)->number));
    hs_mls_tree_free(&newest(h)->tree);
    h->count--;
    go_back(h);
}

/* All in memory is dropped; the newest epoch and those before are read anew. */
static void reload(struct history *h)
{
    for (size_t i = 0; i < h->count; i++) {
        hs_mls_tree_free(&h->epochs[i].tree);
        assert_ok(hs_mls_tree_load(kit_suite, &h->store->store, h->epochs[i].number, &h->epochs[i].tree));
    }
    hs_mls_keys_free(&h->keys);
    hs_mls_keys_init_stored(&h->keys);
    go_back(h);
}

static size_t records(const struct mls_store *store, enum hs_mls_record record)
{
    const uint8_t prefix = (uint8_t)record;
    return mls_store_records(store, hs_bytes(&prefix, 1), NULL);
}

/* The index finds each key of the tree. Returns how many there are. */
static size_t check_index(struct history *h, struct hs_mls_tree *tree, struct hs_mls_keys *keys)
{
    size_t live = 0;
    for (uint32_t at = 0; at < 2 * h->kit.model.width - 1; at++) {
        const struct hs_mls_node *node = hs_mls_tree_node(tree, at);
        uint32_t found;
        if (at % 2 == 0 ? node->leaf == NULL : !node->filled)
            continue;
        live++;
        assert_true(hs_mls_keys_find(keys, tree, HS_MLS_KEY_ENCRYPTION, hs_mls_node_key(node), HS_MLS_NO_NODE,
                                     &found));
        assert_int_equal(found, at);
        if (at % 2 != 0)
            continue;
        live++;
        assert_true(hs_mls_keys_find(keys, tree, HS_MLS_KEY_SIGNATURE, hs_mls_leaf_signature_key(node->leaf),
                                     HS_MLS_NO_NODE, &found));
        assert_int_equal(found, at);
    }
    return live;
}

/* Every epoch can be read from the store alone; it has their nodes and no others. */
static void check_store(struct history *h)
{
    struct {
        uint32_t index;
        uint64_t made;
    } seen[KEPT * 2 * MODEL_WIDTH];
    size_t count = 0;
    for (size_t i = 0; i < h->count; i++) {
        struct hs_mls_tree HS_MLS_TREE tree = {0};
        assert_ok(hs_mls_tree_load(kit_suite, &h->store->store, h->epochs[i].number, &tree));
        model_compare(&h->epochs[i].model, &tree);
        for (uint32_t at = 0; at < 2 * h->epochs[i].model.width - 1; at++) {
            const struct hs_mls_node *node = hs_mls_tree_node(&tree, at);
            size_t old = 0;
            while (old < count && (seen[old].index != at || seen[old].made != node->made))
                old++;
            if (!node->saved || old < count)
                continue;
            seen[count].index = at;
            seen[count++].made = node->made;
        }
    }
    assert_int_equal(records(h->store, HS_MLS_RECORD_NODE), count);
    assert_int_equal(records(h->store, HS_MLS_RECORD_ROOT), h->count);
    assert_int_equal(records(h->store, HS_MLS_RECORD_REPLACED), h->count - 1);
    struct hs_mls_tree HS_MLS_TREE last = {0};
    struct hs_mls_keys HS_MLS_KEYS stored;
    hs_mls_keys_init_stored(&stored);
    assert_ok(hs_mls_tree_load(kit_suite, &h->store->store, newest(h)->number, &last));
    struct kit now = h->kit;
    h->kit.model = newest(h)->model;
    assert_int_equal(records(h->store, HS_MLS_RECORD_INDEX), check_index(h, &last, &stored));
    h->kit.model = now.model;
}

/* Commits, saves, epochs that are left out, forgotten, taken back, reloads: in any order. */
static void at_random(void **state)
{
    (void)state;
    struct history HS_AUTO(history_free) h = {.store = mls_store_new()};
    kit_init(&h.kit);
    hs_mls_keys_init(&h.keys);
    assert_ok(hs_mls_keys_claim_tree(&h.keys, &h.kit.tree));
    save(&h, 0);
    for (uint64_t epoch = 1; epoch < 300; epoch++) {
        struct hs_mls_tree HS_MLS_TREE before = hs_mls_tree_share(&h.kit.tree);
        for (size_t steps = 1 + rng_below(&h.kit.rng, 3); steps > 0; steps--)
            kit_step(&h.kit);
        assert_ok(hs_mls_keys_follow(&h.keys, &before, &h.kit.tree));
        size_t choice = rng_below(&h.kit.rng, 10);
        if (choice < 7)
            save(&h, epoch);
        else if (choice == 7)
            go_back(&h); /* what wasn't saved is lost */
        if (choice == 6 && h.count > 1)
            revert(&h);
        if (choice == 5 && h.count > 1)
            forget_oldest(&h);
        if (choice == 4 || choice == 7)
            reload(&h);
        model_compare(&h.kit.model, &h.kit.tree);
        (void)check_index(&h, &h.kit.tree, &h.keys);
        check_store(&h);
    }
}

/* A node that can't be read looks blank and is told of; nothing that changes a tree goes on. */
static void failing(void **state)
{
    (void)state;
    struct history HS_AUTO(history_free) h = {.store = mls_store_new()};
    kit_init(&h.kit);
    hs_mls_keys_init(&h.keys);
    for (int i = 0; i < 12; i++)
        kit_add(&h.kit);
    kit_commit(&h.kit, 3);
    save(&h, 7);
    for (size_t after = 0; after < 40; after++) {
        struct hs_mls_tree HS_MLS_TREE tree = {0};
        struct hs_mls_tree_path path;
        struct hs_writer HS_WRITER w = hs_writer(KIT_CAP);
        h.store->fail_with = HS_OK;
        assert_ok(hs_mls_tree_load(kit_suite, &h.store->store, 7, &tree));
        h.store->fail_after = after;
        h.store->fail_with = HS_ERR_STORE;
        hs_mls_tree_write(&tree, &w);
        bool whole = w.err == HS_OK;
        assert_err(hs_mls_tree_error(&tree), whole ? HS_OK : HS_ERR_STORE);
        assert_int_equal(w.err, whole ? HS_OK : HS_ERR_STORE);
        struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&tree, 12);
        assert_true(whole ? leaf != NULL : leaf == NULL);
        hs_mls_tree_path(&tree, 12, &path);
        assert_true(whole || path.on[0]->leaf == NULL);
        assert_err(hs_mls_tree_path_own(&tree, 12, &path), whole ? HS_OK : HS_ERR_STORE);
        if (whole)
            continue;
        /* the failure stays with the tree, and with what comes of it */
        struct hs_mls_tree HS_MLS_TREE copy = hs_mls_tree_share(&tree);
        h.store->fail_with = HS_OK;
        assert_ok(hs_mls_tree_replace(&copy, 0, NULL));
        assert_err(hs_mls_tree_error(&copy), HS_ERR_STORE);
        assert_ok(hs_mls_tree_resize(&copy, 32));
        assert_err(hs_mls_tree_error(&copy), HS_ERR_STORE);
        assert_err(hs_mls_tree_save(&copy, &tree, &h.store->store, 8), HS_ERR_STORE);
        assert_non_null(hs_mls_tree_leaf(&tree, 12));
    }
    h.store->fail_with = HS_OK;
    struct hs_mls_tree HS_MLS_TREE none = {0};
    assert_err(hs_mls_tree_load(kit_suite, &h.store->store, 6, &none), HS_ERR_NOT_FOUND);
    assert_err(hs_mls_tree_revert(kit_suite, &h.store->store, 7), HS_ERR_NOT_FOUND);
    assert_err(hs_mls_tree_forget(&h.store->store, 7, 8), HS_ERR_NOT_FOUND);
}

/* A path of the tree that is in the store, as if it were read when the store fails after that many calls. */
static enum hs_err try_path(struct history *h, size_t after, size_t *len)
{
    static const struct hs_mls_newcomers nobody = {0};
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    struct hs_mls_path_keys HS_MLS_PATH_KEYS keys;
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets;
    struct hs_writer HS_WRITER nodes = hs_writer(KIT_CAP);
    h->store->fail_with = HS_OK;
    assert_ok(hs_mls_tree_load(kit_suite, &h->store->store, 1, &tree));
    struct hs_mls_leaf HS_MLS_LEAF *old = hs_mls_leaf_ref(h->kit.model.nodes[0].leaf);
    const struct hs_mls_leaf_renewal renewal = {
        .old = old, .signer = &h->kit.signers[0], .group_id = hs_bytes_str("g")};
    h->store->fail_after = after;
    h->store->fail_with = HS_ERR_STORE;
    HS_TRY(hs_mls_path_make(&tree, &renewal, &keys, &secrets));
    struct hs_mls_path_keys HS_MLS_PATH_KEYS all = keys;
    enum hs_err err = hs_mls_path_encrypt(&tree, 0, &secrets, &nobody, hs_bytes_str("c"), &nodes);
    hs_mls_path_keys_prune(&tree, 0, &keys); /* wipes nothing: the path's nodes are filled, or unknown */
    assert_memory_equal(&keys, &all, sizeof keys);
    *len = nodes.len;
    return err;
}

/* Nobody is left out because his node couldn't be read. */
static void failing_path(void **state)
{
    (void)state;
    struct history HS_AUTO(history_free) h = {.store = mls_store_new()};
    size_t want, len, failed = 0;
    kit_init(&h.kit);
    hs_mls_keys_init(&h.keys);
    for (int i = 0; i < 15; i++)
        kit_add(&h.kit);
    kit_commit(&h.kit, 5);
    save(&h, 1);
    assert_ok(try_path(&h, SIZE_MAX, &want));
    for (enum hs_err err = HS_ERR_STORE; err != HS_OK; failed++) {
        err = try_path(&h, failed, &len);
        assert_true(err == HS_ERR_STORE || (err == HS_OK && len == want));
    }
    assert_true(failed > 10);
    h.store->fail_with = HS_OK;
}

/* A whole tree goes from one store into another. */
static void copied(void **state)
{
    (void)state;
    struct history HS_AUTO(history_free) h = {.store = mls_store_new()};
    struct mls_store *MLS_STORE other = mls_store_new();
    struct hs_mls_tree HS_MLS_TREE tree = {0}, HS_MLS_TREE again = {0};
    kit_init(&h.kit);
    hs_mls_keys_init(&h.keys);
    for (int i = 0; i < 80; i++)
        kit_step(&h.kit);
    save(&h, 1);
    kit_commit(&h.kit, kit_member(&h.kit));
    save(&h, 2);
    assert_ok(hs_mls_tree_load(kit_suite, &h.store->store, 2, &tree));
    assert_ok(hs_mls_tree_save(&tree, NULL, &other->store, 2));
    assert_ptr_equal(tree.store, &other->store);
    assert_ok(hs_mls_tree_load(kit_suite, &other->store, 2, &again));
    model_compare(&h.kit.model, &again);
    assert_int_equal(records(other, HS_MLS_RECORD_INDEX), records(h.store, HS_MLS_RECORD_INDEX));
}

/* A leaf with keys that nobody has, made of another one's bytes. */
static struct hs_mls_leaf *fake_leaf(struct rng *rng, const struct hs_mls_leaf *like)
{
    struct hs_mls_leaf *leaf = NULL;
    assert_ok(hs_mls_leaf_copy(hs_bytes(like->bytes, like->len), &leaf));
    rng_fill(rng, leaf->bytes + 1, 32);
    rng_fill(rng, leaf->bytes + 34, 32);
    return leaf;
}

/* A tree of that many members where no parent over members is blank. */
static struct hs_mls_tree full_tree(struct rng *rng, uint32_t members)
{
    struct hs_mls_tree tree;
    struct hs_mls_leaf HS_MLS_LEAF *like = kit_leaf(NULL);
    assert_ok(hs_mls_tree_init(kit_suite, &tree));
    for (uint32_t i = 0; i < members; i++) {
        struct hs_mls_leaf HS_MLS_LEAF *leaf = fake_leaf(rng, like);
        uint32_t index;
        assert_ok(hs_mls_tree_add(&tree, leaf, &index));
    }
    for (uint32_t i = 0; i < members; i++) {
        struct hs_mls_tree_path path;
        uint8_t key[32];
        assert_ok(hs_mls_tree_path_own(&tree, i, &path));
        for (unsigned level = 1; level <= path.depth; level++) {
            rng_fill(rng, key, sizeof key);
            if (!path.on[level]->filled && path.co[level]->members > 0)
                hs_mls_node_fill(path.on[level], hs_bytes(key, sizeof key));
        }
    }
    return tree;
}

/* What a commit costs in a full tree: as many records as its path has nodes, and reads of as many. */
static void cost(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {100, 1000, 10000};
    struct rng rng = rng_new();
    size_t written[3], read[3];
    for (size_t i = 0; i < 3; i++) {
        struct mls_store *MLS_STORE store = mls_store_new();
        struct hs_mls_tree HS_MLS_TREE first = full_tree(&rng, sizes[i]), HS_MLS_TREE tree = {0};
        struct hs_mls_keys HS_MLS_KEYS keys;
        struct hs_mls_signer signer;
        hs_mls_keys_init_stored(&keys);
        assert_ok(hs_mls_signer_random(kit_suite, &signer));
        assert_ok(hs_mls_tree_save(&first, NULL, &store->store, 1));
        mls_store_count_from_here(store);
        assert_ok(hs_mls_tree_load(kit_suite, &store->store, 1, &tree));
        assert_int_equal(store->counts.gets, 1);
        struct hs_mls_tree HS_MLS_TREE before = hs_mls_tree_share(&tree);
        kit_path(&tree, sizes[i] / 3, &signer);
        assert_ok(hs_mls_keys_follow(&keys, &before, &tree));
        (void)kit_hash(&tree);
        read[i] = store->counts.gets;
        mls_store_count_from_here(store);
        assert_ok(hs_mls_tree_save(&tree, &before, &store->store, 2));
        assert_ok(hs_mls_tree_forget(&store->store, 1, 2));
        written[i] = store->counts.bytes_written;
        printf("%u members: %zu records read, %zu put, %zu bytes written\n", sizes[i], read[i],
               store->counts.puts, written[i]);
        unsigned depth = hs_mls_tree_depth(&tree);
        assert_true(read[i] <= 2 * depth + 3);
        assert_true(store->counts.puts <= 2 * depth + 5);
    }
    assert_true(written[2] < 10000);
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_random), cmocka_unit_test(failing), cmocka_unit_test(failing_path),
        cmocka_unit_test(copied),    cmocka_unit_test(cost),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

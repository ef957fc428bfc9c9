/* A store that has little space left, or none. */
#include "lmdb_kv_scene.h"

/* NODE-4: new data is refused from the soft limit on, then at the reserve; whatever was taken is still
 * there, and all of it can be deleted, after which the store takes new data again. */
static void full_map_can_be_emptied(void **state)
{
    struct hs_lmdb *db = open_sized(*state, 4 * MIB, 4 * MIB);
    uint64_t count = 0, at_soft = 0;
    for (enum hs_err err = HS_OK;; count++) {
        err = put_one(db, count, 1500);
        if (hs_lmdb_full(db) && at_soft == 0)
            at_soft = count;
        if (err == HS_OK)
            continue;
        assert_err(err, HS_ERR_STORE_FULL);
        break;
    }
    print_message("soft limit at %llu, reserve at %llu entries\n", (unsigned long long)at_soft,
                  (unsigned long long)count);
    assert_true(at_soft > 0 && at_soft < count);
    assert_ok(put_one(db, 0, 1500)); /* no longer than before */
    assert_ok(put_one(db, 1, 10));
    assert_err(put_one(db, 1, 1500), HS_ERR_STORE_FULL);
    assert_err(put_one(db, count, 1), HS_ERR_STORE_FULL);
    hs_lmdb_close(db);
    db = open_sized(*state, 4 * MIB, 4 * MIB);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t which = i * 7919 % count; /* count is no multiple of this prime: every one, far apart */
        assert_true(has_one(db, which));
        assert_ok(del_one(db, which));
    }
    assert_ok(put_one(db, 5, 1500));
    assert_false(hs_lmdb_full(db));
    hs_lmdb_close(db);
}

/* One transaction can't eat the reserve either. */
static void big_transaction_stops_at_the_reserve(void **state)
{
    struct hs_lmdb *db = open_sized(*state, 4 * MIB, 4 * MIB);
    static const uint8_t zeros[3000];
    assert_ok(put_one(db, 1 << 20, 100));
    struct hs_kv *txn = write_txn(db);
    assert_false(hs_lmdb_full(db));
    uint64_t i = 0;
    for (; txn->err == HS_OK && i < 100000; i++) {
        struct hs_kv_key key = number_key(i);
        hs_kv_put(txn, 0, hs_kv_key_bytes(&key), hs_bytes(zeros, sizeof zeros));
    }
    assert_err(txn->err, HS_ERR_STORE_FULL);
    assert_err(hs_lmdb_commit(txn), HS_ERR_STORE_FULL);
    assert_false(has_one(db, 0));
    assert_true(has_one(db, 1 << 20));
    assert_ok(put_one(db, 0, 100));
    hs_lmdb_close(db);
}

/* Many small entries beside each other take few pages: the reserve isn't reached by counting one for each. */
static void small_entries_count_little(void **state)
{
    struct hs_lmdb *db = open_sized(*state, 8 * MIB, 8 * MIB);
    struct hs_kv *txn = write_txn(db);
    uint8_t stream[33] = {'R'}, value[100] = {0};
    for (uint64_t i = 0; i < 10000; i++) {
        struct hs_kv_key key = {0};
        hs_kv_key_add(&key, hs_bytes(stream, sizeof stream));
        hs_kv_key_add_u64(&key, i);
        hs_kv_put(txn, 0, hs_kv_key_bytes(&key), hs_bytes(value, sizeof value));
    }
    assert_ok(hs_lmdb_commit(txn));
    assert_in_range(hs_lmdb_stats(db).file_bytes, 10000 * 141, 4 * MIB);
    hs_lmdb_close(db);
}

static void growing_map_grows(void **state)
{
    struct hs_lmdb *db = open_sized(*state, MIB, 16 * MIB);
    uint64_t count = 0;
    while (put_one(db, count, 4000) == HS_OK)
        count++;
    assert_true(hs_lmdb_full(db));
    assert_int_equal(hs_lmdb_stats(db).map_bytes, 16 * MIB);
    print_message("%llu entries in 16 MiB\n", (unsigned long long)count);
    assert_true(count > 12 * MIB / 8192);
    hs_lmdb_close(db);
    db = open_sized(*state, MIB, 16 * MIB); /* a map smaller than what is there grows to it */
    assert_true(has_one(db, 0));
    assert_true(has_one(db, count - 1));
    hs_lmdb_close(db);
}

/* A transaction that doesn't fit finds a larger map when it is tried again. */
static void refused_transaction_makes_it_grow(void **state)
{
    struct hs_lmdb *db = open_sized(*state, MIB, 64 * MIB);
    static uint8_t value[3 * MIB];
    enum hs_err err = HS_ERR_STORE_FULL;
    for (int tries = 0; err == HS_ERR_STORE_FULL && tries < 8; tries++) {
        struct hs_kv *txn = write_txn(db);
        hs_kv_put(txn, 0, hs_bytes_str("k"), hs_bytes(value, sizeof value));
        err = hs_lmdb_commit(txn);
    }
    assert_ok(err);
    hs_lmdb_close(db);
}

static void disk_reserve_counts_as_full(void **state)
{
    struct hs_lmdb *db = NULL;
    struct hs_lmdb_options options = {
        .dir = *state, .tables = 1, .map_size = MIB, .map_max = MIB, .disk_reserve = SIZE_MAX};
    assert_ok(hs_lmdb_open(&options, &db));
    assert_false(hs_lmdb_full(db)); /* not measured yet */
    assert_ok(put_one(db, 1, 10));
    assert_true(hs_lmdb_full(db));
    hs_lmdb_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tmpdir_teardown)
        TEST(small_entries_count_little),           TEST(full_map_can_be_emptied),
        TEST(big_transaction_stops_at_the_reserve), TEST(growing_map_grows),
        TEST(refused_transaction_makes_it_grow),    TEST(disk_reserve_counts_as_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

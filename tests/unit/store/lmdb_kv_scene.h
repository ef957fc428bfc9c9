/* A store in a directory of its own, and entries that are numbers, for the tests of that. */
#ifndef TESTS_STORE_LMDB_KV_SCENE_H
#define TESTS_STORE_LMDB_KV_SCENE_H

#include "support/test.h"
#include "support/tmpdir.h"

#include "store/lmdb_kv.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MIB = 1 << 20, TABLES = 4 };

/* Each test has a directory of its own that is not there yet. */
[[maybe_unused]] static int setup(void **state)
{
    char *dir = strdup("/tmp/hanse-lmdb-XXXXXX");
    if (dir == NULL || mkdtemp(dir) == NULL || rmdir(dir) != 0)
        return -1;
    *state = dir;
    return 0;
}

[[maybe_unused]] static struct hs_lmdb *open_sized(const char *dir, size_t size, size_t max)
{
    struct hs_lmdb *db = NULL;
    struct hs_lmdb_options options = {.dir = dir, .tables = TABLES, .map_size = size, .map_max = max};
    assert_ok(hs_lmdb_open(&options, &db));
    return db;
}

[[maybe_unused]] static struct hs_kv *write_txn(struct hs_lmdb *db)
{
    struct hs_kv *txn = NULL;
    assert_ok(hs_lmdb_begin_write(db, &txn));
    return txn;
}

[[maybe_unused]] static struct hs_kv *read_txn(struct hs_lmdb *db)
{
    struct hs_kv *txn = NULL;
    assert_ok(hs_lmdb_begin_read(db, &txn));
    return txn;
}

[[maybe_unused]] static struct hs_kv_key number_key(uint64_t number)
{
    struct hs_kv_key key = {0};
    hs_kv_key_add_u64(&key, number);
    return key;
}

[[maybe_unused]] static enum hs_err put_one(struct hs_lmdb *db, uint64_t number, size_t len)
{
    static const uint8_t zeros[8192];
    struct hs_kv *txn = write_txn(db);
    struct hs_kv_key key = number_key(number);
    hs_kv_put(txn, 0, hs_kv_key_bytes(&key), hs_bytes(zeros, len));
    return hs_lmdb_commit(txn);
}

[[maybe_unused]] static enum hs_err del_one(struct hs_lmdb *db, uint64_t number)
{
    struct hs_kv *txn = write_txn(db);
    struct hs_kv_key key = number_key(number);
    hs_kv_del(txn, 0, hs_kv_key_bytes(&key));
    return hs_lmdb_commit(txn);
}

[[maybe_unused]] static bool has_one(struct hs_lmdb *db, uint64_t number)
{
    struct hs_kv *txn = read_txn(db);
    struct hs_kv_key key = number_key(number);
    bool has = hs_kv_has(txn, 0, hs_kv_key_bytes(&key));
    hs_lmdb_abort(txn);
    return has;
}

#endif

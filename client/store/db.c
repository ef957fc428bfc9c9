#include "store/db.h"

#include "store/lmdb_kv.h"
#include "store/sealed_kv.h"
#include "store/tables.h"

#include <stdlib.h>

enum {
    MAP_FIRST = 256 << 20, /* what every system maps without complaint; it doubles between transactions */
};
#define MAP_MAX ((size_t)64 << 30)

struct hs_db {
    struct hs_lmdb *lmdb;
    struct hs_secret32 key;
    struct hs_kv *write, *read;
    struct hs_sealed_kv sealed_write, sealed_read;
};

/* A known value under a known key: opens with the right key alone, and says how the store is laid out. */
static enum hs_err check_seal(struct hs_db *db)
{
    const struct hs_bytes name = hs_bytes_str("seal"), version = hs_bytes_str("hanse-store-v2");
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    struct hs_kv *kv;
    HS_TRY(hs_db_begin(db, &kv));
    struct hs_bytes found;
    if (!hs_kv_get(kv, HS_TABLE_META, name, &arena, &found))
        hs_kv_put(kv, HS_TABLE_META, name, version);
    else if (!hs_bytes_equal(found, version))
        kv->err = HS_ERR_UNSUPPORTED;
    return hs_db_commit(db);
}

enum hs_err hs_db_open(const char *dir, const uint8_t key[static 32], struct hs_db **out)
{
    struct hs_db *db = calloc(1, sizeof *db);
    HS_REQUIRE(db != NULL, HS_ERR_NOMEM);
    hs_sealed_key(key, &db->key);
    struct hs_lmdb_options options = {
        .dir = dir, .tables = HS_TABLE_COUNT, .map_size = MAP_FIRST, .map_max = MAP_MAX};
    enum hs_err err = hs_lmdb_open(&options, &db->lmdb);
    if (err == HS_OK)
        err = check_seal(db);
    if (err != HS_OK) {
        hs_db_close(db);
        return err;
    }
    *out = db;
    return HS_OK;
}

void hs_db_close(struct hs_db *db)
{
    if (db == NULL)
        return;
    hs_db_abort(db);
    hs_db_end_read(db);
    hs_lmdb_close(db->lmdb);
    hs_secret32_wipe(&db->key);
    free(db);
}

enum hs_err hs_db_begin(struct hs_db *db, struct hs_kv **out)
{
    HS_TRY(hs_lmdb_begin_write(db->lmdb, &db->write));
    db->sealed_write = hs_sealed_kv(db->write, &db->key);
    *out = &db->sealed_write.kv;
    return HS_OK;
}

enum hs_err hs_db_commit(struct hs_db *db)
{
    enum hs_err err = db->sealed_write.kv.err;
    if (err != HS_OK) {
        hs_db_abort(db);
        return err;
    }
    struct hs_kv *txn = db->write;
    db->write = NULL;
    return hs_lmdb_commit(txn);
}

void hs_db_abort(struct hs_db *db)
{
    if (db->write != NULL)
        hs_lmdb_abort(db->write);
    db->write = NULL;
}

enum hs_err hs_db_begin_read(struct hs_db *db, struct hs_kv **out)
{
    HS_TRY(hs_lmdb_begin_read(db->lmdb, &db->read));
    db->sealed_read = hs_sealed_kv(db->read, &db->key);
    *out = &db->sealed_read.kv;
    return HS_OK;
}

void hs_db_end_read(struct hs_db *db)
{
    if (db->read != NULL)
        hs_lmdb_abort(db->read);
    db->read = NULL;
}

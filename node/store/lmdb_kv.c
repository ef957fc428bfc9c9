/* Transactions of a store, and how full it is; lmdb_open.c opens it. */
#include "store/dir.h"
#include "store/lmdb_env.h"

#include <stdlib.h>

enum {
    SOFT_PERCENT = 80, /* from here on new data is refused */
    HARD_PERCENT = 95, /* from here on only what frees space is taken */
    GROW_PERCENT =
        50, /* a growing map doubles when it is this full, so one transaction may fill half of it */
    COUNT_SPREAD = 16,  /* a count that saw n free lists is repeated after n / COUNT_SPREAD commits */
    FREE_LIST = 0,      /* LMDB's own table of freed pages */
    NODE_OVERHEAD = 16, /* of an entry in its page, at most */
    PLACES = 256,       /* of a transaction's puts that are remembered */
    PLACE_PREFIX = 33,  /* bytes of a key: entries that share them are neighbours */
};

struct txn {
    struct hs_kv kv;
    struct hs_lmdb *db;
    MDB_txn *txn;
    MDB_cursor *cursors[HS_KV_TABLES_MAX]; /* of a read transaction: kept from one next() to another */
    bool write, changed;
    uint64_t added;          /* an estimate of the bytes that this transaction takes, rather too high */
    uint64_t places[PLACES]; /* hashes of where it has put something already */
};

static struct txn *of(struct hs_kv *kv)
{
    return (struct txn *)kv;
}

static MDB_val to_val(struct hs_bytes bytes)
{
    return (MDB_val){.mv_size = bytes.len, .mv_data = (void *)bytes.data};
}

/* An empty value still has a place in the arena: present and empty differs from absent. */
static enum hs_err copy_out(struct hs_arena *arena, const MDB_val *in, struct hs_bytes *out)
{
    uint8_t *copy = hs_arena_alloc(arena, in->mv_size + 1);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    if (in->mv_size > 0)
        memcpy(copy, in->mv_data, in->mv_size);
    *out = hs_bytes(copy, in->mv_size);
    return HS_OK;
}

static enum hs_err check_key(const struct txn *t, unsigned table, struct hs_bytes key)
{
    HS_REQUIRE(table < t->db->tables, HS_ERR_INVALID_ARG);
    return key.len > 0 && key.len <= HS_KV_KEY_MAX ? HS_OK : HS_ERR_INVALID_ARG;
}

static enum hs_err txn_get(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_arena *arena,
                           struct hs_bytes *value)
{
    struct txn *t = of(kv);
    HS_TRY(check_key(t, table, key));
    MDB_val k = to_val(key), v;
    HS_TRY(hs_lmdb_err(mdb_get(t->txn, t->db->dbi[table], &k, &v)));
    return arena != NULL ? copy_out(arena, &v, value) : HS_OK;
}

/* Whether a value of this length may be put although the store is in its reserve. */
static bool replaces_as_much(struct txn *t, unsigned table, MDB_val key, size_t len)
{
    MDB_val old;
    return mdb_get(t->txn, t->db->dbi[table], &key, &old) == MDB_SUCCESS && len <= old.mv_size;
}

/* Where a table is written to, a page is copied; where its neighbour was written before, it has been. */
static bool is_new_place(struct txn *t, unsigned table, struct hs_bytes key)
{
    uint64_t hash = 1469598103934665603u ^ (table + 1); /* FNV-1a; never 0 in practice, and no harm if */
    for (size_t i = 0; i < key.len && i < PLACE_PREFIX; i++)
        hash = (hash ^ key.data[i]) * 1099511628211u;
    uint64_t *place = &t->places[hash % PLACES];
    bool fresh = *place != hash;
    *place = hash;
    return fresh;
}

/* Pages are half full after they were split; what is larger than a quarter of a page has pages of its own. */
static uint64_t growth(struct txn *t, unsigned table, struct hs_bytes key, size_t len)
{
    size_t page = t->db->page, entry = key.len + len + NODE_OVERHEAD;
    uint64_t bytes = entry > page / 4 ? (entry / page + 1) * page : 2 * entry;
    return bytes + (is_new_place(t, table, key) ? page : 0);
}

static bool in_reserve(const struct txn *t)
{
    return t->db->used + t->added > t->db->map_size / 100 * HARD_PERCENT;
}

static enum hs_err txn_put(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_bytes value)
{
    struct txn *t = of(kv);
    HS_REQUIRE(t->write, HS_ERR_INVALID_STATE);
    HS_TRY(check_key(t, table, key));
    MDB_val k = to_val(key), v = to_val(value);
    if (in_reserve(t) && !replaces_as_much(t, table, k, value.len))
        return HS_ERR_STORE_FULL;
    HS_TRY(hs_lmdb_err(mdb_put(t->txn, t->db->dbi[table], &k, &v, 0)));
    t->changed = true;
    t->added += growth(t, table, key, value.len);
    return HS_OK;
}

static enum hs_err txn_del(struct hs_kv *kv, unsigned table, struct hs_bytes key)
{
    struct txn *t = of(kv);
    HS_REQUIRE(t->write, HS_ERR_INVALID_STATE);
    HS_TRY(check_key(t, table, key));
    MDB_val k = to_val(key);
    t->changed = true;
    return hs_lmdb_err(mdb_del(t->txn, t->db->dbi[table], &k, NULL));
}

static enum hs_err seek(MDB_cursor *cursor, struct hs_bytes from, struct hs_arena *arena,
                        struct hs_bytes *key, struct hs_bytes *value)
{
    MDB_val k = to_val(from), v;
    HS_TRY(hs_lmdb_err(mdb_cursor_get(cursor, &k, &v, from.len > 0 ? MDB_SET_RANGE : MDB_FIRST)));
    HS_TRY(copy_out(arena, &k, key));
    return value != NULL ? copy_out(arena, &v, value) : HS_OK;
}

/* A read transaction keeps a cursor a table, which finds the neighbour of its last key without a descent. A
 * write transaction opens one each time: LMDB moves open cursors along with every change, and that is where
 * its old releases have their bugs. */
static enum hs_err txn_next(struct hs_kv *kv, unsigned table, struct hs_bytes from, struct hs_arena *arena,
                            struct hs_bytes *key, struct hs_bytes *value)
{
    struct txn *t = of(kv);
    HS_REQUIRE(table < t->db->tables && from.len <= HS_KV_KEY_MAX + 1, HS_ERR_INVALID_ARG);
    MDB_cursor *cursor = t->cursors[table];
    if (cursor == NULL)
        HS_TRY(hs_lmdb_err(mdb_cursor_open(t->txn, t->db->dbi[table], &cursor)));
    enum hs_err err = seek(cursor, from, arena, key, value);
    if (t->write)
        mdb_cursor_close(cursor);
    else
        t->cursors[table] = cursor;
    return err;
}

static const struct hs_kv_ops txn_ops = {txn_get, txn_put, txn_del, txn_next};

static enum hs_err txn_new(struct hs_lmdb *db, bool write, struct hs_kv **out)
{
    struct txn *t = calloc(1, sizeof *t);
    HS_REQUIRE(t != NULL, HS_ERR_NOMEM);
    *t = (struct txn){.kv.ops = &txn_ops, .db = db, .write = write};
    enum hs_err err = hs_lmdb_err(mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &t->txn));
    if (err != HS_OK) {
        free(t);
        return err;
    }
    db->open_txns++;
    if (write)
        db->writing = true;
    *out = &t->kv;
    return HS_OK;
}

/* The transaction of LMDB is gone; frees ours. */
static void txn_end(struct txn *t)
{
    t->db->open_txns--;
    if (t->write)
        t->db->writing = false;
    free(t);
}

void hs_lmdb_abort(struct hs_kv *kv)
{
    if (kv == NULL)
        return;
    struct txn *t = of(kv);
    for (size_t i = 0; i < HS_KV_TABLES_MAX; i++)
        if (t->cursors[i] != NULL)
            mdb_cursor_close(t->cursors[i]);
    if (t->kv.err == HS_ERR_STORE_FULL)
        t->db->must_grow = true;
    mdb_txn_abort(t->txn);
    txn_end(t);
}

enum hs_err hs_lmdb_commit(struct hs_kv *kv)
{
    struct txn *t = of(kv);
    if (t->kv.err != HS_OK || !t->write) {
        enum hs_err err = t->kv.err;
        hs_lmdb_abort(kv);
        return err;
    }
    enum hs_err err = hs_lmdb_err(mdb_txn_commit(t->txn));
    t->db->syncs += t->changed && err == HS_OK;
    if (err == HS_ERR_STORE_FULL)
        t->db->must_grow = true;
    if (t->db->count_in > 0)
        t->db->count_in--;
    txn_end(t);
    return err;
}

/* Pages that the next write transactions will use again, of all lists that LMDB keeps of them. */
static enum hs_err count_free(struct hs_lmdb *db, uint64_t *pages, size_t *lists)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    HS_TRY(hs_lmdb_err(mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn)));
    int rc = mdb_cursor_open(txn, FREE_LIST, &cursor);
    if (rc == MDB_SUCCESS) {
        MDB_val key, list;
        while ((rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == MDB_SUCCESS) {
            size_t count;
            memcpy(&count, list.mv_data, sizeof count);
            *pages += count;
            ++*lists;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return rc == MDB_NOTFOUND ? HS_OK : hs_lmdb_err(rc);
}

/* How much is in use. Below the soft limit the file's high-water mark is good enough and costs nothing; above
 * it the free pages are counted, as often as their number makes it cheap. */
static enum hs_err measure(struct hs_lmdb *db)
{
    MDB_envinfo info;
    HS_TRY(hs_lmdb_err(mdb_env_info(db->env, &info)));
    uint64_t high = ((uint64_t)info.me_last_pgno + 1) * db->page;
    if (high <= db->map_size / 100 * (db->map_max > db->map_size ? GROW_PERCENT : SOFT_PERCENT)) {
        db->used = high;
        db->count_in = 0;
        return HS_OK;
    }
    if (db->count_in > 0)
        return HS_OK;
    uint64_t pages = 0;
    size_t lists = 0;
    HS_TRY(count_free(db, &pages, &lists));
    db->used = high - pages * db->page;
    db->count_in = lists / COUNT_SPREAD;
    return HS_OK;
}

/* LMDB lets the map be resized only while no transaction is open. */
static enum hs_err grow(struct hs_lmdb *db)
{
    bool wanted = db->must_grow || db->used > db->map_size / 100 * GROW_PERCENT;
    if (!wanted || db->map_size >= db->map_max || db->open_txns > 0)
        return HS_OK;
    size_t size = db->map_size <= db->map_max / 2 ? db->map_size * 2 : db->map_max;
    HS_TRY(hs_lmdb_err(mdb_env_set_mapsize(db->env, size)));
    db->map_size = size;
    db->must_grow = false;
    return HS_OK;
}

enum hs_err hs_lmdb_begin_write(struct hs_lmdb *db, struct hs_kv **txn)
{
    HS_REQUIRE(!db->writing && !db->read_only, HS_ERR_INVALID_STATE);
    HS_TRY(measure(db));
    HS_TRY(grow(db));
    db->full = db->used > db->map_size / 100 * SOFT_PERCENT ||
               (db->disk_reserve > 0 && hs_dir_free_bytes(db->dir) < db->disk_reserve);
    return txn_new(db, true, txn);
}

enum hs_err hs_lmdb_begin_read(struct hs_lmdb *db, struct hs_kv **txn)
{
    return txn_new(db, false, txn);
}

bool hs_lmdb_full(const struct hs_lmdb *db)
{
    return db->full;
}

struct hs_lmdb_stats hs_lmdb_stats(const struct hs_lmdb *db)
{
    MDB_envinfo info;
    if (mdb_env_info(db->env, &info) != MDB_SUCCESS)
        return (struct hs_lmdb_stats){0};
    return (struct hs_lmdb_stats){.map_bytes = info.me_mapsize,
                                  .file_bytes = ((uint64_t)info.me_last_pgno + 1) * db->page,
                                  .used_bytes = db->used,
                                  .syncs = db->syncs};
}

void hs_lmdb_entries(struct hs_kv *kv, uint64_t *out, size_t tables)
{
    struct txn *t = of(kv);
    for (size_t i = 0; i < tables && i < t->db->tables; i++) {
        MDB_stat stat;
        out[i] = mdb_stat(t->txn, t->db->dbi[i], &stat) == MDB_SUCCESS ? stat.ms_entries : 0;
    }
}

void hs_lmdb_check_readers(struct hs_lmdb *db)
{
    int dead;
    (void)mdb_reader_check(db->env, &dead);
}

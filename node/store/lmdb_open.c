/* Opening a store: its file, its lock, its tables. */
#include "store/dir.h"
#include "store/lmdb_env.h"
#include "store/lmdb_new.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_MODE = 0600,
    READERS_MAX = 8 /* one process with a reader or two; slots cost a cache line each */
};

/* A data file that somebody else may have written is not opened: LMDB trusts every offset that it reads. */
static enum hs_err check_file(const char *dir)
{
    char path[PATH_MAX];
    struct stat info;
    int len = snprintf(path, sizeof path, "%s/data.mdb", dir);
    HS_REQUIRE(len > 0 && (size_t)len < sizeof path, HS_ERR_INVALID_ARG);
    if (lstat(path, &info) != 0)
        return errno == ENOENT ? HS_OK : HS_ERR_IO;
    bool ours = S_ISREG(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 0022) == 0;
    return ours ? HS_OK : HS_ERR_STORE;
}

/* Only a writer makes a store. */
static enum hs_err check_there(const char *dir)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/data.mdb", dir);
    HS_REQUIRE(len > 0 && (size_t)len < sizeof path, HS_ERR_INVALID_ARG);
    return access(path, F_OK) == 0 ? HS_OK : HS_ERR_NOT_FOUND;
}

/* Every sync is on, LMDB zeroes fresh pages, and the map is read-only so that no stray pointer writes into
 * it. */
static enum hs_err env_open(struct hs_lmdb *db)
{
    HS_TRY(hs_lmdb_err(mdb_env_create(&db->env)));
    HS_TRY(hs_lmdb_err(mdb_env_set_maxdbs(db->env, db->tables)));
    HS_TRY(hs_lmdb_err(mdb_env_set_maxreaders(db->env, READERS_MAX)));
    HS_TRY(hs_lmdb_err(mdb_env_set_mapsize(db->env, db->map_size)));
    HS_TRY(
        hs_lmdb_err(mdb_env_open(db->env, db->dir, MDB_NOTLS | (db->read_only ? MDB_RDONLY : 0), FILE_MODE)));
    MDB_envinfo info;
    MDB_stat stat;
    HS_TRY(hs_lmdb_err(mdb_env_info(db->env, &info)));
    HS_TRY(hs_lmdb_err(mdb_env_stat(db->env, &stat)));
    db->map_size = info.me_mapsize;
    db->page = stat.ms_psize;
    hs_lmdb_check_readers(db);
    return HS_OK;
}

static enum hs_err tables_open(struct hs_lmdb *db)
{
    MDB_txn *txn;
    HS_TRY(hs_lmdb_err(mdb_txn_begin(db->env, NULL, db->read_only ? MDB_RDONLY : 0, &txn)));
    for (unsigned i = 0; i < db->tables; i++) {
        char name[12];
        snprintf(name, sizeof name, "%u", i);
        enum hs_err err = hs_lmdb_err(mdb_dbi_open(txn, name, db->read_only ? 0 : MDB_CREATE, &db->dbi[i]));
        if (err != HS_OK) {
            mdb_txn_abort(txn);
            return err;
        }
    }
    return hs_lmdb_err(mdb_txn_commit(txn));
}

static enum hs_err open_locked(struct hs_lmdb *db)
{
    HS_TRY(check_file(db->dir));
    if (!db->read_only)
        HS_TRY(hs_lmdb_new(db->dir, db->map_size));
    HS_TRY(env_open(db));
    HS_TRY(tables_open(db));
    return db->read_only ? HS_OK : hs_dir_sync(db->dir);
}

enum hs_err hs_lmdb_open(const struct hs_lmdb_options *options, struct hs_lmdb **out)
{
    HS_REQUIRE(options->tables > 0 && options->tables <= HS_KV_TABLES_MAX, HS_ERR_INVALID_ARG);
    HS_REQUIRE(options->map_size > 0 && options->map_size <= options->map_max, HS_ERR_INVALID_ARG);
    struct hs_lmdb *db = calloc(1, sizeof *db);
    HS_REQUIRE(db != NULL, HS_ERR_NOMEM);
    *db = (struct hs_lmdb){.dir = strdup(options->dir),
                           .lock_fd = -1,
                           .tables = options->tables,
                           .map_size = options->map_size,
                           .map_max = options->map_max,
                           .read_only = options->mode != HS_LMDB_WRITE,
                           .disk_reserve = options->disk_reserve};
    enum hs_err err = db->dir != NULL ? HS_OK : HS_ERR_NOMEM;
    if (err == HS_OK && db->read_only)
        err = check_there(db->dir);
    if (err == HS_OK && options->mode != HS_LMDB_READ_BESIDE)
        err = hs_dir_lock(db->dir, &db->lock_fd);
    if (err == HS_OK)
        err = open_locked(db);
    if (err != HS_OK) {
        hs_lmdb_close(db);
        return err;
    }
    *out = db;
    return HS_OK;
}

void hs_lmdb_close(struct hs_lmdb *db)
{
    if (db == NULL)
        return;
    HS_ASSERT(db->open_txns == 0);
    if (db->env != NULL)
        mdb_env_close(db->env);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db->dir);
    free(db);
}

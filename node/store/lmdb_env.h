/* What lmdb_open.c opens and lmdb_kv.c reads and writes in. */
#ifndef HS_STORE_LMDB_ENV_H
#define HS_STORE_LMDB_ENV_H

#include "store/lmdb_err.h"
#include "store/lmdb_kv.h"

struct hs_lmdb {
    MDB_env *env;
    char *dir;
    int lock_fd;
    unsigned tables, open_txns;
    MDB_dbi dbi[HS_KV_TABLES_MAX];
    size_t page, map_size, map_max, disk_reserve;
    bool read_only, writing, full, must_grow;
    uint64_t used; /* bytes, at the last count */
    uint64_t syncs;
    size_t count_in; /* commits until the free pages are counted again */
};

#endif

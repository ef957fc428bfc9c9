/* An LMDB environment that hands out its transactions as struct hs_kv. The only part that knows of LMDB.
 *
 * One directory, one environment, one process that writes (a lock sees to it); not thread-safe: one thread at
 * a time, and at most one write transaction at a time. A read transaction sees the store as it was when it
 * began and, for as long as it lives, keeps every page that later writes replace: it must be short (100 ms),
 * or the file grows for good.
 *
 * How the space is shared out. The map is a fixed amount of address space; the file is sparse and only grows.
 *   up to 80 % used   everything goes
 *   from 80 % on      hs_lmdb_full(): the caller refuses what adds data; acknowledgements and deletions go on
 *   from 95 % on      the reserve: only deletions, and values that replace a value at least as long; any
 * other put fails with STORE_FULL. LMDB writes pages anew even to delete, so without a reserve a full store
 * could never be emptied. */
#ifndef HS_STORE_LMDB_KV_H
#define HS_STORE_LMDB_KV_H

#include "base/kv.h"

struct hs_lmdb;

enum hs_lmdb_mode {
    HS_LMDB_WRITE,       /* the one process that uses the store */
    HS_LMDB_READ,        /* the same, but it only reads: begin_write is INVALID_STATE */
    HS_LMDB_READ_BESIDE, /* reads beside the process that writes, which LMDB's own lock file allows */
};

struct hs_lmdb_options {
    const char *dir;
    enum hs_lmdb_mode mode;
    unsigned tables;     /* 1..HS_KV_TABLES_MAX: tables 0..tables-1 */
    size_t map_size;     /* bytes: the map at first */
    size_t map_max;      /* at least map_size: where larger, the map doubles between transactions up to it */
    size_t disk_reserve; /* bytes of the disk that must stay free, else the store counts as full; 0 = none */
};

/* Makes (directories 0700, files 0600) or opens the store.
 * NOT_FOUND where a reader finds none. INVALID_ARG, NOMEM, LOCKED, UNSUPPORTED (a network file system), IO
 * (the directory), STORE (not a store, another user's file, or the disk failed). */
enum hs_err hs_lmdb_open(const struct hs_lmdb_options *options, struct hs_lmdb **out);

/* All transactions must have ended. NULL is fine. */
void hs_lmdb_close(struct hs_lmdb *db);

/* A write transaction; ends with hs_lmdb_commit() or hs_lmdb_abort(). INVALID_STATE where one is open, NOMEM,
 * STORE. In a growing store no other transaction may be open, else the map stays as it is this time. */
enum hs_err hs_lmdb_begin_write(struct hs_lmdb *db, struct hs_kv **txn);

/* A read transaction; ends with hs_lmdb_abort(). Its puts and deletions fail with INVALID_STATE. NOMEM,
 * STORE. */
enum hs_err hs_lmdb_begin_read(struct hs_lmdb *db, struct hs_kv **txn);

/* Durable (synced) when it returns OK; else nothing of it happened. Frees the transaction either way.
 * The sticky error of the transaction where it has one. STORE_FULL: the map or the disk is full, the store
 * goes on. STORE: writing or syncing failed; the process must end, since a second sync would pretend that all
 * is well. */
enum hs_err hs_lmdb_commit(struct hs_kv *txn);

/* Drops the transaction. NULL is fine. */
void hs_lmdb_abort(struct hs_kv *txn);

/* True past the soft limit, as it was when the last write transaction began. */
bool hs_lmdb_full(const struct hs_lmdb *db);

struct hs_lmdb_stats {
    uint64_t map_bytes;  /* of address space */
    uint64_t file_bytes; /* that the file has grown to */
    uint64_t syncs;      /* transactions that changed something, since it was opened */
    uint64_t used_bytes; /* of these, in use (as of the last count; at most a little too high) */
};
struct hs_lmdb_stats hs_lmdb_stats(const struct hs_lmdb *db);

/* How many entries each of the first tables has, as the transaction sees it; costs next to nothing. */
void hs_lmdb_entries(struct hs_kv *txn, uint64_t *out, size_t tables);

/* Frees the reader slots of threads that died: at start (done by open) and once a minute. */
void hs_lmdb_check_readers(struct hs_lmdb *db);

#endif

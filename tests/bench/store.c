/* Durable commits to LMDB, in batches, against writing and syncing the same bytes to a plain file. */
#include "bench/bench.h"

#include "store/lmdb_kv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECORD = 400, ROUNDS = 400 };

static uint64_t next_key;

static void commit(struct hs_lmdb *db, size_t records)
{
    uint8_t value[RECORD];
    struct hs_kv *txn;
    memset(value, (int)next_key, sizeof value);
    FUZZ_OK(hs_lmdb_begin_write(db, &txn));
    for (size_t i = 0; i < records; i++) {
        struct hs_kv_key key = {.len = 0};
        hs_kv_key_add_u64(&key, next_key++);
        hs_kv_put(txn, 0, hs_kv_key_bytes(&key), hs_bytes(value, sizeof value));
    }
    FUZZ_OK(hs_lmdb_commit(txn));
}

static void append(int file, size_t records)
{
    static uint8_t block[RECORD * 256];
    size_t len = RECORD * records;
    HS_ASSERT(write(file, block, len) == (ssize_t)len);
    HS_ASSERT(fdatasync(file) == 0);
}

static void measure(struct hs_lmdb *db, int file, size_t records)
{
    static struct bench_samples ours, bare;
    ours.count = bare.count = 0;
    double end = bench_wall_ns() + 2e9;
    for (size_t i = 0; i < ROUNDS && bench_wall_ns() < end; i++) {
        double start = bench_wall_ns();
        commit(db, records);
        double middle = bench_wall_ns();
        append(file, records);
        bench_add(&ours, middle - start);
        bench_add(&bare, bench_wall_ns() - middle);
    }
    struct bench_result r = {"store_commit",      records,
                             bench_median(&ours), RECORD * records,
                             "write + fdatasync", bench_median(&bare)};
    bench_report(&r);
    r = (struct bench_result){"store_record", records, r.ns / (double)records, RECORD, NULL, 0};
    bench_report(&r);
}

/* In the working folder, which is on the disk that counts; /tmp may be memory. */
void bench_store(void)
{
    char dir[] = "hanse-bench-XXXXXX", path[64];
    HS_ASSERT(mkdtemp(dir) != NULL);
    (void)snprintf(path, sizeof path, "%s/plain", dir);
    int file = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    HS_ASSERT(file >= 0);
    struct hs_lmdb_options options = {
        .dir = dir, .tables = 1, .map_size = (size_t)1 << 30, .map_max = (size_t)1 << 30};
    struct hs_lmdb *db;
    FUZZ_OK(hs_lmdb_open(&options, &db));
    measure(db, file, 1);
    measure(db, file, 16);
    measure(db, file, 256);
    hs_lmdb_close(db);
    (void)close(file);
    static const char *const names[] = {"plain", "data.mdb", "lock.mdb", "lock"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
}

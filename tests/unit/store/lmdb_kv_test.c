#include "lmdb_kv_scene.h"

#include "store/dir.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t rng_state;

static uint32_t rng(uint32_t below)
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rng_state >> 33) % below;
}

static void seed_rng(void)
{
    const char *text = getenv("HANSE_SEED");
    rng_state = text != NULL ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) * 2654435761u;
    print_message("seed %llu\n", (unsigned long long)rng_state);
}

/* Both stores tell the same from their first entry to their last. */
static void assert_same(struct hs_kv *a, struct hs_kv *b)
{
    for (unsigned table = 0; table < TABLES; table++) {
        struct hs_kv_key from_a = {0}, from_b = {0};
        for (bool more = true; more;) {
            struct hs_arena HS_ARENA arena = hs_arena(MIB);
            struct hs_bytes ka, va, kb, vb;
            more = hs_kv_next(a, table, hs_bytes(NULL, 0), hs_kv_key_bytes(&from_a), &arena, &ka, &va);
            assert_int_equal(
                hs_kv_next(b, table, hs_bytes(NULL, 0), hs_kv_key_bytes(&from_b), &arena, &kb, &vb), more);
            if (!more)
                break;
            assert_bytes(ka, kb);
            assert_bytes(va, vb);
            from_a = hs_kv_after(ka);
            from_b = hs_kv_after(kb);
        }
    }
}

static struct hs_kv_key random_key(void)
{
    struct hs_kv_key key = {0};
    uint8_t part[6] = {(uint8_t)rng(3), (uint8_t)rng(3), (uint8_t)rng(256), (uint8_t)rng(2), 0, 255};
    hs_kv_key_add(&key, hs_bytes(part, 1 + rng(sizeof part)));
    return key;
}

static void random_op(struct hs_kv *a, struct hs_kv *b)
{
    static uint8_t value[6000];
    struct hs_arena HS_ARENA arena = hs_arena(MIB);
    unsigned table = rng(TABLES);
    struct hs_kv_key key = random_key();
    struct hs_bytes k = hs_kv_key_bytes(&key), ka, va, kb, vb;
    switch (rng(6)) {
    case 0:
    case 1:
        memset(value, (int)rng(256), sizeof value);
        va = hs_bytes(value, rng(8) == 0 ? rng(sizeof value) : rng(40));
        hs_kv_put(a, table, k, va);
        hs_kv_put(b, table, k, va);
        break;
    case 2:
        hs_kv_del(a, table, k);
        hs_kv_del(b, table, k);
        break;
    case 3:
        assert_int_equal(hs_kv_has(a, table, k), hs_kv_has(b, table, k));
        break;
    case 4:
        assert_int_equal(hs_kv_get(a, table, k, &arena, &va), hs_kv_get(b, table, k, &arena, &vb));
        assert_bytes(va, vb);
        assert_int_equal(va.data == NULL, vb.data == NULL);
        break;
    default: {
        struct hs_bytes prefix = hs_bytes(key.b, rng((uint32_t)key.len + 1));
        if (prefix.len > 1 && rng(4) == 0) {
            hs_kv_del_prefix(a, table, prefix);
            hs_kv_del_prefix(b, table, prefix);
        }
        bool found = hs_kv_next(a, table, prefix, k, &arena, &ka, &va);
        assert_int_equal(hs_kv_next(b, table, prefix, k, &arena, &kb, &vb), found);
        if (found) {
            assert_bytes(ka, kb);
            assert_bytes(va, vb);
        }
    }
    }
}

/* NODE-1: random operations over many transactions and reopenings tell the same as the store in memory. */
static void matches_memory(void **state)
{
    seed_rng();
    struct hs_lmdb *db = open_sized(*state, 64 * MIB, 64 * MIB);
    struct hs_kv *model = hs_kv_memory_new();
    for (int round = 0; round < 150; round++) {
        struct hs_kv *txn = write_txn(db);
        for (uint32_t i = rng(60); i > 0; i--)
            random_op(txn, model);
        assert_ok(hs_lmdb_commit(txn));
        if (rng(10) == 0) {
            hs_lmdb_close(db);
            db = open_sized(*state, 64 * MIB, 64 * MIB);
        }
        struct hs_kv *reader = read_txn(db);
        assert_same(reader, model);
        assert_ok(reader->err);
        hs_lmdb_abort(reader);
    }
    assert_ok(model->err);
    hs_kv_memory_free(model);
    hs_lmdb_close(db);
}

static void abort_leaves_nothing(void **state)
{
    struct hs_lmdb *db = open_sized(*state, MIB, MIB);
    struct hs_kv *txn = write_txn(db), *second = NULL;
    assert_err(hs_lmdb_begin_write(db, &second), HS_ERR_INVALID_STATE);
    struct hs_kv_key key = number_key(1);
    hs_kv_put(txn, 0, hs_kv_key_bytes(&key), hs_bytes_str("x"));
    assert_true(hs_kv_has(txn, 0, hs_kv_key_bytes(&key)));
    assert_false(has_one(db, 1)); /* a reader doesn't see what isn't committed */
    hs_lmdb_abort(txn);
    assert_false(has_one(db, 1));
    hs_lmdb_abort(NULL);
    hs_lmdb_close(db);
    hs_lmdb_close(NULL);
}

static void bad_calls_stick(void **state)
{
    struct hs_lmdb *db = open_sized(*state, MIB, MIB);
    uint8_t long_key[HS_KV_KEY_MAX + 1] = {1};
    struct {
        unsigned table;
        struct hs_bytes key;
        enum hs_err want;
    } cases[] = {
        {TABLES - 1, hs_bytes(long_key, HS_KV_KEY_MAX), HS_OK},
        {TABLES - 1, hs_bytes(long_key, HS_KV_KEY_MAX + 1), HS_ERR_INVALID_ARG},
        {TABLES, hs_bytes(long_key, 1), HS_ERR_INVALID_ARG},
        {0, hs_bytes(NULL, 0), HS_ERR_INVALID_ARG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hs_kv *txn = write_txn(db);
        hs_kv_put(txn, cases[i].table, cases[i].key, hs_bytes_str("x"));
        assert_err(hs_lmdb_commit(txn), cases[i].want);
    }
    struct hs_kv *reader = read_txn(db);
    hs_kv_put(reader, 0, hs_bytes_str("k"), hs_bytes_str("x"));
    assert_err(reader->err, HS_ERR_INVALID_STATE);
    assert_err(hs_lmdb_commit(reader), HS_ERR_INVALID_STATE);
    struct hs_arena HS_ARENA small = hs_arena(16);
    struct hs_bytes value;
    struct hs_kv *txn = write_txn(db);
    hs_kv_put(txn, 0, hs_bytes_str("k"), hs_bytes(long_key, sizeof long_key));
    assert_false(hs_kv_get(txn, 0, hs_bytes_str("k"), &small, &value));
    assert_err(hs_lmdb_commit(txn), HS_ERR_NOMEM);
    hs_lmdb_close(db);
}

static void options_are_checked(void **state)
{
    struct hs_lmdb *db = NULL;
    struct hs_lmdb_options good = {
        .dir = *state, .tables = HS_KV_TABLES_MAX, .map_size = MIB, .map_max = MIB};
    struct hs_lmdb_options bad[] = {good, good, good, good};
    bad[0].tables = 0;
    bad[1].tables = HS_KV_TABLES_MAX + 1;
    bad[2].map_size = 0;
    bad[3].map_max = MIB - 1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(hs_lmdb_open(&bad[i], &db), HS_ERR_INVALID_ARG);
    assert_ok(hs_lmdb_open(&good, &db));
    hs_lmdb_close(db);
    good.dir = "/proc/none/here";
    assert_err(hs_lmdb_open(&good, &db), HS_ERR_IO);
}

/* NODE-2 */
static void second_opening_is_locked(void **state)
{
    struct hs_lmdb *db = open_sized(*state, MIB, MIB), *other = NULL;
    struct hs_lmdb_options options = {.dir = *state, .tables = TABLES, .map_size = MIB, .map_max = MIB};
    assert_err(hs_lmdb_open(&options, &other), HS_ERR_LOCKED);
    hs_lmdb_close(db);
    assert_ok(hs_lmdb_open(&options, &other));
    hs_lmdb_close(other);
}

static mode_t mode_of(const char *dir, const char *name)
{
    char path[256];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 0777;
}

/* NODE-3 */
static void files_are_private(void **state)
{
    mode_t mask = umask(0);
    struct hs_lmdb *db = open_sized(*state, MIB, MIB);
    umask(mask);
    assert_int_equal(mode_of(*state, "."), 0700);
    assert_int_equal(mode_of(*state, "data.mdb"), 0600);
    assert_int_equal(mode_of(*state, "lock.mdb"), 0600);
    assert_int_equal(mode_of(*state, "lock"), 0600);
    hs_lmdb_close(db);
    char path[256];
    snprintf(path, sizeof path, "%s/data.mdb", (const char *)*state);
    assert_int_equal(chmod(path, 0620), 0);
    struct hs_lmdb_options options = {.dir = *state, .tables = TABLES, .map_size = MIB, .map_max = MIB};
    assert_err(hs_lmdb_open(&options, &db), HS_ERR_STORE);
}

/* NODE-3 */
static void network_disks_are_known(void **state)
{
    (void)state;
    assert_true(hs_dir_is_remote(0x6969));
    assert_true(hs_dir_is_remote(0xFF534D42));
    assert_true(hs_dir_is_remote(0xFFFFFFFFFF534D42)); /* sign-extended by the kernel's long */
    assert_false(hs_dir_is_remote(0xEF53));            /* ext4 */
    assert_false(hs_dir_is_remote(0x01021994));        /* tmpfs */
}

static void garbage_is_refused(void **state)
{
    char path[256];
    assert_int_equal(mkdir(*state, 0700), 0);
    snprintf(path, sizeof path, "%s/data.mdb", (const char *)*state);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    uint8_t junk[8192];
    memset(junk, 0xA5, sizeof junk);
    assert_int_equal(write(fd, junk, sizeof junk), sizeof junk);
    close(fd);
    struct hs_lmdb *db = NULL;
    struct hs_lmdb_options options = {.dir = *state, .tables = TABLES, .map_size = MIB, .map_max = MIB};
    assert_err(hs_lmdb_open(&options, &db), HS_ERR_STORE);
    assert_err(hs_lmdb_open(&options, &db), HS_ERR_STORE); /* and the lock was let go */
}

/* NODE-6: a process that died while it made the store leaves nothing that stands in the way. */
static void half_made_store_is_made_anew(void **state)
{
    char path[128];
    assert_int_equal(mkdir(*state, 0700), 0);
    snprintf(path, sizeof path, "%s/new.mdb", (const char *)*state);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("half a page", file);
    fclose(file);
    hs_lmdb_close(open_sized(*state, MIB, MIB));
    assert_int_equal(access(path, F_OK), -1);
    hs_lmdb_close(open_sized(*state, MIB, MIB));
}

/* What the other process sees: gives 0 where all is as it should be. */
static int look_beside(const char *dir)
{
    struct hs_lmdb_options options = {
        .dir = dir, .mode = HS_LMDB_READ_BESIDE, .tables = TABLES, .map_size = MIB, .map_max = MIB};
    struct hs_lmdb *db = NULL;
    struct hs_kv *txn = NULL;
    if (hs_lmdb_open(&options, &db) != HS_OK || hs_lmdb_begin_read(db, &txn) != HS_OK)
        return 1;
    bool there = hs_kv_has(txn, 0, hs_bytes("\0\0\0\0\0\0\0\7", 8));
    hs_lmdb_abort(txn);
    if (!there || hs_lmdb_begin_write(db, &txn) != HS_ERR_INVALID_STATE)
        return 2;
    hs_lmdb_close(db);
    options.mode = HS_LMDB_READ;
    return hs_lmdb_open(&options, &db) == HS_ERR_LOCKED ? 0 : 3;
}

/* NODE-30: a store may be read beside the process that writes it, and there is nothing to read where there is
 * no store. */
static void reads_beside_the_writer(void **state)
{
    struct hs_lmdb_options options = {
        .dir = *state, .mode = HS_LMDB_READ, .tables = TABLES, .map_size = MIB, .map_max = MIB};
    struct hs_lmdb *none = NULL;
    int status;
    assert_err(hs_lmdb_open(&options, &none), HS_ERR_NOT_FOUND);
    struct hs_lmdb *db = open_sized(*state, MIB, MIB);
    assert_ok(put_one(db, 7, 100));
    pid_t child = fork();
    if (child == 0)
        _exit(look_beside(*state));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_ok(put_one(db, 8, 100));
    hs_lmdb_close(db);
}

/* NODE-5: a write that fails for another reason than space is STORE, on which the process ends. Here the
 * file may not grow (EFBIG). */
static void failed_write_is_store(void **state)
{
    struct hs_lmdb *db = open_sized(*state, 4 * MIB, 4 * MIB);
    struct rlimit old, small = {.rlim_cur = 64 * 1024, .rlim_max = RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum hs_err err = HS_OK;
    for (uint64_t i = 0; err == HS_OK && i < 1000; i++)
        err = put_one(db, i, 4000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_err(err, HS_ERR_STORE);
    hs_lmdb_close(db);
}

/* A child commits numbers one after another and tells each; then it is killed, and every number told is
 * there. */
static uint64_t write_until_killed(const char *dir, int out)
{
    struct hs_lmdb *db = open_sized(dir, 64 * MIB, 64 * MIB);
    uint64_t number = 0;
    while (has_one(db, number))
        number++;
    for (;; number++)
        if (put_one(db, number, 100) != HS_OK || write(out, &number, sizeof number) != sizeof number)
            _exit(1);
}

/* NODE-6 */
static void kill_loses_nothing(void **state)
{
    seed_rng();
    uint64_t told = 0, number;
    for (int cycle = 0; cycle < 15; cycle++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0)
            write_until_killed(*state, fds[1]);
        close(fds[1]);
        usleep(10000 + rng(30000));
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read(fds[0], &number, sizeof number) == sizeof number)
            told = number + 1;
        close(fds[0]);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        struct hs_lmdb *db = open_sized(*state, 64 * MIB, 64 * MIB);
        for (uint64_t i = 0; i < told; i++)
            assert_true(has_one(db, i));
        hs_lmdb_close(db);
    }
    print_message("%llu commits told and held\n", (unsigned long long)told);
    assert_true(told > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tmpdir_teardown)
        TEST(matches_memory),          TEST(abort_leaves_nothing),     TEST(bad_calls_stick),
        TEST(options_are_checked),     TEST(second_opening_is_locked), TEST(files_are_private),
        TEST(network_disks_are_known), TEST(garbage_is_refused),       TEST(half_made_store_is_made_anew),
        TEST(reads_beside_the_writer), TEST(failed_write_is_store),    TEST(kill_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

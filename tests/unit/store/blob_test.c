/* Blobs as files. DELIVERY-40 */
#include "support/test.h"

#include "room/blob.h"
#include "store/blob.h"
#include "wire/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LEN = 2 * HS_BLOB_CHUNK + 100 };

static char dir[64];
static struct hs_blob_files *files;
static uint8_t bytes[LEN];
static struct hs_blob_part part;

static int setup(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s/hanse-blobs-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(dir));
    assert_ok(hs_blob_files_open(dir, 0, &files));
    randombytes_buf(bytes, sizeof bytes);
    part = (struct hs_blob_part){.hash = hs_blob_hash(hs_bytes(bytes, LEN)), .room = {{1}}, .size = LEN};
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    hs_blob_files_close(files);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void reopen(void)
{
    hs_blob_files_close(files);
    assert_ok(hs_blob_files_open(dir, 0, &files));
}

static uint64_t append(size_t n)
{
    uint64_t have;
    size_t at = n * HS_BLOB_CHUNK, len = LEN - at < HS_BLOB_CHUNK ? LEN - at : HS_BLOB_CHUNK;
    assert_ok(hs_blob_part_append(files, &part, at, hs_bytes(bytes + at, len), &have));
    assert_ok(hs_blob_part_sync(files, &part));
    return have;
}

static uint64_t have(void)
{
    uint64_t have;
    assert_ok(hs_blob_part_have(files, &part, &have));
    return have;
}

/* The only file there is; its mode in *mode. */
static void only_file(char *path, size_t size, mode_t *mode)
{
    char folder[80];
    struct stat info;
    (void)snprintf(folder, sizeof folder, "%s/%02x", dir, part.hash.b[0]);
    assert_int_equal(stat(folder, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    DIR *d = opendir(folder);
    assert_non_null(d);
    size_t count = 0;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        if (e->d_name[0] == '.')
            continue;
        count++;
        (void)snprintf(path, size, "%s/%.200s", folder, e->d_name);
    }
    closedir(d);
    assert_int_equal(count, 1);
    assert_int_equal(stat(path, &info), 0);
    *mode = info.st_mode & 0777;
}

static void comes_and_is_read(void **state)
{
    (void)state;
    char path[400];
    mode_t mode;
    uint8_t out[HS_BLOB_CHUNK];
    assert_int_equal(have(), 0);
    assert_int_equal(append(0), HS_BLOB_CHUNK);
    assert_int_equal(append(2), HS_BLOB_CHUNK); /* not the next one */
    reopen();
    assert_int_equal(append(1), 2 * HS_BLOB_CHUNK);
    assert_int_equal(append(2), LEN);
    assert_err(hs_blob_file_read(files, &part.hash, 0, out, 1), HS_ERR_NOT_FOUND);
    assert_ok(hs_blob_part_finish(files, &part));
    only_file(path, sizeof path, &mode);
    assert_int_equal(mode, 0600);
    assert_ok(hs_blob_file_read(files, &part.hash, HS_BLOB_CHUNK, out, sizeof out));
    assert_memory_equal(out, bytes + HS_BLOB_CHUNK, sizeof out);
    assert_err(hs_blob_file_read(files, &part.hash, LEN - 1, out, 2), HS_ERR_NOT_FOUND);
    assert_ok(hs_blob_file_delete_now(files, &part.hash));
    assert_ok(hs_blob_file_delete_now(files, &part.hash));
    assert_err(hs_blob_file_read(files, &part.hash, 0, out, 1), HS_ERR_NOT_FOUND);
}

/* The process dies within a piece, before the name, and between name and record. */
static void killed(void **state)
{
    (void)state;
    char path[400];
    mode_t mode;
    append(0);
    append(1);
    only_file(path, sizeof path, &mode);
    assert_int_equal(truncate(path, 2 * HS_BLOB_CHUNK - 5), 0); /* a piece came in half */
    reopen();
    assert_int_equal(have(), HS_BLOB_CHUNK);
    append(1);
    assert_int_equal(append(2), LEN);
    reopen(); /* all of it, but no name */
    assert_int_equal(have(), LEN);
    assert_ok(hs_blob_part_finish(files, &part));
    reopen(); /* its name, but no record */
    assert_int_equal(have(), LEN);
    assert_ok(hs_blob_part_finish(files, &part));
    struct hs_blob_part others = part;
    others.room.b[0] = 2;
    others.known = true; /* with a record, it is nothing for another room */
    uint64_t n;
    assert_ok(hs_blob_part_have(files, &others, &n));
    assert_int_equal(n, 0);
}

static void another_hash(void **state)
{
    (void)state;
    append(0);
    append(1);
    bytes[LEN - 1] ^= 1;
    append(2);
    assert_err(hs_blob_part_finish(files, &part), HS_ERR_BLOB_HASH);
    assert_int_equal(have(), 0);
    append(0);
    assert_ok(hs_blob_part_delete(files, &part));
    assert_ok(hs_blob_part_delete(files, &part));
    assert_int_equal(have(), 0);
}

/* A disk that takes half a piece: the part is as before. */
static void disk_is_full(void **state)
{
    (void)state;
    struct rlimit before, little;
    uint64_t n;
    append(0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = before;
    little.rlim_cur = HS_BLOB_CHUNK + HS_BLOB_CHUNK / 2;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    enum hs_err err =
        hs_blob_part_append(files, &part, HS_BLOB_CHUNK, hs_bytes(bytes + HS_BLOB_CHUNK, HS_BLOB_CHUNK), &n);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_err(err, HS_ERR_STORE_FULL);
    assert_int_equal(have(), HS_BLOB_CHUNK);
    assert_int_equal(append(1), 2 * HS_BLOB_CHUNK);
    /* and what must stay free stays free */
    hs_blob_files_close(files);
    assert_ok(hs_blob_files_open(dir, (size_t)1 << 60, &files));
    assert_err(
        hs_blob_part_append(files, &part, 2 * HS_BLOB_CHUNK, hs_bytes(bytes + 2 * HS_BLOB_CHUNK, 100), &n),
        HS_ERR_STORE_FULL);
}

/* Into another directory, which is on that disk: as a link or as a copy, whole or not at all. NODE-77 */
static void carried_to(const char *disk)
{
    char other[64], path[160], command[128];
    struct hs_blob_files *to;
    struct stat theirs;
    struct hs_id stranger = {{7}};
    bool had;
    (void)snprintf(other, sizeof other, "%s/hanse-carried-XXXXXX", disk);
    assert_non_null(mkdtemp(other));
    assert_ok(hs_blob_files_open(other, 0, &to));
    /* a copy that was broken off in the middle of its second piece */
    struct hs_blob_part begun = {.hash = part.hash, .room = part.hash, .size = LEN, .known = true};
    uint64_t n;
    assert_ok(hs_blob_part_append(to, &begun, 0, hs_bytes(bytes, HS_BLOB_CHUNK), &n));
    assert_ok(hs_blob_part_append(to, &begun, n, hs_bytes(bytes + n, 77), &n));
    assert_ok(hs_blob_file_carry(files, to, &part.hash, LEN, &had));
    assert_false(had);
    assert_ok(hs_blob_file_check(to, &part.hash, LEN));
    assert_ok(hs_blob_file_carry(files, to, &part.hash, LEN, &had));
    assert_true(had);
    (void)snprintf(path, sizeof path, "%s/%02x", other, part.hash.b[0]);
    assert_int_equal(stat(path, &theirs), 0);
    assert_int_equal(theirs.st_mode & 0777, 0700);
    assert_err(hs_blob_file_check(to, &part.hash, LEN + 1), HS_ERR_BLOB_HASH);
    assert_err(hs_blob_file_check(to, &stranger, LEN), HS_ERR_NOT_FOUND);
    assert_err(hs_blob_file_carry(files, to, &stranger, LEN, &had), HS_ERR_NOT_FOUND);
    assert_ok(hs_blob_file_delete_now(to, &part.hash));
    assert_ok(hs_blob_file_check(files, &part.hash, LEN)); /* a link's other end stays */
    hs_blob_files_close(to);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", other);
    assert_int_equal(system(command), 0);
}

static void is_carried(void **state)
{
    (void)state;
    for (size_t i = 0; i * HS_BLOB_CHUNK < LEN; i++)
        (void)append(i);
    assert_ok(hs_blob_part_finish(files, &part));
    carried_to("/tmp");
    carried_to(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    char path[160];
    mode_t mode;
    only_file(path, sizeof path, &mode);
    uint8_t other_byte = bytes[LEN / 2] ^ 1;
    int fd = open(path, O_WRONLY); /* the disk has altered a bit */
    assert_true(fd >= 0 && pwrite(fd, &other_byte, 1, LEN / 2) == 1);
    close(fd);
    struct hs_blob_files *to;
    char other[64] = "/tmp/hanse-carried-XXXXXX", command[128];
    bool had;
    assert_non_null(mkdtemp(other));
    assert_ok(hs_blob_files_open(other, 0, &to));
    assert_err(hs_blob_file_carry(files, to, &part.hash, LEN, &had), HS_ERR_BLOB_HASH); /* isn't spread */
    hs_blob_files_close(to);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", other);
    assert_int_equal(system(command), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(comes_and_is_read), TEST(killed), TEST(another_hash), TEST(disk_is_full), TEST(is_carried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

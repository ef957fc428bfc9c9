/* Attachments' files under faults: what was said to be durable or whole is, and a disk that has failed to
 * sync is never taken at its word afterwards. DELIVERY-40, NODE-77 */
#include "sweep.h"

#include "room/blob.h"
#include "store/blob.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEN = 2 * HS_BLOB_CHUNK + 100 };

static uint8_t bytes[LEN];
static struct hs_blob_part part;
static uint64_t durable; /* what act was told */
static bool sync_failed;

static void blob_path(char out[static 300], const char *name)
{
    snprintf(out, 300, "%s/%s", sweep_dir(), name);
}

static void make_part(void)
{
    for (size_t i = 0; i < LEN; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    part = (struct hs_blob_part){.hash = hs_blob_hash(hs_bytes(bytes, LEN)), .room = {{1}}, .size = LEN};
    durable = 0;
    sync_failed = false;
}

/* Pieces from where it is, each synced, and its name. */
static enum hs_err put(struct hs_blob_files *files)
{
    uint64_t have;
    HS_TRY(hs_blob_part_have(files, &part, &have));
    while (have < LEN) {
        uint64_t at = have, left = LEN - at;
        size_t len = left < HS_BLOB_CHUNK ? (size_t)left : HS_BLOB_CHUNK;
        HS_TRY(hs_blob_part_append(files, &part, at, hs_bytes(bytes + at, len), &have));
        enum hs_err err = hs_blob_part_sync(files, &part);
        sync_failed = err != HS_OK && sweep_call() == INJECT_SYNC;
        HS_TRY(err);
        durable = have;
    }
    enum hs_err err = hs_blob_part_finish(files, &part);
    sync_failed = err != HS_OK && sweep_call() == INJECT_SYNC;
    return err;
}

static enum hs_err read_back(struct hs_blob_files *files)
{
    static uint8_t out[LEN];
    HS_TRY(hs_blob_file_read(files, &part.hash, 0, out, LEN));
    FAULT_CHECK(memcmp(out, bytes, LEN) == 0, "something else was read");
    return HS_OK;
}

static enum hs_err blob_act(void)
{
    char path[300];
    struct hs_blob_files *files = NULL;
    blob_path(path, "blobs");
    HS_TRY(hs_blob_files_open(path, 0, &files));
    enum hs_err err = put(files);
    if (err == HS_OK)
        err = read_back(files);
    hs_blob_files_close(files);
    return err;
}

/* It goes on where it is, and comes to its end. */
static void blob_check(enum hs_err told)
{
    char path[300];
    struct hs_blob_files *files;
    uint64_t have;
    blob_path(path, "blobs");
    FAULT_CHECK(hs_blob_files_open(path, 0, &files) == HS_OK, "it can't be opened afterwards");
    FAULT_CHECK(told != HS_OK || hs_blob_file_check(files, &part.hash, LEN) == HS_OK, "it isn't whole");
    FAULT_CHECK(hs_blob_part_have(files, &part, &have) == HS_OK, "nobody can say how much is there");
    FAULT_CHECK(!sync_failed || have <= (durable < LEN ? durable : 0),
                "%llu bytes count as durable, of which a sync has failed", (unsigned long long)have);
    enum hs_err err = put(files);
    FAULT_CHECK(err == HS_OK && read_back(files) == HS_OK, "it can't be put afterwards: %s",
                hs_err_name(err));
    hs_blob_files_close(files);
}

static void no_end(void) {}

const struct sweep_scene sweep_blob = {
    .name = "blob", .begin = make_part, .act = blob_act, .check = blob_check, .end = no_end};

/* ---- once more, by another room ---- */

static void again_begin(void)
{
    char path[300];
    struct hs_blob_files *files;
    make_part();
    blob_path(path, "blobs");
    FAULT_CHECK(hs_blob_files_open(path, 0, &files) == HS_OK && put(files) == HS_OK, "nothing to name again");
    hs_blob_files_close(files);
    part.known = true; /* to the room that has put it */
    part.room.b[0] = 2;
}

static enum hs_err again_act(void)
{
    char path[300];
    struct hs_blob_files *files = NULL;
    blob_path(path, "blobs");
    HS_TRY(hs_blob_files_open(path, 0, &files));
    enum hs_err err = hs_blob_part_finish(files, &part);
    hs_blob_files_close(files);
    return err;
}

/* What others refer to is there, whatever became of it. */
static void again_check(enum hs_err told)
{
    char path[300];
    struct hs_blob_files *files;
    (void)told;
    blob_path(path, "blobs");
    FAULT_CHECK(hs_blob_files_open(path, 0, &files) == HS_OK, "it can't be opened afterwards");
    FAULT_CHECK(hs_blob_file_check(files, &part.hash, LEN) == HS_OK, "another room's file is gone");
    hs_blob_files_close(files);
}

const struct sweep_scene sweep_again = {
    .name = "again", .begin = again_begin, .act = again_act, .check = again_check, .end = no_end};

/* ---- into another directory ---- */

static char disk[64]; /* another one than sweep_dir()'s, where there is one */

static void carry_begin(void)
{
    char path[300];
    struct hs_blob_files *files;
    make_part();
    blob_path(path, "blobs");
    FAULT_CHECK(hs_blob_files_open(path, 0, &files) == HS_OK && put(files) == HS_OK, "nothing to carry");
    hs_blob_files_close(files);
    fault_folder_on_disk(disk, sizeof disk);
}

static enum hs_err carry_to(const char *where)
{
    char path[300];
    struct hs_blob_files *from = NULL, *to = NULL;
    bool had;
    blob_path(path, "blobs");
    HS_TRY(hs_blob_files_open(path, 0, &from));
    enum hs_err err = hs_blob_files_open(where, 0, &to);
    if (err == HS_OK)
        err = hs_blob_file_carry(from, to, &part.hash, LEN, &had);
    hs_blob_files_close(from);
    hs_blob_files_close(to);
    return err;
}

static enum hs_err linked, copied;

static enum hs_err carry_act(void)
{
    char path[300];
    blob_path(path, "linked");
    linked = carry_to(path);
    copied = carry_to(disk);
    return linked != HS_OK ? linked : copied;
}

/* Whole or not at all, and its source is as it was. */
static void check_at(const char *path, enum hs_err told)
{
    struct hs_blob_files *files;
    FAULT_CHECK(hs_blob_files_open(path, 0, &files) == HS_OK, "%s can't be opened", path);
    enum hs_err is = hs_blob_file_check(files, &part.hash, LEN);
    FAULT_CHECK(is == HS_OK || (told != HS_OK && is == HS_ERR_NOT_FOUND), "%s: told %s, it is %s", path,
                hs_err_name(told), hs_err_name(is));
    FAULT_CHECK(told != HS_ERR_NOT_FOUND && told != HS_ERR_BLOB_HASH, "a fault of the machine counts as %s",
                hs_err_name(told));
    FAULT_CHECK(carry_to(path) == HS_OK && hs_blob_file_check(files, &part.hash, LEN) == HS_OK,
                "%s: it can't be carried afterwards", path);
    hs_blob_files_close(files);
}

static void carry_check(enum hs_err told)
{
    char path[300];
    (void)told;
    blob_path(path, "linked");
    check_at(path, linked);
    check_at(disk, copied);
    blob_path(path, "blobs");
    check_at(path, HS_OK);
}

static void carry_end(void)
{
    fault_folder_remove(disk);
}

const struct sweep_scene sweep_carry = {
    .name = "carry", .begin = carry_begin, .act = carry_act, .check = carry_check, .end = carry_end};

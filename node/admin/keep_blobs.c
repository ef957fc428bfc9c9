#include "admin/keep_blobs.h"

#include "admin/keep.h"
#include "base/text.h"
#include "core/blobs/blob.h"
#include "store/blob.h"

#include <unistd.h>

/* Blobs whose names are read in one transaction, so that the store's file doesn't grow for its sake. */
enum { SLICE = 256, PROBLEM_SIZE = 160 };

struct slice {
    struct hs_id hash[SLICE];
    uint64_t size[SLICE];
    size_t count;
};

enum hs_err hs_keep_blobs_dir(const char *store, char out[static HS_PATH_SIZE])
{
    return hs_path_join(store, "blobs", out);
}

enum hs_err hs_keep_blobs_beside(const char *named, const char *backup, char out[static HS_PATH_SIZE])
{
    int len = named != NULL ? snprintf(out, HS_PATH_SIZE, "%s", named)
                            : snprintf(out, HS_PATH_SIZE, "%s.blobs", backup);
    return len >= 0 && len < HS_PATH_SIZE ? HS_OK : HS_ERR_INVALID_ARG;
}

static enum hs_err read_slice(struct hs_lmdb *store, struct hs_kv_key *cursor, struct slice *out)
{
    struct hs_kv *kv;
    out->count = 0;
    HS_TRY(hs_lmdb_begin_read(store, &kv));
    while (out->count < SLICE &&
           hs_core_blob_next(kv, cursor, &out->hash[out->count], &out->size[out->count]))
        out->count++;
    enum hs_err err = kv->err;
    hs_lmdb_abort(kv);
    return err;
}

/* A fault of one blob is counted; one of this machine ends it. */
static enum hs_err count(struct hs_keep_blobs *out, enum hs_err err)
{
    out->missing += err == HS_ERR_NOT_FOUND ? 1 : 0;
    out->bad += err == HS_ERR_BLOB_HASH ? 1 : 0;
    return err == HS_ERR_NOT_FOUND || err == HS_ERR_BLOB_HASH ? HS_OK : err;
}

static enum hs_err carry_slice(const struct slice *slice, struct hs_blob_files *from,
                               struct hs_blob_files *to, struct hs_keep_teller *teller,
                               struct hs_keep_blobs *out)
{
    for (size_t i = 0; i < slice->count; i++) {
        bool had = false;
        enum hs_err err = hs_blob_file_carry(from, to, &slice->hash[i], slice->size[i], &had);
        HS_TRY(count(out, err));
        out->files++;
        out->bytes += slice->size[i];
        out->had += had ? 1 : 0;
        hs_keep_tell(teller, out->files, 0);
    }
    return HS_OK;
}

enum hs_err hs_keep_blobs_carry(struct hs_lmdb *store, const char *from, const char *to,
                                struct hs_keep_blobs *out)
{
    struct hs_keep_teller teller = {.what = "attachments"};
    struct hs_blob_files *source = NULL, *target = NULL;
    struct hs_kv_key cursor = {0};
    struct slice slice;
    enum hs_err err = read_slice(store, &cursor, &slice);
    if (err == HS_OK && slice.count > 0)
        err = hs_blob_files_open(to, 0, &target);
    if (err == HS_OK && slice.count > 0)
        err = access(from, F_OK) == 0 ? hs_blob_files_open(from, 0, &source) : HS_OK;
    while (err == HS_OK && slice.count > 0) {
        err = carry_slice(&slice, source != NULL ? source : target, target, &teller, out);
        if (err == HS_OK)
            err = read_slice(store, &cursor, &slice);
    }
    if (err == HS_OK && target != NULL)
        err = hs_blob_files_sync(target);
    hs_keep_told(&teller);
    hs_blob_files_close(source);
    hs_blob_files_close(target);
    return err;
}

static enum hs_err check_slice(const struct slice *slice, struct hs_blob_files *files,
                               struct hs_keep_blobs *out, void (*problem)(void *arg, const char *text),
                               void *arg)
{
    for (size_t i = 0; i < slice->count; i++) {
        char text[PROBLEM_SIZE], name[HS_HEX_SIZE(HS_HASH_LEN)];
        enum hs_err err = hs_blob_file_check(files, &slice->hash[i], slice->size[i]);
        HS_TRY(count(out, err));
        out->files++;
        out->bytes += slice->size[i];
        if (err == HS_OK)
            continue;
        hs_hex(HS_VIEW(slice->hash[i]), name);
        (void)snprintf(text, sizeof text, "attachment %s: its file %s", name,
                       err == HS_ERR_NOT_FOUND ? "is missing" : "isn't what its name says");
        problem(arg, text);
    }
    return HS_OK;
}

enum hs_err hs_keep_blobs_check(struct hs_lmdb *store, const char *dir, struct hs_keep_blobs *out,
                                void (*problem)(void *arg, const char *text), void *arg)
{
    struct hs_blob_files *files = NULL;
    struct hs_kv_key cursor = {0};
    struct slice slice;
    enum hs_err err = read_slice(store, &cursor, &slice);
    if (err == HS_OK && slice.count > 0)
        err = hs_blob_files_open(dir, 0, &files);
    while (err == HS_OK && slice.count > 0) {
        err = check_slice(&slice, files, out, problem, arg);
        if (err == HS_OK)
            err = read_slice(store, &cursor, &slice);
    }
    hs_blob_files_close(files);
    return err;
}

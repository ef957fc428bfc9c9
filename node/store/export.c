/* Writing an export: short reads, one slice of entries each. */
#include "store/export.h"

#include "core/core.h"
#include "core/records/layout.h"
#include "core/records/replay.h"
#include "core/records/table.h"
#include "store/export_frame.h"

/* What one slice holds in memory: entries are small, but nobody promises it. */
enum { SLICE_ARENA_CAP = 512 << 20 };

struct export
{
    const struct hs_export *e;
    struct hs_lmdb *store;
    struct hs_export_file file;
    struct hs_export_facts *facts;
};

static enum hs_err write_header(struct export *x)
{
    struct hs_writer *w = &x->file.payload;
    hs_write_u64(w, x->facts->layout);
    hs_write_u64(w, x->e->incarnation);
    hs_write_u64(w, (uint64_t)x->e->now.ms);
    hs_write_bytes(w, HS_VIEW(x->e->root));
    hs_write_bytes(w, x->e->descriptor);
    return hs_export_put(&x->file, HS_EXPORT_HEADER);
}

/* Some entries of a table, whole, as they are stored. */
static enum hs_err write_entries(struct export *x, struct hs_kv *kv, enum hs_export_kind kind, unsigned table,
                                 struct hs_kv_key *from, uint64_t *count, bool *done)
{
    for (size_t i = 0; i < HS_EXPORT_SLICE; i++) {
        struct hs_arena HS_ARENA arena = hs_arena(SLICE_ARENA_CAP);
        struct hs_bytes key, value, none = {0};
        *done = !hs_kv_next(kv, table, none, hs_kv_key_bytes(from), &arena, &key, &value);
        if (*done)
            return kv->err;
        hs_write_u8(&x->file.payload, (uint8_t)key.len);
        hs_write_bytes(&x->file.payload, key);
        hs_write_bytes(&x->file.payload, value);
        HS_TRY(hs_export_put(&x->file, kind));
        *from = hs_kv_after(key);
        ++*count;
    }
    return kv->err;
}

static enum hs_err write_table(struct export *x, enum hs_export_kind kind, unsigned table, uint64_t *count)
{
    struct hs_kv_key from = {0};
    bool done = false;
    while (!done) {
        struct hs_kv *kv;
        HS_TRY(hs_lmdb_begin_read(x->store, &kv));
        enum hs_err err = write_entries(x, kv, kind, table, &from, count, &done);
        hs_lmdb_abort(kv);
        HS_TRY(err);
    }
    return HS_OK;
}

/* The record at n, or behind it where what was there is gone; *n becomes the number behind it. */
static enum hs_err write_record(struct export *x, struct hs_kv *kv, uint64_t *n, uint64_t end)
{
    struct hs_arena HS_ARENA arena = hs_arena(SLICE_ARENA_CAP);
    struct hs_turn turn = {.kv = kv, .arena = &arena};
    struct hs_stream_at at;
    struct hs_bytes record = {0};
    uint64_t found = *n;
    bool there = hs_journal_at(&turn, &found, &at) && found < end;
    HS_TRY(kv->err);
    if (!there || found > *n) {
        hs_write_u64(&x->file.payload, there ? found : end);
        HS_TRY(hs_export_put(&x->file, HS_EXPORT_JOURNAL));
    }
    *n = there ? found + 1 : end;
    if (!there)
        return HS_OK;
    bool held = hs_stream_bytes(kv, &at, &arena, &record);
    HS_TRY(kv->err);
    hs_write_u8(&x->file.payload, (uint8_t)at.stream);
    hs_write_bytes(&x->file.payload, HS_VIEW(at.id));
    hs_write_u64(&x->file.payload, at.seq);
    hs_write_u8(&x->file.payload, held ? 1 : 0);
    hs_write_bytes(&x->file.payload, record);
    x->facts->records++;
    return hs_export_put(&x->file, HS_EXPORT_RECORD);
}

static enum hs_err write_records(struct export *x, uint64_t end)
{
    uint64_t n = 0;
    while (n < end) {
        struct hs_kv *kv;
        enum hs_err err = HS_OK;
        HS_TRY(hs_lmdb_begin_read(x->store, &kv));
        for (size_t i = 0; i < HS_EXPORT_SLICE && n < end && err == HS_OK; i++)
            err = write_record(x, kv, &n, end);
        hs_lmdb_abort(kv);
        HS_TRY(err);
        if (x->e->progress != NULL)
            x->e->progress(x->e->arg, n, end);
    }
    return HS_OK;
}

/* The layout, and how far the journal has come now. */
static enum hs_err look(struct export *x, uint64_t *end)
{
    struct hs_kv *kv;
    HS_TRY(hs_lmdb_begin_read(x->store, &kv));
    enum hs_err err = hs_layout_check(kv, &x->facts->layout);
    *end = hs_journal_count(kv);
    hs_lmdb_abort(kv);
    return err;
}

static enum hs_err write_all(struct export *x)
{
    uint64_t end;
    HS_TRY(look(x, &end));
    HS_TRY(write_header(x));
    HS_TRY(write_table(x, HS_EXPORT_REGISTER, HS_T_REGISTER, &x->facts->registers));
    HS_TRY(write_table(x, HS_EXPORT_BLOB, HS_T_BLOB_BYTES, &x->facts->blobs));
    HS_TRY(look(x, &end)); /* behind the registers: they speak of nothing that comes later */
    HS_TRY(write_records(x, end));
    return hs_export_put_end(&x->file, x->facts, x->e->signer);
}

enum hs_err hs_export_write(const struct hs_export *e, struct hs_lmdb *store, FILE *out,
                            struct hs_export_facts *facts)
{
    struct export x = {.e = e, .store = store, .facts = facts};
    *facts = (struct hs_export_facts){.incarnation = e->incarnation, .made = e->now};
    enum hs_err err = hs_export_file_write(out, &x.file);
    if (err == HS_OK)
        err = write_all(&x);
    if (err == HS_OK && fflush(out) != 0)
        err = HS_ERR_IO;
    hs_export_file_free(&x.file);
    return err;
}

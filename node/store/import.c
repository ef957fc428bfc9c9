/* Reading an export: once to see that it is whole, and once more to make a store of it. */
#include "core/records/layout.h"
#include "core/records/register.h"
#include "core/records/replay.h"
#include "core/records/table.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "store/export_frame.h"

enum { COMMIT_RECORDS = 1000, ARENA_CAP = 64 << 10 };

/* What is done with the entries of one pass. */
struct import {
    struct hs_export_file file;
    struct hs_export_facts *facts; /* counted anew in each pass */
    struct hs_key root, signing_key;
    const struct hs_export *e;
    struct hs_lmdb *store; /* NULL: only looked at */
    struct hs_replay *replay;
    struct hs_kv *txn;
    size_t in_txn;
    bool records; /* this pass applies records; else what stands before them */
};

static enum hs_err fail(struct import *m, enum hs_err err, const char *why)
{
    m->file.why = why;
    return err;
}

/* ---- the transaction that is filled ---- */

static enum hs_err end_txn(struct import *m)
{
    struct hs_kv *txn = m->txn;
    m->txn = NULL;
    m->in_txn = 0;
    return txn != NULL ? hs_lmdb_commit(txn) : HS_OK;
}

static enum hs_err in_txn(struct import *m)
{
    if (m->in_txn++ >= COMMIT_RECORDS)
        HS_TRY(end_txn(m));
    return m->txn == NULL ? hs_lmdb_begin_write(m->store, &m->txn) : HS_OK;
}

/* ---- frames ---- */

/* The first len bytes of rest, which begins behind them; all that there is, and bad, where it is less. */
static struct hs_bytes cut(struct hs_bytes *rest, size_t len, bool *bad)
{
    *bad = *bad || len > rest->len;
    size_t n = *bad ? 0 : len;
    struct hs_bytes out = hs_bytes(rest->data, n);
    *rest = hs_bytes(rest->data + n, rest->len - n);
    return out;
}

static uint64_t cut_number(struct hs_bytes *rest, size_t len, bool *bad)
{
    return hs_kv_u64(cut(rest, len, bad));
}

static enum hs_err take_header(struct import *m)
{
    struct hs_arena HS_ARENA arena = hs_arena(ARENA_CAP);
    struct hs_bytes rest = hs_writer_bytes(&m->file.payload);
    struct hs_key root;
    struct hs_descriptor descriptor;
    Hanse__SignedObject *object;
    bool bad = false;
    m->facts->layout = cut_number(&rest, 8, &bad);
    m->facts->incarnation = cut_number(&rest, 8, &bad);
    m->facts->made.ms = (int64_t)cut_number(&rest, 8, &bad);
    if (!HS_FIXED(cut(&rest, sizeof root.b, &bad), &root) || bad)
        return fail(m, HS_ERR_MALFORMED, "it was altered");
    if (m->facts->layout == 0 ||
        m->facts->layout > HS_LAYOUT) /* of older ones the records keep their meaning */
        return fail(m, HS_ERR_UNSUPPORTED, "a later version of hansed made it; restore it with that one");
    if (!hs_key_equal(&root, &m->root))
        return fail(m, HS_ERR_WRONG_PEER, "it is another node's");
    enum hs_err err = hs_object_unpack(rest, &arena, &object);
    if (err == HS_OK)
        err = hs_descriptor_open(object, &m->root, &descriptor);
    if (err != HS_OK)
        return fail(m, err, "the node's root hasn't signed its descriptor");
    m->signing_key = descriptor.signing_key;
    return HS_OK;
}

static enum hs_err take_entry(struct import *m, unsigned table)
{
    struct hs_bytes value = hs_writer_bytes(&m->file.payload);
    bool bad = false;
    struct hs_bytes key = cut(&value, (size_t)cut_number(&value, 1, &bad), &bad);
    if (bad || key.len == 0 || key.len > HS_KV_KEY_MAX)
        return fail(m, HS_ERR_MALFORMED, "it was altered");
    if (m->store == NULL || m->records)
        return HS_OK;
    HS_TRY(in_txn(m));
    if (table == HS_T_REGISTER)
        return hs_replay_register(m->replay, m->txn, key, value);
    hs_kv_put(m->txn, table, key, value);
    return m->txn->err;
}

static enum hs_err take_record(struct import *m)
{
    struct hs_bytes record = hs_writer_bytes(&m->file.payload);
    bool bad = false;
    struct hs_stream_at at = {.stream = (enum hs_stream)cut_number(&record, 1, &bad)};
    bad = !HS_FIXED(cut(&record, sizeof at.id.b, &bad), &at.id) || bad;
    at.seq = cut_number(&record, 8, &bad);
    bool there = cut_number(&record, 1, &bad) != 0;
    if (bad || (!there && record.len > 0))
        return fail(m, HS_ERR_MALFORMED, "it was altered");
    if (m->store == NULL || !m->records)
        return HS_OK;
    HS_TRY(in_txn(m));
    if (!there)
        record.data = NULL;
    enum hs_err err = hs_replay_record(m->replay, m->txn, &at, record);
    return err == HS_OK ? HS_OK : fail(m, err, "a record doesn't fit those before it");
}

static enum hs_err take_journal(struct import *m)
{
    struct hs_bytes rest = hs_writer_bytes(&m->file.payload);
    bool bad = false;
    uint64_t next = cut_number(&rest, 8, &bad);
    if (bad || rest.len > 0)
        return fail(m, HS_ERR_MALFORMED, "it was altered");
    if (m->store == NULL || !m->records)
        return HS_OK;
    HS_TRY(in_txn(m));
    enum hs_err err = hs_replay_pass(m->replay, m->txn, next);
    return err == HS_OK ? HS_OK : fail(m, err, "a record doesn't fit those before it");
}

static enum hs_err take(struct import *m)
{
    switch (m->file.kind) {
    case HS_EXPORT_REGISTER:
        m->facts->registers++;
        return take_entry(m, HS_T_REGISTER);
    case HS_EXPORT_BLOB:
        m->facts->blobs++;
        return take_entry(m, HS_T_BLOB_BYTES);
    case HS_EXPORT_RECORD:
        m->facts->records++;
        return take_record(m);
    case HS_EXPORT_JOURNAL:
        return take_journal(m);
    default:
        return fail(m, HS_ERR_MALFORMED, "it was altered");
    }
}

static void tell(const struct import *m, uint64_t all)
{
    bool now = m->facts->records % COMMIT_RECORDS == 0 || m->facts->records == all;
    if (m->store != NULL && m->records && m->e->progress != NULL && now)
        m->e->progress(m->e->arg, m->facts->records, all);
}

/* The whole file once. all: the records that there are, for messages. */
static enum hs_err pass(struct import *m, FILE *in, uint64_t all)
{
    *m->facts = (struct hs_export_facts){0};
    if (fseek(in, 0, SEEK_SET) != 0)
        return fail(m, HS_ERR_IO, "it can't be read");
    HS_TRY(hs_export_file_read(in, &m->file));
    HS_TRY(hs_export_get(&m->file));
    if (m->file.kind != HS_EXPORT_HEADER)
        return fail(m, HS_ERR_MALFORMED, "it was altered");
    HS_TRY(take_header(m));
    for (;;) {
        HS_TRY(hs_export_get(&m->file));
        if (m->file.kind == HS_EXPORT_END)
            return hs_export_check_end(&m->file, m->facts, &m->signing_key);
        HS_TRY(take(m));
        tell(m, all);
    }
}

static enum hs_err pass_of(struct import *m, FILE *in, uint64_t all)
{
    enum hs_err err = pass(m, in, all);
    if (err == HS_OK)
        err = end_txn(m);
    hs_lmdb_abort(m->txn);
    m->txn = NULL;
    hs_export_file_free(&m->file);
    m->facts->why = err == HS_OK ? NULL : m->file.why != NULL ? m->file.why : hs_err_text(err);
    return err;
}

enum hs_err hs_import_check(FILE *in, const struct hs_key *root, struct hs_export_facts *facts)
{
    struct import m = {.facts = facts, .root = *root};
    return pass_of(&m, in, 0);
}

static enum hs_err open_layout(struct hs_lmdb *store)
{
    struct hs_kv *txn;
    uint64_t found;
    HS_TRY(hs_lmdb_begin_write(store, &txn));
    enum hs_err err = hs_layout_open(txn, &found);
    if (err == HS_OK)
        return hs_lmdb_commit(txn);
    hs_lmdb_abort(txn);
    return err;
}

static enum hs_err mark_restored(struct import *m, uint64_t incarnation)
{
    struct hs_kv *txn;
    HS_TRY(hs_lmdb_begin_write(m->store, &txn));
    enum hs_err err = hs_replay_restored(m->replay, txn, m->e->now, incarnation);
    if (err == HS_OK)
        return hs_lmdb_commit(txn);
    hs_lmdb_abort(txn);
    return err;
}

static enum hs_err load(struct import *m, FILE *in, uint64_t incarnation)
{
    HS_TRY(hs_import_check(in, &m->root, m->facts));
    uint64_t all = m->facts->records;
    HS_TRY(open_layout(m->store));
    m->records = true;
    HS_TRY(pass_of(m, in, all));
    m->records = false;
    HS_TRY(pass_of(m, in, all));
    return incarnation > 0 ? mark_restored(m, incarnation) : HS_OK;
}

enum hs_err hs_import_load(FILE *in, const struct hs_export *e, struct hs_lmdb *store, uint64_t incarnation,
                           struct hs_export_facts *facts)
{
    struct import m = {.facts = facts, .root = e->root, .e = e, .store = store};
    HS_TRY(hs_replay_new(&e->root, &m.replay));
    enum hs_err err = load(&m, in, incarnation);
    hs_replay_free(m.replay);
    return err;
}

#include "store/check.h"

#include "core/core.h"
#include "core/records/layout.h"
#include "core/records/replay.h"
#include "core/records/table.h"

#include <stdarg.h>
#include <stdio.h>

enum { STEP = 1000, ENTRY_CAP = 64 << 20 };

void hs_check_tell(struct hs_check *check, const char *format, ...)
{
    char text[HS_CHECK_TEXT];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (check->result.problems++ < HS_CHECK_PROBLEMS && check->problem != NULL)
        check->problem(check->arg, text);
}

static void tell(struct hs_check *check, enum hs_check_stage stage, uint64_t done)
{
    if (check->progress != NULL)
        check->progress(check->arg, stage, done);
}

/* ---- views = what records make ---- */

static enum hs_err make_layout(struct hs_check *check)
{
    struct hs_kv *kv;
    uint64_t found;
    HS_TRY(hs_lmdb_begin_write(check->beside, &kv));
    enum hs_err err = hs_layout_open(kv, &found);
    if (err == HS_OK)
        return hs_lmdb_commit(kv);
    hs_lmdb_abort(kv);
    return err;
}

/* One transaction's worth; a record that doesn't fit is a problem, and the end of this. */
static enum hs_err rebuild_step(struct hs_check *check, struct hs_replay *replay, struct hs_kv *from,
                                uint64_t end, bool *done)
{
    struct hs_kv *to;
    HS_TRY(hs_lmdb_begin_write(check->beside, &to));
    enum hs_err err = hs_replay_step(replay, from, to, end, STEP, done);
    if (err == HS_OK) {
        check->result.records = hs_journal_count(to);
        return hs_lmdb_commit(to);
    }
    bool machine = err == HS_ERR_NOMEM || err == HS_ERR_STORE_FULL || to->err != HS_OK || from->err != HS_OK;
    hs_lmdb_abort(to);
    HS_REQUIRE(!machine, err);
    hs_check_tell(check, "record %llu of a stream of kind %c can't be applied again: %s",
                  (unsigned long long)hs_replay_at(replay)->seq, (char)hs_replay_at(replay)->stream,
                  hs_err_text(err));
    *done = true;
    return HS_OK;
}

static enum hs_err rebuild(struct hs_check *check, struct hs_kv *from)
{
    struct hs_replay *replay;
    uint64_t end = hs_journal_count(from);
    bool done = false;
    HS_TRY(make_layout(check));
    HS_TRY(hs_replay_new(&check->root, &replay));
    enum hs_err err = HS_OK;
    while (err == HS_OK && !done) {
        err = rebuild_step(check, replay, from, end, &done);
        tell(check, HS_CHECK_REBUILD, check->result.records);
    }
    hs_replay_free(replay);
    return err;
}

/* The next entry of a table, and where to go on; false at the end. */
static bool next_entry(struct hs_kv *kv, unsigned table, struct hs_kv_key *from, struct hs_arena *arena,
                       struct hs_bytes *key, struct hs_bytes *value)
{
    struct hs_bytes none = {0};
    return hs_kv_next(kv, table, none, hs_kv_key_bytes(from), arena, key, value);
}

static int order(struct hs_bytes a, struct hs_bytes b)
{
    int cmp = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return cmp != 0 ? cmp : a.len < b.len ? -1 : a.len > b.len;
}

/* One entry of either or both; false at the end of both. */
static bool compare_one(struct hs_check *check, unsigned table, struct hs_kv *a, struct hs_kv *b,
                        struct hs_kv_key *from_a, struct hs_kv_key *from_b)
{
    struct hs_arena HS_ARENA arena = hs_arena(ENTRY_CAP);
    struct hs_bytes key_a, value_a, key_b, value_b;
    bool has_a = next_entry(a, table, from_a, &arena, &key_a, &value_a);
    bool has_b = next_entry(b, table, from_b, &arena, &key_b, &value_b);
    if (!has_a && !has_b)
        return false;
    int cmp = !has_a ? 1 : !has_b ? -1 : order(key_a, key_b);
    if (cmp < 0)
        hs_check_tell(check, "table %u has an entry that doesn't follow from any record", table);
    else if (cmp > 0)
        hs_check_tell(check, "table %u lacks an entry that follows from the records", table);
    else if (!hs_bytes_equal(value_a, value_b))
        hs_check_tell(check, "table %u has an entry that is other than what the records make", table);
    if (cmp <= 0)
        *from_a = hs_kv_after(key_a);
    if (cmp >= 0)
        *from_b = hs_kv_after(key_b);
    return true;
}

static enum hs_err compare(struct hs_check *check, struct hs_kv *store)
{
    struct hs_kv *beside;
    HS_TRY(hs_lmdb_begin_read(check->beside, &beside));
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_kv_key from_a = {0}, from_b = {0};
        if (table == HS_T_BLOB_BYTES)
            continue; /* no view */
        while (compare_one(check, table, store, beside, &from_a, &from_b))
            if (++check->result.views % STEP == 0)
                tell(check, HS_CHECK_COMPARE, check->result.views);
    }
    enum hs_err err = beside->err != HS_OK ? beside->err : store->err;
    hs_lmdb_abort(beside);
    return err;
}

static enum hs_err run(struct hs_check *check, struct hs_kv *kv)
{
    uint64_t found;
    HS_TRY(hs_layout_check(kv, &found));
    HS_TRY(hs_check_rooms(check, kv));
    tell(check, HS_CHECK_LOGS, check->result.room_records);
    HS_TRY(rebuild(check, kv));
    return check->result.problems == 0 ? compare(check, kv) : HS_OK;
}

enum hs_err hs_check_run(struct hs_check *check)
{
    struct hs_kv *kv;
    check->result = (struct hs_check_result){0};
    HS_TRY(hs_lmdb_begin_read(check->store, &kv));
    enum hs_err err = run(check, kv);
    hs_lmdb_abort(kv);
    return err;
}

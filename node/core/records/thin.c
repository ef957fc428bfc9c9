#include "core/records/thin.h"

#include "core/blobs/held_welcome.h"
#include "core/delivery/wake.h"
#include "core/internal.h"
#include "core/records/spent.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum {
    SCRATCH_CAP = 8 * HS_FRAME_MAX /* one record and what is read beside it */
};

/* A record where it stands. */
struct found {
    struct hs_stream_at at;
    Hanse__State__StreamRecord *record;
};

/* The record of the stream at or behind seq, in scratch; false at its end. */
static bool next_in_stream(struct hs_turn *turn, const struct hs_stream_at *stream, uint64_t seq,
                           struct hs_arena *scratch, struct found *out)
{
    struct hs_stream_at first = {.stream = stream->stream, .id = stream->id, .seq = seq};
    struct hs_kv_key prefix = hs_stream_next_key(stream->stream, HS_VIEW(stream->id));
    struct hs_kv_key from = hs_stream_key(&first);
    struct hs_bytes key, value;
    return hs_kv_next(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(&from), scratch, &key,
                      &value) &&
           hs_stream_at_parse(key, &out->at) &&
           HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, scratch, &out->record) == HS_OK;
}

/* A backup that doesn't read this record began before it was there, and is over. */
static bool is_settled(const struct hs_turn *turn, const struct found *f)
{
    return f->record->time_ms <= turn->now.ms - HS_THIN_AGE_MS;
}

/* Nothing waits in that inbox that was numbered before. */
static bool has_passed(struct hs_turn *turn, const struct hs_id *subscriber, uint64_t number)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_bytes key;
    return !hs_kv_next(turn->kv, HS_T_INBOX, HS_VIEW(*subscriber), HS_VIEW(*subscriber), &scratch, &key,
                       NULL) ||
           hs_kv_u64(key) >= number;
}

/* ---- the last one says everything ---- */

static bool is_of_a_kind(const Hanse__State__StreamRecord *record)
{
    switch (record->body_case) {
    case HANSE__STATE__STREAM_RECORD__BODY_FOLLOWED:
    case HANSE__STATE__STREAM_RECORD__BODY_WAKE_SET:
        return true;
    case HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON:
        return record->handed_on->item.len == 0;
    case HANSE__STATE__STREAM_RECORD__BODY_REFUSED:
        return record->passed > 0;
    default:
        return false;
    }
}

static bool says_it_too(struct hs_turn *turn, const struct found *newer,
                        const Hanse__State__StreamRecord *record)
{
    if (newer->record->body_case != record->body_case)
        return false;
    return record->body_case != HANSE__STATE__STREAM_RECORD__BODY_REFUSED ||
           (newer->record->passed > 0 && has_passed(turn, &newer->at.id, newer->record->passed));
}

static bool is_superseded(struct hs_turn *turn, const struct found *f)
{
    uint64_t seq = f->at.seq + 1;
    for (int i = 0; i < HS_THIN_AHEAD && is_of_a_kind(f->record); i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct found newer;
        if (!next_in_stream(turn, &f->at, seq, &scratch, &newer))
            return false;
        if (says_it_too(turn, &newer, f->record))
            return is_settled(turn, &newer);
        seq = newer.at.seq + 1;
    }
    return false;
}

/* ---- attachments that nothing ever named ---- */

/* What goes on which day: a whole day is between COMING and GOING, none need be the other way round. */
enum { COMING = 0, GOING = 2, DAYS = 3 };

static bool is_day_of(const struct hs_turn *turn, int64_t what)
{
    return turn->now.ms / HS_THIN_AGE_MS % DAYS == what;
}

static bool is_stored(const struct found *f)
{
    return f->record->body_case == HANSE__STATE__STREAM_RECORD__BODY_BLOB_STORED;
}

static bool is_gone_unnamed(const struct found *f)
{
    return f->record->body_case == HANSE__STATE__STREAM_RECORD__BODY_BLOB_GONE &&
           f->record->blob_gone->unnamed;
}

/* It came for rooms, and went again: the next record that isn't of its coming says so. */
static bool came_to_nothing(struct hs_turn *turn, const struct found *f)
{
    uint64_t seq = f->at.seq + 1;
    for (int i = 0; i < HS_THIN_AHEAD; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct found later;
        if (!next_in_stream(turn, &f->at, seq, &scratch, &later))
            return false;
        if (!is_stored(&later))
            return is_gone_unnamed(&later) && is_settled(turn, &later);
        seq = later.at.seq + 1;
    }
    return false;
}

/* This says that it went, and none of its coming is left before it; either the stream is empty without this,
 * or something behind it says how far the stream has come. */
static bool is_all_of_it(struct hs_turn *turn, const struct found *f)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct found later;
    bool first = true, coming = false;
    uint64_t seq = 0;
    for (int i = 0; i < HS_THIN_AHEAD; i++) {
        struct hs_arena HS_ARENA own = hs_arena(SCRATCH_CAP);
        struct found before;
        if (!next_in_stream(turn, &f->at, seq, &own, &before))
            return false;
        if (before.at.seq == f->at.seq)
            return !coming && (first || next_in_stream(turn, &f->at, f->at.seq + 1, &scratch, &later));
        first = false;
        coming = is_stored(&before);
        seq = before.at.seq + 1;
    }
    return false;
}

static bool is_needless(struct hs_turn *turn, const struct found *f)
{
    if (f->at.stream != HS_STREAM_BLOB)
        return is_superseded(turn, f);
    if (is_stored(f))
        return is_day_of(turn, COMING) && came_to_nothing(turn, f);
    return is_day_of(turn, GOING) && is_gone_unnamed(f) && is_settled(turn, f) && is_all_of_it(turn, f);
}

/* ---- what a newer one says anew ---- */

/* What is in no newer record that is here: the store was put back since. */
static bool is_in_use(struct hs_turn *turn, const struct found *f)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    own.arena = &scratch;
    if (f->record->body_case == HANSE__STATE__STREAM_RECORD__BODY_WAKE_SET)
        return hs_wake_is_from(&own, &f->at);
    return hs_spent_waits(&own, &f->at) ||
           (f->record->body_case == HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON &&
            hs_held_welcome_is_from(&own, &f->at, f->record->handed_on));
}

static bool is_spent(struct hs_turn *turn, const struct found *f)
{
    return f->record->spent_ms > 0 && f->record->spent_ms <= turn->now.ms - HS_THIN_AGE_MS &&
           !is_in_use(turn, f);
}

/* ---- */

static void drop(struct hs_turn *turn, const struct hs_stream_at *at, uint64_t n)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_kv_key key = hs_stream_key(at), next = hs_stream_next_key(at->stream, HS_VIEW(at->id));
    struct found left;
    hs_kv_del(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&key));
    hs_journal_forget(turn, n);
    if (!next_in_stream(turn, at, 0, &scratch, &left) && turn->kv->err == HS_OK)
        hs_kv_del(turn->kv, HS_T_STREAM_NEXT, hs_kv_key_bytes(&next));
}

/* True where it went, or was cut. */
static bool look_at(struct hs_turn *turn, const struct hs_stream_at *at, uint64_t n)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct found f;
    if (at->stream == HS_STREAM_ROOM || !next_in_stream(turn, at, at->seq, &scratch, &f) ||
        f.at.seq != at->seq)
        return false;
    if (hs_stream_may_thin(at->stream) && is_needless(turn, &f)) {
        drop(turn, at, n);
        return true;
    }
    if (!is_spent(turn, &f))
        return false;
    hs_spent_cut(turn, at, 0);
    return true;
}

void hs_thin_tick(struct hs_turn *turn)
{
    struct hs_core *core = turn->core;
    size_t gone = 0;
    if (core->thin_at == 0 && core->thin_lap_at.ms > 0 &&
        turn->now.ms < core->thin_lap_at.ms + HS_THIN_LAP_MS)
        return;
    for (size_t i = 0; i < HS_THIN_ROWS && gone < HS_THIN_GONE && turn->kv->err == HS_OK; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(8 * HS_KV_KEY_MAX);
        struct hs_turn own = *turn;
        struct hs_stream_at at;
        uint64_t n = core->thin_at;
        own.arena = &scratch;
        if (!hs_journal_at(&own, &n, &at)) {
            core->thin_at = 0;
            core->thin_lap_at = turn->now;
            return;
        }
        core->thin_at = n + 1;
        gone += look_at(turn, &at, n) ? 1 : 0;
    }
}

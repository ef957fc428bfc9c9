#include "core/records/replay.h"

#include "core/internal.h"
#include "core/records/layout.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "core/rooms/room_record.h"
#include "wire/unpack.h"

#include <stdlib.h>

/* What one record may take: as in a turn. */
enum { REPLAY_ARENA_CAP = 64 * 1024 * 1024 };

struct hs_replay {
    struct hs_core core; /* nobody is connected to it */
    struct hs_effects effects;
    struct hs_stream_at at;
    struct hs_kv_key register_from; /* the next one to copy */
};

enum hs_err hs_replay_new(const struct hs_key *root, struct hs_replay **out)
{
    struct hs_replay *replay = calloc(1, sizeof *replay);
    HS_REQUIRE(replay != NULL, HS_ERR_NOMEM);
    replay->core.root = *root;
    replay->effects = hs_effects();
    *out = replay;
    return HS_OK;
}

void hs_replay_free(struct hs_replay *replay)
{
    if (replay == NULL)
        return;
    hs_effects_free(&replay->effects);
    free(replay);
}

const struct hs_stream_at *hs_replay_at(const struct hs_replay *replay)
{
    return &replay->at;
}

static struct hs_turn turn_of(struct hs_replay *replay, struct hs_kv *kv, struct hs_arena *arena)
{
    return (struct hs_turn){.core = &replay->core, .kv = kv, .arena = arena, .effects = &replay->effects};
}

bool hs_stream_bytes(struct hs_kv *kv, const struct hs_stream_at *at, struct hs_arena *arena,
                     struct hs_bytes *bytes)
{
    bool room = at->stream == HS_STREAM_ROOM;
    struct hs_kv_key key = room ? hs_key_seq(HS_VIEW(at->id), at->seq) : hs_stream_key(at);
    return hs_kv_get(kv, room ? HS_T_ROOM_LOG : HS_T_STREAM, hs_kv_key_bytes(&key), arena, bytes);
}

uint64_t hs_journal_count(struct hs_kv *kv)
{
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    struct hs_turn turn = {.kv = kv, .arena = &arena};
    return hs_journal_next(&turn);
}

static enum hs_err replay_room(struct hs_turn *turn, const struct hs_stream_at *at, struct hs_bytes bytes)
{
    Hanse__State__RoomEntry *entry;
    struct hs_record_header header;
    HS_REQUIRE(bytes.data != NULL, HS_ERR_STORE);
    HS_REQUIRE(HS_UNPACK(hanse__state__room_entry, bytes, HS_LENIENT, turn->arena, &entry) == HS_OK,
               HS_ERR_STORE);
    HS_TRY(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
    turn->now = header.hub_time;
    return hs_room_apply(turn, &at->id, at->seq, entry);
}

/* Posts that were answered have left their numbers, the newest one with its row. */
static enum hs_err replay_stream(struct hs_turn *turn, const struct hs_stream_at *at, struct hs_bytes bytes)
{
    Hanse__State__StreamRecord *record;
    struct hs_kv_key key = hs_stream_key(at), next = hs_stream_next_key(at->stream, HS_VIEW(at->id));
    uint64_t seq = hs_number_get(turn, HS_T_STREAM_NEXT, &next, NULL);
    bool outbox = at->stream == HS_STREAM_OUTBOX;
    bool gaps = outbox || hs_stream_may_thin(at->stream);
    HS_REQUIRE(gaps ? at->seq >= seq : at->seq == seq, HS_ERR_STORE);
    hs_stream_enter(turn, at);
    if (bytes.data == NULL)
        return outbox ? HS_OK : HS_ERR_STORE;
    HS_REQUIRE(HS_UNPACK(hanse__state__stream_record, bytes, HS_LENIENT, turn->arena, &record) == HS_OK,
               HS_ERR_STORE);
    hs_kv_put(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&key), bytes);
    turn->now.ms = record->time_ms;
    return hs_stream_apply(turn, at, record) ? HS_OK : HS_ERR_UNSUPPORTED;
}

enum hs_err hs_replay_record(struct hs_replay *replay, struct hs_kv *to, const struct hs_stream_at *at,
                             struct hs_bytes record)
{
    struct hs_arena HS_ARENA arena = hs_arena(REPLAY_ARENA_CAP);
    struct hs_turn turn = turn_of(replay, to, &arena);
    replay->at = *at;
    enum hs_err err =
        at->stream == HS_STREAM_ROOM ? replay_room(&turn, at, record) : replay_stream(&turn, at, record);
    hs_effects_reset(&replay->effects);
    return to->err != HS_OK ? to->err : err;
}

enum hs_err hs_replay_pass(struct hs_replay *replay, struct hs_kv *to, uint64_t next)
{
    struct hs_arena HS_ARENA arena = hs_arena(REPLAY_ARENA_CAP);
    struct hs_turn turn = turn_of(replay, to, &arena);
    HS_REQUIRE(next >= hs_journal_next(&turn), HS_ERR_STORE);
    hs_journal_pass(&turn, next);
    return to->err;
}

enum hs_err hs_replay_register(struct hs_replay *replay, struct hs_kv *to, struct hs_bytes key,
                               struct hs_bytes value)
{
    struct hs_arena HS_ARENA arena = hs_arena(REPLAY_ARENA_CAP);
    struct hs_turn turn = turn_of(replay, to, &arena);
    struct hs_kv_key at = hs_key1(key);
    HS_REQUIRE(key.len > 1, HS_ERR_STORE);
    hs_register_put(&turn, &at, value);
    return to->err;
}

enum hs_err hs_replay_restored(struct hs_replay *replay, struct hs_kv *to, struct hs_time now,
                               uint64_t incarnation)
{
    struct hs_arena HS_ARENA arena = hs_arena(REPLAY_ARENA_CAP);
    struct hs_turn turn = turn_of(replay, to, &arena);
    turn.now = now;
    hs_restored_record(&turn, incarnation);
    return to->err;
}

/* The record at n, or behind it where what was there is gone; *n becomes the number behind it. */
static enum hs_err next_record(struct hs_replay *replay, struct hs_kv *from, struct hs_kv *to, uint64_t *n,
                               uint64_t end)
{
    struct hs_arena HS_ARENA arena = hs_arena(REPLAY_ARENA_CAP);
    struct hs_turn turn = turn_of(replay, from, &arena);
    struct hs_stream_at at;
    struct hs_bytes bytes = {0};
    uint64_t found = *n;
    bool there = hs_journal_at(&turn, &found, &at) && found < end;
    HS_TRY(from->err);
    if (!there || found > *n)
        HS_TRY(hs_replay_pass(replay, to, there ? found : end));
    *n = there ? found + 1 : end;
    if (!there)
        return HS_OK;
    replay->at = at;
    (void)hs_stream_bytes(from, &at, &arena, &bytes);
    HS_TRY(from->err);
    return hs_replay_record(replay, to, &at, bytes);
}

static enum hs_err next_register(struct hs_replay *replay, struct hs_kv *from, struct hs_kv *to, bool *done)
{
    struct hs_arena HS_ARENA arena = hs_arena(REPLAY_ARENA_CAP);
    struct hs_bytes key, value, none = {0};
    *done =
        !hs_kv_next(from, HS_T_REGISTER, none, hs_kv_key_bytes(&replay->register_from), &arena, &key, &value);
    HS_TRY(from->err);
    if (*done)
        return HS_OK;
    HS_TRY(hs_replay_register(replay, to, key, value));
    replay->register_from = hs_kv_after(key);
    return HS_OK;
}

enum hs_err hs_replay_step(struct hs_replay *replay, struct hs_kv *from, struct hs_kv *to, uint64_t end,
                           size_t max, bool *done)
{
    uint64_t n = hs_journal_count(to);
    *done = false;
    for (size_t i = 0; i < max && !*done; i++) {
        if (n < end)
            HS_TRY(next_record(replay, from, to, &n, end));
        else
            HS_TRY(next_register(replay, from, to, done));
    }
    return to->err;
}

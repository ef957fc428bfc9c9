#include "store/unsettled.h"

#include "store/tables.h"

static const struct hs_field unsettled_fields[] = {
    HS_FIELD(U64, struct hs_unsettled_row, seq),
    HS_FIELD(FIXED, struct hs_unsettled_row, commit),
    HS_FIELD(U64, struct hs_unsettled_row, time),
    HS_FIELD(U64, struct hs_unsettled_row, epoch),
    HS_FIELD(U64, struct hs_unsettled_row, epoch_min),
    HS_FIELD(FIXED, struct hs_unsettled_row, committer),
    HS_FIELD(U32, struct hs_unsettled_row, err),
    HS_FIELD(U32, struct hs_unsettled_row, leaf),
    HS_FIELD(BOOL, struct hs_unsettled_row, own),
    HS_FIELD(BOOL, struct hs_unsettled_row, joined),
    HS_FIELD(BOOL, struct hs_unsettled_row, gone),
    HS_FIELD(BOOL, struct hs_unsettled_row, strict),
    HS_FIELD(BYTES, struct hs_unsettled_row, joins),
    HS_FIELD(U32, struct hs_unsettled_row, line.kind),
    HS_FIELD(BOOL, struct hs_unsettled_row, line.own),
    HS_FIELD(FIXED, struct hs_unsettled_row, line.sender.key),
    HS_FIELD(TEXT, struct hs_unsettled_row, line.sender.handle),
    HS_FIELD(TEXT, struct hs_unsettled_row, line.sender.name),
    HS_FIELD(BYTES, struct hs_unsettled_row, line.text),
    HS_FIELD(FIXED, struct hs_unsettled_row, window),
    HS_FIELD(BYTES, struct hs_unsettled_row, body),
    HS_FIELD(U64, struct hs_unsettled_row, missed),
    HS_FIELD(U64, struct hs_unsettled_row, missed_last),
    HS_FIELD(BOOL, struct hs_unsettled_row, rejoined),
};
static const struct hs_row_type unsettled_type =
    HS_ROW_TYPE(HS_TABLE_UNSETTLED, struct hs_unsettled_row, unsettled_fields);

static void line_place(struct hs_unsettled_row *row)
{
    row->line.seq = row->seq;
    row->line.time = row->time;
}

bool hs_unsettled_row_get(struct hs_kv *kv, const struct hs_id *room, struct hs_arena *arena,
                          struct hs_unsettled_row *out)
{
    if (!hs_row_get(kv, &unsettled_type, HS_VIEW(*room), arena, out))
        return false;
    line_place(out);
    return true;
}

bool hs_unsettled_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                           struct hs_id *room, struct hs_unsettled_row *out)
{
    struct hs_bytes key;
    if (!hs_row_next(kv, &unsettled_type, (struct hs_bytes){0}, cursor, arena, &key, out))
        return false;
    line_place(out);
    return HS_FIXED(key, room);
}

void hs_unsettled_row_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_unsettled_row *row)
{
    hs_row_put(kv, &unsettled_type, HS_VIEW(*room), row);
}

void hs_unsettled_row_delete(struct hs_kv *kv, const struct hs_id *room)
{
    hs_kv_del(kv, HS_TABLE_UNSETTLED, HS_VIEW(*room));
}

void hs_held_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, struct hs_bytes content)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), seq);
    hs_kv_put(kv, HS_TABLE_HELD, hs_kv_key_bytes(&key), content);
}

bool hs_held_next(struct hs_kv *kv, const struct hs_id *room, struct hs_kv_key *cursor,
                  struct hs_arena *arena, struct hs_bytes *content)
{
    struct hs_bytes key;
    if (cursor->len == 0)
        *cursor = hs_row_key1(HS_VIEW(*room));
    if (!hs_kv_next(kv, HS_TABLE_HELD, HS_VIEW(*room), hs_kv_key_bytes(cursor), arena, &key, content))
        return false;
    *cursor = hs_kv_after(key);
    return true;
}

void hs_held_delete(struct hs_kv *kv, const struct hs_id *room)
{
    hs_kv_del_prefix(kv, HS_TABLE_HELD, HS_VIEW(*room));
}

_Static_assert(sizeof(struct hs_window) == HS_ROOM_PAST_EPOCHS * 16 + sizeof(size_t), "no holes");

static const struct hs_field window_fields[] = {
    HS_FIELD(U64, struct hs_window, past[0].epoch), HS_FIELD(U64, struct hs_window, past[0].ended),
    HS_FIELD(U64, struct hs_window, past[1].epoch), HS_FIELD(U64, struct hs_window, past[1].ended),
    HS_FIELD(U64, struct hs_window, past[2].epoch), HS_FIELD(U64, struct hs_window, past[2].ended),
    HS_FIELD(U64, struct hs_window, past[3].epoch), HS_FIELD(U64, struct hs_window, past[3].ended),
    HS_FIELD(U64, struct hs_window, past[4].epoch), HS_FIELD(U64, struct hs_window, past[4].ended),
    HS_FIELD(U64, struct hs_window, count),
};
static const struct hs_row_type window_type = HS_ROW_TYPE(HS_TABLE_WINDOW, struct hs_window, window_fields);

void hs_window_row_get(struct hs_kv *kv, const struct hs_id *room, struct hs_window *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(65536);
    if (!hs_row_get(kv, &window_type, HS_VIEW(*room), &arena, out) || out->count > HS_ROOM_PAST_EPOCHS)
        *out = (struct hs_window){0};
}

void hs_window_row_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_window *window)
{
    hs_row_put(kv, &window_type, HS_VIEW(*room), window);
}

void hs_leaving_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *persona, uint64_t epoch)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*persona)), value = {0};
    hs_kv_key_add_u64(&value, epoch);
    hs_kv_put(kv, HS_TABLE_LEAVING, hs_kv_key_bytes(&key), hs_kv_key_bytes(&value));
}

bool hs_leaving_has(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *persona)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*persona));
    return hs_kv_has(kv, HS_TABLE_LEAVING, hs_kv_key_bytes(&key));
}

uint64_t hs_leaving_epoch(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *persona,
                          struct hs_arena *arena)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*persona));
    struct hs_bytes value;
    return hs_kv_get(kv, HS_TABLE_LEAVING, hs_kv_key_bytes(&key), arena, &value) && value.len == 8
               ? hs_kv_u64(value)
               : 0;
}

bool hs_leaving_next(struct hs_kv *kv, const struct hs_id *room, struct hs_kv_key *cursor,
                     struct hs_arena *arena, struct hs_key *persona)
{
    struct hs_bytes key;
    if (cursor->len == 0)
        *cursor = hs_row_key1(HS_VIEW(*room));
    if (!hs_kv_next(kv, HS_TABLE_LEAVING, HS_VIEW(*room), hs_kv_key_bytes(cursor), arena, &key, NULL))
        return false;
    *cursor = hs_kv_after(key);
    return HS_FIXED(hs_bytes(key.data + sizeof *room, key.len - sizeof *room), persona);
}

void hs_leaving_delete(struct hs_kv *kv, const struct hs_id *room)
{
    hs_kv_del_prefix(kv, HS_TABLE_LEAVING, HS_VIEW(*room));
}

enum { BAR_LEN = sizeof(struct hs_key) + 8 };

void hs_bars_row_get(struct hs_kv *kv, const struct hs_id *room, struct hs_bars *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(65536);
    struct hs_bytes value;
    out->count = 0;
    if (!hs_kv_get(kv, HS_TABLE_BARS, HS_VIEW(*room), &arena, &value))
        return;
    for (size_t at = 0; at + BAR_LEN <= value.len && out->count < HS_SETTLE_BARS_MAX; at += BAR_LEN) {
        struct hs_bar *bar = &out->list[out->count++];
        memcpy(bar->device.b, value.data + at, sizeof bar->device);
        bar->until.ms = (int64_t)hs_kv_u64(hs_bytes(value.data + at + sizeof bar->device, 8));
    }
}

void hs_bars_row_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_bars *bars)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_SETTLE_BARS_MAX * BAR_LEN);
    for (size_t i = 0; i < bars->count; i++) {
        hs_write_bytes(&w, HS_VIEW(bars->list[i].device));
        hs_write_u64(&w, (uint64_t)bars->list[i].until.ms);
    }
    if (w.err == HS_OK)
        hs_kv_put(kv, HS_TABLE_BARS, HS_VIEW(*room), hs_writer_bytes(&w));
    else if (kv->err == HS_OK)
        kv->err = w.err;
}

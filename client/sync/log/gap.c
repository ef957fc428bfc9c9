/* Posts that can't be read any more: they are counted, and shown as one line where nothing stands between
 * them. */
#include "sync/log/gap.h"

/* The gap that this record goes on with: the newest line of the history, for the same reason. */
static bool open_gap(struct hs_step *s, const struct hs_live_room *room, uint64_t seq, enum hs_err why,
                     struct hs_message_row *out)
{
    struct hs_message_row later;
    return room->row.has_gap && hs_message_next(s->kv, &room->row.id, room->row.gap, s->arena, out) &&
           out->seq == room->row.gap && out->kind == HANSE_MESSAGE_GAP && out->err == (int32_t)why &&
           out->last < seq && !hs_message_next(s->kv, &room->row.id, room->row.gap + 1, s->arena, &later);
}

static enum hs_err tell(struct hs_step *s, const struct hs_live_room *room, const struct hs_message_row *row)
{
    struct hanse_event event = {.kind = HANSE_EVENT_GAP, .seq = row->seq, .known = row->last};
    event.err = (enum hanse_err)row->err;
    memcpy(event.room.b, room->row.id.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

static enum hs_err put(struct hs_step *s, struct hs_live_room *room, const struct hs_message_row *row)
{
    hs_message_put(s->kv, &room->row.id, row);
    room->row.has_gap = room->row_dirty = room->gap_grown = true;
    room->row.gap = row->seq;
    return s->kv->err;
}

enum hs_err hs_gap_begin(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row)
{
    const struct hs_message_row line = {.seq = row->seq,
                                        .kind = HANSE_MESSAGE_GAP,
                                        .err = (int32_t)HS_ERR_STATE_LOST,
                                        .time = row->time,
                                        .last = row->missed > 0 ? row->missed_last : row->seq,
                                        .missing = row->missed};
    return put(s, room, &line);
}

enum hs_err hs_gap_end(struct hs_step *s, struct hs_live_room *room, uint64_t seq)
{
    struct hs_message_row row;
    if (!room->row.has_gap || !hs_message_next(s->kv, &room->row.id, room->row.gap, s->arena, &row) ||
        row.kind != HANSE_MESSAGE_GAP || row.last >= seq)
        return s->kv->err;
    row.last = seq;
    return put(s, room, &row);
}

enum hs_err hs_gap_grow(struct hs_step *s, struct hs_live_room *room, const struct hs_record_header *header,
                        enum hs_err why)
{
    struct hs_message_row row;
    if (!open_gap(s, room, header->seq, why, &row))
        row = (struct hs_message_row){
            .seq = header->seq, .kind = HANSE_MESSAGE_GAP, .err = (int32_t)why, .time = header->hub_time};
    row.last = header->seq;
    row.missing++;
    return put(s, room, &row);
}

enum hs_err hs_posts_collide(struct hs_step *s, struct hs_live_room *room, uint64_t epoch, bool *any)
{
    struct hs_kv_key cursor = {0};
    *any = false;
    for (bool more = true; more;) {
        struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
        struct hs_outbox_row row;
        more = hs_outbox_row_next(s->kv, &cursor, &scratch, &row);
        if (!more || row.kind != HS_OUTBOX_POST || row.stale || row.epoch != epoch ||
            !hs_id_equal(&row.room, &room->row.id))
            continue;
        *any = row.again = true;
        hs_outbox_row_put(s->kv, &row);
    }
    return s->kv->err;
}

enum hs_err hs_post_erased(struct hs_step *s, struct hs_live_room *room,
                           const struct hs_record_header *header)
{
    struct hs_outbox_row sent;
    if (hs_outbox_row_find(s->kv, &room->row.id, &header->body_hash, s->arena, &sent))
        return hs_post_received(s, room, header, (struct hs_bytes){0}); /* one's own is still here */
    HS_TRY(s->kv->err);
    room->row.erased_in = header->epoch + 1;
    room->row_dirty = true;
    if (hs_key_equal(&header->sender_persona, &room->row.self)) {
        bool collides;
        HS_TRY(hs_posts_collide(s, room, header->epoch, &collides));
        room->row.renew = header->epoch + 1; /* which key it used can't be seen any more */
        room->row_dirty = true;
    }
    return hs_gap_grow(s, room, header, HS_OK);
}

enum hs_err hs_gap_tell(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_message_row row;
    bool grown = room->gap_grown;
    room->gap_grown = false;
    if (!grown || !hs_message_next(s->kv, &room->row.id, room->row.gap, s->arena, &row))
        return s->kv->err;
    return tell(s, room, &row);
}

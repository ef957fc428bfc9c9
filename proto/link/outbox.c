#include "link/outbox.h"

#include "wire/limits.h"

#include <stdlib.h>

enum { RECORD_HEADER = 2 };

/* Twice the limit of the queue: the limit is judged before sealing, and sealing adds 18 bytes a record. */
struct hs_outbox hs_outbox(void)
{
    return (struct hs_outbox){.pending = hs_writer(2 * HS_QUEUE_MAX), .flight = hs_writer(0)};
}

enum hs_err hs_outbox_add_clear(struct hs_outbox *o, struct hs_bytes bytes)
{
    HS_ASSERT(!o->record_is_open);
    hs_write_bytes(&o->pending, bytes);
    return o->pending.err;
}

static void record_open(struct hs_outbox *o)
{
    o->record = o->pending.len;
    o->record_is_open = true;
    hs_write_u16(&o->pending, 0);
}

static size_t record_len(const struct hs_outbox *o)
{
    return o->pending.len - o->record - RECORD_HEADER;
}

static enum hs_err record_seal(struct hs_outbox *o, struct hs_channel *channel)
{
    size_t plain_len = record_len(o), sealed_len = plain_len + HS_NOISE_TAG_LEN;
    hs_writer_reserve(&o->pending, HS_NOISE_TAG_LEN);
    HS_TRY(o->pending.err);
    uint8_t *header = o->pending.data + o->record, *text = header + RECORD_HEADER;
    HS_TRY(hs_channel_seal(channel, hs_bytes(text, plain_len), text));
    header[0] = (uint8_t)(sealed_len >> 8);
    header[1] = (uint8_t)sealed_len;
    o->record_is_open = false;
    return HS_OK;
}

void hs_outbox_make_room(struct hs_outbox *o, size_t len)
{
    size_t need = len + RECORD_HEADER + HS_NOISE_TAG_LEN;
    if (hs_writer_reserve(&o->pending, need) != NULL)
        o->pending.len -= need;
}

enum hs_err hs_outbox_add(struct hs_outbox *o, struct hs_channel *channel, struct hs_bytes bytes,
                          size_t record_max)
{
    while (bytes.len > 0) {
        if (!o->record_is_open)
            record_open(o);
        HS_TRY(o->pending.err);
        size_t room = record_max - record_len(o);
        size_t take = bytes.len < room ? bytes.len : room;
        hs_write_bytes(&o->pending, hs_bytes(bytes.data, take));
        HS_TRY(o->pending.err);
        bytes = hs_bytes(bytes.data + take, bytes.len - take);
        if (take == room)
            HS_TRY(record_seal(o, channel));
    }
    return HS_OK;
}

enum hs_err hs_outbox_next(struct hs_outbox *o, struct hs_channel *channel, struct hs_bytes *view)
{
    *view = (struct hs_bytes){0};
    if (o->flight.len == 0 && o->pending.len > 0) {
        if (o->record_is_open)
            HS_TRY(record_seal(o, channel));
        struct hs_writer empty = hs_writer(o->pending.cap);
        o->flight = o->pending;
        o->pending = empty;
        o->written = 0;
    }
    if (o->flight.len > 0)
        *view = hs_bytes(o->flight.data + o->written, o->flight.len - o->written);
    return HS_OK;
}

void hs_outbox_written(struct hs_outbox *o, size_t len)
{
    HS_ASSERT(len <= o->flight.len - o->written);
    o->written += len;
    if (o->written < o->flight.len)
        return;
    free(hs_writer_steal(&o->flight, &len)); /* sealed: nothing to wipe */
    o->written = 0;
}

size_t hs_outbox_len(const struct hs_outbox *o)
{
    return o->pending.len + o->flight.len - o->written;
}

void hs_outbox_close(struct hs_outbox *o)
{
    hs_writer_free(&o->pending);
    o->record_is_open = false;
}

void hs_outbox_free(struct hs_outbox *o)
{
    hs_outbox_close(o);
    hs_writer_free(&o->flight);
    *o = hs_outbox();
}

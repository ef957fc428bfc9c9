#include "core/delivery/pack.h"

#include "schema/link.pb-c.h"

enum {
    /* Field numbers with the wire type of bytes, as in link.proto, room.proto and state.proto: a test
     * compares the frames with protobuf-c's. */
    FRAME_RECORDS = HANSE__FRAME__BODY_RECORDS << 3 | 2,
    RECORDS_ROOM = 1 << 3 | 2,
    RECORDS_RECORD = 2 << 3 | 2,
    RECORDS_HEAD = 3 << 3 | 2,
    RECORDS_DESCRIPTOR = 4 << 3 | 2,
    RECORDS_RETENTION = 5 << 3, /* a varint */
    HEADER = 1 << 3 | 2,        /* of a RoomEntry and of a Record */
    BODY = 2 << 3 | 2,
    RECORD_BLOB = 3 << 3 | 2, /* of a Record ... */
    ENTRY_BLOB = 7 << 3 | 2,  /* ... and of a RoomEntry: of posts, whose next field it is */
    HEADROOM = 2 + 5          /* for the frame's tag and length, which is known at the end */
};

static size_t varint_len(size_t value)
{
    size_t len = 1;
    for (; value >= 0x80; value >>= 7)
        len++;
    return len;
}

/* What a field of bytes takes; nothing where it is empty. */
static size_t field_len(struct hs_bytes bytes)
{
    return bytes.len > 0 ? 1 + varint_len(bytes.len) + bytes.len : 0;
}

static void write_field(struct hs_writer *w, uint8_t tag, struct hs_bytes bytes)
{
    if (bytes.len == 0)
        return;
    hs_write_u8(w, tag);
    hs_write_pb_varint(w, bytes.len);
    hs_write_bytes(w, bytes);
}

/* Takes a field with that tag off the front; empty, taking nothing, where another one or none stands there.
 */
static struct hs_bytes take_field(struct hs_bytes *in, uint8_t tag)
{
    size_t at = 1, len = 0;
    if (in->len == 0 || in->data[0] != tag)
        return (struct hs_bytes){0};
    for (unsigned shift = 0; at < in->len && shift < 32; shift += 7) {
        uint8_t byte = in->data[at++];
        len |= (size_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            break;
    }
    if (len > in->len - at)
        return (struct hs_bytes){0};
    struct hs_bytes out = hs_bytes(in->data + at, len);
    *in = hs_bytes(in->data + at + len, in->len - at - len);
    return out;
}

struct hs_pack hs_pack_begin(struct hs_writer *w, const struct hs_id *room)
{
    w->len = 0; /* records are public: nothing to wipe */
    (void)hs_writer_reserve(w, HEADROOM);
    write_field(w, RECORDS_ROOM, HS_VIEW(*room));
    return (struct hs_pack){.w = w};
}

bool hs_pack_add(struct hs_pack *p, struct hs_bytes entry, size_t fill)
{
    struct hs_bytes header = take_field(&entry, HEADER), body = take_field(&entry, BODY);
    size_t len = field_len(header) + field_len(body);
    struct hs_bytes rest = entry, blob;
    while ((blob = take_field(&rest, ENTRY_BLOB)).len > 0)
        len += field_len(blob);
    if (header.len == 0) {
        hs_writer_fail(p->w, HS_ERR_STORE); /* one's own bytes are never malformed */
        return false;
    }
    if (p->records > 0 && p->w->len + len > fill)
        return false;
    hs_write_u8(p->w, RECORDS_RECORD);
    hs_write_pb_varint(p->w, len);
    write_field(p->w, HEADER, header);
    write_field(p->w, BODY, body);
    while ((blob = take_field(&entry, ENTRY_BLOB)).len > 0)
        write_field(p->w, RECORD_BLOB, blob);
    p->records++;
    return p->w->err == HS_OK;
}

/* The tag and length of the frame's one field stand right before what it holds. */
struct hs_bytes hs_pack_end(struct hs_pack *p, struct hs_bytes head, struct hs_bytes descriptor,
                            int64_t retention_ms)
{
    struct hs_writer *w = p->w;
    write_field(w, RECORDS_HEAD, head);
    write_field(w, RECORDS_DESCRIPTOR, descriptor);
    if (retention_ms != 0) {
        hs_write_u8(w, RECORDS_RETENTION);
        hs_write_pb_varint(w, (uint64_t)retention_ms);
    }
    if (w->err != HS_OK)
        return (struct hs_bytes){0};
    size_t len = w->len - HEADROOM, start = HEADROOM - 2 - varint_len(len);
    uint8_t *at = w->data + start;
    *at++ = (uint8_t)(FRAME_RECORDS & 0x7f) | 0x80;
    *at++ = (uint8_t)(FRAME_RECORDS >> 7);
    for (size_t rest = len; at < w->data + HEADROOM; rest >>= 7)
        *at++ = (uint8_t)((rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0));
    return hs_bytes(w->data + start, w->len - start);
}

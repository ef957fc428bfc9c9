#include "wire/frame.h"

#include "base/reader.h"

_Static_assert(HS_FRAME_MAX < 1 << (7 * HS_FRAME_HEADER_MAX), "the longest frame fits the longest header");

struct hs_frames hs_frames(size_t limit)
{
    HS_ASSERT(limit <= HS_FRAME_MAX);
    return (struct hs_frames){.limit = limit, .part = hs_writer(HS_FRAME_MAX)};
}

void hs_frames_set_limit(struct hs_frames *f, size_t limit)
{
    HS_ASSERT(limit <= HS_FRAME_MAX);
    f->limit = limit;
}

void hs_frames_free(struct hs_frames *f)
{
    hs_writer_free(&f->part);
}

/* One more byte of the header. */
static enum hs_err read_header(struct hs_frames *f, uint8_t byte)
{
    bool last = (byte & 0x80) == 0;
    f->length |= (size_t)(byte & 0x7f) << (7 * f->header);
    f->header++;
    HS_REQUIRE(last || f->header < HS_FRAME_HEADER_MAX, HS_ERR_TOO_LARGE);
    HS_REQUIRE(f->length <= f->limit, HS_ERR_TOO_LARGE);
    if (!last)
        return HS_OK;
    HS_REQUIRE(byte != 0, HS_ERR_MALFORMED); /* a length of 0, or a longer way to say a shorter one */
    f->has_length = true;
    return HS_OK;
}

/* Forgets the frame that the caller has had. */
static void start_over(struct hs_frames *f)
{
    hs_writer_free(&f->part);
    f->length = 0;
    f->header = 0;
    f->has_length = false;
    f->given = false;
}

static struct hs_bytes take(struct hs_bytes *in, size_t len)
{
    struct hs_bytes out = hs_bytes(in->data, len);
    *in = hs_bytes(in->data + len, in->len - len);
    return out;
}

enum hs_err hs_frames_next(struct hs_frames *f, struct hs_bytes *in, struct hs_bytes *frame)
{
    *frame = (struct hs_bytes){0};
    if (f->given)
        start_over(f);
    while (!f->has_length && in->len > 0)
        HS_TRY(read_header(f, take(in, 1).data[0]));
    if (!f->has_length || in->len == 0)
        return HS_OK;
    size_t missing = f->length - f->part.len;
    if (f->part.len == 0 && in->len >= missing) {
        *frame = take(in, missing);
        f->given = true;
        return HS_OK;
    }
    hs_write_bytes(&f->part, take(in, in->len < missing ? in->len : missing));
    HS_TRY(f->part.err);
    if (f->part.len == f->length) {
        *frame = hs_writer_bytes(&f->part);
        f->given = true;
    }
    return HS_OK;
}

size_t hs_frame_header(size_t len, uint8_t out[static HS_FRAME_HEADER_MAX])
{
    HS_ASSERT(len > 0 && len <= HS_FRAME_MAX);
    size_t used = 0;
    for (; len >= 0x80; len >>= 7)
        out[used++] = (uint8_t)(len | 0x80);
    out[used++] = (uint8_t)len;
    return used;
}

void hs_frame_write(struct hs_writer *w, struct hs_bytes body)
{
    uint8_t header[HS_FRAME_HEADER_MAX];
    if (body.len == 0 || body.len > HS_FRAME_MAX) {
        hs_writer_fail(w, HS_ERR_INVALID_ARG);
        return;
    }
    hs_write_bytes(w, hs_bytes(header, hs_frame_header(body.len, header)));
    hs_write_bytes(w, body);
}

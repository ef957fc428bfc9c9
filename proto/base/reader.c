#include "base/reader.h"

struct hs_reader hs_reader(struct hs_bytes in)
{
    static const uint8_t nothing[1];
    const uint8_t *start = in.data != NULL ? in.data : nothing;
    return (struct hs_reader){.pos = start, .end = start + in.len, .err = HS_OK};
}

size_t hs_reader_left(const struct hs_reader *r)
{
    return r->err == HS_OK ? (size_t)(r->end - r->pos) : 0;
}

void hs_reader_fail(struct hs_reader *r, enum hs_err err)
{
    if (r->err == HS_OK)
        r->err = err;
}

struct hs_bytes hs_read_bytes(struct hs_reader *r, size_t len)
{
    if (len > hs_reader_left(r)) {
        hs_reader_fail(r, HS_ERR_MALFORMED);
        return (struct hs_bytes){0};
    }
    struct hs_bytes out = hs_bytes(r->pos, len);
    r->pos += len;
    return out;
}

void hs_read_fixed(struct hs_reader *r, uint8_t *out, size_t len)
{
    struct hs_bytes in = hs_read_bytes(r, len);
    if (in.data != NULL && len > 0)
        memcpy(out, in.data, len);
    else
        memset(out, 0, len);
}

static uint64_t read_be(struct hs_reader *r, size_t len)
{
    struct hs_bytes in = hs_read_bytes(r, len);
    uint64_t value = 0;
    for (size_t i = 0; i < in.len; i++)
        value = value << 8 | in.data[i];
    return value;
}

uint8_t hs_read_u8(struct hs_reader *r)
{
    return (uint8_t)read_be(r, 1);
}

uint16_t hs_read_u16(struct hs_reader *r)
{
    return (uint16_t)read_be(r, 2);
}

uint32_t hs_read_u32(struct hs_reader *r)
{
    return (uint32_t)read_be(r, 4);
}

uint64_t hs_read_u64(struct hs_reader *r)
{
    return read_be(r, 8);
}

uint32_t hs_read_mls_len(struct hs_reader *r)
{
    uint8_t first = hs_read_u8(r);
    unsigned prefix = first >> 6;
    uint32_t value = first & 0x3f;
    if (prefix == 3) {
        hs_reader_fail(r, HS_ERR_MALFORMED);
        return 0;
    }
    size_t more = ((size_t)1 << prefix) - 1;
    for (size_t i = 0; i < more; i++)
        value = value << 8 | hs_read_u8(r);
    bool minimal = prefix == 0 || (prefix == 1 && value > 0x3f) || (prefix == 2 && value > 0x3fff);
    if (!minimal)
        hs_reader_fail(r, HS_ERR_MALFORMED);
    return r->err == HS_OK ? value : 0;
}

struct hs_bytes hs_read_mls_vec(struct hs_reader *r)
{
    uint32_t len = hs_read_mls_len(r);
    return hs_read_bytes(r, len);
}

struct hs_reader hs_read_mls_sub(struct hs_reader *r)
{
    struct hs_reader sub = hs_reader(hs_read_mls_vec(r));
    sub.err = r->err;
    return sub;
}

uint64_t hs_read_pb_varint(struct hs_reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t byte = hs_read_u8(r);
        bool last = (byte & 0x80) == 0;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!last)
            continue;
        if (byte == 0 && shift > 0)
            break; /* overlong: a shorter encoding exists */
        return r->err == HS_OK ? value : 0;
    }
    hs_reader_fail(r, HS_ERR_MALFORMED);
    return 0;
}

enum hs_err hs_reader_finish(const struct hs_reader *r)
{
    if (r->err != HS_OK)
        return r->err;
    return r->pos == r->end ? HS_OK : HS_ERR_MALFORMED;
}

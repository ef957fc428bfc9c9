#include "base/writer.h"

#include <stdlib.h>

enum { FIRST_SIZE = 256 };

struct hs_writer hs_writer(size_t cap)
{
    return (struct hs_writer){.cap = cap};
}

void hs_writer_fail(struct hs_writer *w, enum hs_err err)
{
    if (w->err == HS_OK)
        w->err = err;
}

/* Grown by hand rather than by realloc so that the old memory can be wiped. */
static bool grow(struct hs_writer *w, size_t need)
{
    size_t size = w->size > 0 ? w->size : FIRST_SIZE;
    while (size < need)
        size *= 2;
    uint8_t *data = malloc(size);
    if (data == NULL) {
        hs_writer_fail(w, HS_ERR_NOMEM);
        return false;
    }
    if (w->len > 0)
        memcpy(data, w->data, w->len);
    hs_wipe(w->data, w->size);
    free(w->data);
    w->data = data;
    w->size = size;
    return true;
}

uint8_t *hs_writer_reserve(struct hs_writer *w, size_t len)
{
    if (w->err != HS_OK)
        return NULL;
    if (len > w->cap || w->len > w->cap - len) {
        hs_writer_fail(w, HS_ERR_TOO_LARGE);
        return NULL;
    }
    if ((w->data == NULL || w->len + len > w->size) && !grow(w, w->len + len))
        return NULL;
    uint8_t *out = w->data + w->len;
    w->len += len;
    return out;
}

void hs_write_bytes(struct hs_writer *w, struct hs_bytes bytes)
{
    uint8_t *out = hs_writer_reserve(w, bytes.len);
    if (out != NULL && bytes.len > 0)
        memcpy(out, bytes.data, bytes.len);
}

static void write_be(struct hs_writer *w, uint64_t value, size_t len)
{
    uint8_t *out = hs_writer_reserve(w, len);
    if (out == NULL)
        return;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
}

void hs_write_u8(struct hs_writer *w, uint8_t value)
{
    write_be(w, value, 1);
}

void hs_write_u16(struct hs_writer *w, uint16_t value)
{
    write_be(w, value, 2);
}

void hs_write_u32(struct hs_writer *w, uint32_t value)
{
    write_be(w, value, 4);
}

void hs_write_u64(struct hs_writer *w, uint64_t value)
{
    write_be(w, value, 8);
}

void hs_write_mls_len(struct hs_writer *w, size_t len)
{
    if (len <= 0x3f)
        hs_write_u8(w, (uint8_t)len);
    else if (len <= 0x3fff)
        hs_write_u16(w, (uint16_t)(len | 0x4000));
    else if (len <= 0x3fffffff)
        hs_write_u32(w, (uint32_t)(len | 0x80000000));
    else
        hs_writer_fail(w, HS_ERR_TOO_LARGE);
}

void hs_write_mls_vec(struct hs_writer *w, struct hs_bytes bytes)
{
    hs_write_mls_len(w, bytes.len);
    hs_write_bytes(w, bytes);
}

size_t hs_writer_open(struct hs_writer *w)
{
    return w->len;
}

/* The length's own size is known only now, so the content moves up by 1, 2 or 4 bytes. */
void hs_writer_close(struct hs_writer *w, size_t mark)
{
    if (w->err != HS_OK)
        return;
    size_t content = w->len - mark;
    hs_write_mls_len(w, content);
    if (w->err != HS_OK)
        return;
    size_t header = w->len - mark - content;
    uint8_t prefix[4];
    memcpy(prefix, w->data + w->len - header, header);
    memmove(w->data + mark + header, w->data + mark, content);
    memcpy(w->data + mark, prefix, header);
}

void hs_write_pb_varint(struct hs_writer *w, uint64_t value)
{
    while (value >= 0x80) {
        hs_write_u8(w, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    hs_write_u8(w, (uint8_t)value);
}

void hs_writer_drop(struct hs_writer *w, size_t len)
{
    HS_ASSERT(len <= w->len);
    if (len == 0)
        return;
    memmove(w->data, w->data + len, w->len - len);
    hs_wipe(w->data + w->len - len, len);
    w->len -= len;
}

void hs_writer_reset(struct hs_writer *w)
{
    hs_wipe(w->data, w->len);
    w->len = 0;
    w->err = HS_OK;
}

struct hs_bytes hs_writer_bytes(const struct hs_writer *w)
{
    return w->err == HS_OK ? hs_bytes(w->data, w->len) : (struct hs_bytes){0};
}

uint8_t *hs_writer_steal(struct hs_writer *w, size_t *len)
{
    uint8_t *data = w->data;
    *len = w->len;
    *w = (struct hs_writer){.cap = w->cap};
    return data;
}

void hs_writer_free(struct hs_writer *w)
{
    hs_wipe(w->data, w->size);
    free(w->data);
    *w = (struct hs_writer){.cap = w->cap};
}

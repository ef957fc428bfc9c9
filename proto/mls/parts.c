#include "mls/parts.h"

void hs_mls_parts_begin(struct hs_mls_parts *parts)
{
    parts->count = parts->used = 0;
    parts->err = HS_OK;
}

void hs_mls_parts_add(struct hs_mls_parts *parts, struct hs_bytes bytes)
{
    if (bytes.len == 0)
        return;
    HS_ASSERT(parts->count < HS_MLS_PARTS_MAX);
    parts->list[parts->count++] = bytes;
}

void hs_mls_parts_list(struct hs_mls_parts *parts, const struct hs_bytes *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hs_mls_parts_add(parts, list[i]);
}

void hs_mls_parts_number(struct hs_mls_parts *parts, uint64_t number, unsigned bytes)
{
    uint8_t *out = parts->scratch + parts->used;
    HS_ASSERT(parts->used + bytes <= sizeof parts->scratch);
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(number >> (8 * (bytes - 1 - i)));
    parts->used += bytes;
    struct hs_bytes *last = parts->count > 0 ? &parts->list[parts->count - 1] : NULL;
    if (last != NULL && last->data + last->len == out)
        last->len += bytes;
    else
        hs_mls_parts_add(parts, hs_bytes(out, bytes));
}

void hs_mls_parts_len(struct hs_mls_parts *parts, size_t len)
{
    if (len <= 0x3f)
        hs_mls_parts_number(parts, len, 1);
    else if (len <= 0x3fff)
        hs_mls_parts_number(parts, len | 0x4000, 2);
    else if (len <= 0x3fffffff)
        hs_mls_parts_number(parts, len | 0x80000000, 4);
    else
        parts->err = HS_ERR_TOO_LARGE;
}

void hs_mls_parts_vec(struct hs_mls_parts *parts, struct hs_bytes bytes)
{
    hs_mls_parts_len(parts, bytes.len);
    hs_mls_parts_add(parts, bytes);
}

size_t hs_mls_parts_total(const struct hs_mls_parts *parts)
{
    size_t total = 0;
    for (size_t i = 0; i < parts->count; i++)
        total += parts->list[i].len;
    return total;
}

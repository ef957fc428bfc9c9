#include "store/row.h"

#include "base/reader.h"
#include "base/writer.h"

enum { ROW_VERSION = 1 };

/* A row holds at most a file's worth of objects (an order with all its offers). */
enum { ROW_MAX = 4 << 20 };

static void field_write(struct hs_writer *w, const struct hs_field *field, const void *at)
{
    uint32_t u32;
    uint64_t u64;
    switch (field->kind) {
    case HS_FIELD_U32:
        memcpy(&u32, at, sizeof u32);
        hs_write_u32(w, u32);
        break;
    case HS_FIELD_U64:
        memcpy(&u64, at, sizeof u64);
        hs_write_u64(w, u64);
        break;
    case HS_FIELD_BOOL:
        hs_write_u8(w, *(const bool *)at ? 1 : 0);
        break;
    case HS_FIELD_FIXED:
        hs_write_bytes(w, hs_bytes(at, field->size));
        break;
    case HS_FIELD_TEXT:
        hs_write_mls_vec(w, hs_bytes_str(at));
        break;
    case HS_FIELD_BYTES:
        hs_write_mls_vec(w, *(const struct hs_bytes *)at);
        break;
    }
}

static void text_read(struct hs_reader *r, char *at, size_t size)
{
    struct hs_bytes text = hs_read_mls_vec(r);
    if (text.len >= size) {
        hs_reader_fail(r, HS_ERR_STORE);
        return;
    }
    if (text.len > 0)
        memcpy(at, text.data, text.len);
    at[text.len] = '\0';
}

static void field_read(struct hs_reader *r, const struct hs_field *field, void *at)
{
    uint32_t u32;
    uint64_t u64;
    switch (field->kind) {
    case HS_FIELD_U32:
        u32 = hs_read_u32(r);
        memcpy(at, &u32, sizeof u32);
        break;
    case HS_FIELD_U64:
        u64 = hs_read_u64(r);
        memcpy(at, &u64, sizeof u64);
        break;
    case HS_FIELD_BOOL:
        *(bool *)at = hs_read_u8(r) != 0;
        break;
    case HS_FIELD_FIXED:
        hs_read_fixed(r, at, field->size);
        break;
    case HS_FIELD_TEXT:
        text_read(r, at, field->size);
        break;
    case HS_FIELD_BYTES:
        *(struct hs_bytes *)at = hs_read_mls_vec(r);
        break;
    }
}

void hs_row_put(struct hs_kv *kv, const struct hs_row_type *type, struct hs_bytes key, const void *row)
{
    struct hs_writer HS_WRITER w = hs_writer(ROW_MAX);
    hs_write_u8(&w, ROW_VERSION);
    for (size_t i = 0; i < type->count; i++)
        field_write(&w, &type->fields[i], (const uint8_t *)row + type->fields[i].offset);
    if (w.err != HS_OK && kv->err == HS_OK)
        kv->err = w.err;
    hs_kv_put(kv, type->table, key, hs_writer_bytes(&w));
}

static bool row_read(struct hs_kv *kv, const struct hs_row_type *type, struct hs_bytes value, void *row)
{
    struct hs_reader r = hs_reader(value);
    memset(row, 0, type->size);
    bool known = hs_read_u8(&r) == ROW_VERSION;
    for (size_t i = 0; known && i < type->count && hs_reader_left(&r) > 0; i++)
        field_read(&r, &type->fields[i], (uint8_t *)row + type->fields[i].offset);
    if (!known || hs_reader_finish(&r) != HS_OK) {
        kv->err = HS_ERR_STORE;
        memset(row, 0, type->size);
        return false;
    }
    return true;
}

bool hs_row_get(struct hs_kv *kv, const struct hs_row_type *type, struct hs_bytes key, struct hs_arena *arena,
                void *row)
{
    struct hs_bytes value;
    memset(row, 0, type->size);
    return hs_kv_get(kv, type->table, key, arena, &value) && row_read(kv, type, value, row);
}

bool hs_row_next(struct hs_kv *kv, const struct hs_row_type *type, struct hs_bytes prefix,
                 struct hs_kv_key *cursor, struct hs_arena *arena, struct hs_bytes *key, void *row)
{
    struct hs_bytes found, value;
    memset(row, 0, type->size);
    if (!hs_kv_next(kv, type->table, prefix, hs_kv_key_bytes(cursor), arena, &found, &value))
        return false;
    *cursor = hs_kv_after(found);
    if (key != NULL)
        *key = found;
    return row_read(kv, type, value, row);
}

struct hs_kv_key hs_row_key1(struct hs_bytes part)
{
    struct hs_kv_key key = {0};
    hs_kv_key_add(&key, part);
    return key;
}

struct hs_kv_key hs_row_key2(struct hs_bytes a, struct hs_bytes b)
{
    struct hs_kv_key key = hs_row_key1(a);
    hs_kv_key_add(&key, b);
    return key;
}

struct hs_kv_key hs_row_key_seq(struct hs_bytes part, uint64_t number)
{
    struct hs_kv_key key = hs_row_key1(part);
    hs_kv_key_add_u64(&key, number);
    return key;
}

/* Rows: structs as bytes, by a table of their fields. A row's value is a version byte and then the fields in
 * the table's order; fields are only ever added at the end, and a row written before reads as zero there. */
#ifndef HS_STORE_ROW_H
#define HS_STORE_ROW_H

#include "base/kv.h"

#include <stddef.h>

enum hs_field_kind {
    HS_FIELD_U32, /* uint32_t, int32_t or an enum of that size */
    HS_FIELD_U64, /* uint64_t or int64_t */
    HS_FIELD_BOOL,
    HS_FIELD_FIXED, /* an array of bytes */
    HS_FIELD_TEXT,  /* a char array with its NUL */
    HS_FIELD_BYTES  /* struct hs_bytes: in the arena after reading */
};

struct hs_field {
    enum hs_field_kind kind;
    size_t offset, size;
};

#define HS_FIELD(kind, type, member)                                                                         \
    {                                                                                                        \
        HS_FIELD_##kind, offsetof(type, member), sizeof(((type *)0)->member)                                 \
    }

enum { HS_ROW_ARENA = 16 << 20 /* room for one row of any table while a whole table is walked */ };

struct hs_row_type {
    unsigned table;
    size_t size; /* of the struct */
    const struct hs_field *fields;
    size_t count;
};

#define HS_ROW_TYPE(table, type, fields)                                                                     \
    {                                                                                                        \
        table, sizeof(type), fields, sizeof(fields) / sizeof *(fields)                                       \
    }

void hs_row_put(struct hs_kv *kv, const struct hs_row_type *type, struct hs_bytes key, const void *row);

/* False where it isn't there. A row that can't be read sticks STORE to the transaction. */
bool hs_row_get(struct hs_kv *kv, const struct hs_row_type *type, struct hs_bytes key, struct hs_arena *arena,
                void *row);

/* The first row whose key is >= *cursor and starts with prefix; moves *cursor behind it. Start with the
 * prefix as cursor. key may be NULL. */
bool hs_row_next(struct hs_kv *kv, const struct hs_row_type *type, struct hs_bytes prefix,
                 struct hs_kv_key *cursor, struct hs_arena *arena, struct hs_bytes *key, void *row);

/* A cursor, or a key, of one or more parts. */
struct hs_kv_key hs_row_key1(struct hs_bytes part);
struct hs_kv_key hs_row_key2(struct hs_bytes a, struct hs_bytes b);
struct hs_kv_key hs_row_key_seq(struct hs_bytes part, uint64_t number);

#endif

#include "store/posts.h"

#include "store/tables.h"

static const struct hs_field message_fields[] = {
    HS_FIELD(U64, struct hs_message_row, seq),
    HS_FIELD(U32, struct hs_message_row, kind),
    HS_FIELD(U32, struct hs_message_row, err),
    HS_FIELD(U64, struct hs_message_row, time),
    HS_FIELD(BOOL, struct hs_message_row, own),
    HS_FIELD(FIXED, struct hs_message_row, sender.key),
    HS_FIELD(TEXT, struct hs_message_row, sender.handle),
    HS_FIELD(TEXT, struct hs_message_row, sender.name),
    HS_FIELD(FIXED, struct hs_message_row, object),
    HS_FIELD(BYTES, struct hs_message_row, text),
    HS_FIELD(U64, struct hs_message_row, last),
    HS_FIELD(U64, struct hs_message_row, missing),
};
static const struct hs_row_type message_type =
    HS_ROW_TYPE(HS_TABLE_MESSAGE, struct hs_message_row, message_fields);

static const struct hs_field outbox_fields[] = {
    HS_FIELD(U64, struct hs_outbox_row, number),      HS_FIELD(U32, struct hs_outbox_row, kind),
    HS_FIELD(FIXED, struct hs_outbox_row, room),      HS_FIELD(BYTES, struct hs_outbox_row, frame),
    HS_FIELD(FIXED, struct hs_outbox_row, body_hash), HS_FIELD(U64, struct hs_outbox_row, epoch),
    HS_FIELD(BYTES, struct hs_outbox_row, content),   HS_FIELD(BOOL, struct hs_outbox_row, stale),
    HS_FIELD(BOOL, struct hs_outbox_row, again),      HS_FIELD(BOOL, struct hs_outbox_row, parting),
    HS_FIELD(BOOL, struct hs_outbox_row, sent),       HS_FIELD(BOOL, struct hs_outbox_row, unseen),
};
static const struct hs_row_type outbox_type =
    HS_ROW_TYPE(HS_TABLE_OUTBOX, struct hs_outbox_row, outbox_fields);

static const struct hs_field join_fields[] = {
    HS_FIELD(FIXED, struct hs_join_row, ref),         HS_FIELD(BOOL, struct hs_join_row, counter),
    HS_FIELD(FIXED, struct hs_join_row, room),        HS_FIELD(FIXED, struct hs_join_row, hub_root),
    HS_FIELD(FIXED, struct hs_join_row, persona),     HS_FIELD(BYTES, struct hs_join_row, descriptor),
    HS_FIELD(BYTES, struct hs_join_row, key_package), HS_FIELD(BYTES, struct hs_join_row, priv),
    HS_FIELD(BYTES, struct hs_join_row, body),        HS_FIELD(BOOL, struct hs_join_row, bound),
    HS_FIELD(BOOL, struct hs_join_row, asked),        HS_FIELD(U64, struct hs_join_row, made),
    HS_FIELD(FIXED, struct hs_join_row, office_root), HS_FIELD(U64, struct hs_join_row, joined_at),
    HS_FIELD(U32, struct hs_join_row, hub_term),      HS_FIELD(U64, struct hs_join_row, asked_at),
    HS_FIELD(BOOL, struct hs_join_row, soon),         HS_FIELD(U64, struct hs_join_row, looked_at),
    HS_FIELD(U64, struct hs_join_row, fetch_at),      HS_FIELD(BOOL, struct hs_join_row, dropped),
};
static const struct hs_row_type join_type = HS_ROW_TYPE(HS_TABLE_JOIN, struct hs_join_row, join_fields);

void hs_message_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_message_row *row)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), row->seq);
    hs_row_put(kv, &message_type, hs_kv_key_bytes(&key), row);
}

bool hs_message_next(struct hs_kv *kv, const struct hs_id *room, uint64_t from, struct hs_arena *arena,
                     struct hs_message_row *out)
{
    struct hs_kv_key cursor = hs_row_key_seq(HS_VIEW(*room), from);
    return hs_row_next(kv, &message_type, HS_VIEW(*room), &cursor, arena, NULL, out);
}

bool hs_content_note(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *content_id)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*content_id));
    if (hs_kv_has(kv, HS_TABLE_CONTENT, hs_kv_key_bytes(&key)))
        return false;
    hs_kv_put(kv, HS_TABLE_CONTENT, hs_kv_key_bytes(&key), hs_bytes_str("1"));
    return true;
}

static struct hs_kv_key outbox_key(uint64_t number)
{
    return hs_row_key_seq((struct hs_bytes){0}, number);
}

bool hs_outbox_row_get(struct hs_kv *kv, uint64_t number, struct hs_arena *arena, struct hs_outbox_row *out)
{
    struct hs_kv_key key = outbox_key(number);
    return hs_row_get(kv, &outbox_type, hs_kv_key_bytes(&key), arena, out);
}

bool hs_outbox_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                        struct hs_outbox_row *out)
{
    return hs_row_next(kv, &outbox_type, (struct hs_bytes){0}, cursor, arena, NULL, out);
}

struct hs_kv_key hs_outbox_cursor(uint64_t after)
{
    return outbox_key(after + 1);
}

/* Rows are found by the body of their record as well. A row without one (yet) isn't in that index. */
static bool body_key(const struct hs_outbox_row *row, struct hs_kv_key *key)
{
    static const struct hs_id none;
    *key = hs_row_key2(HS_VIEW(row->room), HS_VIEW(row->body_hash));
    return !hs_id_equal(&row->body_hash, &none);
}

/* Takes the index entry of the row as it is stored away; the row may be large, so it gets memory of its own.
 */
static void body_forget(struct hs_kv *kv, uint64_t number)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
    struct hs_kv_key key;
    struct hs_outbox_row row;
    if (hs_outbox_row_get(kv, number, &scratch, &row) && body_key(&row, &key))
        hs_kv_del(kv, HS_TABLE_OUTBOX_BODY, hs_kv_key_bytes(&key));
}

bool hs_outbox_row_find(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *body_hash,
                        struct hs_arena *arena, struct hs_outbox_row *out)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*body_hash));
    struct hs_bytes number;
    memset(out, 0, sizeof *out);
    return hs_kv_get(kv, HS_TABLE_OUTBOX_BODY, hs_kv_key_bytes(&key), arena, &number) &&
           hs_outbox_row_get(kv, hs_kv_u64(number), arena, out);
}

size_t hs_outbox_row_count(struct hs_kv *kv)
{
    struct hs_kv_key cursor = {0};
    size_t count = 0;
    for (bool more = true; more;) {
        struct hs_arena HS_ARENA scratch = hs_arena(HS_ROW_ARENA);
        struct hs_outbox_row row;
        more = hs_outbox_row_next(kv, &cursor, &scratch, &row);
        count += more && !row.parting && row.kind != HS_OUTBOX_ORDER_OUT;
    }
    return count;
}

void hs_outbox_row_put(struct hs_kv *kv, const struct hs_outbox_row *row)
{
    struct hs_kv_key key = outbox_key(row->number), body, number = {0};
    if (hs_kv_has(kv, HS_TABLE_OUTBOX, hs_kv_key_bytes(&key)))
        body_forget(kv, row->number);
    hs_row_put(kv, &outbox_type, hs_kv_key_bytes(&key), row);
    hs_kv_key_add_u64(&number, row->number);
    if (body_key(row, &body))
        hs_kv_put(kv, HS_TABLE_OUTBOX_BODY, hs_kv_key_bytes(&body), hs_kv_key_bytes(&number));
}

void hs_outbox_row_delete(struct hs_kv *kv, uint64_t number)
{
    struct hs_kv_key key = outbox_key(number);
    body_forget(kv, number);
    hs_kv_del(kv, HS_TABLE_OUTBOX, hs_kv_key_bytes(&key));
}

bool hs_join_row_get(struct hs_kv *kv, const struct hs_id *ref, struct hs_arena *arena,
                     struct hs_join_row *out)
{
    return hs_row_get(kv, &join_type, HS_VIEW(*ref), arena, out);
}

bool hs_join_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                      struct hs_join_row *out)
{
    return hs_row_next(kv, &join_type, (struct hs_bytes){0}, cursor, arena, NULL, out);
}

void hs_join_row_put(struct hs_kv *kv, const struct hs_join_row *row)
{
    hs_row_put(kv, &join_type, HS_VIEW(row->ref), row);
}

void hs_join_row_delete(struct hs_kv *kv, const struct hs_id *ref)
{
    hs_kv_del(kv, HS_TABLE_JOIN, HS_VIEW(*ref));
}

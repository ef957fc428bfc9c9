/* What a device shows, and what is in its store. */
#include "sweep_real.h"

#include "api/handle.h"
#include "store/tables.h"

#include <string.h>

size_t real_lines(struct hanse *h, const struct hanse_id *room, enum hanse_message_kind kind,
                  const char *text)
{
    struct hanse_message message;
    size_t n = 0;
    for (uint64_t at = 0; hanse_message_next(h, room, at, &message) == HANSE_OK; at = message.seq + 1)
        n += message.kind == kind && (text == NULL || strcmp(message.text, text) == 0) ? 1 : 0;
    return n;
}

size_t real_rows(struct hanse *h, unsigned table)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 26);
    struct hs_kv_key from = {0};
    struct hs_bytes key;
    struct hs_kv *kv;
    size_t n = 0;
    FAULT_CHECK(hs_db_begin_read(h->db, &kv) == HS_OK, "its store can't be read");
    for (; hs_kv_next(kv, table, (struct hs_bytes){0}, hs_kv_key_bytes(&from), &arena, &key, NULL); n++)
        from = hs_kv_after(key);
    FAULT_CHECK(kv->err == HS_OK, "table %u of its store: %s", table, hs_err_name(kv->err));
    hs_db_end_read(h->db);
    return n;
}

void real_check_store(const struct member *m)
{
    struct hs_db *db;
    struct hs_kv *kv;
    struct hs_bytes key, value;
    enum hs_err err = hs_db_open(m->dir, m->key, &db);
    FAULT_CHECK(err == HS_OK, "its store doesn't open afterwards: %s", hs_err_name(err));
    FAULT_CHECK(hs_db_begin_read(db, &kv) == HS_OK, "its store can't be read");
    for (unsigned table = 0; table < HS_TABLE_COUNT; table++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 26);
        struct hs_kv_key from = {0};
        while (hs_kv_next(kv, table, (struct hs_bytes){0}, hs_kv_key_bytes(&from), &arena, &key, &value))
            from = hs_kv_after(key);
        FAULT_CHECK(kv->err == HS_OK, "table %u of its store: %s", table, hs_err_name(kv->err));
    }
    hs_db_end_read(db);
    hs_db_close(db);
}

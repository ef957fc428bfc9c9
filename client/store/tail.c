#include "store/tail.h"

#include "object/hdr.h"
#include "room/log.h"
#include "store/tables.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum {
    HINT = HS_HASH_LEN + 2,
    ROW_MAX = HS_RECORD_HEADER_MAX + HS_RECORD_BODY_MAX + HS_BLOBS_MAX * HINT + 64
};

/* Numbers of heads, behind those of all records. */
#define HEADS_FROM (UINT64_MAX - HS_HEAD_NEWEST)

static struct hs_kv_key head_key(const struct hs_id *room, enum hs_head_place place)
{
    return hs_row_key_seq(HS_VIEW(*room), HEADS_FROM + place);
}

static size_t hints_of(const Hanse__Record *record)
{
    for (size_t i = 0; i < record->n_blobs; i++)
        if (record->blobs[i].len != HS_HASH_LEN)
            return 0;
    return record->n_blobs <= HS_BLOBS_MAX ? record->n_blobs : 0;
}

void hs_tail_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, const Hanse__Record *record)
{
    struct hs_writer HS_WRITER w = hs_writer(ROW_MAX);
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), seq);
    Hanse__Record kept = HANSE__RECORD__INIT;
    kept.header = record->header;
    kept.body = record->body;
    kept.blobs = record->blobs;
    kept.n_blobs = hints_of(record);
    enum hs_err err = HS_PACK(&kept, &w);
    if (err != HS_OK) {
        if (kv->err == HS_OK)
            kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
        return;
    }
    hs_kv_put(kv, HS_TABLE_TAIL, hs_kv_key_bytes(&key), hs_writer_bytes(&w));
    if (seq < HS_TAIL_RECORDS)
        return;
    key = hs_row_key_seq(HS_VIEW(*room), seq - HS_TAIL_RECORDS);
    hs_kv_del(kv, HS_TABLE_TAIL, hs_kv_key_bytes(&key));
}

bool hs_tail_record_next(struct hs_kv *kv, const struct hs_id *room, uint64_t *from, struct hs_arena *arena,
                         Hanse__Record **record)
{
    struct hs_bytes key, value;
    struct hs_kv_key at = hs_row_key_seq(HS_VIEW(*room), *from);
    if (*from >= HEADS_FROM ||
        !hs_kv_next(kv, HS_TABLE_TAIL, HS_VIEW(*room), hs_kv_key_bytes(&at), arena, &key, &value))
        return false;
    uint64_t seq = hs_kv_u64(hs_bytes(key.data + sizeof room->b, key.len - sizeof room->b));
    if (seq >= HEADS_FROM)
        return false;
    *from = seq + 1;
    enum hs_err err = HS_UNPACK(hanse__record, value, HS_LENIENT, arena, record);
    if (err == HS_OK)
        return true;
    kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE; /* one's own bytes are never malformed */
    return false;
}

bool hs_tail_next(struct hs_kv *kv, const struct hs_id *room, uint64_t *from, struct hs_arena *arena,
                  struct hs_bytes *header, struct hs_bytes *body)
{
    Hanse__Record *record;
    if (!hs_tail_record_next(kv, room, from, arena, &record))
        return false;
    *header = hs_pb_bytes(record->header);
    *body = hs_pb_bytes(record->body);
    return true;
}

void hs_tail_head_put(struct hs_kv *kv, const struct hs_id *room, enum hs_head_place place,
                      struct hs_bytes head)
{
    struct hs_kv_key key = head_key(room, place);
    hs_kv_put(kv, HS_TABLE_TAIL, hs_kv_key_bytes(&key), head);
}

bool hs_tail_head_get(struct hs_kv *kv, const struct hs_id *room, enum hs_head_place place,
                      struct hs_arena *arena, struct hs_bytes *head)
{
    struct hs_kv_key key = head_key(room, place);
    return hs_kv_get(kv, HS_TABLE_TAIL, hs_kv_key_bytes(&key), arena, head);
}

void hs_evidence_put(struct hs_kv *kv, const struct hs_id *room, struct hs_bytes evidence)
{
    hs_kv_put(kv, HS_TABLE_EVIDENCE, HS_VIEW(*room), evidence);
}

bool hs_evidence_get(struct hs_kv *kv, const struct hs_id *room, struct hs_arena *arena,
                     struct hs_bytes *evidence)
{
    return hs_kv_get(kv, HS_TABLE_EVIDENCE, HS_VIEW(*room), arena, evidence);
}

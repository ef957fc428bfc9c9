#include "store/files.h"

#include "store/tables.h"

static const struct hs_field file_fields[] = {
    HS_FIELD(BYTES, struct hs_file_row, a.name),   HS_FIELD(BYTES, struct hs_file_row, a.media_type),
    HS_FIELD(U64, struct hs_file_row, a.size),     HS_FIELD(FIXED, struct hs_file_row, a.file),
    HS_FIELD(FIXED, struct hs_file_row, a.blob),   HS_FIELD(FIXED, struct hs_file_row, a.key),
    HS_FIELD(FIXED, struct hs_file_row, a.header), HS_FIELD(U64, struct hs_file_row, begun),
};
static const struct hs_row_type file_type = HS_ROW_TYPE(HS_TABLE_FILE, struct hs_file_row, file_fields);
static const struct hs_row_type upload_type = HS_ROW_TYPE(HS_TABLE_UPLOAD, struct hs_file_row, file_fields);

static const struct hs_field download_fields[] = {
    HS_FIELD(U64, struct hs_download_row, have),
    HS_FIELD(FIXED, struct hs_download_row, state),
    HS_FIELD(FIXED, struct hs_download_row, hash),
};
static const struct hs_row_type download_type =
    HS_ROW_TYPE(HS_TABLE_DOWNLOAD, struct hs_download_row, download_fields);

void hs_file_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, const struct hs_file_row *row)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), seq);
    hs_row_put(kv, &file_type, hs_kv_key_bytes(&key), row);
}

bool hs_file_get(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, struct hs_arena *arena,
                 struct hs_file_row *row)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), seq);
    return hs_row_get(kv, &file_type, hs_kv_key_bytes(&key), arena, row);
}

void hs_upload_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_file_row *row)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(row->a.file));
    hs_row_put(kv, &upload_type, hs_kv_key_bytes(&key), row);
}

bool hs_upload_get(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *file,
                   struct hs_arena *arena, struct hs_file_row *row)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*file));
    return hs_row_get(kv, &upload_type, hs_kv_key_bytes(&key), arena, row);
}

void hs_upload_delete(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *file)
{
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*room), HS_VIEW(*file));
    hs_kv_del(kv, HS_TABLE_UPLOAD, hs_kv_key_bytes(&key));
}

void hs_download_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq,
                     const struct hs_download_row *row)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), seq);
    hs_row_put(kv, &download_type, hs_kv_key_bytes(&key), row);
}

bool hs_download_get(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, struct hs_arena *arena,
                     struct hs_download_row *row)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), seq);
    return hs_row_get(kv, &download_type, hs_kv_key_bytes(&key), arena, row);
}

void hs_download_delete(struct hs_kv *kv, const struct hs_id *room, uint64_t seq)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*room), seq);
    hs_kv_del(kv, HS_TABLE_DOWNLOAD, hs_kv_key_bytes(&key));
}

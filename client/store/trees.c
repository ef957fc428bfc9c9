#include "store/trees.h"

#include "store/tables.h"

static const struct hs_field fields[] = {
    HS_FIELD(FIXED, struct hs_tree_row, hash), HS_FIELD(FIXED, struct hs_tree_row, room),
    HS_FIELD(U64, struct hs_tree_row, size),   HS_FIELD(U64, struct hs_tree_row, have),
    HS_FIELD(BYTES, struct hs_tree_row, item),
};
static const struct hs_row_type tree_type = HS_ROW_TYPE(HS_TABLE_TREE, struct hs_tree_row, fields);

bool hs_tree_row_get(struct hs_kv *kv, const struct hs_id *hash, struct hs_arena *arena,
                     struct hs_tree_row *out)
{
    return hs_row_get(kv, &tree_type, HS_VIEW(*hash), arena, out);
}

bool hs_tree_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                      struct hs_tree_row *out)
{
    return hs_row_next(kv, &tree_type, (struct hs_bytes){0}, cursor, arena, NULL, out);
}

void hs_tree_row_put(struct hs_kv *kv, const struct hs_tree_row *row)
{
    hs_row_put(kv, &tree_type, HS_VIEW(row->hash), row);
}

void hs_tree_row_delete(struct hs_kv *kv, const struct hs_id *hash)
{
    hs_kv_del(kv, HS_TABLE_TREE, HS_VIEW(*hash));
    hs_kv_del_prefix(kv, HS_TABLE_TREE_PIECE, HS_VIEW(*hash));
}

void hs_tree_piece_put(struct hs_kv *kv, const struct hs_id *hash, uint64_t offset, struct hs_bytes piece)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*hash), offset);
    hs_kv_put(kv, HS_TABLE_TREE_PIECE, hs_kv_key_bytes(&key), piece);
}

bool hs_tree_piece_get(struct hs_kv *kv, const struct hs_id *hash, uint64_t offset, struct hs_arena *arena,
                       struct hs_bytes *piece)
{
    struct hs_kv_key key = hs_row_key_seq(HS_VIEW(*hash), offset);
    return hs_kv_get(kv, HS_TABLE_TREE_PIECE, hs_kv_key_bytes(&key), arena, piece);
}

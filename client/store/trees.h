/* Ratchet trees on their way: a Welcome waits for the tree that it was sent without. */
#ifndef HS_STORE_TREES_H
#define HS_STORE_TREES_H

#include "store/row.h"

struct hs_tree_row {
    struct hs_id hash, room;
    uint64_t size, have;
    struct hs_bytes item; /* the WelcomeItem, as it came */
};
bool hs_tree_row_get(struct hs_kv *kv, const struct hs_id *hash, struct hs_arena *arena,
                     struct hs_tree_row *out);
bool hs_tree_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                      struct hs_tree_row *out);
void hs_tree_row_put(struct hs_kv *kv, const struct hs_tree_row *row);

/* The row and its pieces. */
void hs_tree_row_delete(struct hs_kv *kv, const struct hs_id *hash);

void hs_tree_piece_put(struct hs_kv *kv, const struct hs_id *hash, uint64_t offset, struct hs_bytes piece);

/* False where it isn't there. */
bool hs_tree_piece_get(struct hs_kv *kv, const struct hs_id *hash, uint64_t offset, struct hs_arena *arena,
                       struct hs_bytes *piece);

#endif

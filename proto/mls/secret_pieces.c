#include "mls/secret_pieces.h"

#include "mls/limits.h"

#include <stdlib.h>

enum { FIRST_SIZE = 64 };

static void piece_empty(struct hs_mls_piece *piece)
{
    if (piece->kind == HS_MLS_PIECE_SECRET) {
        hs_mls_secret_wipe(&piece->secret);
    } else {
        hs_mls_ratchet_free(piece->ratchet);
        piece->ratchet = NULL;
    }
}

static void piece_free(struct hs_mls_piece *piece)
{
    if (piece == NULL)
        return;
    piece_empty(piece);
    free(piece);
}

void hs_mls_pieces_free(struct hs_mls_pieces *pieces)
{
    for (size_t i = 0; i < pieces->size; i++)
        piece_free(pieces->slots[i]);
    free(pieces->slots);
    *pieces = (struct hs_mls_pieces){0};
}

/* Where the piece is, or would be. Places come in runs, so any odd factor spreads them well enough; no
 * stranger chooses them. */
static size_t slot_of(const struct hs_mls_pieces *pieces, uint32_t node, unsigned kind)
{
    uint32_t hash = (node << 2 | kind) * UINT32_C(2654435761);
    size_t slot = (hash ^ hash >> 15) & (pieces->size - 1);
    while (pieces->slots[slot] != NULL &&
           (pieces->slots[slot]->node != node || pieces->slots[slot]->kind != kind))
        slot = (slot + 1) & (pieces->size - 1);
    return slot;
}

/* Keeps the table at most three quarters full. */
static enum hs_err pieces_grow(struct hs_mls_pieces *pieces)
{
    if (4 * (pieces->count + 1) <= 3 * pieces->size)
        return HS_OK;
    struct hs_mls_pieces larger = *pieces;
    larger.size = pieces->size > 0 ? 2 * pieces->size : FIRST_SIZE;
    larger.slots = calloc(larger.size, sizeof(struct hs_mls_piece *));
    HS_REQUIRE(larger.slots != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < pieces->size; i++)
        if (pieces->slots[i] != NULL)
            larger.slots[slot_of(&larger, pieces->slots[i]->node, pieces->slots[i]->kind)] = pieces->slots[i];
    free(pieces->slots);
    *pieces = larger;
    return HS_OK;
}

/* Takes the piece out of the table, and closes the gap. */
static void pieces_unlink(struct hs_mls_pieces *pieces, const struct hs_mls_piece *piece)
{
    size_t gap = slot_of(pieces, piece->node, piece->kind), mask = pieces->size - 1;
    pieces->slots[gap] = NULL;
    pieces->count--;
    for (size_t i = (gap + 1) & mask; pieces->slots[i] != NULL; i = (i + 1) & mask) {
        struct hs_mls_piece *moved = pieces->slots[i];
        pieces->slots[i] = NULL;
        pieces->slots[slot_of(pieces, moved->node, moved->kind)] = moved;
    }
}

static struct hs_mls_piece *pieces_look(const struct hs_mls_pieces *pieces, uint32_t node, unsigned kind)
{
    return pieces->size > 0 ? pieces->slots[slot_of(pieces, node, kind)] : NULL;
}

/* The piece at that place, new and empty where there was none. */
static enum hs_err pieces_place(struct hs_mls_pieces *pieces, uint32_t node, unsigned kind,
                                struct hs_mls_piece **out)
{
    *out = pieces_look(pieces, node, kind);
    if (*out != NULL)
        return HS_OK;
    HS_TRY(pieces_grow(pieces));
    struct hs_mls_piece *piece = calloc(1, sizeof *piece);
    HS_REQUIRE(piece != NULL, HS_ERR_NOMEM);
    piece->node = node;
    piece->kind = (uint8_t)kind;
    pieces->slots[slot_of(pieces, node, kind)] = *out = piece;
    pieces->count++;
    return HS_OK;
}

/* Without a store nobody needs to be told: the first save writes all. */
static void piece_changed(struct hs_mls_pieces *pieces, struct hs_mls_piece *piece)
{
    if (pieces->store == NULL || piece->changed)
        return;
    piece->changed = true;
    piece->next_changed = pieces->changed;
    pieces->changed = piece;
}

static struct hs_mls_store_key piece_key(const struct hs_mls_pieces *pieces, uint32_t node, unsigned kind)
{
    struct hs_mls_store_key key = hs_mls_store_key(HS_MLS_RECORD_SECRET);
    hs_mls_store_key_u64(&key, pieces->epoch);
    hs_mls_store_key_u32(&key, node);
    hs_mls_store_key_u8(&key, (uint8_t)kind);
    return key;
}

static enum hs_err piece_read(const struct hs_mls_suite *suite, struct hs_bytes value,
                              struct hs_mls_piece *piece)
{
    struct hs_reader r = hs_reader(value);
    if (piece->kind == HS_MLS_PIECE_SECRET) {
        piece->secret.len = suite->hash_len;
        hs_read_fixed(&r, piece->secret.v, suite->hash_len);
    } else {
        HS_TRY(hs_mls_ratchet_read(suite, &r, piece->node / 2, piece->kind, &piece->ratchet));
    }
    return hs_reader_finish(&r);
}

static enum hs_err pieces_fetch(struct hs_mls_pieces *pieces, uint32_t node, unsigned kind,
                                struct hs_mls_piece **out)
{
    struct hs_writer HS_WRITER value = hs_writer(HS_MLS_MAX_MESSAGE);
    const struct hs_mls_store_key key = piece_key(pieces, node, kind);
    enum hs_err err = hs_mls_store_get(pieces->store, &key, &value);
    if (err == HS_ERR_NOT_FOUND)
        return HS_OK;
    HS_TRY(err);
    struct hs_mls_piece read = {.node = node, .kind = (uint8_t)kind};
    err = piece_read(pieces->suite, hs_writer_bytes(&value), &read);
    if (err == HS_OK)
        err = pieces_place(pieces, node, kind, out);
    if (err == HS_OK) {
        **out = read;
        (*out)->stored = true;
        hs_wipe(&read, sizeof read);
    } else {
        piece_empty(&read);
    }
    return err;
}

enum hs_err hs_mls_pieces_find(struct hs_mls_pieces *pieces, uint32_t node, unsigned kind,
                               struct hs_mls_piece **out)
{
    *out = pieces_look(pieces, node, kind);
    if (*out == NULL && pieces->store != NULL)
        return pieces_fetch(pieces, node, kind, out);
    if (*out != NULL && (*out)->gone)
        *out = NULL;
    return HS_OK;
}

enum hs_err hs_mls_pieces_put_secret(struct hs_mls_pieces *pieces, uint32_t node,
                                     const struct hs_mls_secret *secret)
{
    struct hs_mls_piece *piece;
    HS_TRY(pieces_place(pieces, node, HS_MLS_PIECE_SECRET, &piece));
    piece->secret = *secret;
    piece->gone = false;
    piece_changed(pieces, piece);
    return HS_OK;
}

enum hs_err hs_mls_pieces_put_ratchet(struct hs_mls_pieces *pieces, struct hs_mls_ratchet *ratchet)
{
    struct hs_mls_piece *piece;
    HS_TRY(pieces_place(pieces, 2 * ratchet->leaf, HS_MLS_PIECE_RATCHET + (unsigned)ratchet->kind, &piece));
    hs_mls_ratchet_free(piece->ratchet);
    piece->ratchet = ratchet;
    piece->gone = false;
    piece_changed(pieces, piece);
    return HS_OK;
}

void hs_mls_pieces_remove(struct hs_mls_pieces *pieces, struct hs_mls_piece *piece)
{
    piece_empty(piece);
    if (piece->stored || piece->changed) {
        piece->gone = true;
        piece_changed(pieces, piece);
    } else {
        pieces_unlink(pieces, piece);
        free(piece);
    }
}

static enum hs_err piece_save(struct hs_mls_pieces *pieces, struct hs_mls_piece *piece)
{
    const struct hs_mls_store_key key = piece_key(pieces, piece->node, piece->kind);
    if (piece->gone)
        return piece->stored ? hs_mls_store_del(pieces->store, &key) : HS_OK;
    struct hs_writer HS_WRITER value = hs_writer(HS_MLS_MAX_MESSAGE);
    if (piece->kind == HS_MLS_PIECE_SECRET)
        hs_write_bytes(&value, HS_MLS_VIEW(piece->secret));
    else
        hs_mls_ratchet_write(piece->ratchet, &value);
    HS_TRY(hs_mls_store_put(pieces->store, &key, &value));
    piece->stored = true;
    return HS_OK;
}

enum hs_err hs_mls_pieces_save(struct hs_mls_pieces *pieces, const struct hs_mls_store *store, uint64_t epoch)
{
    bool first = pieces->store == NULL;
    pieces->store = store;
    pieces->epoch = epoch;
    for (size_t i = 0; i < pieces->size && first; i++)
        if (pieces->slots[i] != NULL)
            piece_changed(pieces, pieces->slots[i]);
    while (pieces->changed != NULL) {
        struct hs_mls_piece *piece = pieces->changed;
        HS_TRY(piece_save(pieces, piece));
        pieces->changed = piece->next_changed;
        piece->changed = false;
        if (piece->gone) {
            pieces_unlink(pieces, piece);
            free(piece);
        }
    }
    return HS_OK;
}

/* What is left of a secret tree, piece by piece: the secrets of nodes that weren't split yet, and the
 * ratchets of leaves that were opened. Pieces live in memory, in the tree's store (store.h), or in both. */
#ifndef HS_MLS_SECRET_PIECES_H
#define HS_MLS_SECRET_PIECES_H

#include "mls/ratchet.h"
#include "mls/store.h"

/* The ratchets' numbers are those of enum hs_mls_ratchet_kind. */
enum hs_mls_piece_kind { HS_MLS_PIECE_RATCHET = 0, HS_MLS_PIECE_SECRET = 2 };

struct hs_mls_piece {
    uint32_t node; /* in the array form */
    uint8_t kind;
    bool gone;    /* used up, nothing is in it: what is stored of it has to go */
    bool stored;  /* there is a record of it */
    bool changed; /* in the list of those that the next save looks at */
    struct hs_mls_piece *next_changed;
    union {
        struct hs_mls_secret secret;
        struct hs_mls_ratchet *ratchet;
    };
};

struct hs_mls_pieces {
    const struct hs_mls_suite *suite;
    const struct hs_mls_store *store; /* NULL: never saved, all is in memory */
    uint64_t epoch;
    struct hs_mls_piece **slots; /* a hash table, open addressing */
    size_t count, size;          /* size: a power of two, or 0 */
    struct hs_mls_piece *changed;
};

void hs_mls_pieces_free(struct hs_mls_pieces *pieces);

/* The piece, from memory or store; NULL where there is none. MALFORMED, NOMEM, the store's errors. */
enum hs_err hs_mls_pieces_find(struct hs_mls_pieces *pieces, uint32_t node, unsigned kind,
                               struct hs_mls_piece **out);

/* Puts a piece in, or instead of another. ratchet: taken over where it succeeds. NOMEM. */
enum hs_err hs_mls_pieces_put_secret(struct hs_mls_pieces *pieces, uint32_t node,
                                     const struct hs_mls_secret *secret);
enum hs_err hs_mls_pieces_put_ratchet(struct hs_mls_pieces *pieces, struct hs_mls_ratchet *ratchet);

/* Wipes a piece that is used up; it must have been found. */
void hs_mls_pieces_remove(struct hs_mls_pieces *pieces, struct hs_mls_piece *piece);

enum hs_err hs_mls_pieces_save(struct hs_mls_pieces *pieces, const struct hs_mls_store *store,
                               uint64_t epoch);

#endif

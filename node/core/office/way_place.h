/* What is held of a way that is read on, in memory: how far its headers are, whom it asks, and whether its
 * place is its own. All ways together have so many hashes (HS_WAY_HASHES), and which rests gives its place to
 * others. */
#ifndef HS_CORE_WAY_PLACE_H
#define HS_CORE_WAY_PLACE_H

#include "core/internal.h"
#include "room/log.h"

struct hs_way {
    struct hs_id room;
    uint64_t end; /* the HUB_MOVE is the record before it */
    struct hs_id *hashes;
    size_t count, cap; /* of hashes: the HUB_MOVE's is the first, then backwards */
    bool proved;       /* the headers lead from the HUB_MOVE to the copy */
    unsigned idle;
    size_t whom;           /* how often somebody had nothing to say: then another one is asked */
    bool waits;            /* for the answer */
    struct hs_key asked;   /* a reader; zeros: the hub that the chain leads to */
    struct hs_time ask_at; /* again, or for the first time */
    struct hs_time until;  /* its place is its own; later it may be another one's */
    UT_hash_handle hh;
};

/* NULL where the room has none. */
struct hs_way *hs_way_find(struct hs_core *core, const struct hs_id *room);

/* One that leads from the HUB_MOVE to the record first; NULL where there is no place for it now, or it is
 * longer than HS_WAY_RECORDS. */
struct hs_way *hs_way_new(struct hs_turn *turn, const struct hs_id *room, uint64_t first,
                          const struct hs_record_header *move);
void hs_way_free(struct hs_core *core, struct hs_way *way);

/* The lowest record whose hash is known, and the hash of one that isn't lower. */
uint64_t hs_way_low(const struct hs_way *way);
const struct hs_id *hs_way_hash(const struct hs_way *way, uint64_t seq);

/* The hash of the record before the lowest one that is known. False where there is no place for it now. */
bool hs_way_add(struct hs_turn *turn, struct hs_way *way, const struct hs_id *hash);

#endif

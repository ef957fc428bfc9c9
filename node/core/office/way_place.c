#include "core/office/way_place.h"

#include "core/office/way.h"

#include <stdlib.h>

void hs_way_free(struct hs_core *core, struct hs_way *way)
{
    HASH_DELETE(hh, core->ways, way);
    core->way_hashes -= way->cap;
    free(way->hashes);
    free(way);
}

void hs_ways_free(struct hs_core *core)
{
    while (core->ways != NULL)
        hs_way_free(core, core->ways);
}

void hs_ways_undone(struct hs_core *core)
{
    for (struct hs_way *way = core->ways; way != NULL; way = way->hh.next) {
        way->ask_at.ms = 0;
        way->idle = 0;
        way->waits = false;
    }
}

struct hs_way *hs_way_find(struct hs_core *core, const struct hs_id *room)
{
    struct hs_way *found = NULL;
    HASH_FIND(hh, core->ways, room, sizeof *room, found);
    return found;
}

uint64_t hs_way_low(const struct hs_way *way)
{
    return way->end - way->count;
}

const struct hs_id *hs_way_hash(const struct hs_way *way, uint64_t seq)
{
    return &way->hashes[way->end - 1 - seq];
}

/* Other ways that bring nothing give up their places, the one first that has rested longest. False where none
 * does: then each that goes on has shown that it does. */
static bool make_place(struct hs_turn *turn, const struct hs_way *grows, size_t hashes)
{
    struct hs_core *core = turn->core;
    size_t own = grows != NULL ? 1 : 0;
    while (HASH_COUNT(core->ways) > own &&
           (HASH_COUNT(core->ways) >= HS_WAY_ROOMS + own || core->way_hashes + hashes > HS_WAY_HASHES)) {
        struct hs_way *longest = NULL;
        for (struct hs_way *way = core->ways; way != NULL; way = way->hh.next)
            if (way != grows && way->until.ms <= turn->now.ms &&
                (longest == NULL || way->until.ms < longest->until.ms))
                longest = way;
        if (longest == NULL)
            return false;
        hs_way_free(core, longest);
    }
    return true;
}

/* How far it is says the hub that went, which may be anybody's: memory is taken as headers come. */
struct hs_way *hs_way_new(struct hs_turn *turn, const struct hs_id *room, uint64_t first,
                          const struct hs_record_header *move)
{
    struct hs_core *core = turn->core;
    if (move->seq - first >= HS_WAY_RECORDS || !make_place(turn, NULL, HS_WAY_FIRST))
        return NULL;
    struct hs_way *way = calloc(1, sizeof *way);
    struct hs_id *hashes = way != NULL ? calloc(HS_WAY_FIRST, sizeof *hashes) : NULL;
    if (hashes == NULL) {
        free(way);
        return NULL;
    }
    *way = (struct hs_way){
        .room = *room, .end = move->seq + 1, .hashes = hashes, .count = 1, .cap = HS_WAY_FIRST};
    way->until.ms = turn->now.ms + HS_WAY_REST_MS;
    hashes[0] = move->hash;
    HASH_ADD(hh, core->ways, room, sizeof way->room, way);
    if (!HS_IS_HASHED(hh, way)) {
        free(hashes);
        free(way);
        return NULL;
    }
    core->way_hashes += way->cap;
    return way;
}

bool hs_way_add(struct hs_turn *turn, struct hs_way *way, const struct hs_id *hash)
{
    if (way->count == way->cap) {
        size_t cap = 2 * way->cap;
        struct hs_id *grown = cap <= HS_WAY_RECORDS && make_place(turn, way, cap - way->cap)
                                  ? realloc(way->hashes, cap * sizeof *grown)
                                  : NULL;
        if (grown == NULL)
            return false;
        turn->core->way_hashes += cap - way->cap;
        way->hashes = grown;
        way->cap = cap;
    }
    way->hashes[way->count++] = *hash;
    return true;
}

/* Memory of one message: bump allocation under a hard cap, dropped (and wiped) at once at the end. The cap is
 * what bounds the memory that a peer's bytes can take. */
#ifndef HS_BASE_ARENA_H
#define HS_BASE_ARENA_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

struct hs_arena_block;

struct hs_arena {
    struct hs_arena_block *blocks;
    size_t used, cap;
    bool exhausted; /* this machine had no memory for it: whatever was made since may lack something */
};

#define HS_ARENA HS_AUTO(hs_arena_free)

struct hs_arena hs_arena(size_t cap);

/* Zeroed, aligned for any type; NULL past the cap or without memory. */
void *hs_arena_alloc(struct hs_arena *arena, size_t len);

/* True where len more bytes stay under the cap. */
bool hs_arena_has_room(const struct hs_arena *arena, size_t len);

/* A copy that lives as long as the arena; data NULL on failure unless len is 0. */
struct hs_bytes hs_arena_copy(struct hs_arena *arena, struct hs_bytes bytes);

/* A NUL-terminated copy; NULL on failure. */
char *hs_arena_str(struct hs_arena *arena, struct hs_bytes text);

void hs_arena_free(struct hs_arena *arena);

#endif

#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { BLOCK_SIZE = 4096 };

struct hs_arena_block {
    struct hs_arena_block *next;
    size_t used, size;
    alignas(max_align_t) uint8_t data[];
};

struct hs_arena hs_arena(size_t cap)
{
    return (struct hs_arena){.cap = cap};
}

static struct hs_arena_block *block_new(struct hs_arena *arena, size_t len)
{
    size_t size = len > BLOCK_SIZE ? len : BLOCK_SIZE;
    struct hs_arena_block *block = calloc(1, sizeof *block + size);
    if (block == NULL) {
        arena->exhausted = true;
        return NULL;
    }
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

static size_t aligned(size_t len)
{
    const size_t align = alignof(max_align_t);
    return (len + align - 1) & ~(align - 1);
}

bool hs_arena_has_room(const struct hs_arena *arena, size_t len)
{
    return len <= arena->cap && aligned(len) <= arena->cap - arena->used;
}

void *hs_arena_alloc(struct hs_arena *arena, size_t len)
{
    if (!hs_arena_has_room(arena, len))
        return NULL;
    len = aligned(len);
    struct hs_arena_block *block = arena->blocks;
    if ((block == NULL || len > block->size - block->used) && (block = block_new(arena, len)) == NULL)
        return NULL;
    void *out = block->data + block->used;
    block->used += len;
    arena->used += len;
    return out;
}

struct hs_bytes hs_arena_copy(struct hs_arena *arena, struct hs_bytes bytes)
{
    if (bytes.len == 0)
        return (struct hs_bytes){0};
    uint8_t *copy = hs_arena_alloc(arena, bytes.len);
    if (copy == NULL)
        return (struct hs_bytes){0};
    memcpy(copy, bytes.data, bytes.len);
    return hs_bytes(copy, bytes.len);
}

char *hs_arena_str(struct hs_arena *arena, struct hs_bytes text)
{
    char *copy = hs_arena_alloc(arena, text.len + 1);
    if (copy != NULL && text.len > 0)
        memcpy(copy, text.data, text.len);
    return copy;
}

void hs_arena_free(struct hs_arena *arena)
{
    while (arena->blocks != NULL) {
        struct hs_arena_block *block = arena->blocks;
        arena->blocks = block->next;
        hs_wipe(block->data, block->used);
        free(block);
    }
    arena->used = 0;
    arena->exhausted = false;
}

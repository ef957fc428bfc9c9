/* Counts what the project's own code holds on the heap: the linker sends its calls here (--wrap). The
 * allocator's own figures count freed blocks that wait in a thread's cache. */
#include "bench/bench.h"

#include <malloc.h>
#include <stdlib.h>

enum { HEADER = 8 /* glibc's, of each block */ };

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static size_t held;

size_t bench_heap(void)
{
    return held;
}

static size_t weight(void *block)
{
    return block != NULL ? malloc_usable_size(block) + HEADER : 0;
}

void *__wrap_malloc(size_t size)
{
    void *block = __real_malloc(size);
    held += weight(block);
    return block;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *block = __real_calloc(count, size);
    held += weight(block);
    return block;
}

void *__wrap_realloc(void *block, size_t size)
{
    const size_t before = weight(block);
    void *moved = __real_realloc(block, size);
    if (moved != NULL)
        held += weight(moved) - before;
    return moved;
}

void __wrap_free(void *block)
{
    held -= weight(block);
    __real_free(block);
}

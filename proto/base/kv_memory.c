#include "base/kv.h"

#include <stdlib.h>

/* A sorted array: small and obviously right, which is what a store for tests should be. */
struct entry {
    unsigned table;
    struct hs_bytes key, value;
};

struct memory {
    struct hs_kv kv;
    struct entry *entries;
    size_t len, size;
};

static struct memory *of(struct hs_kv *kv)
{
    return (struct memory *)kv;
}

static int compare(const struct entry *entry, unsigned table, struct hs_bytes key)
{
    if (entry->table != table)
        return entry->table < table ? -1 : 1;
    size_t shared = entry->key.len < key.len ? entry->key.len : key.len;
    int order = shared > 0 ? memcmp(entry->key.data, key.data, shared) : 0;
    if (order != 0)
        return order;
    return entry->key.len == key.len ? 0 : entry->key.len < key.len ? -1 : 1;
}

/* The place of the first entry that is >= (table, key). */
static size_t lower_bound(const struct memory *m, unsigned table, struct hs_bytes key)
{
    size_t low = 0, high = m->len;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare(&m->entries[mid], table, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool is_at(const struct memory *m, size_t at, unsigned table, struct hs_bytes key)
{
    return at < m->len && compare(&m->entries[at], table, key) == 0;
}

static struct hs_bytes heap_copy(struct hs_bytes in)
{
    uint8_t *copy = malloc(in.len + 1);
    if (copy != NULL && in.len > 0)
        memcpy(copy, in.data, in.len);
    return hs_bytes(copy, in.len);
}

/* An empty value still has a place in the arena: present and empty differs from absent. */
static enum hs_err give(struct hs_arena *arena, struct hs_bytes in, struct hs_bytes *out)
{
    uint8_t *copy = hs_arena_alloc(arena, in.len + 1);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    if (in.len > 0)
        memcpy(copy, in.data, in.len);
    *out = hs_bytes(copy, in.len);
    return HS_OK;
}

static enum hs_err memory_get(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_arena *arena,
                              struct hs_bytes *value)
{
    struct memory *m = of(kv);
    size_t at = lower_bound(m, table, key);
    HS_REQUIRE(is_at(m, at, table, key), HS_ERR_NOT_FOUND);
    return arena != NULL ? give(arena, m->entries[at].value, value) : HS_OK;
}

static enum hs_err memory_put(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_bytes value)
{
    struct memory *m = of(kv);
    size_t at = lower_bound(m, table, key);
    struct hs_bytes copy = heap_copy(value);
    HS_REQUIRE(copy.data != NULL, HS_ERR_NOMEM);
    if (is_at(m, at, table, key)) {
        free((void *)m->entries[at].value.data);
        m->entries[at].value = copy;
        return HS_OK;
    }
    if (m->len == m->size) {
        size_t size = m->size > 0 ? 2 * m->size : 64;
        struct entry *grown = realloc(m->entries, size * sizeof *grown);
        if (grown == NULL) {
            free((void *)copy.data);
            return HS_ERR_NOMEM;
        }
        m->entries = grown;
        m->size = size;
    }
    memmove(&m->entries[at + 1], &m->entries[at], (m->len - at) * sizeof *m->entries);
    m->entries[at] = (struct entry){.table = table, .key = heap_copy(key), .value = copy};
    m->len++;
    return m->entries[at].key.data != NULL ? HS_OK : HS_ERR_NOMEM;
}

static enum hs_err memory_del(struct hs_kv *kv, unsigned table, struct hs_bytes key)
{
    struct memory *m = of(kv);
    size_t at = lower_bound(m, table, key);
    HS_REQUIRE(is_at(m, at, table, key), HS_ERR_NOT_FOUND);
    free((void *)m->entries[at].key.data);
    free((void *)m->entries[at].value.data);
    m->len--;
    memmove(&m->entries[at], &m->entries[at + 1], (m->len - at) * sizeof *m->entries);
    return HS_OK;
}

static enum hs_err memory_next(struct hs_kv *kv, unsigned table, struct hs_bytes from, struct hs_arena *arena,
                               struct hs_bytes *key, struct hs_bytes *value)
{
    struct memory *m = of(kv);
    size_t at = lower_bound(m, table, from);
    HS_REQUIRE(at < m->len && m->entries[at].table == table, HS_ERR_NOT_FOUND);
    HS_TRY(give(arena, m->entries[at].key, key));
    return value != NULL ? give(arena, m->entries[at].value, value) : HS_OK;
}

static const struct hs_kv_ops memory_ops = {memory_get, memory_put, memory_del, memory_next};

struct hs_kv *hs_kv_memory_new(void)
{
    struct memory *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->kv.ops = &memory_ops;
    return &m->kv;
}

void hs_kv_memory_free(struct hs_kv *kv)
{
    if (kv == NULL)
        return;
    struct memory *m = of(kv);
    for (size_t i = 0; i < m->len; i++) {
        free((void *)m->entries[i].key.data);
        free((void *)m->entries[i].value.data);
    }
    free(m->entries);
    free(m);
}

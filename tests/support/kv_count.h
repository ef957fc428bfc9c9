/* A struct hs_kv that counts what goes through it into another one, by table, and can be made to fail. */
#ifndef TESTS_SUPPORT_KV_COUNT_H
#define TESTS_SUPPORT_KV_COUNT_H

#include "base/kv.h"

struct kv_count {
    struct hs_kv kv;
    struct hs_kv *inner; /* may be exchanged */
    size_t fail_in;      /* so many puts from now one fails with STORE_FULL; 0: none */
    bool unreadable;     /* every get fails with STORE */
    struct kv_counts {
        size_t puts, dels, bytes; /* bytes of keys and values put */
    } table[HS_KV_TABLES_MAX];
};

static inline enum hs_err kv_count_get(struct hs_kv *kv, unsigned table, struct hs_bytes key,
                                       struct hs_arena *memory, struct hs_bytes *value)
{
    struct kv_count *count = (struct kv_count *)kv;
    HS_REQUIRE(!count->unreadable, HS_ERR_STORE);
    return count->inner->ops->get(count->inner, table, key, memory, value);
}

static inline enum hs_err kv_count_put(struct hs_kv *kv, unsigned table, struct hs_bytes key,
                                       struct hs_bytes value)
{
    struct kv_count *count = (struct kv_count *)kv;
    if (count->fail_in > 0 && --count->fail_in == 0)
        return HS_ERR_STORE_FULL;
    count->table[table].puts++;
    count->table[table].bytes += key.len + value.len;
    return count->inner->ops->put(count->inner, table, key, value);
}

static inline enum hs_err kv_count_del(struct hs_kv *kv, unsigned table, struct hs_bytes key)
{
    struct kv_count *count = (struct kv_count *)kv;
    count->table[table].dels++;
    return count->inner->ops->del(count->inner, table, key);
}

static inline enum hs_err kv_count_next(struct hs_kv *kv, unsigned table, struct hs_bytes from,
                                        struct hs_arena *memory, struct hs_bytes *key, struct hs_bytes *value)
{
    struct hs_kv *inner = ((struct kv_count *)kv)->inner;
    return inner->ops->next(inner, table, from, memory, key, value);
}

static inline struct kv_count kv_count(struct hs_kv *inner)
{
    static const struct hs_kv_ops ops = {kv_count_get, kv_count_put, kv_count_del, kv_count_next};
    return (struct kv_count){.kv.ops = &ops, .inner = inner};
}

/* Since the last reset. */
static inline void kv_count_reset(struct kv_count *count)
{
    memset(count->table, 0, sizeof count->table);
}

static inline size_t kv_count_bytes(const struct kv_count *count)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < HS_KV_TABLES_MAX; i++)
        bytes += count->table[i].bytes;
    return bytes;
}

#endif

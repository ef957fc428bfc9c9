/* An ordered key-value store inside one write transaction: what the node's core and the client's sync are
 * written against. Tables are small numbers; keys at most HS_KV_KEY_MAX bytes, compared as bytes.
 *
 * The transaction is sticky: after the first failure every call is a no-op, gets find nothing, and the owner
 * of the transaction sees the error when it commits. So domain code reads and writes without asking each
 * time. No pointer into the store leaves it: values are copied into the caller's arena. Not thread-safe. */
#ifndef HS_BASE_KV_H
#define HS_BASE_KV_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

enum { HS_KV_KEY_MAX = 128, HS_KV_TABLES_MAX = 48 };

struct hs_kv;

struct hs_kv_ops {
    enum hs_err (*get)(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_arena *arena,
                       struct hs_bytes *value);
    enum hs_err (*put)(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_bytes value);
    enum hs_err (*del)(struct hs_kv *kv, unsigned table, struct hs_bytes key);
    enum hs_err (*next)(struct hs_kv *kv, unsigned table, struct hs_bytes from, struct hs_arena *arena,
                        struct hs_bytes *key, struct hs_bytes *value);
};

struct hs_kv {
    const struct hs_kv_ops *ops;
    enum hs_err err; /* sticky */
};

/* True, with the value in the arena, where the key is there (a value may be empty: data is then not NULL). */
bool hs_kv_get(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_arena *arena,
               struct hs_bytes *value);

bool hs_kv_has(struct hs_kv *kv, unsigned table, struct hs_bytes key);

/* Writes or overwrites. */
void hs_kv_put(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_bytes value);

/* Deletes; a missing key is fine. */
void hs_kv_del(struct hs_kv *kv, unsigned table, struct hs_bytes key);

/* Deletes every entry whose key starts with prefix; none is fine. Values aren't read. */
void hs_kv_del_prefix(struct hs_kv *kv, unsigned table, struct hs_bytes prefix);

/* The first entry whose key is >= from, where it starts with prefix; both copied into the arena. value may be
 * NULL: then it isn't read. To go on, call again with from = that key and one zero byte (hs_kv_after). */
bool hs_kv_next(struct hs_kv *kv, unsigned table, struct hs_bytes prefix, struct hs_bytes from,
                struct hs_arena *arena, struct hs_bytes *key, struct hs_bytes *value);

/* Keys: parts one after another, numbers big-endian so that byte order is number order. */
struct hs_kv_key {
    uint8_t b[HS_KV_KEY_MAX];
    size_t len;
};
void hs_kv_key_add(struct hs_kv_key *key, struct hs_bytes part);
void hs_kv_key_add_u64(struct hs_kv_key *key, uint64_t number);

static inline struct hs_bytes hs_kv_key_bytes(const struct hs_kv_key *key)
{
    return hs_bytes(key->b, key->len);
}

/* The smallest key behind this one. */
struct hs_kv_key hs_kv_after(struct hs_bytes key);

/* A big-endian number at the end of a key or as a value. */
uint64_t hs_kv_u64(struct hs_bytes bytes);

/* A store in memory, for tests and tools: free with hs_kv_memory_free(). */
struct hs_kv *hs_kv_memory_new(void);
void hs_kv_memory_free(struct hs_kv *kv);

#endif

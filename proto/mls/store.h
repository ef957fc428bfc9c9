/* Where a group keeps its state: small records in a map that the caller provides, one map a group. Keys have
 * at most HS_MLS_STORE_KEY bytes; what is before the first of them (a group id, a table) is the caller's.
 *
 * A save writes only what has changed: after a commit in a full tree O(log n) bytes. It belongs into one
 * transaction with whatever the caller stores beside it; where that transaction fails, the group in memory is
 * ahead of its store and has to be freed and loaded again. A loaded group reads its pieces when it needs
 * them, so the store must stay readable as long as the group lives; context may be exchanged between calls
 * (for example for that of the present transaction). The values are secret: seal them. */
#ifndef HS_MLS_STORE_H
#define HS_MLS_STORE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/writer.h"

enum { HS_MLS_STORE_KEY = 40 };

struct hs_mls_store {
    void *context;
    /* Appends the record's value; NOT_FOUND. */
    enum hs_err (*get)(void *context, struct hs_bytes key, struct hs_writer *value);
    /* Writes or overwrites. */
    enum hs_err (*put)(void *context, struct hs_bytes key, struct hs_bytes value);
    /* Deletes every record whose key begins with prefix; none is fine. A whole key is a prefix too. */
    enum hs_err (*del)(void *context, struct hs_bytes prefix);
};

/* The first byte of a key says what the record is; numbers follow in big-endian order. */
enum hs_mls_record {
    HS_MLS_RECORD_HEAD = 'h',     /* one: version, suite, settings, own place, epochs that are kept */
    HS_MLS_RECORD_STATE = 's',    /* epoch(8): context, tags, and what a member knows of that epoch */
    HS_MLS_RECORD_ROOT = 'r',     /* epoch(8): the tree of that epoch: its root and its size */
    HS_MLS_RECORD_NODE = 'n',     /* node(4) epoch(8): a node as it was made in that epoch */
    HS_MLS_RECORD_REPLACED = 'x', /* epoch(8): the nodes that this epoch's tree replaced */
    HS_MLS_RECORD_INDEX = 'i',    /* kind(1) hash(32): which node has that key */
    HS_MLS_RECORD_SECRET = 'k',   /* epoch(8) node(4) kind(1): what is left of the secret tree there */
    HS_MLS_RECORD_PROPOSAL = 'p', /* number(4): a proposal that waits */
    HS_MLS_RECORD_PENDING = 'c',  /* epoch(8): one's own pending commit of that epoch */
};

/* A key under construction. */
struct hs_mls_store_key {
    uint8_t b[HS_MLS_STORE_KEY], len;
};
struct hs_mls_store_key hs_mls_store_key(enum hs_mls_record record);

/* The key of a record that there is one of for each epoch. */
struct hs_mls_store_key hs_mls_store_key_of(enum hs_mls_record record, uint64_t epoch);

void hs_mls_store_key_u8(struct hs_mls_store_key *key, uint8_t number);
void hs_mls_store_key_u32(struct hs_mls_store_key *key, uint32_t number);
void hs_mls_store_key_u64(struct hs_mls_store_key *key, uint64_t number);

static inline struct hs_bytes hs_mls_store_key_bytes(const struct hs_mls_store_key *key)
{
    return hs_bytes(key->b, key->len);
}

/* Shorthands. */
enum hs_err hs_mls_store_put(const struct hs_mls_store *store, const struct hs_mls_store_key *key,
                             const struct hs_writer *value);
enum hs_err hs_mls_store_get(const struct hs_mls_store *store, const struct hs_mls_store_key *key,
                             struct hs_writer *value);
enum hs_err hs_mls_store_del(const struct hs_mls_store *store, const struct hs_mls_store_key *prefix);

#endif

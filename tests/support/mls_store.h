/* A group's store in memory (mls/store.h), for tests and measurements: an ordered map that counts, can be
 * copied (a crash goes on from a copy), searched for secrets, and made to fail. Freed values are wiped, so
 * that a search of the heap finds only what somebody else forgot. */
#ifndef TESTS_SUPPORT_MLS_STORE_H
#define TESTS_SUPPORT_MLS_STORE_H

#include "mls/store.h"

struct mls_store_entry;

/* Since the last mls_store_count_from_here(). bytes_*: of keys and values. */
struct mls_store_counts {
    size_t gets, puts, dels, bytes_read, bytes_written;
};

struct mls_store {
    struct hs_mls_store store; /* to be handed out: &x->store */
    struct mls_store_counts counts;
    size_t records, bytes; /* what is in it: keys and values */
    /* Calls that still succeed before fail_with is answered, for ever; fail_with HS_OK: never. */
    size_t fail_after;
    enum hs_err fail_with;
    uint64_t seed;
    struct mls_store_entry *root;
};

/* Aborts without memory. The object must not move while its store is in use. */
struct mls_store *mls_store_new(void);
struct mls_store *mls_store_copy(const struct mls_store *from);
void mls_store_free(struct mls_store *store);
void mls_store_free_at(struct mls_store **store);
#define MLS_STORE HS_AUTO(mls_store_free_at)

void mls_store_count_from_here(struct mls_store *store);

/* SHA-256 over all records in order, with their lengths: equal where the contents are. */
struct hs_id mls_store_hash(const struct mls_store *store);

/* Does a value (or a key) hold these bytes? */
bool mls_store_holds(const struct mls_store *store, struct hs_bytes needle);

/* Records whose key begins with prefix, and the bytes of their values. */
size_t mls_store_records(const struct mls_store *store, struct hs_bytes prefix, size_t *bytes);

/* Calls visit for each record whose key begins with prefix, in order; it must not change the store. */
void mls_store_each(const struct mls_store *store, struct hs_bytes prefix,
                    void (*visit)(void *context, struct hs_bytes key, struct hs_bytes value), void *context);

/* The index-th record's value, to be altered; its length can be made smaller. NULL past the last. */
uint8_t *mls_store_value(struct mls_store *store, size_t index, struct hs_bytes *key, size_t **len);

#endif

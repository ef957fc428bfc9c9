#include "support/mls_store.h"

#include "crypto/hash.h"

#include <stdlib.h>

/* A treap: ordered by key, a heap by priority. Cutting it at a key and joining two halves is all it needs. */
struct mls_store_entry {
    struct mls_store_entry *child[2];
    uint64_t priority;
    size_t key_len, len, size;
    uint8_t *value, key[HS_MLS_STORE_KEY];
};

static void *must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

static void entry_free(struct mls_store *store, struct mls_store_entry *entry)
{
    if (entry == NULL)
        return;
    entry_free(store, entry->child[0]);
    entry_free(store, entry->child[1]);
    store->records--;
    store->bytes -= entry->key_len + entry->len;
    hs_wipe(entry->value, entry->size);
    free(entry->value);
    hs_wipe(entry, sizeof *entry);
    free(entry);
}

static int entry_compare(const struct mls_store_entry *entry, struct hs_bytes key)
{
    size_t common = entry->key_len < key.len ? entry->key_len : key.len;
    int order = common > 0 ? memcmp(entry->key, key.data, common) : 0;
    return order != 0 ? order : (entry->key_len > key.len) - (entry->key_len < key.len);
}

static bool entry_begins(const struct mls_store_entry *entry, struct hs_bytes prefix)
{
    return entry->key_len >= prefix.len &&
           (prefix.len == 0 || memcmp(entry->key, prefix.data, prefix.len) == 0);
}

/* below: those before key, or, where prefixed is set, all up to the last that begins with it. */
static void entry_cut(struct mls_store_entry *entry, struct hs_bytes key, bool prefixed,
                      struct mls_store_entry **below, struct mls_store_entry **above)
{
    if (entry == NULL) {
        *below = *above = NULL;
    } else if (entry_compare(entry, key) < 0 || (prefixed && entry_begins(entry, key))) {
        entry_cut(entry->child[1], key, prefixed, &entry->child[1], above);
        *below = entry;
    } else {
        entry_cut(entry->child[0], key, prefixed, below, &entry->child[0]);
        *above = entry;
    }
}

static struct mls_store_entry *entry_join(struct mls_store_entry *below, struct mls_store_entry *above)
{
    if (below == NULL || above == NULL)
        return below != NULL ? below : above;
    if (below->priority >= above->priority) {
        below->child[1] = entry_join(below->child[1], above);
        return below;
    }
    above->child[0] = entry_join(below, above->child[0]);
    return above;
}

static struct mls_store_entry *entry_find(const struct mls_store *store, struct hs_bytes key)
{
    struct mls_store_entry *entry = store->root;
    for (int order; entry != NULL && (order = entry_compare(entry, key)) != 0;)
        entry = entry->child[order < 0];
    return entry;
}

static enum hs_err store_may(struct mls_store *store)
{
    if (store->fail_with == HS_OK)
        return HS_OK;
    if (store->fail_after == 0)
        return store->fail_with;
    store->fail_after--;
    return HS_OK;
}

static enum hs_err store_get(void *context, struct hs_bytes key, struct hs_writer *value)
{
    struct mls_store *store = context;
    HS_TRY(store_may(store));
    store->counts.gets++;
    const struct mls_store_entry *entry = entry_find(store, key);
    HS_REQUIRE(entry != NULL, HS_ERR_NOT_FOUND);
    store->counts.bytes_read += entry->len;
    hs_write_bytes(value, hs_bytes(entry->value, entry->len));
    return value->err;
}

static struct mls_store_entry *entry_add(struct mls_store *store, struct hs_bytes key)
{
    struct mls_store_entry *entry = must(calloc(1, sizeof *entry)), *below, *above;
    HS_ASSERT(key.len <= sizeof entry->key);
    memcpy(entry->key, key.data, key.len);
    entry->key_len = key.len;
    store->seed = store->seed * 6364136223846793005 + 1442695040888963407;
    entry->priority = store->seed ^ store->seed >> 29;
    entry_cut(store->root, key, false, &below, &above);
    store->root = entry_join(entry_join(below, entry), above);
    store->records++;
    store->bytes += key.len;
    return entry;
}

static void entry_set(struct mls_store *store, struct mls_store_entry *entry, struct hs_bytes value)
{
    hs_wipe(entry->value, entry->size);
    free(entry->value);
    entry->value = must(malloc(value.len + 1));
    if (value.len > 0)
        memcpy(entry->value, value.data, value.len);
    store->bytes += value.len - entry->len;
    entry->len = entry->size = value.len;
}

static enum hs_err store_put(void *context, struct hs_bytes key, struct hs_bytes value)
{
    struct mls_store *store = context;
    HS_TRY(store_may(store));
    struct mls_store_entry *entry = entry_find(store, key);
    entry_set(store, entry != NULL ? entry : entry_add(store, key), value);
    store->counts.puts++;
    store->counts.bytes_written += key.len + value.len;
    return HS_OK;
}

static enum hs_err store_del(void *context, struct hs_bytes prefix)
{
    struct mls_store *store = context;
    struct mls_store_entry *below, *doomed, *above;
    HS_TRY(store_may(store));
    store->counts.dels++;
    entry_cut(store->root, prefix, false, &below, &doomed);
    entry_cut(doomed, prefix, true, &doomed, &above);
    entry_free(store, doomed);
    store->root = entry_join(below, above);
    return HS_OK;
}

struct mls_store *mls_store_new(void)
{
    struct mls_store *store = must(malloc(sizeof *store));
    *store = (struct mls_store){
        .store = {.context = store, .get = store_get, .put = store_put, .del = store_del}, .seed = 1};
    return store;
}

static void visit_copy(void *context, struct hs_bytes key, struct hs_bytes value)
{
    struct mls_store *to = context;
    entry_set(to, entry_add(to, key), value);
}

struct mls_store *mls_store_copy(const struct mls_store *from)
{
    struct mls_store *store = mls_store_new();
    mls_store_each(from, (struct hs_bytes){0}, visit_copy, store);
    return store;
}

void mls_store_free(struct mls_store *store)
{
    if (store == NULL)
        return;
    entry_free(store, store->root);
    free(store);
}

void mls_store_free_at(struct mls_store **store)
{
    mls_store_free(*store);
    *store = NULL;
}

void mls_store_count_from_here(struct mls_store *store)
{
    store->counts = (struct mls_store_counts){0};
}

static void each(const struct mls_store_entry *entry, struct hs_bytes prefix,
                 void (*visit)(void *context, struct hs_bytes key, struct hs_bytes value), void *context)
{
    if (entry == NULL)
        return;
    bool begins = entry_begins(entry, prefix);
    if (begins || entry_compare(entry, prefix) > 0)
        each(entry->child[0], prefix, visit, context);
    if (begins)
        visit(context, hs_bytes(entry->key, entry->key_len), hs_bytes(entry->value, entry->len));
    if (begins || entry_compare(entry, prefix) < 0)
        each(entry->child[1], prefix, visit, context);
}

void mls_store_each(const struct mls_store *store, struct hs_bytes prefix,
                    void (*visit)(void *context, struct hs_bytes key, struct hs_bytes value), void *context)
{
    each(store->root, prefix, visit, context);
}

static void visit_hash(void *context, struct hs_bytes key, struct hs_bytes value)
{
    struct hs_sha256 *h = context;
    const uint64_t lengths[2] = {key.len, value.len};
    hs_sha256_update(h, hs_bytes(lengths, sizeof lengths));
    hs_sha256_update(h, key);
    hs_sha256_update(h, value);
}

struct hs_id mls_store_hash(const struct mls_store *store)
{
    struct hs_sha256 h;
    hs_sha256_init(&h);
    mls_store_each(store, (struct hs_bytes){0}, visit_hash, &h);
    return hs_sha256_final(&h);
}

struct search {
    struct hs_bytes needle;
    bool found;
};

static bool holds(struct hs_bytes hay, struct hs_bytes needle)
{
    for (size_t i = 0; i + needle.len <= hay.len; i++)
        if (memcmp(hay.data + i, needle.data, needle.len) == 0)
            return true;
    return false;
}

static void visit_search(void *context, struct hs_bytes key, struct hs_bytes value)
{
    struct search *search = context;
    search->found = search->found || holds(key, search->needle) || holds(value, search->needle);
}

bool mls_store_holds(const struct mls_store *store, struct hs_bytes needle)
{
    struct search search = {.needle = needle};
    mls_store_each(store, (struct hs_bytes){0}, visit_search, &search);
    return search.found;
}

struct tally {
    size_t records, bytes;
};

static void visit_tally(void *context, struct hs_bytes key, struct hs_bytes value)
{
    struct tally *tally = context;
    (void)key;
    tally->records++;
    tally->bytes += value.len;
}

size_t mls_store_records(const struct mls_store *store, struct hs_bytes prefix, size_t *bytes)
{
    struct tally tally = {0};
    mls_store_each(store, prefix, visit_tally, &tally);
    if (bytes != NULL)
        *bytes = tally.bytes;
    return tally.records;
}

static struct mls_store_entry *entry_at(struct mls_store_entry *entry, size_t *index)
{
    if (entry == NULL)
        return NULL;
    struct mls_store_entry *found = entry_at(entry->child[0], index);
    if (found != NULL)
        return found;
    if ((*index)-- == 0)
        return entry;
    return entry_at(entry->child[1], index);
}

uint8_t *mls_store_value(struct mls_store *store, size_t index, struct hs_bytes *key, size_t **len)
{
    struct mls_store_entry *entry = entry_at(store->root, &index);
    if (entry == NULL)
        return NULL;
    if (key != NULL)
        *key = hs_bytes(entry->key, entry->key_len);
    if (len != NULL)
        *len = &entry->len;
    return entry->value;
}

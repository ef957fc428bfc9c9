#include "mls/store.h"

#include "base/err.h"

struct hs_mls_store_key hs_mls_store_key(enum hs_mls_record record)
{
    return (struct hs_mls_store_key){.b = {(uint8_t)record}, .len = 1};
}

static void key_add(struct hs_mls_store_key *key, uint64_t number, unsigned bytes)
{
    HS_ASSERT(key->len + bytes <= sizeof key->b);
    for (unsigned i = bytes; i > 0; i--)
        key->b[key->len++] = (uint8_t)(number >> (8 * (i - 1)));
}

void hs_mls_store_key_u8(struct hs_mls_store_key *key, uint8_t number)
{
    key_add(key, number, 1);
}

void hs_mls_store_key_u32(struct hs_mls_store_key *key, uint32_t number)
{
    key_add(key, number, 4);
}

void hs_mls_store_key_u64(struct hs_mls_store_key *key, uint64_t number)
{
    key_add(key, number, 8);
}

struct hs_mls_store_key hs_mls_store_key_of(enum hs_mls_record record, uint64_t epoch)
{
    struct hs_mls_store_key key = hs_mls_store_key(record);
    hs_mls_store_key_u64(&key, epoch);
    return key;
}

enum hs_err hs_mls_store_put(const struct hs_mls_store *store, const struct hs_mls_store_key *key,
                             const struct hs_writer *value)
{
    HS_TRY(value->err);
    return store->put(store->context, hs_mls_store_key_bytes(key), hs_writer_bytes(value));
}

enum hs_err hs_mls_store_get(const struct hs_mls_store *store, const struct hs_mls_store_key *key,
                             struct hs_writer *value)
{
    HS_TRY(store->get(store->context, hs_mls_store_key_bytes(key), value));
    return value->err;
}

enum hs_err hs_mls_store_del(const struct hs_mls_store *store, const struct hs_mls_store_key *prefix)
{
    return store->del(store->context, hs_mls_store_key_bytes(prefix));
}

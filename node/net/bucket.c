#include "net/bucket.h"

#include "net/limits.h"

#include <sodium.h>
#include <stdlib.h>

enum {
    ROW = 4,
    ROWS = HS_NET_ADDRESSES / ROW,
    TOKEN = 1000 /* thousandths: tokens a second are these a millisecond */
};

struct bucket {
    uint64_t address; /* its keyed hash; 0 = free */
    uint64_t at;      /* when it was filled last */
    uint64_t tokens;
};

struct hs_buckets {
    uint8_t key[crypto_shorthash_KEYBYTES];
    unsigned rate, burst;
    struct bucket rows[ROWS][ROW];
};

struct hs_buckets *hs_buckets_new(unsigned rate, unsigned burst)
{
    struct hs_buckets *buckets = calloc(1, sizeof *buckets);
    if (buckets == NULL)
        return NULL;
    buckets->rate = rate;
    buckets->burst = burst;
    crypto_shorthash_keygen(buckets->key);
    return buckets;
}

void hs_buckets_set(struct hs_buckets *buckets, unsigned rate, unsigned burst)
{
    uint64_t most = (uint64_t)burst * TOKEN;
    buckets->rate = rate;
    buckets->burst = burst;
    for (size_t i = 0; i < (size_t)ROWS * ROW; i++) {
        struct bucket *bucket = &buckets->rows[i / ROW][i % ROW];
        if (bucket->tokens > most)
            bucket->tokens = most;
    }
}

void hs_buckets_free(struct hs_buckets *buckets)
{
    free(buckets);
}

/* The bucket of that address; a full one, in place of the one used longest ago, where it has none. */
static struct bucket *find(struct hs_buckets *buckets, uint64_t address, uint64_t now_ms)
{
    struct bucket *row = buckets->rows[address % ROWS], *oldest = &row[0];
    for (size_t i = 0; i < ROW; i++) {
        if (row[i].address == address)
            return &row[i];
        if (row[i].address == 0 || (oldest->address != 0 && row[i].at < oldest->at))
            oldest = &row[i];
    }
    *oldest = (struct bucket){.address = address, .at = now_ms, .tokens = (uint64_t)buckets->burst * TOKEN};
    return oldest;
}

bool hs_buckets_take(struct hs_buckets *buckets, struct hs_bytes address, uint64_t now_ms)
{
    uint64_t hash;
    crypto_shorthash((uint8_t *)&hash, address.data, address.len, buckets->key);
    struct bucket *bucket = find(buckets, hash != 0 ? hash : 1, now_ms);
    uint64_t most = (uint64_t)buckets->burst * TOKEN, gained = (now_ms - bucket->at) * buckets->rate;
    bucket->tokens = gained < most - bucket->tokens ? bucket->tokens + gained : most;
    bucket->at = now_ms;
    if (bucket->tokens < TOKEN)
        return false;
    bucket->tokens -= TOKEN;
    return true;
}

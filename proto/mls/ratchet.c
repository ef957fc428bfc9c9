#include "mls/ratchet.h"

#include "mls/limits.h"

#include <stdlib.h>

void hs_mls_message_key_wipe(struct hs_mls_message_key *key)
{
    hs_wipe(key, sizeof *key);
}

void hs_mls_ratchet_free(struct hs_mls_ratchet *ratchet)
{
    if (ratchet == NULL)
        return;
    hs_wipe(ratchet->skipped, ratchet->skipped_size * sizeof *ratchet->skipped);
    free(ratchet->skipped);
    hs_wipe(ratchet, sizeof *ratchet);
    free(ratchet);
}

void hs_mls_ratchet_free_at(struct hs_mls_ratchet **ratchet)
{
    hs_mls_ratchet_free(*ratchet);
    *ratchet = NULL;
}

static const char *ratchet_label(enum hs_mls_ratchet_kind kind)
{
    return kind == HS_MLS_RATCHET_HANDSHAKE ? "handshake" : "application";
}

static struct hs_mls_ratchet *ratchet_empty(const struct hs_mls_suite *suite, uint32_t leaf,
                                            enum hs_mls_ratchet_kind kind)
{
    struct hs_mls_ratchet *ratchet = calloc(1, sizeof *ratchet);
    if (ratchet != NULL)
        *ratchet = (struct hs_mls_ratchet){.suite = suite, .leaf = leaf, .kind = kind};
    return ratchet;
}

enum hs_err hs_mls_ratchet_new(const struct hs_mls_suite *suite, const struct hs_mls_secret *leaf_secret,
                               uint32_t leaf, enum hs_mls_ratchet_kind kind, struct hs_mls_ratchet **out)
{
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = ratchet_empty(suite, leaf, kind);
    HS_REQUIRE(ratchet != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_mls_derive_secret(suite, leaf_secret, ratchet_label(kind), &ratchet->secret));
    *out = ratchet;
    ratchet = NULL;
    return HS_OK;
}

enum hs_err hs_mls_ratchet_copy(const struct hs_mls_ratchet *ratchet, struct hs_mls_ratchet **out)
{
    struct hs_mls_ratchet *copy = malloc(sizeof *copy);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    *copy = *ratchet;
    copy->skipped = NULL;
    copy->skipped_size = copy->skipped_count;
    if (copy->skipped_count > 0) {
        copy->skipped = malloc(copy->skipped_count * sizeof *copy->skipped);
        if (copy->skipped == NULL) {
            hs_wipe(copy, sizeof *copy);
            free(copy);
            return HS_ERR_NOMEM;
        }
        memcpy(copy->skipped, ratchet->skipped, copy->skipped_count * sizeof *copy->skipped);
    }
    *out = copy;
    return HS_OK;
}

/* Turns the ratchet once (RFC 9420, 9.1). key: NULL where nobody will need this generation's. */
static enum hs_err ratchet_turn(struct hs_mls_ratchet *ratchet, struct hs_mls_message_key *key)
{
    const struct hs_mls_suite *suite = ratchet->suite;
    struct hs_mls_secret *secret = &ratchet->secret;
    uint32_t generation = ratchet->next;
    HS_REQUIRE(!ratchet->spent, HS_ERR_MLS_GENERATION);
    if (key != NULL) {
        *key = (struct hs_mls_message_key){.generation = generation};
        HS_TRY(hs_mls_derive_tree_secret(suite, secret, "key", generation, key->key, suite->key_len));
        HS_TRY(hs_mls_derive_tree_secret(suite, secret, "nonce", generation, key->nonce, sizeof key->nonce));
    }
    HS_TRY(hs_mls_derive_tree_secret(suite, secret, "secret", generation, secret->v, suite->hash_len));
    ratchet->spent = generation == UINT32_MAX;
    ratchet->next = ratchet->spent ? generation : generation + 1;
    return HS_OK;
}

enum hs_err hs_mls_ratchet_next(struct hs_mls_ratchet *ratchet, struct hs_mls_message_key *key)
{
    return ratchet_turn(ratchet, key);
}

/* Forgets the kept keys that lie more than out_of_order behind newest. */
static void skipped_forget(struct hs_mls_ratchet *ratchet, uint32_t newest, uint32_t out_of_order)
{
    size_t old = 0;
    while (old < ratchet->skipped_count && newest - ratchet->skipped[old].generation > out_of_order)
        old++;
    if (old == 0)
        return;
    ratchet->skipped_count -= old;
    memmove(ratchet->skipped, ratchet->skipped + old, ratchet->skipped_count * sizeof *ratchet->skipped);
    hs_wipe(ratchet->skipped + ratchet->skipped_count, old * sizeof *ratchet->skipped);
}

static enum hs_err skipped_keep(struct hs_mls_ratchet *ratchet, const struct hs_mls_message_key *key)
{
    if (ratchet->skipped_count == ratchet->skipped_size) {
        size_t size = ratchet->skipped_size == 0 ? 8 : 2 * ratchet->skipped_size;
        struct hs_mls_message_key *list = malloc(size * sizeof *list);
        HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
        if (ratchet->skipped_count > 0)
            memcpy(list, ratchet->skipped, ratchet->skipped_count * sizeof *list);
        hs_wipe(ratchet->skipped, ratchet->skipped_size * sizeof *list);
        free(ratchet->skipped);
        ratchet->skipped = list;
        ratchet->skipped_size = size;
    }
    ratchet->skipped[ratchet->skipped_count++] = *key;
    return HS_OK;
}

/* A kept key is given out once. */
static enum hs_err skipped_use(struct hs_mls_ratchet *ratchet, uint32_t generation,
                               struct hs_mls_message_key *key)
{
    for (size_t i = 0; i < ratchet->skipped_count; i++) {
        if (ratchet->skipped[i].generation != generation)
            continue;
        *key = ratchet->skipped[i];
        ratchet->skipped_count--;
        memmove(ratchet->skipped + i, ratchet->skipped + i + 1,
                (ratchet->skipped_count - i) * sizeof *ratchet->skipped);
        hs_wipe(ratchet->skipped + ratchet->skipped_count, sizeof *ratchet->skipped);
        return HS_OK;
    }
    return HS_ERR_MLS_GENERATION;
}

enum hs_err hs_mls_ratchet_find(struct hs_mls_ratchet *ratchet, uint32_t generation, uint32_t out_of_order,
                                uint32_t forward, struct hs_mls_message_key *key)
{
    if (ratchet->spent || generation < ratchet->next)
        return skipped_use(ratchet, generation, key);
    HS_REQUIRE(generation - ratchet->next <= forward, HS_ERR_MLS_GENERATION);
    skipped_forget(ratchet, generation, out_of_order);
    while (generation - ratchet->next > out_of_order)
        HS_TRY(ratchet_turn(ratchet, NULL));
    for (;;) {
        HS_TRY(ratchet_turn(ratchet, key));
        if (key->generation == generation)
            return HS_OK;
        HS_TRY(skipped_keep(ratchet, key));
    }
}

void hs_mls_ratchet_write(const struct hs_mls_ratchet *ratchet, struct hs_writer *w)
{
    hs_write_u32(w, ratchet->next);
    hs_write_u8(w, ratchet->spent ? 1 : 0);
    hs_write_bytes(w, HS_MLS_VIEW(ratchet->secret));
    hs_write_u16(w, (uint16_t)ratchet->skipped_count);
    for (size_t i = 0; i < ratchet->skipped_count; i++) {
        const struct hs_mls_message_key *key = &ratchet->skipped[i];
        hs_write_u32(w, key->generation);
        hs_write_bytes(w, hs_bytes(key->key, ratchet->suite->key_len));
        hs_write_bytes(w, hs_bytes(key->nonce, sizeof key->nonce));
    }
}

static void read_skipped(struct hs_reader *r, const struct hs_mls_suite *suite,
                         struct hs_mls_message_key *key)
{
    *key = (struct hs_mls_message_key){.generation = hs_read_u32(r)};
    hs_read_fixed(r, key->key, suite->key_len);
    hs_read_fixed(r, key->nonce, sizeof key->nonce);
}

enum hs_err hs_mls_ratchet_read(const struct hs_mls_suite *suite, struct hs_reader *r, uint32_t leaf,
                                enum hs_mls_ratchet_kind kind, struct hs_mls_ratchet **out)
{
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = ratchet_empty(suite, leaf, kind);
    HS_REQUIRE(ratchet != NULL, HS_ERR_NOMEM);
    ratchet->next = hs_read_u32(r);
    ratchet->spent = hs_read_u8(r) == 1;
    ratchet->secret.len = suite->hash_len;
    hs_read_fixed(r, ratchet->secret.v, suite->hash_len);
    size_t count = hs_read_u16(r);
    HS_REQUIRE(count <= HS_MLS_MAX_OUT_OF_ORDER, HS_ERR_MALFORMED);
    for (size_t i = 0; i < count && r->err == HS_OK; i++) {
        struct hs_mls_message_key HS_MLS_MESSAGE_KEY key;
        read_skipped(r, suite, &key);
        HS_REQUIRE(i == 0 || key.generation > ratchet->skipped[i - 1].generation, HS_ERR_MALFORMED);
        HS_TRY(skipped_keep(ratchet, &key));
    }
    HS_TRY(r->err);
    *out = ratchet;
    ratchet = NULL;
    return HS_OK;
}

enum hs_err hs_mls_sender_data_key(const struct hs_mls_suite *suite, const struct hs_mls_secret *sender_data,
                                   struct hs_bytes ciphertext, struct hs_mls_message_key *out)
{
    size_t len = ciphertext.len < suite->hash_len ? ciphertext.len : suite->hash_len;
    struct hs_bytes sample = hs_bytes(ciphertext.data, len), secret = HS_MLS_VIEW(*sender_data);
    *out = (struct hs_mls_message_key){0};
    HS_TRY(hs_mls_expand_label(suite, secret, "key", sample, out->key, suite->key_len));
    return hs_mls_expand_label(suite, secret, "nonce", sample, out->nonce, sizeof out->nonce);
}

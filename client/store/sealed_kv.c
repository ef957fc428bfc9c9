#include "store/sealed_kv.h"

#include "base/writer.h"
#include "crypto/hash.h"

#include <sodium.h>

enum {
    NONCE_LEN = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_LEN = crypto_aead_xchacha20poly1305_ietf_ABYTES,
};
_Static_assert(HS_SEALED_OVERHEAD == NONCE_LEN + TAG_LEN, "nonce and tag");

/* Table and key: where a value belongs. */
struct place {
    uint8_t b[1 + HS_KV_KEY_MAX];
    size_t len;
};

static struct place place_of(unsigned table, struct hs_bytes key)
{
    struct place place = {.b = {(uint8_t)table}, .len = 1 + key.len};
    HS_ASSERT(table < HS_KV_TABLES_MAX && key.len <= HS_KV_KEY_MAX);
    memcpy(place.b + 1, key.data, key.len);
    return place;
}

/* Opens the sealed value where it lies in the arena. */
static enum hs_err open_value(const struct hs_sealed_kv *s, unsigned table, struct hs_bytes key,
                              struct hs_bytes sealed, struct hs_bytes *value)
{
    HS_REQUIRE(sealed.len >= HS_SEALED_OVERHEAD, HS_ERR_SEAL);
    struct place place = place_of(table, key);
    uint8_t *plain = (uint8_t *)(uintptr_t)sealed.data + NONCE_LEN;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, plain, sealed.len - NONCE_LEN, place.b,
                                                   place.len, sealed.data, s->key->b) != 0)
        return HS_ERR_SEAL;
    *value = hs_bytes(plain, sealed.len - HS_SEALED_OVERHEAD);
    return HS_OK;
}

static enum hs_err sealed_get(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_arena *arena,
                              struct hs_bytes *value)
{
    struct hs_sealed_kv *s = (struct hs_sealed_kv *)kv;
    struct hs_bytes sealed;
    HS_TRY(s->inner->ops->get(s->inner, table, key, arena, arena != NULL ? &sealed : NULL));
    return arena != NULL ? open_value(s, table, key, sealed, value) : HS_OK;
}

static enum hs_err sealed_put(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_bytes value)
{
    struct hs_sealed_kv *s = (struct hs_sealed_kv *)kv;
    HS_REQUIRE(key.len > 0 && key.len <= HS_KV_KEY_MAX, HS_ERR_INVALID_ARG);
    struct hs_writer HS_WRITER w = hs_writer(value.len + HS_SEALED_OVERHEAD);
    uint8_t *out = hs_writer_reserve(&w, value.len + HS_SEALED_OVERHEAD);
    HS_REQUIRE(out != NULL, HS_ERR_NOMEM);
    struct place place = place_of(table, key);
    randombytes_buf(out, NONCE_LEN);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_LEN, NULL, value.data, value.len, place.b,
                                               place.len, NULL, out, s->key->b);
    return s->inner->ops->put(s->inner, table, key, hs_writer_bytes(&w));
}

static enum hs_err sealed_del(struct hs_kv *kv, unsigned table, struct hs_bytes key)
{
    struct hs_kv *inner = ((struct hs_sealed_kv *)kv)->inner;
    return inner->ops->del(inner, table, key);
}

static enum hs_err sealed_next(struct hs_kv *kv, unsigned table, struct hs_bytes from, struct hs_arena *arena,
                               struct hs_bytes *key, struct hs_bytes *value)
{
    struct hs_sealed_kv *s = (struct hs_sealed_kv *)kv;
    struct hs_bytes sealed;
    HS_TRY(s->inner->ops->next(s->inner, table, from, arena, key, value != NULL ? &sealed : NULL));
    return value != NULL ? open_value(s, table, *key, sealed, value) : HS_OK;
}

static const struct hs_kv_ops sealed_ops = {sealed_get, sealed_put, sealed_del, sealed_next};

struct hs_sealed_kv hs_sealed_kv(struct hs_kv *inner, const struct hs_secret32 *key)
{
    return (struct hs_sealed_kv){.kv.ops = &sealed_ops, .inner = inner, .key = key};
}

void hs_sealed_key(const uint8_t caller_key[static 32], struct hs_secret32 *out)
{
    enum hs_err err =
        hs_hkdf_expand(hs_bytes(caller_key, 32), hs_bytes_str("hanse-store-v1"), out->b, sizeof out->b);
    HS_ASSERT(err == HS_OK);
}

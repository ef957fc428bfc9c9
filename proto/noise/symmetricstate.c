#include "noise/symmetricstate.h"

#include <sodium.h>

enum { BLOCK_LEN = 128 }; /* of BLAKE2b, for HMAC (Noise, 12.8) */

static void blake2b(struct hs_bytes a, struct hs_bytes b, uint8_t out[static HS_NOISE_HASH_LEN])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, HS_NOISE_HASH_LEN);
    crypto_generichash_update(&state, a.data, a.len);
    crypto_generichash_update(&state, b.data, b.len);
    crypto_generichash_final(&state, out, HS_NOISE_HASH_LEN);
    hs_wipe(&state, sizeof state);
}

/* HMAC (RFC 2104) over BLAKE2b, not BLAKE2b's own keyed mode (Noise, 4.3). The key is as long as a hash, so
 * it always fits a block. */
static void hmac(const uint8_t key[static HS_NOISE_HASH_LEN], struct hs_bytes a, struct hs_bytes b,
                 uint8_t out[static HS_NOISE_HASH_LEN])
{
    uint8_t inner[BLOCK_LEN], outer[BLOCK_LEN], digest[HS_NOISE_HASH_LEN];
    memset(inner, 0x36, sizeof inner);
    memset(outer, 0x5c, sizeof outer);
    for (size_t i = 0; i < HS_NOISE_HASH_LEN; i++) {
        inner[i] ^= key[i];
        outer[i] ^= key[i];
    }
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    crypto_generichash_update(&state, inner, sizeof inner);
    crypto_generichash_update(&state, a.data, a.len);
    crypto_generichash_update(&state, b.data, b.len);
    crypto_generichash_final(&state, digest, sizeof digest);
    blake2b(hs_bytes(outer, sizeof outer), hs_bytes(digest, sizeof digest), out);
    hs_wipe(&state, sizeof state);
    hs_wipe(inner, sizeof inner);
    hs_wipe(outer, sizeof outer);
    hs_wipe(digest, sizeof digest);
}

/* HKDF with two outputs (Noise, 4.3). */
static void hkdf(const uint8_t chaining_key[static HS_NOISE_HASH_LEN], struct hs_bytes ikm,
                 uint8_t first[static HS_NOISE_HASH_LEN], uint8_t second[static HS_NOISE_HASH_LEN])
{
    const uint8_t one = 1, two = 2;
    uint8_t temp[HS_NOISE_HASH_LEN];
    hmac(chaining_key, ikm, (struct hs_bytes){0}, temp);
    hmac(temp, hs_bytes(&one, 1), (struct hs_bytes){0}, first);
    hmac(temp, hs_bytes(first, HS_NOISE_HASH_LEN), hs_bytes(&two, 1), second);
    hs_wipe(temp, sizeof temp);
}

/* A hash of 64 bytes is cut to a cipher key of 32 (Noise, 5.2). */
static void cipher_init(struct hs_cipherstate *c, uint8_t hash[static HS_NOISE_HASH_LEN])
{
    struct hs_secret32 HS_SECRET key;
    memcpy(key.b, hash, sizeof key.b);
    hs_cipherstate_init(c, &key);
    hs_wipe(hash, HS_NOISE_HASH_LEN);
}

void hs_symmetricstate_init(struct hs_symmetricstate *s, const char *protocol_name)
{
    size_t len = strlen(protocol_name);
    *s = (struct hs_symmetricstate){0};
    if (len <= sizeof s->hash)
        memcpy(s->hash, protocol_name, len);
    else
        blake2b(hs_bytes(protocol_name, len), (struct hs_bytes){0}, s->hash);
    memcpy(s->chaining_key, s->hash, sizeof s->hash);
}

void hs_symmetricstate_mix_hash(struct hs_symmetricstate *s, struct hs_bytes data)
{
    blake2b(hs_bytes(s->hash, sizeof s->hash), data, s->hash);
}

void hs_symmetricstate_mix_key(struct hs_symmetricstate *s, const struct hs_secret32 *ikm)
{
    uint8_t next[HS_NOISE_HASH_LEN], key[HS_NOISE_HASH_LEN];
    hkdf(s->chaining_key, HS_VIEW(*ikm), next, key);
    memcpy(s->chaining_key, next, sizeof next);
    cipher_init(&s->cipher, key);
    hs_wipe(next, sizeof next);
}

enum hs_err hs_symmetricstate_encrypt(struct hs_symmetricstate *s, struct hs_bytes plaintext, uint8_t *out)
{
    size_t len = plaintext.len + hs_cipherstate_overhead(&s->cipher);
    HS_TRY(hs_cipherstate_encrypt(&s->cipher, hs_bytes(s->hash, sizeof s->hash), plaintext, out));
    hs_symmetricstate_mix_hash(s, hs_bytes(out, len));
    return HS_OK;
}

enum hs_err hs_symmetricstate_decrypt(struct hs_symmetricstate *s, struct hs_bytes ciphertext, uint8_t *out)
{
    HS_TRY(hs_cipherstate_decrypt(&s->cipher, hs_bytes(s->hash, sizeof s->hash), ciphertext, out));
    hs_symmetricstate_mix_hash(s, ciphertext);
    return HS_OK;
}

void hs_symmetricstate_split(const struct hs_symmetricstate *s, struct hs_cipherstate *first,
                             struct hs_cipherstate *second)
{
    uint8_t a[HS_NOISE_HASH_LEN], b[HS_NOISE_HASH_LEN];
    hkdf(s->chaining_key, (struct hs_bytes){0}, a, b);
    cipher_init(first, a);
    cipher_init(second, b);
}

void hs_symmetricstate_wipe(struct hs_symmetricstate *s)
{
    hs_wipe(s, sizeof *s);
}

#include "noise/cipherstate.h"

#include "crypto/aead.h"

_Static_assert((int)HS_NOISE_TAG_LEN == (int)HS_AEAD_TAG_LEN, "tag length");

/* The nonce of REKEY, never used for a message (Noise, 5.1). */
static const uint64_t rekey_nonce = UINT64_MAX;

/* ChaChaPoly's nonce: 32 bits of zeros, then the counter in little-endian (Noise, 12.3). */
static void encode_nonce(uint64_t nonce, uint8_t out[static HS_AEAD_NONCE_LEN])
{
    memset(out, 0, 4);
    for (size_t i = 0; i < 8; i++)
        out[4 + i] = (uint8_t)(nonce >> (8 * i));
}

void hs_cipherstate_init(struct hs_cipherstate *c, const struct hs_secret32 *key)
{
    *c = (struct hs_cipherstate){.has_key = key != NULL};
    if (key != NULL)
        c->key = *key;
}

size_t hs_cipherstate_overhead(const struct hs_cipherstate *c)
{
    return c->has_key ? HS_NOISE_TAG_LEN : 0;
}

enum hs_err hs_cipherstate_encrypt(struct hs_cipherstate *c, struct hs_bytes ad, struct hs_bytes plaintext,
                                   uint8_t *out)
{
    if (!c->has_key) {
        if (plaintext.len > 0)
            memmove(out, plaintext.data, plaintext.len);
        return HS_OK;
    }
    HS_REQUIRE(c->nonce != rekey_nonce, HS_ERR_INVALID_STATE);
    uint8_t nonce[HS_AEAD_NONCE_LEN];
    encode_nonce(c->nonce, nonce);
    hs_aead_seal(c->key.b, nonce, ad, plaintext, out);
    c->nonce++;
    return HS_OK;
}

enum hs_err hs_cipherstate_decrypt(struct hs_cipherstate *c, struct hs_bytes ad, struct hs_bytes ciphertext,
                                   uint8_t *out)
{
    if (!c->has_key) {
        if (ciphertext.len > 0)
            memmove(out, ciphertext.data, ciphertext.len);
        return HS_OK;
    }
    HS_REQUIRE(c->nonce != rekey_nonce, HS_ERR_INVALID_STATE);
    uint8_t nonce[HS_AEAD_NONCE_LEN];
    encode_nonce(c->nonce, nonce);
    HS_TRY(hs_aead_open(c->key.b, nonce, ad, ciphertext, out));
    c->nonce++;
    return HS_OK;
}

/* REKEY(k) = the first 32 bytes of ENCRYPT(k, 2^64-1, "", 32 zeros) (Noise, 4.2). */
void hs_cipherstate_rekey(struct hs_cipherstate *c)
{
    static const uint8_t zeros[sizeof c->key.b];
    uint8_t nonce[HS_AEAD_NONCE_LEN], out[sizeof c->key.b + HS_AEAD_TAG_LEN];
    HS_ASSERT(c->has_key);
    encode_nonce(rekey_nonce, nonce);
    hs_aead_seal(c->key.b, nonce, (struct hs_bytes){0}, hs_bytes(zeros, sizeof zeros), out);
    memcpy(c->key.b, out, sizeof c->key.b);
    hs_wipe(out, sizeof out);
}

void hs_cipherstate_wipe(struct hs_cipherstate *c)
{
    hs_wipe(c, sizeof *c);
}

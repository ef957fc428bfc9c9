/* A cipher suite in which no size is that of suites 1 and 3, as one table: whoever presumes 32 bytes
 * somewhere fails with it. SHA-512; XChaCha20-Poly1305 under a key of 24 bytes; X25519 and Ed25519 with keys,
 * encoded secrets and signatures that carry some bytes more. Of no use but for tests. */
#ifndef TESTS_MLS_ODD_SUITE_H
#define TESTS_MLS_ODD_SUITE_H

#include "base/bytes.h"
#include "mls/hpke.h"

#include <sodium.h>

enum {
    ODD_ID = 0xF0A0,
    ODD_HASH = 64,
    ODD_KEY = 24,
    ODD_PUB = 33,
    ODD_PRIV = 40,
    ODD_ENC = 41,
    ODD_SIG = 66
};
enum { ODD_KEM_MARK = 0x58, ODD_SIGN_MARK = 0x45, ODD_FILL = 0xa5 };

static inline void odd_hash(const struct hs_bytes *parts, size_t count, uint8_t *out)
{
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    for (size_t i = 0; i < count; i++)
        crypto_hash_sha512_update(&state, parts[i].data, parts[i].len);
    crypto_hash_sha512_final(&state, out);
}

static inline void odd_hmac(struct hs_bytes key, const struct hs_bytes *parts, size_t count, uint8_t *out)
{
    crypto_auth_hmacsha512_state state;
    crypto_auth_hmacsha512_init(&state, key.len > 0 ? key.data : (const uint8_t *)"", key.len);
    for (size_t i = 0; i < count; i++)
        crypto_auth_hmacsha512_update(&state, parts[i].data, parts[i].len);
    crypto_auth_hmacsha512_final(&state, out);
}

struct odd_aead {
    uint8_t key[32], nonce[24];
};

static inline struct odd_aead odd_aead(const uint8_t *key, const uint8_t *nonce)
{
    struct odd_aead out = {0};
    memcpy(out.key, key, ODD_KEY);
    memcpy(out.nonce, nonce, HS_MLS_NONCE_LEN);
    return out;
}

static inline enum hs_err odd_seal(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                                   struct hs_bytes plaintext, uint8_t *out)
{
    struct odd_aead k = odd_aead(key, nonce);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, plaintext.data, plaintext.len, ad.data, ad.len,
                                               NULL, k.nonce, k.key);
    hs_wipe(&k, sizeof k);
    return HS_OK;
}

static inline enum hs_err odd_open(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                                   struct hs_bytes ciphertext, uint8_t *out)
{
    if (ciphertext.len < HS_MLS_TAG_LEN)
        return HS_ERR_DECRYPT;
    struct odd_aead k = odd_aead(key, nonce);
    int rc = crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, ciphertext.data, ciphertext.len,
                                                        ad.data, ad.len, k.nonce, k.key);
    hs_wipe(&k, sizeof k);
    return rc == 0 ? HS_OK : HS_ERR_DECRYPT;
}

/* Public keys have a mark in front, private ones a filling behind. */
static inline void odd_wrap_pub(struct hs_mls_pub *pub, uint8_t mark)
{
    memmove(pub->v + 1, pub->v, 32);
    pub->v[0] = mark;
    pub->len = ODD_PUB;
}

static inline bool odd_unwrap_pub(struct hs_bytes in, uint8_t mark, struct hs_bytes *out)
{
    *out = hs_bytes(in.data + 1, 32);
    return in.len == ODD_PUB && in.data[0] == mark;
}

static inline enum hs_err odd_public(const struct hs_mls_secret *priv, struct hs_mls_pub *pub)
{
    struct hs_mls_secret HS_MLS_SECRET bare = *priv;
    HS_REQUIRE(priv->len == ODD_PRIV && priv->v[ODD_PRIV - 1] == ODD_FILL, HS_ERR_BAD_KEY);
    bare.len = 32;
    HS_TRY(hs_mls_suite_3.kem_public(&bare, pub));
    odd_wrap_pub(pub, ODD_KEM_MARK);
    return HS_OK;
}

static inline enum hs_err odd_derive(struct hs_bytes ikm, struct hs_mls_secret *priv, struct hs_mls_pub *pub)
{
    HS_REQUIRE(ikm.len >= ODD_PRIV, HS_ERR_INVALID_ARG);
    HS_TRY(hs_mls_suite_3.kem_derive(ikm, priv, pub));
    memset(priv->v + 32, ODD_FILL, ODD_PRIV - 32);
    priv->len = ODD_PRIV;
    odd_wrap_pub(pub, ODD_KEM_MARK);
    return HS_OK;
}

static inline enum hs_err odd_check(struct hs_bytes pub)
{
    struct hs_bytes bare;
    HS_REQUIRE(odd_unwrap_pub(pub, ODD_KEM_MARK, &bare), HS_ERR_BAD_KEY);
    return hs_mls_suite_3.kem_check(bare);
}

static inline enum hs_err odd_encap(struct hs_bytes pub, struct hs_mls_secret *shared, uint8_t *enc)
{
    struct hs_bytes bare;
    HS_REQUIRE(odd_unwrap_pub(pub, ODD_KEM_MARK, &bare), HS_ERR_BAD_KEY);
    memset(enc + 32, ODD_FILL, ODD_ENC - 32);
    return hs_mls_suite_3.kem_encap(bare, shared, enc);
}

static inline enum hs_err odd_decap(const struct hs_mls_secret *priv, struct hs_bytes pub,
                                    struct hs_bytes enc, struct hs_mls_secret *shared)
{
    struct hs_mls_secret HS_MLS_SECRET bare_priv = *priv;
    struct hs_bytes bare;
    HS_REQUIRE(odd_unwrap_pub(pub, ODD_KEM_MARK, &bare) && priv->len == ODD_PRIV && enc.len == ODD_ENC &&
                   enc.data[ODD_ENC - 1] == ODD_FILL,
               HS_ERR_BAD_KEY);
    bare_priv.len = 32;
    return hs_mls_suite_3.kem_decap(&bare_priv, bare, hs_bytes(enc.data, 32), shared);
}

static inline enum hs_err odd_generate(struct hs_mls_secret *priv, struct hs_mls_pub *pub)
{
    HS_TRY(hs_mls_suite_3.sign_generate(priv, pub));
    odd_wrap_pub(pub, ODD_SIGN_MARK);
    return HS_OK;
}

static inline enum hs_err odd_import(struct hs_bytes bytes, struct hs_mls_secret *priv,
                                     struct hs_mls_pub *pub)
{
    HS_TRY(hs_mls_suite_3.sign_import(bytes, priv, pub));
    odd_wrap_pub(pub, ODD_SIGN_MARK);
    return HS_OK;
}

static inline enum hs_err odd_sign(const struct hs_mls_secret *priv, struct hs_bytes message,
                                   struct hs_mls_signature *sig)
{
    HS_TRY(hs_mls_suite_3.sign(priv, message, sig));
    sig->v[64] = sig->v[65] = ODD_FILL;
    sig->len = ODD_SIG;
    return HS_OK;
}

static inline enum hs_err odd_verify(struct hs_bytes pub, struct hs_bytes message, struct hs_bytes sig)
{
    struct hs_bytes bare;
    HS_REQUIRE(odd_unwrap_pub(pub, ODD_SIGN_MARK, &bare) && sig.len == ODD_SIG && sig.data[65] == ODD_FILL,
               HS_ERR_BAD_SIGNATURE);
    return hs_mls_suite_3.verify(bare, message, hs_bytes(sig.data, 64));
}

static const struct hs_mls_suite odd_suite = {
    .id = ODD_ID,
    .name = "odd sizes",
    .kem_id = 0xF020,
    .kdf_id = 0x0003,
    .aead_id = 0xF003,
    .hash_len = ODD_HASH,
    .key_len = ODD_KEY,
    .kem_pub_len = ODD_PUB,
    .kem_priv_len = ODD_PRIV,
    .kem_enc_len = ODD_ENC,
    .sign_pub_len = ODD_PUB,
    .hash = odd_hash,
    .hmac = odd_hmac,
    .seal = odd_seal,
    .open = odd_open,
    .kem_derive = odd_derive,
    .kem_check = odd_check,
    .kem_public = odd_public,
    .kem_encap = odd_encap,
    .kem_decap = odd_decap,
    .sign_generate = odd_generate,
    .sign_import = odd_import,
    .sign = odd_sign,
    .verify = odd_verify,
};

#endif

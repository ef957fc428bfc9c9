#include "mls/provider.h"

#include "crypto/aead.h"
#include "crypto/sign.h"
#include "mls/hpke.h"
#ifdef HANSE_MLS_OPENSSL
#include "crypto/openssl.h"
#endif

#include <sodium.h>

enum { HASH_LEN = 32, X25519_LEN = 32, SEED_LEN = 32, ED25519_PUB_LEN = 32 };

static void sha256(const struct hs_bytes *parts, size_t count, uint8_t *out)
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < count; i++)
        crypto_hash_sha256_update(&state, parts[i].data, parts[i].len);
    crypto_hash_sha256_final(&state, out);
}

static void hmac_sha256(struct hs_bytes key, const struct hs_bytes *parts, size_t count, uint8_t *out)
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.len > 0 ? key.data : (const uint8_t *)"", key.len);
    for (size_t i = 0; i < count; i++)
        crypto_auth_hmacsha256_update(&state, parts[i].data, parts[i].len);
    crypto_auth_hmacsha256_final(&state, out);
    hs_wipe(&state, sizeof state);
}

static enum hs_err chacha_seal(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                               struct hs_bytes plaintext, uint8_t *out)
{
    hs_aead_seal(key, nonce, ad, plaintext, out);
    return HS_OK;
}

static enum hs_err chacha_open(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                               struct hs_bytes ciphertext, uint8_t *out)
{
    return hs_aead_open(key, nonce, ad, ciphertext, out);
}

/* The u-coordinates whose multiples by the cofactor vanish (RFC 7748, 6.1), also in their forms not below p.
 */
static const uint8_t low_order[][X25519_LEN] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

static enum hs_err x25519_check(struct hs_bytes pub)
{
    HS_REQUIRE(pub.len == X25519_LEN, HS_ERR_BAD_KEY);
    for (size_t i = 0; i < sizeof low_order / sizeof low_order[0]; i++)
        HS_REQUIRE(memcmp(pub.data, low_order[i], X25519_LEN - 1) != 0 ||
                       (pub.data[X25519_LEN - 1] & 0x7f) != low_order[i][X25519_LEN - 1],
                   HS_ERR_BAD_KEY);
    return HS_OK;
}

static enum hs_err x25519_public(const struct hs_mls_secret *priv, struct hs_mls_pub *pub)
{
    HS_REQUIRE(priv->len == X25519_LEN, HS_ERR_BAD_KEY);
    pub->len = X25519_LEN;
    int rc = crypto_scalarmult_curve25519_base(pub->v, priv->v);
    HS_ASSERT(rc == 0);
    return HS_OK;
}

static enum hs_err x25519(const struct hs_mls_secret *priv, struct hs_bytes pub, struct hs_mls_secret *dh)
{
    HS_REQUIRE(priv->len == X25519_LEN && pub.len == X25519_LEN, HS_ERR_BAD_KEY);
    dh->len = X25519_LEN;
    int rc = crypto_scalarmult_curve25519(dh->v, priv->v, pub.data);
    return rc == 0 && sodium_is_zero(dh->v, X25519_LEN) == 0 ? HS_OK : HS_ERR_BAD_KEY;
}

static enum hs_err x25519_derive(struct hs_bytes ikm, struct hs_mls_secret *priv, struct hs_mls_pub *pub)
{
    HS_TRY(hs_mls_dhkem_derive(&hs_mls_suite_3, ikm, X25519_LEN, priv));
    return x25519_public(priv, pub);
}

static enum hs_err x25519_encap(struct hs_bytes pub, struct hs_mls_secret *shared, uint8_t *enc)
{
    struct hs_mls_secret HS_MLS_SECRET eph = {.len = X25519_LEN}, HS_MLS_SECRET dh = {0};
    struct hs_mls_pub eph_pub;
    randombytes_buf(eph.v, eph.len);
    HS_TRY(x25519_public(&eph, &eph_pub));
    HS_TRY(x25519(&eph, pub, &dh));
    memcpy(enc, eph_pub.v, eph_pub.len);
    return hs_mls_dhkem_secret(&hs_mls_suite_3, HS_MLS_VIEW(dh), HS_MLS_VIEW(eph_pub), pub, shared);
}

static enum hs_err x25519_decap(const struct hs_mls_secret *priv, struct hs_bytes pub, struct hs_bytes enc,
                                struct hs_mls_secret *shared)
{
    struct hs_mls_secret HS_MLS_SECRET dh = {0};
    HS_TRY(x25519(priv, enc, &dh));
    return hs_mls_dhkem_secret(&hs_mls_suite_3, HS_MLS_VIEW(dh), enc, pub, shared);
}

_Static_assert(HS_MLS_MAX_SECRET >= crypto_sign_SECRETKEYBYTES, "an expanded key fits");

static enum hs_err ed25519_generate(struct hs_mls_secret *priv, struct hs_mls_pub *pub)
{
    priv->len = crypto_sign_SECRETKEYBYTES;
    pub->len = ED25519_PUB_LEN;
    crypto_sign_keypair(pub->v, priv->v);
    return HS_OK;
}

static enum hs_err ed25519_import(struct hs_bytes bytes, struct hs_mls_secret *priv, struct hs_mls_pub *pub)
{
    HS_REQUIRE(bytes.len == SEED_LEN, HS_ERR_INVALID_ARG);
    priv->len = crypto_sign_SECRETKEYBYTES;
    pub->len = ED25519_PUB_LEN;
    crypto_sign_seed_keypair(pub->v, priv->v, bytes.data);
    return HS_OK;
}

/* libsodium's expanded key begins with the seed. */
static enum hs_err ed25519_export(const struct hs_mls_secret *priv, struct hs_mls_secret *bytes)
{
    HS_REQUIRE(priv->len == crypto_sign_SECRETKEYBYTES, HS_ERR_INVALID_ARG);
    HS_ASSERT(HS_MLS_SET(hs_bytes(priv->v, SEED_LEN), bytes));
    return HS_OK;
}

static enum hs_err ed25519_sign(const struct hs_mls_secret *priv, struct hs_bytes message,
                                struct hs_mls_signature *sig)
{
    HS_REQUIRE(priv->len == crypto_sign_SECRETKEYBYTES, HS_ERR_INVALID_ARG);
    sig->len = HS_SIG_LEN;
    crypto_sign_detached(sig->v, NULL, message.data, message.len, priv->v);
    return HS_OK;
}

static enum hs_err ed25519_verify(struct hs_bytes pub, struct hs_bytes message, struct hs_bytes sig)
{
    struct hs_key key;
    HS_REQUIRE(HS_FIXED(pub, &key), HS_ERR_BAD_SIGNATURE);
    return hs_verify(&key, message, sig);
}

struct hs_mls_signer hs_mls_signer_ed25519(const struct hs_mls_suite *suite, const struct hs_signer *signer)
{
    struct hs_mls_signer out = {.suite = suite};
    HS_ASSERT(suite->sign == ed25519_sign && HS_MLS_SET(HS_VIEW(signer->pub), &out.pub) &&
              HS_MLS_SET(hs_bytes(signer->sk, sizeof signer->sk), &out.priv));
    return out;
}

/* DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, Ed25519: all but the AEAD. */
#define X25519_SHA256_ED25519                                                                                \
    .kem_id = 0x0020, .kdf_id = 0x0001, .hash_len = HASH_LEN, .kem_pub_len = X25519_LEN,                     \
    .kem_priv_len = X25519_LEN, .kem_enc_len = X25519_LEN, .sign_pub_len = ED25519_PUB_LEN, .hash = sha256,  \
    .hmac = hmac_sha256, .kem_derive = x25519_derive, .kem_check = x25519_check,                             \
    .kem_public = x25519_public, .kem_encap = x25519_encap, .kem_decap = x25519_decap,                       \
    .sign_generate = ed25519_generate, .sign_import = ed25519_import, .sign_export = ed25519_export,         \
    .sign = ed25519_sign, .verify = ed25519_verify

const struct hs_mls_suite hs_mls_suite_3 = {
    .id = 0x0003,
    .name = "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519",
    .aead_id = 0x0003,
    .key_len = 32,
    .seal = chacha_seal,
    .open = chacha_open,
    X25519_SHA256_ED25519,
};

#ifdef HANSE_MLS_OPENSSL
static enum hs_err aes128gcm_seal(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                                  struct hs_bytes plaintext, uint8_t *out)
{
    enum hs_err err = hs_openssl_seal(HS_OPENSSL_AES128GCM, key, nonce, ad, plaintext, out);
    return err == HS_OK ? HS_OK : HS_ERR_NOMEM; /* whatever libcrypto lacks, it is nobody else's fault */
}

static enum hs_err aes128gcm_open(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                                  struct hs_bytes ciphertext, uint8_t *out)
{
    return hs_openssl_open(HS_OPENSSL_AES128GCM, key, nonce, ad, ciphertext, out);
}

const struct hs_mls_suite hs_mls_suite_1 = {
    .id = 0x0001,
    .name = "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
    .aead_id = 0x0001,
    .key_len = 16,
    .seal = aes128gcm_seal,
    .open = aes128gcm_open,
    X25519_SHA256_ED25519,
};
#endif

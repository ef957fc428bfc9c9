/* The crypto provider: one table of primitives for each cipher suite (RFC 9420, 5.1 and 17.1), and the sizes
 * that go with it. Everything else of this stage works from such a table and presumes no size: a further
 * suite is one more table, listed in provider.c or handed to hs_mls_suite_add(). */
#ifndef HS_MLS_PROVIDER_H
#define HS_MLS_PROVIDER_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

/* The largest that any suite of the RFC's registry has: hash of SHA-512, keys of P-521 (a private scalar, an
 * uncompressed point), a DER-encoded ECDSA signature over it. */
enum {
    HS_MLS_MAX_HASH = 64,
    HS_MLS_MAX_SECRET = 66,
    HS_MLS_MAX_PUB = 133,
    HS_MLS_MAX_SIGNATURE = 144,
    HS_MLS_TAG_LEN = 16, /* of every AEAD in the registry */
    HS_MLS_MAX_AEAD_KEY = 32,
    HS_MLS_NONCE_LEN = 12,
};

/* Values with their length. The content's member is v, so that the views of fixed-size things (HS_VIEW) don't
 * fit them by accident. */
struct hs_mls_hash {
    uint8_t len, v[HS_MLS_MAX_HASH];
};

/* A secret of the key schedule, or a private key: wiped when it is left (HS_MLS_SECRET). */
struct hs_mls_secret {
    uint8_t len, v[HS_MLS_MAX_SECRET];
};

struct hs_mls_pub {
    uint8_t len, v[HS_MLS_MAX_PUB];
};

struct hs_mls_signature {
    uint8_t len, v[HS_MLS_MAX_SIGNATURE];
};

#define HS_MLS_VIEW(x) hs_bytes((x).v, (x).len)

/* Copies a view into one of them; false, and empty, where it is too long. */
#define HS_MLS_SET(in, x) hs_mls_set((in), &(x)->len, (x)->v, sizeof(x)->v)
bool hs_mls_set(struct hs_bytes in, uint8_t *len, uint8_t *out, size_t size);

void hs_mls_secret_wipe(struct hs_mls_secret *secret);
#define HS_MLS_SECRET HS_AUTO(hs_mls_secret_wipe)

/* What a member signs with: copied by value, wiped by hs_mls_signer_wipe(). */
struct hs_mls_suite;
struct hs_mls_signer {
    const struct hs_mls_suite *suite;
    struct hs_mls_secret priv; /* as the suite's sign() takes it */
    struct hs_mls_pub pub;
};
#define HS_MLS_SIGNER HS_AUTO(hs_mls_signer_wipe)
void hs_mls_signer_wipe(struct hs_mls_signer *signer);

/* All buffers have the table's sizes; views of other lengths are answered with the error named. */
struct hs_mls_suite {
    uint16_t id;
    const char *name;                 /* of the registry */
    uint16_t kem_id, kdf_id, aead_id; /* RFC 9180, 7 */
    uint8_t hash_len;                 /* of hash, secrets, tags, references */
    uint8_t key_len;                  /* AEAD key; its nonce has HS_MLS_NONCE_LEN, its tag HS_MLS_TAG_LEN */
    uint8_t kem_pub_len, kem_priv_len, kem_enc_len;
    uint8_t sign_pub_len;

    /* Over the parts, one after another. */
    void (*hash)(const struct hs_bytes *parts, size_t count, uint8_t *out);
    void (*hmac)(struct hs_bytes key, const struct hs_bytes *parts, size_t count, uint8_t *out);

    /* out has HS_MLS_TAG_LEN bytes more, or fewer, than the input; it may be where the input is. NOMEM;
     * DECRYPT where the ciphertext was altered or is shorter than a tag. */
    enum hs_err (*seal)(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                        struct hs_bytes plaintext, uint8_t *out);
    enum hs_err (*open)(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                        struct hs_bytes ciphertext, uint8_t *out);

    /* DeriveKeyPair (RFC 9180, 4): at least kem_priv_len bytes of input. */
    enum hs_err (*kem_derive)(struct hs_bytes ikm, struct hs_mls_secret *priv, struct hs_mls_pub *pub);
    /* BAD_KEY where nobody could encrypt to it. */
    enum hs_err (*kem_check)(struct hs_bytes pub);
    enum hs_err (*kem_public)(const struct hs_mls_secret *priv, struct hs_mls_pub *pub);
    /* Encap and Decap (RFC 9180, 4): the shared secret of the KEM, and enc of kem_enc_len. BAD_KEY. pub: the
     * public key of priv, which the KEM's context holds. */
    enum hs_err (*kem_encap)(struct hs_bytes pub, struct hs_mls_secret *shared, uint8_t *enc);
    enum hs_err (*kem_decap)(const struct hs_mls_secret *priv, struct hs_bytes pub, struct hs_bytes enc,
                             struct hs_mls_secret *shared);

    /* A new signature key pair, one from its bytes as key files have them (Ed25519: the 32-byte seed), and
     * these bytes again; NULL where keys can't leave. */
    enum hs_err (*sign_generate)(struct hs_mls_secret *priv, struct hs_mls_pub *pub);
    enum hs_err (*sign_import)(struct hs_bytes bytes, struct hs_mls_secret *priv, struct hs_mls_pub *pub);
    enum hs_err (*sign_export)(const struct hs_mls_secret *priv, struct hs_mls_secret *bytes);
    enum hs_err (*sign)(const struct hs_mls_secret *priv, struct hs_bytes message,
                        struct hs_mls_signature *sig);
    /* BAD_SIGNATURE, also for a key that isn't one. */
    enum hs_err (*verify)(struct hs_bytes pub, struct hs_bytes message, struct hs_bytes sig);
};

/* MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519, on libsodium. */
extern const struct hs_mls_suite hs_mls_suite_3;

#ifdef HANSE_MLS_OPENSSL
/* MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519: libsodium, with AES-128-GCM from OpenSSL. */
extern const struct hs_mls_suite hs_mls_suite_1;
#endif

/* NULL where this build doesn't have it. */
const struct hs_mls_suite *hs_mls_suite_find(uint16_t id);

/* A table of the caller's, which must stay. Before anything else of this stage is called; not thread-safe.
 * INVALID_ARG where its number is taken or a size is beyond the maxima; TOO_LARGE past HS_MLS_MAX_SUITES. */
enum { HS_MLS_MAX_SUITES = 16 };
enum hs_err hs_mls_suite_add(const struct hs_mls_suite *suite);

/* The suites of this build, in order of preference; at most HS_MLS_MAX_SUITES. Returns their number. */
size_t hs_mls_suites(const struct hs_mls_suite **out);

enum hs_err hs_mls_signer_random(const struct hs_mls_suite *suite, struct hs_mls_signer *signer);
enum hs_err hs_mls_signer_import(const struct hs_mls_suite *suite, struct hs_bytes bytes,
                                 struct hs_mls_signer *signer);

/* Hanse's own Ed25519 signer, for a suite that signs with Ed25519. */
struct hs_signer;
struct hs_mls_signer hs_mls_signer_ed25519(const struct hs_mls_suite *suite, const struct hs_signer *signer);

#endif

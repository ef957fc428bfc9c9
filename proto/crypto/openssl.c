#include "crypto/openssl.h"

#include "base/secret.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdatomic.h>

enum { TAG_LEN = 16, NONCE_LEN = 12 };

static void context_free(EVP_CIPHER_CTX **context)
{
    EVP_CIPHER_CTX_free(*context);
}
#define CONTEXT HS_AUTO(context_free)

/* A context of its own, made once: OpenSSL 3.0 doesn't survive that memory runs out while the default one is
 * begun. NULL without memory. */
static OSSL_LIB_CTX *library_get(void)
{
    static _Atomic(OSSL_LIB_CTX *) library;
    OSSL_LIB_CTX *found = atomic_load(&library);
    if (found != NULL)
        return found;
    OSSL_LIB_CTX *made = OSSL_LIB_CTX_new();
    if (made != NULL && !atomic_compare_exchange_strong(&library, &found, made)) {
        OSSL_LIB_CTX_free(made);
        return found;
    }
    return made;
}

/* Looked up once, for that takes longer than to encrypt a post; it stays to the program's end. NULL without
 * memory, or where this OpenSSL refuses the cipher. */
static const EVP_CIPHER *cipher_get(enum hs_openssl_cipher cipher)
{
    static const char *const names[] = {"AES-128-GCM", "ChaCha20-Poly1305"};
    static _Atomic(EVP_CIPHER *) ciphers[sizeof names / sizeof *names];
    EVP_CIPHER *found = atomic_load(&ciphers[cipher]);
    if (found != NULL)
        return found;
    OSSL_LIB_CTX *library = library_get();
    EVP_CIPHER *fetched = library != NULL ? EVP_CIPHER_fetch(library, names[cipher], NULL) : NULL;
    if (fetched != NULL && !atomic_compare_exchange_strong(&ciphers[cipher], &found, fetched)) {
        EVP_CIPHER_free(fetched);
        return found;
    }
    return fetched;
}

/* In OpenSSL no output means associated data, so an empty message must not be written at all. */
static bool update(EVP_CIPHER_CTX *context, uint8_t *out, struct hs_bytes in)
{
    int len = 0;
    return in.len == 0 || EVP_CipherUpdate(context, out, &len, in.data, (int)in.len) == 1;
}

static EVP_CIPHER_CTX *begin(enum hs_openssl_cipher cipher, const uint8_t *key, const uint8_t *nonce,
                             struct hs_bytes ad, int encrypt)
{
    const EVP_CIPHER *found = cipher_get(cipher);
    EVP_CIPHER_CTX *context = found != NULL ? EVP_CIPHER_CTX_new() : NULL;
    if (context != NULL && EVP_CipherInit_ex2(context, found, key, nonce, encrypt, NULL) == 1 &&
        update(context, NULL, ad))
        return context;
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

enum hs_err hs_openssl_seal(enum hs_openssl_cipher cipher, const uint8_t *key, const uint8_t *nonce,
                            struct hs_bytes ad, struct hs_bytes plaintext, uint8_t *out)
{
    int len = 0;
    HS_REQUIRE(plaintext.len <= INT_MAX && ad.len <= INT_MAX, HS_ERR_NOMEM);
    EVP_CIPHER_CTX CONTEXT *context = begin(cipher, key, nonce, ad, 1);
    HS_REQUIRE(context != NULL, HS_ERR_NOMEM);
    HS_REQUIRE(update(context, out, plaintext), HS_ERR_NOMEM); /* it writes all of it or nothing */
    HS_REQUIRE(EVP_CipherFinal_ex(context, out + plaintext.len, &len) == 1 &&
                   EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, out + plaintext.len) == 1,
               HS_ERR_UNEXPECTED);
    return HS_OK;
}

enum hs_err hs_openssl_open(enum hs_openssl_cipher cipher, const uint8_t *key, const uint8_t *nonce,
                            struct hs_bytes ad, struct hs_bytes ciphertext, uint8_t *out)
{
    int len = 0;
    uint8_t tag[TAG_LEN];
    HS_REQUIRE(ciphertext.len >= TAG_LEN, HS_ERR_DECRYPT);
    struct hs_bytes body = hs_bytes(ciphertext.data, ciphertext.len - TAG_LEN);
    HS_REQUIRE(body.len <= INT_MAX && ad.len <= INT_MAX, HS_ERR_NOMEM);
    memcpy(tag, ciphertext.data + body.len, TAG_LEN); /* the output may lie over it */
    EVP_CIPHER_CTX CONTEXT *context = begin(cipher, key, nonce, ad, 0);
    HS_REQUIRE(context != NULL, HS_ERR_NOMEM);
    HS_REQUIRE(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1, HS_ERR_NOMEM);
    uint8_t end[TAG_LEN];
    HS_REQUIRE(update(context, out, body), HS_ERR_NOMEM);
    if (EVP_CipherFinal_ex(context, end, &len) == 1)
        return HS_OK;
    hs_wipe(out, body.len);
    return HS_ERR_DECRYPT;
}

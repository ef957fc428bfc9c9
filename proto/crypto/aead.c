#include "crypto/aead.h"

#include <sodium.h>

_Static_assert(HS_AEAD_TAG_LEN == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag length");
_Static_assert(HS_AEAD_NONCE_LEN == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "nonce length");

#ifdef HANSE_OPENSSL

#include "crypto/openssl.h"

/* From here on libcrypto is faster, up to three times. */
enum { LONG = 512 };

/* False where libsodium has to do it: always, with the plaintext where it was. */
static bool seal_long(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad, struct hs_bytes plaintext,
                      uint8_t *out)
{
    if (plaintext.len < LONG)
        return false;
    enum hs_err err = hs_openssl_seal(HS_OPENSSL_CHACHA20POLY1305, key, nonce, ad, plaintext, out);
    if (err == HS_ERR_UNEXPECTED && out == plaintext.data) /* the same key stream takes it off again */
        (void)crypto_stream_chacha20_ietf_xor_ic(out, out, plaintext.len, nonce, 1, key);
    return err == HS_OK;
}

/* False likewise. */
static bool open_long(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                      struct hs_bytes ciphertext, uint8_t *out, enum hs_err *err)
{
    if (ciphertext.len < LONG + HS_AEAD_TAG_LEN)
        return false;
    *err = hs_openssl_open(HS_OPENSSL_CHACHA20POLY1305, key, nonce, ad, ciphertext, out);
    return *err != HS_ERR_NOMEM;
}

#else

#define seal_long(...) false
#define open_long(...) false

#endif

void hs_aead_seal(const uint8_t key[static 32], const uint8_t nonce[static 12], struct hs_bytes ad,
                  struct hs_bytes plaintext, uint8_t *out)
{
    if (seal_long(key, nonce, ad, plaintext, out))
        return;
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plaintext.data, plaintext.len, ad.data, ad.len, NULL,
                                              nonce, key);
}

enum hs_err hs_aead_open(const uint8_t key[static 32], const uint8_t nonce[static 12], struct hs_bytes ad,
                         struct hs_bytes ciphertext, uint8_t *out)
{
    HS_REQUIRE(ciphertext.len >= HS_AEAD_TAG_LEN, HS_ERR_DECRYPT);
    enum hs_err err = HS_OK;
    if (open_long(key, nonce, ad, ciphertext, out, &err))
        return err;
    int rc = crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, ciphertext.data, ciphertext.len,
                                                       ad.data, ad.len, nonce, key);
    return rc == 0 ? HS_OK : HS_ERR_DECRYPT;
}

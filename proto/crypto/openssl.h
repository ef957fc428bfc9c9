/* What Hanse takes from OpenSSL's libcrypto. The library of its own that holds it is all of Hanse that sees
 * OpenSSL. */
#ifndef HS_CRYPTO_OPENSSL_H
#define HS_CRYPTO_OPENSSL_H

#include "base/bytes.h"
#include "base/err.h"

enum hs_openssl_cipher {
    HS_OPENSSL_AES128GCM,        /* RFC 5116; a key of 16 bytes */
    HS_OPENSSL_CHACHA20POLY1305, /* RFC 8439; of 32 */
};

/* With a nonce of 12 bytes and a tag of 16 behind the ciphertext; out may be where the input is. NOMEM before
 * anything is written, also for 2^31 bytes or more, which EVP can't count, and where this OpenSSL refuses the
 * cipher; DECRYPT, and out holds nothing of the plaintext. UNEXPECTED: out holds the ciphertext, and
 * libcrypto couldn't make the tag for it. */
enum hs_err hs_openssl_seal(enum hs_openssl_cipher cipher, const uint8_t *key, const uint8_t *nonce,
                            struct hs_bytes ad, struct hs_bytes plaintext, uint8_t *out);
enum hs_err hs_openssl_open(enum hs_openssl_cipher cipher, const uint8_t *key, const uint8_t *nonce,
                            struct hs_bytes ad, struct hs_bytes ciphertext, uint8_t *out);

#endif

/* What suite 1 takes from OpenSSL. The library of its own that holds it is all of Hanse that sees OpenSSL. */
#ifndef HS_MLS_PROVIDER_OPENSSL_H
#define HS_MLS_PROVIDER_OPENSSL_H

#include "base/bytes.h"
#include "base/err.h"

/* AES-128-GCM (RFC 5116) with a key of 16 and a nonce of 12 bytes, shaped as a provider's seal() and open().
 * NOMEM, also for 2^31 bytes or more, which EVP can't count; DECRYPT. */
enum hs_err hs_mls_aes128gcm_seal(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                                  struct hs_bytes plaintext, uint8_t *out);
enum hs_err hs_mls_aes128gcm_open(const uint8_t *key, const uint8_t *nonce, struct hs_bytes ad,
                                  struct hs_bytes ciphertext, uint8_t *out);

#endif

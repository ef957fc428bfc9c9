/* ChaCha20-Poly1305 (RFC 8439), combined mode: the 16-byte tag follows the ciphertext. */
#ifndef HS_CRYPTO_AEAD_H
#define HS_CRYPTO_AEAD_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

enum { HS_AEAD_TAG_LEN = 16, HS_AEAD_NONCE_LEN = 12 };

/* out has plaintext.len + HS_AEAD_TAG_LEN bytes; it may be where the plaintext is. */
void hs_aead_seal(const uint8_t key[static 32], const uint8_t nonce[static 12], struct hs_bytes ad,
                  struct hs_bytes plaintext, uint8_t *out);

/* out has ciphertext.len - HS_AEAD_TAG_LEN bytes; it may be where the ciphertext is. DECRYPT where the
 * ciphertext is shorter than a tag or was altered; out then holds nothing of the plaintext. */
enum hs_err hs_aead_open(const uint8_t key[static 32], const uint8_t nonce[static 12], struct hs_bytes ad,
                         struct hs_bytes ciphertext, uint8_t *out);

#endif

#include "crypto/aead.h"

#include <sodium.h>

_Static_assert(HS_AEAD_TAG_LEN == crypto_aead_chacha20poly1305_ietf_ABYTES, "tag length");
_Static_assert(HS_AEAD_NONCE_LEN == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "nonce length");

void hs_aead_seal(const uint8_t key[static 32], const uint8_t nonce[static 12], struct hs_bytes ad,
                  struct hs_bytes plaintext, uint8_t *out)
{
    crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, plaintext.data, plaintext.len, ad.data, ad.len, NULL,
                                              nonce, key);
}

enum hs_err hs_aead_open(const uint8_t key[static 32], const uint8_t nonce[static 12], struct hs_bytes ad,
                         struct hs_bytes ciphertext, uint8_t *out)
{
    HS_REQUIRE(ciphertext.len >= HS_AEAD_TAG_LEN, HS_ERR_DECRYPT);
    int rc = crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, ciphertext.data, ciphertext.len,
                                                       ad.data, ad.len, nonce, key);
    return rc == 0 ? HS_OK : HS_ERR_DECRYPT;
}

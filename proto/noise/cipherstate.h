/* CipherState of the Noise specification (revision 34, 5.1), for ChaChaPoly. */
#ifndef HS_NOISE_CIPHERSTATE_H
#define HS_NOISE_CIPHERSTATE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

enum { HS_NOISE_TAG_LEN = 16, HS_NOISE_MESSAGE_MAX = 65535 };

struct hs_cipherstate {
    struct hs_secret32 key;
    uint64_t nonce;
    bool has_key;
};

/* InitializeKey(key): nonce 0. Without a key (NULL) text passes unchanged. */
void hs_cipherstate_init(struct hs_cipherstate *c, const struct hs_secret32 *key);

/* What encryption adds to a text: a tag, or nothing without a key. */
size_t hs_cipherstate_overhead(const struct hs_cipherstate *c);

/* EncryptWithAd: out has plaintext.len + overhead bytes and may be where the plaintext is. INVALID_STATE once
 * all nonces are used; nothing is written then. */
enum hs_err hs_cipherstate_encrypt(struct hs_cipherstate *c, struct hs_bytes ad, struct hs_bytes plaintext,
                                   uint8_t *out);

/* DecryptWithAd: out has ciphertext.len - overhead bytes and may be where the ciphertext is. DECRYPT where it
 * is shorter than a tag or was altered (the nonce then stays, 5.1); INVALID_STATE once all nonces are used.
 */
enum hs_err hs_cipherstate_decrypt(struct hs_cipherstate *c, struct hs_bytes ad, struct hs_bytes ciphertext,
                                   uint8_t *out);

/* Rekey (4.2 and 11.3): a new key made with the old one; the nonce goes on counting. */
void hs_cipherstate_rekey(struct hs_cipherstate *c);

void hs_cipherstate_wipe(struct hs_cipherstate *c);

#endif

/* SymmetricState of the Noise specification (revision 34, 5.2), for BLAKE2b. */
#ifndef HS_NOISE_SYMMETRICSTATE_H
#define HS_NOISE_SYMMETRICSTATE_H

#include "noise/cipherstate.h"

enum { HS_NOISE_HASH_LEN = 64 };

struct hs_symmetricstate {
    struct hs_cipherstate cipher;
    uint8_t chaining_key[HS_NOISE_HASH_LEN];
    uint8_t hash[HS_NOISE_HASH_LEN];
};

/* InitializeSymmetric(protocol_name). */
void hs_symmetricstate_init(struct hs_symmetricstate *s, const char *protocol_name);

/* MixHash(data). */
void hs_symmetricstate_mix_hash(struct hs_symmetricstate *s, struct hs_bytes data);

/* MixKey(input_key_material). */
void hs_symmetricstate_mix_key(struct hs_symmetricstate *s, const struct hs_secret32 *ikm);

/* EncryptAndHash: out has plaintext.len + hs_cipherstate_overhead() bytes. Errors of
 * hs_cipherstate_encrypt(). */
enum hs_err hs_symmetricstate_encrypt(struct hs_symmetricstate *s, struct hs_bytes plaintext, uint8_t *out);

/* DecryptAndHash: out has ciphertext.len - hs_cipherstate_overhead() bytes and is not where the ciphertext
 * is. Errors of hs_cipherstate_decrypt(). */
enum hs_err hs_symmetricstate_decrypt(struct hs_symmetricstate *s, struct hs_bytes ciphertext, uint8_t *out);

/* Split: first is the initiator's sending direction. */
void hs_symmetricstate_split(const struct hs_symmetricstate *s, struct hs_cipherstate *first,
                             struct hs_cipherstate *second);

void hs_symmetricstate_wipe(struct hs_symmetricstate *s);

#endif

/* Ed25519 (RFC 8032). A private key is its 32-byte seed; the expanded form is cached in struct hs_signer. */
#ifndef HS_CRYPTO_SIGN_H
#define HS_CRYPTO_SIGN_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

struct hs_signer {
    struct hs_key pub;
    uint8_t sk[64];
};

#define HS_SIGNER HS_AUTO(hs_signer_wipe)

void hs_signer_init(struct hs_signer *signer, const struct hs_secret32 *seed);
void hs_signer_random(struct hs_signer *signer);
void hs_signer_wipe(struct hs_signer *signer);

/* The 32-byte seed that the signer was made from. */
void hs_signer_seed(const struct hs_signer *signer, struct hs_secret32 *seed);

void hs_sign(const struct hs_signer *signer, struct hs_bytes message, struct hs_sig *sig);

/* BAD_SIGNATURE where it doesn't match. The key must have passed hs_sign_key_check() when it was learned. */
enum hs_err hs_verify(const struct hs_key *key, struct hs_bytes message, struct hs_bytes sig);

/* Whether hs_verify() also checks the point R: set once by hs_crypto_init(), where this libsodium would
 * accept an R with a torsion part. All nodes must judge a signature alike, or their logs fork. */
void hs_verify_check_r(bool on);

/* BAD_KEY where key is not a point of the main subgroup: checked once, when a key is learned. */
enum hs_err hs_sign_key_check(const struct hs_key *key);

#endif

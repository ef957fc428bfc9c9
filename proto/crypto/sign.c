#include "crypto/sign.h"

#include <sodium.h>
#include <stdatomic.h>

void hs_signer_init(struct hs_signer *signer, const struct hs_secret32 *seed)
{
    crypto_sign_seed_keypair(signer->pub.b, signer->sk, seed->b);
}

void hs_signer_random(struct hs_signer *signer)
{
    crypto_sign_keypair(signer->pub.b, signer->sk);
}

void hs_signer_wipe(struct hs_signer *signer)
{
    hs_wipe(signer, sizeof *signer);
}

void hs_signer_seed(const struct hs_signer *signer, struct hs_secret32 *seed)
{
    crypto_sign_ed25519_sk_to_seed(seed->b, signer->sk);
}

void hs_sign(const struct hs_signer *signer, struct hs_bytes message, struct hs_sig *sig)
{
    crypto_sign_detached(sig->b, NULL, message.data, message.len, signer->sk);
}

static atomic_bool check_r;

void hs_verify_check_r(bool on)
{
    atomic_store(&check_r, on);
}

enum hs_err hs_verify(const struct hs_key *key, struct hs_bytes message, struct hs_bytes sig)
{
    HS_REQUIRE(sig.len == HS_SIG_LEN, HS_ERR_BAD_SIGNATURE);
    if (atomic_load(&check_r))
        HS_REQUIRE(crypto_core_ed25519_is_valid_point(sig.data) == 1, HS_ERR_BAD_SIGNATURE);
    int rc = crypto_sign_verify_detached(sig.data, message.data, message.len, key->b);
    return rc == 0 ? HS_OK : HS_ERR_BAD_SIGNATURE;
}

enum hs_err hs_sign_key_check(const struct hs_key *key)
{
    return crypto_core_ed25519_is_valid_point(key->b) == 1 ? HS_OK : HS_ERR_BAD_KEY;
}

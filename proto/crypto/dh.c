#include "crypto/dh.h"

#include <sodium.h>

void hs_dh_public(const struct hs_secret32 *priv, struct hs_key *pub)
{
    int rc = crypto_scalarmult_curve25519_base(pub->b, priv->b);
    HS_ASSERT(rc == 0);
}

void hs_dh_keypair(struct hs_secret32 *priv, struct hs_key *pub)
{
    randombytes_buf(priv->b, sizeof priv->b);
    hs_dh_public(priv, pub);
}

enum hs_err hs_dh(const struct hs_secret32 *priv, const struct hs_key *pub, struct hs_secret32 *shared)
{
    int rc = crypto_scalarmult_curve25519(shared->b, priv->b, pub->b);
    if (rc == 0 && sodium_is_zero(shared->b, sizeof shared->b) == 0)
        return HS_OK;
    hs_secret32_wipe(shared);
    return HS_ERR_BAD_KEY;
}

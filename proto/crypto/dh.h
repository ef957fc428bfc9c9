/* X25519 (RFC 7748). */
#ifndef HS_CRYPTO_DH_H
#define HS_CRYPTO_DH_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

/* A new private key and its public key. */
void hs_dh_keypair(struct hs_secret32 *priv, struct hs_key *pub);

/* The public key of priv. */
void hs_dh_public(const struct hs_secret32 *priv, struct hs_key *pub);

/* The shared secret; BAD_KEY where the other side's key is of low order (all-zero output, RFC 7748, 6.1). */
enum hs_err hs_dh(const struct hs_secret32 *priv, const struct hs_key *pub, struct hs_secret32 *shared);

#endif

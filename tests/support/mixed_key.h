/* An Ed25519 key outside the main subgroup, a good key and a point of order 2 added, whose signatures verify
 * all the same: what a malicious device would show where nobody looks at the key itself. Other verifiers may
 * judge such signatures otherwise, and two members would no longer agree. */
#ifndef TESTS_SUPPORT_MIXED_KEY_H
#define TESTS_SUPPORT_MIXED_KEY_H

#include "support/test.h"

#include <sodium.h>

#include "base/text.h"
#include "crypto/sign.h"
#include "mls/provider.h"

enum { MIXED_SCALAR = 32, MIXED_POINT = 32 };

/* R || A || M: what the signature's challenge is made of. The verifier multiplies A by it, and the point of
 * order 2 goes away where it is even. */
static inline bool mixed_challenge(const uint8_t *nonce_point, const uint8_t *pub, struct hs_bytes message,
                                   uint8_t *out)
{
    crypto_hash_sha512_state state;
    uint8_t hash[64];
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, nonce_point, MIXED_POINT);
    crypto_hash_sha512_update(&state, pub, MIXED_POINT);
    crypto_hash_sha512_update(&state, message.data, message.len);
    crypto_hash_sha512_final(&state, hash);
    crypto_core_ed25519_scalar_reduce(out, hash);
    return (out[0] & 1) == 0;
}

static inline enum hs_err mixed_sign(const struct hs_mls_secret *priv, struct hs_bytes message,
                                     struct hs_mls_signature *sig)
{
    const uint8_t *scalar = priv->v, *pub = priv->v + MIXED_SCALAR;
    uint8_t nonce[MIXED_SCALAR], challenge[MIXED_SCALAR], product[MIXED_SCALAR];
    do {
        crypto_core_ed25519_scalar_random(nonce);
        assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(sig->v, nonce), 0);
    } while (!mixed_challenge(sig->v, pub, message, challenge));
    crypto_core_ed25519_scalar_mul(product, challenge, scalar);
    crypto_core_ed25519_scalar_add(sig->v + MIXED_POINT, nonce, product);
    sig->len = HS_SIG_LEN;
    return HS_OK;
}

/* The rooms' suite, but for the way in which it signs. */
static inline const struct hs_mls_suite *mixed_suite(void)
{
    static struct hs_mls_suite suite;
    suite = hs_mls_suite_3;
    suite.sign = mixed_sign;
    return &suite;
}

static inline struct hs_mls_signer mixed_signer(void)
{
    struct hs_mls_signer signer = {
        .suite = mixed_suite(), .priv.len = MIXED_SCALAR + MIXED_POINT, .pub.len = MIXED_POINT};
    uint8_t point[MIXED_POINT], torsion[MIXED_POINT];
    assert_ok(hs_unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", torsion,
                       sizeof torsion));
    crypto_core_ed25519_scalar_random(signer.priv.v);
    assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(point, signer.priv.v), 0);
    assert_int_equal(crypto_core_ed25519_add(signer.pub.v, point, torsion), 0);
    memcpy(signer.priv.v + MIXED_SCALAR, signer.pub.v, MIXED_POINT);
    return signer;
}

#endif

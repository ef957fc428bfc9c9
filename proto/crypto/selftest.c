#include "crypto/selftest.h"

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

#include <sodium.h>

static bool is_hex(struct hs_bytes got, const char *want)
{
    char text[HS_HEX_SIZE(64)];
    return got.len <= 64 && strcmp(hs_hex(got, text), want) == 0;
}

/* FIPS 180-2 "abc"; RFC 4231 case 2; RFC 5869 case 3. */
static bool hashes_are_right(void)
{
    struct hs_id id = hs_sha256(hs_bytes_str("abc"));
    uint8_t mac[32], okm[42], ikm[22];
    hs_hmac(hs_bytes_str("Jefe"), hs_bytes_str("what do ya want for nothing?"), mac);
    memset(ikm, 0x0b, sizeof ikm);
    struct hs_secret32 prk;
    hs_hkdf_extract((struct hs_bytes){0}, hs_bytes(ikm, sizeof ikm), &prk);
    enum hs_err err = hs_hkdf_expand(HS_VIEW(prk), (struct hs_bytes){0}, okm, sizeof okm);
    return err == HS_OK &&
           is_hex(HS_VIEW(id), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") &&
           is_hex(hs_bytes(mac, 32), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843") &&
           is_hex(hs_bytes(okm, 42),
                  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395"
                  "faa4b61a96c8");
}

/* RFC 7748, 5.2, first vector; and the point of order 1, which must be refused. */
static bool dh_is_right(void)
{
    struct hs_secret32 scalar, shared;
    struct hs_key u, low = {{1}};
    if (hs_unhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4", scalar.b, 32) != HS_OK ||
        hs_unhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c", u.b, 32) != HS_OK)
        return false;
    return hs_dh(&scalar, &u, &shared) == HS_OK &&
           is_hex(HS_VIEW(shared), "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552") &&
           hs_dh(&scalar, &low, &shared) == HS_ERR_BAD_KEY;
}

/* RFC 8032, 7.1, test 1, then what must be refused. */
static bool signatures_are_right(void)
{
    struct hs_secret32 seed;
    struct hs_signer signer;
    struct hs_sig sig;
    if (hs_unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", seed.b, 32) != HS_OK)
        return false;
    hs_signer_init(&signer, &seed);
    hs_sign(&signer, (struct hs_bytes){0}, &sig);
    bool good =
        is_hex(HS_VIEW(signer.pub), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a") &&
        is_hex(HS_VIEW(sig), "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                             "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
    good = good && hs_verify(&signer.pub, (struct hs_bytes){0}, HS_VIEW(sig)) == HS_OK;
    sig.b[33] ^= 1;
    return good && hs_verify(&signer.pub, (struct hs_bytes){0}, HS_VIEW(sig)) != HS_OK;
}

/* The points of order 2, 4 and 8. */
static const char *const torsion_hex[] = {
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
};
enum { TORSION_POINTS = sizeof torsion_hex / sizeof torsion_hex[0] };

/* A good key plus a torsion point must be refused: some libsodium releases let such keys through
 * (CVE-2025-69277). */
static bool mixed_keys_are_refused(void)
{
    struct hs_signer signer;
    hs_signer_random(&signer);
    bool refused = hs_sign_key_check(&signer.pub) == HS_OK;
    for (size_t i = 0; i < TORSION_POINTS && refused; i++) {
        struct hs_key torsion, mixed;
        refused = hs_unhex(torsion_hex[i], torsion.b, 32) == HS_OK &&
                  crypto_core_ed25519_add(mixed.b, signer.pub.b, torsion.b) == 0 &&
                  hs_sign_key_check(&mixed) == HS_ERR_BAD_KEY &&
                  hs_sign_key_check(&torsion) == HS_ERR_BAD_KEY;
    }
    hs_signer_wipe(&signer);
    return refused;
}

/* A signature whose R has a torsion part: cofactorless verification refuses it, cofactored accepts it. */
static bool accepts_torsion_in_r(void)
{
    struct hs_signer HS_SIGNER signer;
    uint8_t a[64], r[64], h[64], sig[64];
    struct hs_secret32 HS_SECRET seed, HS_SECRET nonce;
    struct hs_key torsion, point;
    hs_signer_random(&signer);
    hs_signer_seed(&signer, &seed);
    crypto_hash_sha512(a, seed.b, sizeof seed.b);
    a[0] &= 248;
    a[31] = (uint8_t)((a[31] & 127) | 64);
    memset(a + 32, 0, 32);
    crypto_core_ed25519_scalar_reduce(a, a);
    randombytes_buf(r, sizeof r);
    crypto_core_ed25519_scalar_reduce(nonce.b, r);
    if (crypto_scalarmult_ed25519_base_noclamp(point.b, nonce.b) != 0 ||
        hs_unhex(torsion_hex[0], torsion.b, 32) != HS_OK ||
        crypto_core_ed25519_add(sig, point.b, torsion.b) != 0)
        return true;
    crypto_hash_sha512_state state;
    crypto_hash_sha512_init(&state);
    crypto_hash_sha512_update(&state, sig, 32);
    crypto_hash_sha512_update(&state, signer.pub.b, 32);
    crypto_hash_sha512_final(&state, h);
    crypto_core_ed25519_scalar_reduce(h, h);
    crypto_core_ed25519_scalar_mul(h, h, a);
    crypto_core_ed25519_scalar_add(sig + 32, h, nonce.b);
    hs_wipe(a, sizeof a);
    hs_wipe(r, sizeof r);
    return crypto_sign_verify_detached(sig, NULL, 0, signer.pub.b) == 0;
}

enum hs_err hs_crypto_init(void)
{
    HS_REQUIRE(sodium_init() >= 0, HS_ERR_SELFTEST);
    HS_REQUIRE(hashes_are_right() && dh_is_right(), HS_ERR_SELFTEST);
    HS_REQUIRE(signatures_are_right() && mixed_keys_are_refused(), HS_ERR_SELFTEST);
    hs_verify_check_r(accepts_torsion_in_r());
    return HS_OK;
}

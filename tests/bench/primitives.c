/* The wrappers of proto/crypto against bare libsodium. */
#include "bench/bench.h"

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

#include <sodium.h>

enum { SHORT = 1024, LONG = 65535 - 16 };

static struct {
    uint8_t pk[32], sk[64], sig[64], scalar[32], point[32], out[LONG + 16], text[LONG], key[32], nonce[12],
        hash[32];
    struct hs_signer signer;
    struct hs_secret32 priv;
    struct hs_key pub;
} world;

static void bare_sign(void *unused)
{
    (void)unused;
    (void)crypto_sign_detached(world.sig, NULL, world.text, 200, world.sk);
}

static void bare_verify(void *unused)
{
    (void)unused;
    HS_ASSERT(crypto_sign_verify_detached(world.sig, world.text, 200, world.pk) == 0);
}

static void bare_dh(void *unused)
{
    (void)unused;
    HS_ASSERT(crypto_scalarmult(world.out, world.scalar, world.point) == 0);
}

static void bare_base(void *unused)
{
    (void)unused;
    HS_ASSERT(crypto_scalarmult_base(world.out, world.scalar) == 0);
}

static void bare_sha256(void *unused)
{
    (void)unused;
    (void)crypto_hash_sha256(world.hash, world.text, SHORT);
}

static void bare_seal(size_t len)
{
    (void)crypto_aead_chacha20poly1305_ietf_encrypt(world.out, NULL, world.text, len, NULL, 0, NULL,
                                                    world.nonce, world.key);
}

static void bare_open(size_t len)
{
    HS_ASSERT(crypto_aead_chacha20poly1305_ietf_decrypt(world.text, NULL, NULL, world.out, len + 16, NULL, 0,
                                                        world.nonce, world.key) == 0);
}

static void bare_seal_1k(void *unused)
{
    (void)unused;
    bare_seal(SHORT);
}

static void bare_open_1k(void *unused)
{
    (void)unused;
    bare_open(SHORT);
}

static void bare_seal_64k(void *unused)
{
    (void)unused;
    bare_seal(LONG);
}

static void bare_open_64k(void *unused)
{
    (void)unused;
    bare_open(LONG);
}

static struct bench_floor f;

const struct bench_floor *bench_floors(void)
{
    return &f;
}

void bench_floors_refresh(void)
{
    const double ms = 60;
    (void)crypto_sign_keypair(world.pk, world.sk);
    randombytes_buf(world.scalar, sizeof world.scalar);
    (void)crypto_scalarmult_base(world.point, world.scalar);
    f.sign = bench_time(bare_sign, NULL, ms);
    f.verify = bench_time(bare_verify, NULL, ms);
    f.dh = bench_time(bare_dh, NULL, ms);
    f.base = bench_time(bare_base, NULL, ms);
    f.sha256_1k = bench_time(bare_sha256, NULL, ms);
    f.aead_1k = bench_time(bare_seal_1k, NULL, ms);
    f.aead_open_1k = bench_time(bare_open_1k, NULL, ms);
    f.aead_64k = bench_time(bare_seal_64k, NULL, ms);
    f.aead_open_64k = bench_time(bare_open_64k, NULL, ms);
}

static void our_sign(void *unused)
{
    struct hs_sig sig;
    (void)unused;
    hs_sign(&world.signer, hs_bytes(world.text, 200), &sig);
    memcpy(world.sig, sig.b, sizeof sig.b);
}

static void our_verify(void *unused)
{
    (void)unused;
    FUZZ_OK(hs_verify(&world.signer.pub, hs_bytes(world.text, 200), hs_bytes(world.sig, 64)));
}

static void our_dh(void *unused)
{
    struct hs_secret32 HS_SECRET shared;
    (void)unused;
    FUZZ_OK(hs_dh(&world.priv, &world.pub, &shared));
}

static void our_sha256(void *unused)
{
    struct hs_id id = hs_sha256(hs_bytes(world.text, SHORT));
    (void)unused;
    memcpy(world.hash, id.b, sizeof id.b);
}

static void our_seal(void *unused)
{
    (void)unused;
    hs_aead_seal(world.key, world.nonce, (struct hs_bytes){0}, hs_bytes(world.text, SHORT), world.out);
}

static void our_open(void *unused)
{
    (void)unused;
    FUZZ_OK(hs_aead_open(world.key, world.nonce, (struct hs_bytes){0}, hs_bytes(world.out, SHORT + 16),
                         world.text));
}

/* Bare and wrapped in turns, so that both see the same machine. */
static void report_pair(const char *name, bench_step *ours, bench_step *bare, size_t bytes)
{
    static struct bench_samples a, b;
    a.count = b.count = 0;
    for (size_t i = 0; i < 15; i++) {
        bench_add_time(&a, ours, 5);
        bench_add_time(&b, bare, 5);
    }
    struct bench_result r = {name, 0, bench_median(&a), bytes, "libsodium", bench_median(&b)};
    bench_report(&r);
}

void bench_primitives(void)
{
    hs_signer_random(&world.signer);
    hs_dh_keypair(&world.priv, &world.pub);
    our_sign(NULL);
    memcpy(world.pk, world.signer.pub.b, sizeof world.pk);
    memcpy(world.sk, world.signer.sk, sizeof world.sk);
    report_pair("ed25519_sign", our_sign, bare_sign, 0);
    report_pair("ed25519_verify", our_verify, bare_verify, 0);
    report_pair("x25519", our_dh, bare_dh, 0);
    report_pair("sha256_1k", our_sha256, bare_sha256, SHORT);
    our_seal(NULL);
    report_pair("chacha20poly1305_1k", our_seal, bare_seal_1k, SHORT);
    report_pair("chacha20poly1305_open_1k", our_open, bare_open_1k, SHORT);
}

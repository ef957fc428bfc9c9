#include "support/hex.h"

#include "crypto/aead.h"
#include "noise/symmetricstate.h"

static const struct hs_secret32 key = {{1, 2, 3}};
static const char text[] = "the ship sails at noon";
enum { TEXT_LEN = sizeof text - 1, SEALED_LEN = TEXT_LEN + HS_NOISE_TAG_LEN };

/* Noise, 5.1: without a key text passes unchanged, and the nonce stays. */
static void without_key(void **state)
{
    (void)state;
    struct hs_cipherstate c;
    uint8_t out[TEXT_LEN], back[TEXT_LEN];
    hs_cipherstate_init(&c, NULL);
    assert_int_equal(hs_cipherstate_overhead(&c), 0);
    assert_ok(hs_cipherstate_encrypt(&c, (struct hs_bytes){0}, hs_bytes(text, TEXT_LEN), out));
    assert_memory_equal(out, text, TEXT_LEN);
    assert_ok(hs_cipherstate_decrypt(&c, (struct hs_bytes){0}, hs_bytes(out, TEXT_LEN), back));
    assert_memory_equal(back, text, TEXT_LEN);
    assert_int_equal(c.nonce, 0);
}

/* Noise, 12.3: 4 zero bytes, then the counter in little-endian. */
static void nonce_layout(void **state)
{
    (void)state;
    const uint8_t nonce[12] = {0, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
    struct hs_cipherstate c;
    uint8_t got[SEALED_LEN], want[SEALED_LEN];
    hs_cipherstate_init(&c, &key);
    c.nonce = 0x0102030405060708;
    assert_ok(hs_cipherstate_encrypt(&c, hs_bytes_str("ad"), hs_bytes(text, TEXT_LEN), got));
    hs_aead_seal(key.b, nonce, hs_bytes_str("ad"), hs_bytes(text, TEXT_LEN), want);
    assert_memory_equal(got, want, SEALED_LEN);
    assert_true(c.nonce == 0x0102030405060709);
}

/* A message that fails leaves the nonce, so that the right one still opens. */
static void failure_keeps_nonce(void **state)
{
    (void)state;
    struct hs_cipherstate send, receive;
    uint8_t sealed[SEALED_LEN], out[TEXT_LEN];
    hs_cipherstate_init(&send, &key);
    hs_cipherstate_init(&receive, &key);
    assert_ok(hs_cipherstate_encrypt(&send, (struct hs_bytes){0}, hs_bytes(text, TEXT_LEN), sealed));
    for (size_t i = 0; i < SEALED_LEN; i++) {
        sealed[i] ^= 1;
        assert_err(hs_cipherstate_decrypt(&receive, (struct hs_bytes){0}, hs_bytes(sealed, SEALED_LEN), out),
                   HS_ERR_DECRYPT);
        sealed[i] ^= 1;
    }
    struct hs_bytes shorter = hs_bytes(sealed, HS_NOISE_TAG_LEN - 1);
    assert_err(hs_cipherstate_decrypt(&receive, (struct hs_bytes){0}, shorter, out), HS_ERR_DECRYPT);
    assert_ok(hs_cipherstate_decrypt(&receive, (struct hs_bytes){0}, hs_bytes(sealed, SEALED_LEN), out));
    assert_err(hs_cipherstate_decrypt(&receive, (struct hs_bytes){0}, hs_bytes(sealed, SEALED_LEN), out),
               HS_ERR_DECRYPT);
}

/* Noise, 5.1: the last nonce is kept for REKEY. */
static void nonces_run_out(void **state)
{
    (void)state;
    struct hs_cipherstate c;
    uint8_t out[SEALED_LEN];
    hs_cipherstate_init(&c, &key);
    c.nonce = UINT64_MAX - 1;
    assert_ok(hs_cipherstate_encrypt(&c, (struct hs_bytes){0}, hs_bytes(text, TEXT_LEN), out));
    assert_err(hs_cipherstate_encrypt(&c, (struct hs_bytes){0}, hs_bytes(text, TEXT_LEN), out),
               HS_ERR_INVALID_STATE);
    assert_err(hs_cipherstate_decrypt(&c, (struct hs_bytes){0}, hs_bytes(out, SEALED_LEN), out),
               HS_ERR_INVALID_STATE);
}

/* SESSION-12: Noise, 4.2 and 11.3: the key is the ciphertext of 32 zeros under nonce 2^64-1, the nonce goes
 * on. */
static void rekey(void **state)
{
    (void)state;
    const uint8_t nonce[12] = {0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255}, zeros[32] = {0};
    struct hs_cipherstate c;
    uint8_t want[32 + HS_NOISE_TAG_LEN];
    hs_cipherstate_init(&c, &key);
    c.nonce = 7;
    hs_cipherstate_rekey(&c);
    hs_aead_seal(key.b, nonce, (struct hs_bytes){0}, hs_bytes(zeros, 32), want);
    assert_memory_equal(c.key.b, want, 32);
    assert_true(c.nonce == 7);
}

/* Noise, 5.2: a name as long as a hash stands for itself, a longer one is hashed. */
static void protocol_names(void **state)
{
    (void)state;
    struct hs_symmetricstate fits, longer;
    char name[HS_NOISE_HASH_LEN + 2];
    memset(name, 'x', sizeof name);
    name[HS_NOISE_HASH_LEN] = '\0';
    hs_symmetricstate_init(&fits, name);
    assert_memory_equal(fits.hash, name, HS_NOISE_HASH_LEN);
    name[HS_NOISE_HASH_LEN] = 'x';
    name[HS_NOISE_HASH_LEN + 1] = '\0';
    hs_symmetricstate_init(&longer, name);
    assert_memory_not_equal(longer.hash, name, HS_NOISE_HASH_LEN);
    assert_memory_equal(longer.hash, longer.chaining_key, HS_NOISE_HASH_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_key),
        cmocka_unit_test(nonce_layout),
        cmocka_unit_test(failure_keeps_nonce),
        cmocka_unit_test(nonces_run_out),
        cmocka_unit_test(rekey),
        cmocka_unit_test(protocol_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

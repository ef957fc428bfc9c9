/* hs_aead_*() against libsodium's own, at every length around where another library does the work. */
#include "support/test.h"

#include "crypto/aead.h"
#include "crypto/selftest.h"

#include <sodium.h>

enum { MOST = 65519, DENSE = 1200 };

static uint8_t key[32], nonce[HS_AEAD_NONCE_LEN], ad[40], plain[MOST];
static uint8_t want[MOST + HS_AEAD_TAG_LEN], got[MOST + HS_AEAD_TAG_LEN];

static int setup(void **state)
{
    (void)state;
    assert_ok(hs_crypto_init());
    randombytes_buf(key, sizeof key);
    randombytes_buf(nonce, sizeof nonce);
    randombytes_buf(ad, sizeof ad);
    randombytes_buf(plain, sizeof plain);
    return 0;
}

static void check_length(size_t len, size_t ad_len)
{
    struct hs_bytes data = hs_bytes(ad, ad_len), sealed = hs_bytes(got, len + HS_AEAD_TAG_LEN);
    crypto_aead_chacha20poly1305_ietf_encrypt(want, NULL, plain, len, ad, ad_len, NULL, nonce, key);
    hs_aead_seal(key, nonce, data, hs_bytes(plain, len), got);
    assert_memory_equal(got, want, sealed.len);
    memcpy(got, plain, len);
    hs_aead_seal(key, nonce, data, hs_bytes(got, len), got); /* in its place */
    assert_memory_equal(got, want, sealed.len);
    assert_ok(hs_aead_open(key, nonce, data, sealed, got));
    assert_memory_equal(got, plain, len);
}

static void all_lengths_are_the_standards(void **state)
{
    (void)state;
    for (size_t len = 0; len < DENSE; len++)
        check_length(len, len % (sizeof ad + 1));
    check_length(MOST, 0);
    check_length(MOST - 1, sizeof ad);
}

/* One bit is enough, wherever it is; nothing of the plaintext is shown. */
static void altered_ones_are_refused(void **state)
{
    static const size_t lengths[] = {0, 1, 511, 512, 513, 1000};
    static const uint8_t zeros[DENSE];
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t len = lengths[i], sealed = len + HS_AEAD_TAG_LEN;
        crypto_aead_chacha20poly1305_ietf_encrypt(want, NULL, plain, len, ad, sizeof ad, NULL, nonce, key);
        for (size_t at = 0; at < sealed; at++) {
            memcpy(got, want, sealed);
            got[at] ^= (uint8_t)(1u << at % 8);
            assert_err(hs_aead_open(key, nonce, hs_bytes(ad, sizeof ad), hs_bytes(got, sealed), got),
                       HS_ERR_DECRYPT);
            assert_true(len == 0 || memcmp(got, plain, len) != 0);
            assert_true(len < 512 || memcmp(got, zeros, len) == 0);
        }
        assert_err(hs_aead_open(key, nonce, hs_bytes(ad, 39), hs_bytes(want, sealed), got), HS_ERR_DECRYPT);
    }
    assert_err(hs_aead_open(key, nonce, hs_bytes(ad, sizeof ad), hs_bytes(want, HS_AEAD_TAG_LEN - 1), got),
               HS_ERR_DECRYPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lengths_are_the_standards),
        cmocka_unit_test(altered_ones_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

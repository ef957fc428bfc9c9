/* libcrypto fails at any call: nothing ends the program, what libsodium can do is done by it, and the rest is
 * an error. Linked with -Wl,--wrap of the calls that work on bytes. */
#include "support/test.h"

#include "crypto/aead.h"
#include "crypto/openssl.h"
#include "crypto/selftest.h"

#include <sodium.h>

int __real_EVP_CipherUpdate(void *context, unsigned char *out, int *out_len, const unsigned char *in,
                            int in_len);
int __real_EVP_CipherFinal_ex(void *context, unsigned char *out, int *out_len);
int __real_EVP_CIPHER_CTX_ctrl(void *context, int type, int arg, void *data);
int __wrap_EVP_CipherUpdate(void *context, unsigned char *out, int *out_len, const unsigned char *in,
                            int in_len);
int __wrap_EVP_CipherFinal_ex(void *context, unsigned char *out, int *out_len);
int __wrap_EVP_CIPHER_CTX_ctrl(void *context, int type, int arg, void *data);

static size_t fail_in; /* counted from now; 0: none */
static bool failed;

static bool fails(void)
{
    bool now = fail_in > 0 && --fail_in == 0;
    failed = failed || now;
    return now;
}

int __wrap_EVP_CipherUpdate(void *context, unsigned char *out, int *out_len, const unsigned char *in,
                            int in_len)
{
    return fails() ? 0 : __real_EVP_CipherUpdate(context, out, out_len, in, in_len);
}

int __wrap_EVP_CipherFinal_ex(void *context, unsigned char *out, int *out_len)
{
    return fails() ? 0 : __real_EVP_CipherFinal_ex(context, out, out_len);
}

int __wrap_EVP_CIPHER_CTX_ctrl(void *context, int type, int arg, void *data)
{
    return fails() ? 0 : __real_EVP_CIPHER_CTX_ctrl(context, type, arg, data);
}

enum { LEN = 1000, SEAL_CALLS = 4, OPEN_CALLS = 3 /* before the tag is compared */ };

static uint8_t key[32], nonce[HS_AEAD_NONCE_LEN], ad[40], plain[LEN];
static uint8_t want[LEN + HS_AEAD_TAG_LEN], got[LEN + HS_AEAD_TAG_LEN];

static int setup(void **state)
{
    (void)state;
    assert_ok(hs_crypto_init());
    randombytes_buf(key, sizeof key);
    randombytes_buf(nonce, sizeof nonce);
    randombytes_buf(ad, sizeof ad);
    randombytes_buf(plain, sizeof plain);
    crypto_aead_chacha20poly1305_ietf_encrypt(want, NULL, plain, LEN, ad, sizeof ad, NULL, nonce, key);
    return 0;
}

static void libsodium_steps_in(void **state)
{
    (void)state;
    struct hs_bytes data = hs_bytes(ad, sizeof ad), sealed = hs_bytes(want, sizeof want);
    for (size_t in_place = 0; in_place < 2; in_place++) {
        for (size_t n = 1; n <= SEAL_CALLS + 1; n++) {
            memcpy(got, plain, LEN);
            fail_in = n;
            failed = false;
            hs_aead_seal(key, nonce, data, hs_bytes(in_place ? got : plain, LEN), got);
            assert_int_equal(failed, n <= SEAL_CALLS);
            assert_memory_equal(got, want, sizeof want);
        }
        for (size_t n = 1; n <= OPEN_CALLS; n++) {
            memcpy(got, want, sizeof want);
            fail_in = n;
            failed = false;
            assert_ok(hs_aead_open(key, nonce, data, in_place ? hs_bytes(got, sizeof got) : sealed, got));
            assert_true(failed);
            assert_memory_equal(got, plain, LEN);
        }
    }
    fail_in = 0;
}

/* Suite 1 of MLS has nobody else. */
static void the_others_are_told(void **state)
{
    (void)state;
    static const uint8_t zeros[LEN];
    struct hs_bytes data = hs_bytes(ad, sizeof ad);
    uint8_t sealed[LEN + HS_AEAD_TAG_LEN];
    assert_ok(hs_openssl_seal(HS_OPENSSL_AES128GCM, key, nonce, data, hs_bytes(plain, LEN), sealed));
    for (size_t n = 1; n <= SEAL_CALLS; n++) {
        fail_in = n;
        enum hs_err err = hs_openssl_seal(HS_OPENSSL_AES128GCM, key, nonce, data, hs_bytes(plain, LEN), got);
        assert_err(err, n <= 2 ? HS_ERR_NOMEM : HS_ERR_UNEXPECTED);
    }
    for (size_t n = 1; n <= OPEN_CALLS; n++) {
        memset(got, 0, sizeof got);
        fail_in = n;
        assert_err(
            hs_openssl_open(HS_OPENSSL_AES128GCM, key, nonce, data, hs_bytes(sealed, sizeof sealed), got),
            HS_ERR_NOMEM);
        assert_memory_equal(got, zeros, LEN);
    }
    fail_in = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libsodium_steps_in),
        cmocka_unit_test(the_others_are_told),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

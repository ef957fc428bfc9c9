#include "support/hex.h"

#include "crypto/selftest.h"
#include "crypto/sign.h"

static void signer(void **state)
{
    (void)state;
    struct hs_secret32 seed = {{1, 2, 3}}, back;
    struct hs_signer HS_SIGNER one, HS_SIGNER two;
    struct hs_sig sig, again;
    hs_signer_init(&one, &seed);
    hs_signer_init(&two, &seed);
    assert_true(hs_key_equal(&one.pub, &two.pub));
    hs_signer_seed(&one, &back);
    assert_memory_equal(back.b, seed.b, 32);
    hs_sign(&one, hs_bytes_str("text"), &sig);
    hs_sign(&two, hs_bytes_str("text"), &again);
    assert_memory_equal(sig.b, again.b, sizeof sig.b);
    assert_ok(hs_sign_key_check(&one.pub));
    hs_signer_random(&two);
    assert_false(hs_key_equal(&one.pub, &two.pub));
}

static void verify(void **state)
{
    (void)state;
    struct hs_signer HS_SIGNER one, HS_SIGNER two;
    struct hs_sig sig;
    struct hs_bytes text = hs_bytes_str("text");
    hs_signer_random(&one);
    hs_signer_random(&two);
    hs_sign(&one, text, &sig);
    assert_ok(hs_verify(&one.pub, text, HS_VIEW(sig)));
    assert_err(hs_verify(&two.pub, text, HS_VIEW(sig)), HS_ERR_BAD_SIGNATURE);
    assert_err(hs_verify(&one.pub, hs_bytes_str("texts"), HS_VIEW(sig)), HS_ERR_BAD_SIGNATURE);
    assert_err(hs_verify(&one.pub, text, hs_bytes(sig.b, 63)), HS_ERR_BAD_SIGNATURE);
    assert_err(hs_verify(&one.pub, text, (struct hs_bytes){0}), HS_ERR_BAD_SIGNATURE);
    for (size_t i = 0; i < sizeof sig.b; i++) {
        sig.b[i] ^= 1;
        assert_err(hs_verify(&one.pub, text, HS_VIEW(sig)), HS_ERR_BAD_SIGNATURE);
        sig.b[i] ^= 1;
    }
}

/* With and without the check of R (which depends on libsodium's version) honest signatures pass. */
static void check_of_r(void **state)
{
    (void)state;
    struct hs_signer HS_SIGNER one;
    struct hs_sig sig;
    hs_signer_random(&one);
    hs_sign(&one, (struct hs_bytes){0}, &sig);
    hs_verify_check_r(true);
    assert_ok(hs_verify(&one.pub, (struct hs_bytes){0}, HS_VIEW(sig)));
    hs_verify_check_r(false);
    assert_ok(hs_verify(&one.pub, (struct hs_bytes){0}, HS_VIEW(sig)));
}

/* Points of small order, points off the curve, and encodings that aren't the one of their point. */
static void bad_keys(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "0200000000000000000000000000000000000000000000000000000000000000",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hs_key key;
        UNHEX_FIXED(bad[i], &key);
        assert_err(hs_sign_key_check(&key), HS_ERR_BAD_KEY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signer),
        cmocka_unit_test(verify),
        cmocka_unit_test(check_of_r),
        cmocka_unit_test(bad_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

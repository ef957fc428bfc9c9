/* Each key is checked once, wherever it stands. */
#include "support/test.h"

#include "crypto/selftest.h"
#include "identity/learn.h"

static int start(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

static struct hs_key fresh_key(void)
{
    struct hs_signer HS_SIGNER signer;
    hs_signer_random(&signer);
    return signer.pub;
}

/* IDENTITY-3: a bad key stays one, however often it is asked for. */
static void bad_keys_are_not_learned(void **state)
{
    (void)state;
    struct hs_learned learned = {0};
    struct hs_key low = {{1}}, good = fresh_key();
    assert_ok(hs_key_learn(&learned, &good));
    assert_ok(hs_key_learn(&learned, &good));
    assert_int_equal(learned.count, 1);
    assert_err(hs_key_learn(&learned, &low), HS_ERR_BAD_KEY);
    assert_err(hs_key_learn(&learned, &low), HS_ERR_BAD_KEY);
    assert_int_equal(learned.count, 1);
    assert_ok(hs_key_learn(NULL, &good));
    assert_err(hs_key_learn(NULL, &low), HS_ERR_BAD_KEY);
    /* that it was learned is all that counts */
    learned.keys[0] = low;
    assert_ok(hs_key_learn(&learned, &low));
}

/* Past the limit keys are checked each time. */
static void what_has_no_place_is_checked(void **state)
{
    (void)state;
    struct hs_learned learned = {0};
    struct hs_key low = {{1}};
    for (size_t i = 0; i < HS_LEARNED_MAX; i++) {
        struct hs_key key = fresh_key();
        assert_int_equal(learned.count, i);
        assert_ok(hs_key_learn(&learned, &key));
    }
    struct hs_key more = fresh_key();
    assert_int_equal(learned.count, HS_LEARNED_MAX);
    assert_ok(hs_key_learn(&learned, &more));
    assert_int_equal(learned.count, HS_LEARNED_MAX);
    assert_err(hs_key_learn(&learned, &low), HS_ERR_BAD_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_keys_are_not_learned),
        cmocka_unit_test(what_has_no_place_is_checked),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}

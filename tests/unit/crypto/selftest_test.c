#include "support/test.h"

#include "crypto/hash.h"
#include "crypto/selftest.h"
#include "crypto/sign.h"

#include <sodium.h>

/* The library of this machine passes, any number of times. */
static void passes(void **state)
{
    (void)state;
    assert_ok(hs_crypto_init());
    assert_ok(hs_crypto_init());
}

/* RFC 5869, 2.3: at most 255 blocks. */
static void hkdf_limit(void **state)
{
    (void)state;
    static uint8_t out[255 * 32 + 1];
    assert_ok(hs_hkdf_expand(hs_bytes_str("key"), hs_bytes_str("info"), out, 255 * 32));
    assert_err(hs_hkdf_expand(hs_bytes_str("key"), hs_bytes_str("info"), out, 255 * 32 + 1),
               HS_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes),
        cmocka_unit_test(hkdf_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

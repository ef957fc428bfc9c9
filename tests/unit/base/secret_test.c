#include "support/test.h"

#include "base/secret.h"

static void wipe(void **state)
{
    (void)state;
    struct hs_secret32 secret;
    const struct hs_secret32 zeros = {0};
    memset(&secret, 7, sizeof secret);
    hs_secret32_wipe(&secret);
    assert_memory_equal(&secret, &zeros, sizeof zeros);
    uint8_t some[4] = {1, 2, 3, 4};
    hs_wipe(some, 2);
    assert_memory_equal(some, "\0\0\3\4", 4);
    hs_wipe(NULL, 0);
}

static void remember(struct hs_secret32 *secret)
{
    hs_secret32_wipe(secret);
    check_expected(secret->b[0]);
}

/* The attribute calls on every way out, a return in the middle included. */
static int leave_early(bool early)
{
    struct hs_secret32 HS_AUTO(remember) secret = {{9}};
    if (early)
        return secret.b[0];
    return secret.b[0] + 1;
}

static void wiped_on_every_way_out(void **state)
{
    (void)state;
    expect_value(remember, secret->b[0], 0);
    assert_int_equal(leave_early(true), 9);
    expect_value(remember, secret->b[0], 0);
    assert_int_equal(leave_early(false), 10);
}

static void equal(void **state)
{
    (void)state;
    assert_true(hs_secret_equal(hs_bytes_str("abc"), hs_bytes_str("abc")));
    assert_false(hs_secret_equal(hs_bytes_str("abc"), hs_bytes_str("abd")));
    assert_false(hs_secret_equal(hs_bytes_str("abc"), hs_bytes_str("ab")));
    assert_true(hs_secret_equal((struct hs_bytes){0}, (struct hs_bytes){0}));
    assert_false(hs_secret_equal((struct hs_bytes){0}, hs_bytes_str("a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wipe),
        cmocka_unit_test(wiped_on_every_way_out),
        cmocka_unit_test(equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

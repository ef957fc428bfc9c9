/* Suites, signers, errors, the version. */
#include "unit/mls_api/club.h"

static void suites(void **state)
{
    (void)state;
    uint16_t all[16];
    size_t count = hanse_mls_suites(all, 16);
    assert_in_range(count, 1, 16);
    assert_int_equal(all[0], SUITE);
    for (size_t i = 0; i < count; i++)
        assert_non_null(hanse_mls_suite_name(all[i]));
    assert_string_equal(hanse_mls_suite_name(SUITE), "MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519");
    assert_null(hanse_mls_suite_name(0xFFFF));
    all[0] = 0;
    assert_int_equal(hanse_mls_suites(all, 0), count);
    assert_int_equal(all[0], 0);
}

/* RFC 8032, 7.1, test 1. */
static const uint8_t seed[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                                 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                                 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
static const uint8_t pub[32] = {0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
                                0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
                                0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

static void import_and_export(void **state)
{
    (void)state;
    struct hanse_mls_signer *signer;
    BUF bytes = {0};
    assert_good(hanse_mls_signer_import(SUITE, hanse_mls_bytes(seed, sizeof seed), &signer));
    assert_same(hanse_mls_signer_public(signer), hanse_mls_bytes(pub, sizeof pub));
    assert_int_equal(hanse_mls_signer_suite(signer), SUITE);
    assert_good(hanse_mls_signer_export(signer, &bytes));
    assert_same(hanse_mls_view(&bytes), hanse_mls_bytes(seed, sizeof seed));
    hanse_mls_signer_free(signer);
    hanse_mls_signer_free(NULL);
}

static void bad_imports(void **state)
{
    (void)state;
    struct hanse_mls_signer *signer = (struct hanse_mls_signer *)(uintptr_t)1;
    assert_fault(hanse_mls_signer_import(SUITE, hanse_mls_bytes(seed, 31), &signer), HANSE_ERR_INVALID_ARG);
    assert_null(signer);
    assert_fault(hanse_mls_signer_import(SUITE, nothing, &signer), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_signer_import(0xFFFF, hanse_mls_bytes(seed, 32), &signer), HANSE_ERR_MLS_VERSION);
    assert_fault(hanse_mls_signer_generate(0xFFFF, &signer), HANSE_ERR_MLS_VERSION);
    assert_null(signer);
}

static void generated_keys_differ(void **state)
{
    (void)state;
    struct hanse_mls_signer *a, *b;
    assert_good(hanse_mls_signer_generate(SUITE, &a));
    assert_good(hanse_mls_signer_generate(SUITE, &b));
    assert_false(hanse_mls_bytes_equal(hanse_mls_signer_public(a), hanse_mls_signer_public(b)));
    hanse_mls_signer_free(a);
    hanse_mls_signer_free(b);
}

static void texts(void **state)
{
    (void)state;
    assert_string_equal(hanse_mls_errname(HANSE_ERR_MLS_EPOCH), "MLS_EPOCH");
    assert_string_equal(hanse_mls_errname(HANSE_OK), "OK");
    assert_true(strlen(hanse_mls_strerror(HANSE_ERR_MLS_EPOCH)) > 10);
    assert_non_null(hanse_mls_strerror((enum hanse_err)12345));
    assert_int_equal(strspn(hanse_mls_version(), "0123456789."), strlen(hanse_mls_version()));
}

static void empty_buffers(void **state)
{
    (void)state;
    struct hanse_mls_buf buf = {0};
    hanse_mls_buf_free(&buf);
    assert_null(buf.data);
    assert_true(hanse_mls_bytes_equal(hanse_mls_view(&buf), hanse_mls_text("")));
    assert_false(hanse_mls_bytes_equal(hanse_mls_text("a"), hanse_mls_text("b")));
    hanse_mls_event_free(NULL);
    hanse_mls_group_free(NULL);
    hanse_mls_public_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suites),      cmocka_unit_test(import_and_export),
        cmocka_unit_test(bad_imports), cmocka_unit_test(generated_keys_differ),
        cmocka_unit_test(texts),       cmocka_unit_test(empty_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

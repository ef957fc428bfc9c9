/* The key schedule: limits, and how an epoch's secrets are saved. What is derived is shown by the working
 * group's vectors. */
#include "support/test.h"

#include "crypto/selftest.h"
#include "mls/limits.h"
#include "mls/schedule.h"

#include <string.h>

static const struct hs_mls_suite *const suite = &hs_mls_suite_3;

/* Secrets of which some were wiped are read back as they were; nothing shorter or longer is. */
static void saved(void **state)
{
    (void)state;
    const struct hs_mls_secret epoch = {.len = 32, .v = {1}};
    struct hs_mls_epoch_secrets secrets, read;
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    assert_ok(hs_mls_epoch_from_secret(suite, &epoch, &secrets));
    hs_mls_secret_wipe(&secrets.encryption);
    hs_mls_epoch_secrets_write(&w, &secrets);
    for (size_t len = 0; len <= w.len; len++) {
        struct hs_reader r = hs_reader(hs_bytes(w.data, len));
        memset(&read, 0xff, sizeof read);
        hs_mls_epoch_secrets_read(&r, &read);
        assert_err(hs_reader_finish(&r), len == w.len ? HS_OK : HS_ERR_MALFORMED);
    }
    assert_int_equal(read.encryption.len, 0);
    assert_memory_equal(&read, &secrets, sizeof read);
}

/* The longest secret there can be, and one byte more. */
static void longest(void **state)
{
    (void)state;
    for (uint8_t len = HS_MLS_MAX_SECRET; len <= HS_MLS_MAX_SECRET + 1; len++) {
        struct hs_writer HS_WRITER w = hs_writer(1 << 20);
        const uint8_t zeros[HS_MLS_MAX_SECRET + 1] = {0};
        struct hs_mls_epoch_secrets read;
        for (int i = 0; i < 9; i++) {
            hs_write_u8(&w, len);
            hs_write_bytes(&w, hs_bytes(zeros, len));
        }
        struct hs_reader r = hs_reader(hs_writer_bytes(&w));
        hs_mls_epoch_secrets_read(&r, &read);
        assert_err(hs_reader_finish(&r), len == HS_MLS_MAX_SECRET ? HS_OK : HS_ERR_MALFORMED);
    }
}

/* As many PSKs as there may be, and one more; none are zeros. */
static void psks(void **state)
{
    (void)state;
    static struct hs_mls_psk_id ids[HS_MLS_MAX_PSKS + 1];
    static struct hs_bytes secrets[HS_MLS_MAX_PSKS + 1];
    struct hs_mls_secret none, zeros, all, fewer;
    for (size_t i = 0; i <= HS_MLS_MAX_PSKS; i++) {
        ids[i] = (struct hs_mls_psk_id){.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("id")};
        secrets[i] = hs_bytes_str("secret");
    }
    hs_mls_secret_zero(suite, &zeros);
    assert_ok(hs_mls_psk_secret(suite, NULL, NULL, 0, &none));
    assert_memory_equal(&none, &zeros, sizeof none);
    assert_ok(hs_mls_psk_secret(suite, ids, secrets, HS_MLS_MAX_PSKS, &all));
    assert_ok(hs_mls_psk_secret(suite, ids, secrets, HS_MLS_MAX_PSKS - 1, &fewer));
    assert_memory_not_equal(all.v, fewer.v, all.len);
    assert_err(hs_mls_psk_secret(suite, ids, secrets, HS_MLS_MAX_PSKS + 1, &all), HS_ERR_TOO_LARGE);
}

static void exported(void **state)
{
    (void)state;
    static uint8_t out[255 * 32 + 1];
    const struct hs_mls_secret epoch = {.len = 32, .v = {1}};
    struct hs_mls_epoch_secrets secrets;
    const struct hs_bytes context = hs_bytes_str("context");
    assert_ok(hs_mls_epoch_from_secret(suite, &epoch, &secrets));
    assert_ok(hs_mls_export(suite, &secrets, "label", context, out, sizeof out - 1));
    assert_err(hs_mls_export(suite, &secrets, "label", context, out, sizeof out), HS_ERR_INVALID_ARG);
    assert_ok(hs_mls_export(suite, &secrets, "label", context, out, 0));
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved),
        cmocka_unit_test(longest),
        cmocka_unit_test(psks),
        cmocka_unit_test(exported),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

#include "deal/amount.h"
#include "support/test.h"

static struct hs_amount eur(int64_t minor)
{
    return (struct hs_amount){.currency = "EUR", .minor = minor};
}

/* DEAL-2: |minor| <= 2^53 - 1, three capitals. */
static void amounts_have_bounds(void **state)
{
    (void)state;
    struct hs_amount a;
    assert_ok(hs_amount("EUR", HS_AMOUNT_MAX, &a));
    assert_ok(hs_amount("EUR", -HS_AMOUNT_MAX, &a));
    assert_err(hs_amount("EUR", HS_AMOUNT_MAX + 1, &a), HS_ERR_AMOUNT);
    assert_err(hs_amount("EUR", INT64_MIN, &a), HS_ERR_AMOUNT);
    const char *bad[] = {"", "EU", "EURO", "eur", "E R", "\xc3\x89U", "EU1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(hs_amount(bad[i], 1, &a), HS_ERR_CURRENCY);
    assert_err(hs_amount_read(NULL, &a), HS_ERR_AMOUNT);
}

/* DEAL-2 */
static void sums_are_checked(void **state)
{
    (void)state;
    struct hs_amount max = eur(HS_AMOUNT_MAX), one = eur(1), usd = {.currency = "USD", .minor = 1},
                     r = eur(7);
    assert_err(hs_amount_add(&max, &one, &r), HS_ERR_AMOUNT);
    assert_err(hs_amount_add(&one, &usd, &r), HS_ERR_CURRENCY);
    assert_err(hs_amount_sub(&one, &usd, &r), HS_ERR_CURRENCY);
    assert_int_equal(r.minor, 7);
    assert_ok(hs_amount_sub(&one, &max, &r));
    assert_int_equal(r.minor, 1 - HS_AMOUNT_MAX);
    assert_err(hs_amount_sub(&r, &max, &r), HS_ERR_AMOUNT);
    assert_ok(hs_amount_times(&one, (uint64_t)HS_AMOUNT_MAX, &r));
    assert_err(hs_amount_times(&one, (uint64_t)HS_AMOUNT_MAX + 1, &r), HS_ERR_AMOUNT);
    assert_err(hs_amount_times(&max, (uint64_t)HS_AMOUNT_MAX, &r), HS_ERR_AMOUNT);
    assert_err(hs_amount_times(&max, UINT64_MAX, &r), HS_ERR_AMOUNT);
    assert_err(hs_amount_add(&r, &r, &r), HS_ERR_AMOUNT);
    assert_ok(hs_amount_add(&one, &one, &one));
    assert_int_equal(one.minor, 2);
    assert_true(hs_amount_equal(&one, &one));
    assert_false(hs_amount_equal(&one, &usd));
}

/* DEAL-3: shares, exact in 128 bits. */
static void shares_round_as_told(void **state)
{
    (void)state;
    int64_t r;
    assert_ok(hs_amount_share(999, 1000, 10000, &r));
    assert_int_equal(r, 99);
    assert_ok(hs_amount_share(HS_AMOUNT_MAX, 9999, 10000, &r));
    assert_int_equal(r, INT64_C(9006298534815516));
    assert_ok(hs_amount_share_nearest(5, 1, 10, &r));
    assert_int_equal(r, 1);
    assert_ok(hs_amount_share_nearest(4, 1, 10, &r));
    assert_int_equal(r, 0);
    assert_ok(hs_amount_share_nearest(1, 1, 3, &r));
    assert_int_equal(r, 0);
    assert_ok(hs_amount_share_nearest(2, 1, 3, &r));
    assert_int_equal(r, 1);
    assert_err(hs_amount_share(-1, 1, 1, &r), HS_ERR_AMOUNT);
    assert_err(hs_amount_share(HS_AMOUNT_MAX, 2, 1, &r), HS_ERR_AMOUNT);
}

static const char *text(const char *currency, int64_t minor)
{
    static char out[HS_AMOUNT_TEXT_SIZE];
    struct hs_amount a;
    assert_ok(hs_amount(currency, minor, &a));
    return hs_amount_format(&a, out);
}

/* DEAL-4 */
static void formats(void **state)
{
    (void)state;
    assert_string_equal(text("EUR", 1290), "12.90 EUR");
    assert_string_equal(text("EUR", 5), "0.05 EUR");
    assert_string_equal(text("EUR", -5), "-0.05 EUR");
    assert_string_equal(text("EUR", 0), "0.00 EUR");
    assert_string_equal(text("JPY", 1290), "1290 JPY");
    assert_string_equal(text("KWD", 1290), "1.290 KWD");
    assert_string_equal(text("EUR", -HS_AMOUNT_MAX), "-90071992547409.91 EUR");
    assert_string_equal(text("JPY", -HS_AMOUNT_MAX), "-9007199254740991 JPY");
}

static void parses(void **state)
{
    (void)state;
    static const struct {
        const char *number, *currency;
        enum hs_err err;
        int64_t minor;
    } rows[] = {
        {"12.90", "EUR", HS_OK, 1290},
        {"12.9", "EUR", HS_OK, 1290},
        {"12", "EUR", HS_OK, 1200},
        {"-0.05", "EUR", HS_OK, -5},
        {"0", "JPY", HS_OK, 0},
        {"1290", "JPY", HS_OK, 1290},
        {"1.290", "KWD", HS_OK, 1290},
        {"90071992547409.91", "EUR", HS_OK, HS_AMOUNT_MAX},
        {"90071992547409.92", "EUR", HS_ERR_AMOUNT, 0},
        {"90071992547410", "EUR", HS_ERR_AMOUNT, 0},
        {"99999999999999999999", "EUR", HS_ERR_AMOUNT, 0},
        {"12.901", "EUR", HS_ERR_MALFORMED, 0},
        {"1.0", "JPY", HS_ERR_MALFORMED, 0},
        {"", "EUR", HS_ERR_MALFORMED, 0},
        {"-", "EUR", HS_ERR_MALFORMED, 0},
        {".5", "EUR", HS_ERR_MALFORMED, 0},
        {"5.", "EUR", HS_ERR_MALFORMED, 0},
        {"1,50", "EUR", HS_ERR_MALFORMED, 0},
        {"+1", "EUR", HS_ERR_MALFORMED, 0},
        {" 1", "EUR", HS_ERR_MALFORMED, 0},
        {"1 ", "EUR", HS_ERR_MALFORMED, 0},
        {"1", "Eur", HS_ERR_CURRENCY, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hs_amount a;
        enum hs_err err = hs_amount_parse(hs_bytes_str(rows[i].number), rows[i].currency, &a);
        if (err != rows[i].err || (err == HS_OK && a.minor != rows[i].minor))
            fail_msg("row %zu (%s): %s", i, rows[i].number, hs_err_name(err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_have_bounds),
        cmocka_unit_test(sums_are_checked),
        cmocka_unit_test(shares_round_as_told),
        cmocka_unit_test(formats),
        cmocka_unit_test(parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Amounts as people write them. */
#include "deal/amount.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ISO 4217: the currencies whose minor unit isn't a hundredth. */
static const char no_decimals[][4] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
                                      "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF", "XXX"};
static const char three_decimals[][4] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};

static bool listed(const char (*list)[4], size_t count, const char *currency)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(list[i], currency, 4) == 0)
            return true;
    return false;
}

unsigned hs_currency_decimals(const char currency[static 4])
{
    if (listed(no_decimals, sizeof no_decimals / sizeof *no_decimals, currency))
        return 0;
    return listed(three_decimals, sizeof three_decimals / sizeof *three_decimals, currency) ? 3 : 2;
}

static int64_t power_of_ten(unsigned n)
{
    int64_t result = 1;
    while (n-- > 0)
        result *= 10;
    return result;
}

char *hs_amount_format(const struct hs_amount *a, char out[static HS_AMOUNT_TEXT_SIZE])
{
    unsigned decimals = hs_currency_decimals(a->currency);
    int64_t unit = power_of_ten(decimals), minor = a->minor < 0 ? -a->minor : a->minor;
    const char *sign = a->minor < 0 ? "-" : "";
    if (decimals == 0)
        snprintf(out, HS_AMOUNT_TEXT_SIZE, "%s%" PRId64 " %s", sign, minor, a->currency);
    else
        snprintf(out, HS_AMOUNT_TEXT_SIZE, "%s%" PRId64 ".%0*" PRId64 " %s", sign, minor / unit,
                 (int)decimals, minor % unit, a->currency);
    return out;
}

/* One or more digits from *pos on; the value never passes HS_AMOUNT_MAX. */
static enum hs_err digits_read(struct hs_bytes text, size_t *pos, int64_t *value)
{
    size_t start = *pos;
    for (; *pos < text.len && text.data[*pos] >= '0' && text.data[*pos] <= '9'; (*pos)++) {
        int64_t digit = text.data[*pos] - '0';
        HS_REQUIRE(*value <= (HS_AMOUNT_MAX - digit) / 10, HS_ERR_AMOUNT);
        *value = *value * 10 + digit;
    }
    HS_REQUIRE(*pos > start, HS_ERR_MALFORMED);
    return HS_OK;
}

enum hs_err hs_amount_parse(struct hs_bytes number, const char *currency, struct hs_amount *out)
{
    struct hs_amount result;
    HS_TRY(hs_amount(currency, 0, &result));
    size_t pos = 0;
    bool negative = number.len > 0 && number.data[0] == '-';
    if (negative)
        pos++;
    int64_t value = 0;
    HS_TRY(digits_read(number, &pos, &value));
    unsigned missing = hs_currency_decimals(result.currency);
    if (pos < number.len && number.data[pos] == '.') {
        size_t point = pos++;
        HS_TRY(digits_read(number, &pos, &value));
        HS_REQUIRE(pos - point - 1 <= missing, HS_ERR_MALFORMED);
        missing -= (unsigned)(pos - point - 1);
    }
    HS_REQUIRE(pos == number.len, HS_ERR_MALFORMED);
    HS_REQUIRE(value <= HS_AMOUNT_MAX / power_of_ten(missing), HS_ERR_AMOUNT);
    value *= power_of_ten(missing);
    return hs_amount(currency, negative ? -value : value, out);
}

#include "deal/amount.h"

#include "deal/wide.h"

#include <string.h>

static bool currency_is_valid(const char *currency)
{
    for (size_t i = 0; i < 3; i++)
        if (currency[i] < 'A' || currency[i] > 'Z')
            return false;
    return currency[3] == '\0';
}

static bool in_range(hs_wide minor)
{
    return minor >= -HS_AMOUNT_MAX && minor <= HS_AMOUNT_MAX;
}

static enum hs_err set(struct hs_amount *out, const struct hs_amount *like, hs_wide minor)
{
    HS_REQUIRE(in_range(minor), HS_ERR_AMOUNT);
    struct hs_amount result = *like;
    result.minor = (int64_t)minor;
    *out = result;
    return HS_OK;
}

enum hs_err hs_amount(const char *currency, int64_t minor, struct hs_amount *out)
{
    HS_REQUIRE(currency_is_valid(currency), HS_ERR_CURRENCY);
    struct hs_amount like = {0};
    memcpy(like.currency, currency, sizeof like.currency);
    return set(out, &like, minor);
}

enum hs_err hs_amount_read(const Hanse__Amount *in, struct hs_amount *out)
{
    HS_REQUIRE(in != NULL, HS_ERR_AMOUNT);
    return hs_amount(in->currency, in->minor, out);
}

enum hs_err hs_amount_write(const struct hs_amount *in, struct hs_arena *arena, Hanse__Amount **out)
{
    Hanse__Amount *msg = hs_arena_alloc(arena, sizeof *msg);
    char *currency = hs_arena_str(arena, hs_bytes_str(in->currency));
    HS_REQUIRE(msg != NULL && currency != NULL, HS_ERR_NOMEM);
    hanse__amount__init(msg);
    msg->currency = currency;
    msg->minor = in->minor;
    *out = msg;
    return HS_OK;
}

bool hs_amount_same_currency(const struct hs_amount *a, const struct hs_amount *b)
{
    return memcmp(a->currency, b->currency, sizeof a->currency) == 0;
}

bool hs_amount_equal(const struct hs_amount *a, const struct hs_amount *b)
{
    return hs_amount_same_currency(a, b) && a->minor == b->minor;
}

enum hs_err hs_amount_add(const struct hs_amount *a, const struct hs_amount *b, struct hs_amount *out)
{
    HS_REQUIRE(hs_amount_same_currency(a, b), HS_ERR_CURRENCY);
    return set(out, a, (hs_wide)a->minor + b->minor);
}

enum hs_err hs_amount_sub(const struct hs_amount *a, const struct hs_amount *b, struct hs_amount *out)
{
    HS_REQUIRE(hs_amount_same_currency(a, b), HS_ERR_CURRENCY);
    return set(out, a, (hs_wide)a->minor - b->minor);
}

enum hs_err hs_amount_times(const struct hs_amount *a, uint64_t factor, struct hs_amount *out)
{
    /* A range check on the factor keeps the product inside 128 bits. */
    HS_REQUIRE(factor <= (uint64_t)HS_AMOUNT_MAX, HS_ERR_AMOUNT);
    return set(out, a, (hs_wide)a->minor * (hs_wide)factor);
}

static enum hs_err share(int64_t value, uint64_t num, uint64_t den, hs_uwide bias, int64_t *out)
{
    HS_ASSERT(den > 0);
    HS_REQUIRE(value >= 0 && value <= HS_AMOUNT_MAX, HS_ERR_AMOUNT);
    hs_uwide result = ((hs_uwide)(uint64_t)value * num + bias) / den;
    HS_REQUIRE(result <= (hs_uwide)HS_AMOUNT_MAX, HS_ERR_AMOUNT);
    *out = (int64_t)result;
    return HS_OK;
}

enum hs_err hs_amount_share(int64_t value, uint64_t num, uint64_t den, int64_t *out)
{
    return share(value, num, den, 0, out);
}

enum hs_err hs_amount_share_nearest(int64_t value, uint64_t num, uint64_t den, int64_t *out)
{
    /* floor(x + 1/2): for an odd den, halves don't occur, so rounding the bias down is exact. */
    return share(value, num, den, den / 2, out);
}

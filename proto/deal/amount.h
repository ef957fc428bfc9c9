/* Money: a currency and minor units, with checked arithmetic. */
#ifndef HS_DEAL_AMOUNT_H
#define HS_DEAL_AMOUNT_H

#include "base/arena.h"
#include "schema/deal.pb-c.h"

/* |minor| never exceeds 2^53 - 1, so that every JSON reader holds it exactly. */
#define HS_AMOUNT_MAX INT64_C(9007199254740991)

struct hs_amount {
    char currency[4]; /* ISO 4217, NUL-terminated */
    int64_t minor;
};

/* "-90071992547409.91 EUR" with its NUL. */
enum { HS_AMOUNT_TEXT_SIZE = 32 };

/* CURRENCY unless the code is three capitals; AMOUNT past HS_AMOUNT_MAX. */
enum hs_err hs_amount(const char *currency, int64_t minor, struct hs_amount *out);

/* From a message; AMOUNT where it is absent (NULL). Otherwise as hs_amount(). */
enum hs_err hs_amount_read(const Hanse__Amount *in, struct hs_amount *out);

/* As a message in the arena. NOMEM. */
enum hs_err hs_amount_write(const struct hs_amount *in, struct hs_arena *arena, Hanse__Amount **out);

/* CURRENCY where they differ, AMOUNT where the result is out of range. out may be a or b. */
enum hs_err hs_amount_add(const struct hs_amount *a, const struct hs_amount *b, struct hs_amount *out);
enum hs_err hs_amount_sub(const struct hs_amount *a, const struct hs_amount *b, struct hs_amount *out);
enum hs_err hs_amount_times(const struct hs_amount *a, uint64_t factor, struct hs_amount *out);

bool hs_amount_same_currency(const struct hs_amount *a, const struct hs_amount *b);
bool hs_amount_equal(const struct hs_amount *a, const struct hs_amount *b);

/* value * num / den for 0 <= value <= HS_AMOUNT_MAX and den > 0, in 128 bits: rounded down, or to the nearest
 * with halves up. AMOUNT out of range. */
enum hs_err hs_amount_share(int64_t value, uint64_t num, uint64_t den, int64_t *out);
enum hs_err hs_amount_share_nearest(int64_t value, uint64_t num, uint64_t den, int64_t *out);

/* Digits after the point: 2, but 0 for JPY and its like and for XXX (points), 3 for KWD and its like (ISO
 * 4217). */
unsigned hs_currency_decimals(const char currency[static 4]);

/* "12.90 EUR"; returns out. */
char *hs_amount_format(const struct hs_amount *a, char out[static HS_AMOUNT_TEXT_SIZE]);

/* From "12.90" and "EUR": digits, and at most as many after the point as the currency has; "12" and "12.9"
 * are 12.00 and 12.90. MALFORMED, CURRENCY, AMOUNT. */
enum hs_err hs_amount_parse(struct hs_bytes number, const char *currency, struct hs_amount *out);

#endif

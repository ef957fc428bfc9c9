/* Properties of pricing, against a second model that is slow and simple. */
#include "unit/deal/basket.h"

#include <stdio.h>
#include <time.h>

static uint64_t rng_state;

static uint64_t rng(uint64_t bound)
{
    rng_state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = rng_state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % bound;
}

static void fill(struct basket *b, bool includes_tax)
{
    static const uint32_t rates[] = {0, 550, 700, 1900, 2000, 2500};
    b->count = 0;
    size_t count = 1 + (size_t)rng(rng(10) == 0 ? HS_ORDER_LINES_MAX : 8);
    for (size_t i = 0; i < count; i++)
        add(b, (int64_t)rng(rng(4) == 0 ? 4 : 5000), 1 + rng(5), rates[rng(6)], includes_tax);
    b->coupon_count = 0;
    if (rng(5) == 0)
        return;
    if (rng(2) == 0)
        percent(b, 1 + (uint32_t)rng(10000));
    else
        fixed(b, 1 + (int64_t)rng(8000));
    for (size_t i = 0; i < count && rng(2) == 0; i++)
        if (rng(2) == 0)
            scope(b, i);
    if (rng(3) == 0) {
        amount_set(&b->max_discount, 1 + (int64_t)rng(2000));
        b->def.max_discount = &b->max_discount;
    }
}

static bool in_scope(const struct basket *b, size_t line)
{
    for (size_t i = 0; i < b->def.n_offers; i++)
        if (memcmp(b->def.offers[i].data, b->lines[line].offer_id.b, 32) == 0)
            return true;
    return b->def.n_offers == 0;
}

/* Spreads total over weights one unit at a time: each unit goes where the line is furthest below its exact
 * share (total x weight - given x sum, compared without division), the same ties as the real thing.
 * Quadratic, and it agrees with largest remainders because every line first gets its whole units. */
static void model_spread(int64_t total, const int64_t *weight, const uint32_t *rank, size_t n, int64_t *out)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += weight[i];
        out[i] = 0;
    }
    for (int64_t given = 0; given < total; given++) {
        size_t best = n;
        int64_t best_lack = 0;
        for (size_t i = 0; i < n; i++) {
            int64_t lack = total * weight[i] - out[i] * sum;
            if (lack > 0 && (best == n || lack > best_lack || (lack == best_lack && rank[i] > rank[best]))) {
                best = i;
                best_lack = lack;
            }
        }
        assert_true(best < n);
        out[best]++;
    }
}

static int64_t model_discount(const struct basket *b, int64_t base)
{
    int64_t d = b->def.kind == HANSE__COUPON_KIND__COUPON_PERCENT ? base * b->def.percent_bp / 10000
                                                                  : b->amount.minor;
    if (d > base)
        d = base;
    if (b->def.max_discount != NULL && d > b->def.max_discount->minor)
        d = b->def.max_discount->minor;
    return d;
}

/* Round half up, by trying. */
static int64_t model_tax(int64_t base, int64_t bp, bool includes)
{
    int64_t whole = includes ? 10000 + bp : 10000, tax = 0;
    while (2 * base * bp >= (2 * tax + 1) * whole)
        tax++;
    return tax;
}

static void model_compare(const struct basket *b, bool includes)
{
    int64_t weight[LINES] = {0}, discount[LINES] = {0}, base = 0, subtotal = 0, want = 0, taxes = 0;
    uint32_t rank[LINES];
    for (size_t i = 0; i < b->count; i++) {
        int64_t sub = b->prices[i].minor * (int64_t)b->lines[i].quantity;
        subtotal += sub;
        weight[i] = b->coupon_count == 1 && in_scope(b, i) ? sub : 0;
        rank[i] = b->offers[i].tax_bp;
        base += weight[i];
    }
    if (b->coupon_count == 1)
        want = model_discount(b, base);
    model_spread(want, weight, rank, b->count, discount);
    for (size_t i = 0; i < b->count; i++)
        assert_int_equal(b->totals->lines[i]->discount->minor, discount[i]);
    for (size_t r = 0; r < b->totals->n_taxes; r++) {
        int64_t rate_base = 0;
        for (size_t i = 0; i < b->count; i++)
            if (b->offers[i].tax_bp == b->totals->taxes[r]->tax_bp)
                rate_base += b->prices[i].minor * (int64_t)b->lines[i].quantity - discount[i];
        int64_t tax = model_tax(rate_base, b->totals->taxes[r]->tax_bp, includes);
        assert_int_equal(b->totals->taxes[r]->amount->minor, tax);
        taxes += tax;
    }
    assert_int_equal(b->totals->discount->minor, want);
    assert_int_equal(b->totals->total->minor, subtotal - want + (includes ? 0 : taxes));
}

static void sums_agree(const Hanse__Totals *t)
{
    int64_t discount = 0, tax = 0, total = 0, rates = 0;
    for (size_t i = 0; i < t->n_lines; i++) {
        const Hanse__LineTotal *l = t->lines[i];
        assert_true(l->discount->minor >= 0 && l->discount->minor <= l->subtotal->minor);
        assert_true(l->tax->minor >= 0 && l->total->minor >= 0);
        discount += l->discount->minor;
        tax += l->tax->minor;
        total += l->total->minor;
    }
    for (size_t i = 0; i < t->n_taxes; i++)
        rates += t->taxes[i]->amount->minor;
    assert_int_equal(discount, t->discount->minor);
    assert_int_equal(total, t->total->minor);
    assert_int_equal(tax, rates);
}

static void shuffle(struct basket *b)
{
    for (size_t i = b->count - 1; i > 0; i--) {
        size_t j = (size_t)rng(i + 1);
        struct hs_price_line swap = b->lines[i];
        b->lines[i] = b->lines[j];
        b->lines[j] = swap;
    }
}

/* DEAL-10, DEAL-11: exact, sums agree, nothing is negative, the lines' order doesn't matter. */
static void properties_hold(void **state)
{
    (void)state;
    const char *given = getenv("HANSE_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)seed);
    rng_state = seed;
    struct basket *b = basket();
    for (int round = 0; round < 1500; round++) {
        bool includes = rng(2) == 0;
        fill(b, includes);
        enum hs_err err = price(b);
        if (err == HS_ERR_COUPON_MIN_NOT_MET) {
            b->coupon_count = 0;
            err = price(b);
        }
        assert_ok(err);
        sums_agree(b->totals);
        model_compare(b, includes);
        int64_t total = b->totals->total->minor, discount = b->totals->discount->minor;
        shuffle(b);
        assert_ok(price(b));
        assert_int_equal(b->totals->total->minor, total);
        assert_int_equal(b->totals->discount->minor, discount);
    }
    basket_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(properties_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

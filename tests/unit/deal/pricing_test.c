#include "unit/deal/basket.h"

static char usd_code[] = "USD";

/* DEAL-10: lines, coupon, tax of a small order, by hand. */
static void prices_a_small_order(void **state)
{
    (void)state;
    struct basket *b = basket();
    add(b, 1290, 2, 1900, true);
    add(b, 999, 1, 700, true);
    percent(b, 1000);
    assert_ok(price(b));
    const Hanse__Totals *t = b->totals;
    assert_int_equal(t->subtotal->minor, 3579);
    assert_int_equal(t->discount->minor, 357);
    /* 257.35 and 99.65 */
    assert_int_equal(t->lines[0]->discount->minor, 257);
    assert_int_equal(t->lines[1]->discount->minor, 100);
    assert_int_equal(t->total->minor, 3222);
    assert_int_equal(t->due->minor, 3222);
    assert_int_equal(t->n_taxes, 2);
    assert_int_equal(t->taxes[0]->tax_bp, 700);
    assert_int_equal(t->taxes[0]->amount->minor, 59); /* 899 x 700 / 10700 = 58.81 */
    assert_int_equal(t->taxes[0]->taxable->minor, 840);
    assert_int_equal(t->taxes[1]->amount->minor, 371); /* 2323 x 1900 / 11900 = 370.90 */
    assert_int_equal(t->n_discounts, 1);
    assert_int_equal(t->discounts[0]->amount->minor, 357);
    basket_free(b);
}

/* DEAL-10: prices without tax have it added. */
static void tax_may_be_on_top(void **state)
{
    (void)state;
    struct basket *b = basket();
    add(b, 1000, 3, 1900, false);
    fixed(b, 500);
    assert_ok(price(b));
    assert_int_equal(b->totals->subtotal->minor, 3000);
    assert_int_equal(b->totals->taxes[0]->taxable->minor, 2500);
    assert_int_equal(b->totals->taxes[0]->amount->minor, 475);
    assert_int_equal(b->totals->lines[0]->total->minor, 2975);
    assert_int_equal(b->totals->total->minor, 2975);
    add(b, 1000, 1, 1900, true);
    assert_err(price(b), HS_ERR_ORDER_INVALID);
    basket_free(b);
}

/* DEAL-11: ties of the largest remainder go to the higher tax rate, then to the lower index. */
static void ties_have_an_order(void **state)
{
    (void)state;
    struct basket *b = basket();
    for (size_t i = 0; i < 3; i++)
        add(b, 100, 1, 1900, true);
    fixed(b, 100);
    assert_ok(price(b));
    assert_int_equal(b->totals->lines[0]->discount->minor, 34);
    assert_int_equal(b->totals->lines[1]->discount->minor, 33);
    b->offers[0].tax_bp = 700;
    assert_ok(price(b));
    assert_int_equal(b->totals->lines[0]->discount->minor, 33);
    assert_int_equal(b->totals->lines[1]->discount->minor, 34);
    assert_int_equal(b->totals->lines[2]->discount->minor, 33);
    basket_free(b);
}

/* DEAL-12: scope, cap, minimum, and a discount that would be nothing. */
static void coupons_have_terms(void **state)
{
    (void)state;
    struct basket *b = basket();
    add(b, 1000, 1, 0, true);
    add(b, 3000, 1, 0, true);
    percent(b, 5000);
    scope(b, 0);
    assert_ok(price(b));
    assert_int_equal(b->totals->lines[0]->discount->minor, 500);
    assert_int_equal(b->totals->lines[1]->discount->minor, 0);
    amount_set(&b->max_discount, 499);
    b->def.max_discount = &b->max_discount;
    assert_ok(price(b));
    assert_int_equal(b->totals->discount->minor, 499);
    /* the minimum looks at the whole order, before discounts */
    amount_set(&b->min_subtotal, 4000);
    b->def.min_subtotal = &b->min_subtotal;
    assert_ok(price(b));
    b->min_subtotal.minor = 4001;
    assert_err(price(b), HS_ERR_COUPON_MIN_NOT_MET);
    b->def.min_subtotal = NULL;
    b->scope[0].data = (uint8_t *)(uintptr_t) "no offer of this order's, of 32.";
    assert_err(price(b), HS_ERR_COUPON_MIN_NOT_MET);
    percent(b, 1);
    b->count = 1;
    b->prices[0].minor = 9999;
    assert_err(price(b), HS_ERR_COUPON_MIN_NOT_MET);
    b->prices[0].minor = 10000;
    assert_ok(price(b));
    assert_int_equal(b->totals->discount->minor, 1);
    basket_free(b);
}

/* DEAL-12 */
static void two_order_coupons_do_not_combine(void **state)
{
    (void)state;
    struct basket *b = basket();
    add(b, 1000, 1, 0, true);
    percent(b, 5000);
    b->coupon_count = 2;
    assert_err(price(b), HS_ERR_COUPON_NOT_COMBINABLE);
    b->coupon_count = 1;
    assert_ok(price(b));
    basket_free(b);
}

/* DEAL-12: 100 % and more than the order give exactly 0. */
static void all_off_is_zero(void **state)
{
    (void)state;
    struct basket *b = basket();
    add(b, 333, 7, 1900, true);
    add(b, 1, 1, 700, true);
    percent(b, 10000);
    assert_ok(price(b));
    assert_int_equal(b->totals->total->minor, 0);
    assert_int_equal(b->totals->taxes[0]->amount->minor, 0);
    fixed(b, 1000000);
    assert_ok(price(b));
    assert_int_equal(b->totals->total->minor, 0);
    assert_int_equal(b->totals->discount->minor, 2332);
    basket_free(b);
}

/* DEAL-13: every limit, and one past it. */
static void orders_have_limits(void **state)
{
    (void)state;
    struct basket *b = basket();
    assert_err(price(b), HS_ERR_ORDER_INVALID);
    for (size_t i = 0; i < HS_ORDER_LINES_MAX; i++)
        add(b, 100, 1, (uint32_t)(i % HS_TAX_RATES_MAX), true);
    percent(b, 3333);
    assert_ok(price(b));
    assert_int_equal(b->totals->n_taxes, HS_TAX_RATES_MAX);
    b->offers[7].tax_bp = HS_TAX_RATES_MAX;
    assert_err(price(b), HS_ERR_ORDER_INVALID);
    b->offers[7].tax_bp = 7;
    add(b, 100, 1, 0, true);
    assert_err(price(b), HS_ERR_ORDER_INVALID);
    b->count = 2;
    b->lines[1].offer_id = b->lines[0].offer_id;
    assert_err(price(b), HS_ERR_ORDER_INVALID);
    b->count = 1;
    b->coupon_count = 0;
    b->lines[0].quantity = 0;
    assert_err(price(b), HS_ERR_ORDER_INVALID);
    b->lines[0].quantity = HS_QUANTITY_MAX;
    assert_ok(price(b));
    b->lines[0].quantity = HS_QUANTITY_MAX + 1;
    assert_err(price(b), HS_ERR_ORDER_INVALID);
    b->offers[0].min_quantity = 3;
    b->offers[0].max_quantity = 5;
    for (uint64_t q = 1; q < 8; q++) {
        b->lines[0].quantity = q;
        assert_err(price(b), q >= 3 && q <= 5 ? HS_OK : HS_ERR_ORDER_INVALID);
    }
    basket_free(b);
}

/* DEAL-13: currencies, signs and sums. */
static void amounts_are_checked(void **state)
{
    (void)state;
    struct basket *b = basket();
    add(b, HS_AMOUNT_MAX, 1, 0, true);
    assert_ok(price(b));
    b->lines[0].quantity = 2;
    assert_err(price(b), HS_ERR_AMOUNT);
    b->lines[0].quantity = 1;
    add(b, 1, 1, 0, true);
    assert_err(price(b), HS_ERR_AMOUNT);
    b->prices[1].currency = usd_code;
    assert_err(price(b), HS_ERR_CURRENCY);
    b->count = 1;
    b->prices[0].minor = -1;
    assert_err(price(b), HS_ERR_AMOUNT);
    b->prices[0].minor = 1000;
    b->offers[0].tax_bp = HS_BASIS_POINTS + 1;
    assert_err(price(b), HS_ERR_MALFORMED);
    b->offers[0].tax_bp = HS_BASIS_POINTS;
    assert_ok(price(b));
    fixed(b, 10);
    b->amount.currency = usd_code;
    assert_err(price(b), HS_ERR_CURRENCY);
    b->amount.currency = eur_code;
    amount_set(&b->min_subtotal, 1);
    b->min_subtotal.currency = usd_code;
    b->def.min_subtotal = &b->min_subtotal;
    assert_err(price(b), HS_ERR_CURRENCY);
    b->def.min_subtotal = NULL;
    b->def.kind = HANSE__COUPON_KIND__COUPON_NONE;
    assert_err(price(b), HS_ERR_MALFORMED);
    b->coupon_count = 0;
    b->offers[0].price_includes_tax = false;
    b->prices[0].minor = HS_AMOUNT_MAX;
    assert_err(price(b), HS_ERR_AMOUNT);
    basket_free(b);
}

/* DEAL-14 */
static void totals_compare_in_every_field(void **state)
{
    (void)state;
    struct basket *b = basket(), *c = basket();
    add(b, 1000, 1, 1900, true);
    add(c, 1000, 1, 1900, true);
    assert_ok(price(b));
    assert_ok(price(c));
    assert_ok(hs_totals_check(b->totals, c->totals));
    int64_t *fields[] = {&c->totals->total->minor, &c->totals->due->minor, &c->totals->lines[0]->tax->minor,
                         &c->totals->taxes[0]->taxable->minor};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        (*fields[i])++;
        assert_err(hs_totals_check(b->totals, c->totals), HS_ERR_ORDER_TOTAL);
        (*fields[i])--;
    }
    c->totals->due = NULL;
    assert_err(hs_totals_check(b->totals, c->totals), HS_ERR_ORDER_TOTAL);
    basket_free(b);
    basket_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_a_small_order),
        cmocka_unit_test(tax_may_be_on_top),
        cmocka_unit_test(ties_have_an_order),
        cmocka_unit_test(coupons_have_terms),
        cmocka_unit_test(two_order_coupons_do_not_combine),
        cmocka_unit_test(all_off_is_zero),
        cmocka_unit_test(orders_have_limits),
        cmocka_unit_test(amounts_are_checked),
        cmocka_unit_test(totals_compare_in_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

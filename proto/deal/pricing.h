/* What an order costs: the one function that customer, till and third party all use. Line discounts, then tax
 * for each rate; never recomputed after an order was accepted. */
#ifndef HS_DEAL_PRICING_H
#define HS_DEAL_PRICING_H

#include "base/arena.h"
#include "schema/deal.pb-c.h"
#include "wire/limits.h"

enum {
    HS_QUANTITY_MAX = 1000000, /* pieces of one line: past any shop, and price x quantity stays checkable */
    HS_TAX_RATES_MAX = 16, /* different rates in an order: no country has more, and the totals stay small */
    HS_BASIS_POINTS = 10000
};

struct hs_price_line {
    struct hs_id offer_id;
    const Hanse__Offer *offer;
    uint64_t quantity;
};

struct hs_price_coupon {
    struct hs_id coupon_id;
    const Hanse__CouponDef *def;
};

/* The totals, in the arena.
 * 1. subtotal = price x quantity for each line, and their sum.
 * 2. At most one order coupon (COUPON_NOT_COMBINABLE). The order's subtotal must reach min_subtotal
 *    (COUPON_MIN_NOT_MET). Its base is the sum of the lines that it applies to; percent: floor(base x bp /
 * 10000); fixed: min(amount, base); capped by max_discount. A discount of nothing is COUPON_MIN_NOT_MET: the
 * coupon would be spent for it.
 * 3. The discount is spread over those lines in proportion to their subtotals, rounded down; what is left
 * goes one unit each to the largest remainders, ties to the higher tax rate, then to the lower index. (The
 * tax rate comes first so that the total doesn't depend on the order of the lines.)
 * 4. Tax of each rate on the sum of its lines after discount, to the nearest, halves up: contained in the
 * price (x bp / (10000 + bp)) or on top of it (x bp / 10000). It is spread over the rate's lines as in 3.
 * 5. A line's total is subtotal - discount (+ tax where prices exclude it); due = total.
 *
 * ORDER_INVALID: no line, more than HS_ORDER_LINES_MAX or HS_TAX_RATES_MAX, an offer in two lines, a quantity
 * outside the offer's or the protocol's bounds, prices with and without tax mixed. CURRENCY: lines or coupon
 * in different ones. AMOUNT: a negative price, or a sum out of range. MALFORMED: a tax rate or percentage
 * past 10000, an unknown coupon kind. */
enum hs_err hs_price(const struct hs_price_line *lines, size_t line_count,
                     const struct hs_price_coupon *coupons, size_t coupon_count, struct hs_arena *arena,
                     Hanse__Totals **out);

/* Both say the same in every field (DEAL-14); else ORDER_TOTAL. NOMEM: nobody knows. */
enum hs_err hs_totals_check(const Hanse__Totals *a, const Hanse__Totals *b);

#endif

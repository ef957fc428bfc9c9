/* What the parts of pricing hand to one another. */
#ifndef HS_DEAL_PRICING_STATE_H
#define HS_DEAL_PRICING_STATE_H

#include "deal/amount.h"
#include "deal/pricing.h"

struct hs_pricing {
    const struct hs_price_line *lines;
    size_t count;
    char currency[4];
    bool includes_tax;
    int64_t subtotals[HS_ORDER_LINES_MAX], discounts[HS_ORDER_LINES_MAX], taxes[HS_ORDER_LINES_MAX];
    int64_t subtotal, discount;
    /* One entry for each tax rate that occurs, by rising rate. */
    struct hs_pricing_rate {
        uint32_t bp;
        int64_t taxable, tax; /* taxable is net in both ways of pricing */
    } rates[HS_TAX_RATES_MAX];
    size_t rate_count;
};

/* What is left of a line after its discount: with tax in it, or not, as the prices are. */
static inline int64_t hs_pricing_rest(const struct hs_pricing *p, size_t line)
{
    return p->subtotals[line] - p->discounts[line];
}

/* Fills rates and taxes from subtotals and discounts. ORDER_INVALID for too many rates, AMOUNT. */
enum hs_err hs_pricing_tax(struct hs_pricing *p);

#endif

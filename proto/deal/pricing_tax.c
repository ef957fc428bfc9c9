/* Tax: for each rate, on the sum of what its lines cost after discount. */
#include "deal/pricing_state.h"
#include "deal/share.h"

#include <string.h>

/* Enters a rate into the sorted list; nothing where it is there already. */
static enum hs_err rate_enter(struct hs_pricing *p, uint32_t bp)
{
    size_t at = 0;
    while (at < p->rate_count && p->rates[at].bp < bp)
        at++;
    if (at < p->rate_count && p->rates[at].bp == bp)
        return HS_OK;
    HS_REQUIRE(p->rate_count < HS_TAX_RATES_MAX, HS_ERR_ORDER_INVALID);
    memmove(&p->rates[at + 1], &p->rates[at], (p->rate_count - at) * sizeof p->rates[0]);
    p->rates[at] = (struct hs_pricing_rate){.bp = bp};
    p->rate_count++;
    return HS_OK;
}

/* The rate's tax, and its spread over the rate's lines. */
static enum hs_err rate_apply(struct hs_pricing *p, struct hs_pricing_rate *rate)
{
    struct hs_share parts[HS_ORDER_LINES_MAX];
    size_t index[HS_ORDER_LINES_MAX], count = 0;
    int64_t base = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->lines[i].offer->tax_bp != rate->bp)
            continue;
        index[count] = i;
        parts[count++] = (struct hs_share){.weight = hs_pricing_rest(p, i)};
        base += hs_pricing_rest(p, i); /* at most the subtotal, which is in range */
    }
    uint64_t whole = p->includes_tax ? HS_BASIS_POINTS + (uint64_t)rate->bp : HS_BASIS_POINTS;
    HS_TRY(hs_amount_share_nearest(base, rate->bp, whole, &rate->tax));
    rate->taxable = p->includes_tax ? base - rate->tax : base;
    HS_TRY(hs_share_out(rate->tax, parts, count));
    for (size_t i = 0; i < count; i++)
        p->taxes[index[i]] = parts[i].part;
    return HS_OK;
}

enum hs_err hs_pricing_tax(struct hs_pricing *p)
{
    for (size_t i = 0; i < p->count; i++)
        HS_TRY(rate_enter(p, p->lines[i].offer->tax_bp));
    for (size_t i = 0; i < p->rate_count; i++)
        HS_TRY(rate_apply(p, &p->rates[i]));
    return HS_OK;
}

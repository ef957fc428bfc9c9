#include "deal/pricing.h"

#include "base/writer.h"
#include "deal/pricing_state.h"
#include "deal/share.h"
#include "object/hdr.h"
#include "wire/unpack.h"

#include <string.h>

/* --- lines --- */

static enum hs_err quantity_check(const Hanse__Offer *offer, uint64_t quantity)
{
    uint64_t least = offer->min_quantity == 0 ? 1 : offer->min_quantity;
    uint64_t most = offer->max_quantity == 0 ? HS_QUANTITY_MAX : offer->max_quantity;
    HS_REQUIRE(quantity >= least && quantity <= most && quantity <= HS_QUANTITY_MAX, HS_ERR_ORDER_INVALID);
    return HS_OK;
}

/* An offer in two lines would get round its max_quantity. */
static bool cited_before(const struct hs_pricing *p, size_t line)
{
    for (size_t i = 0; i < line; i++)
        if (hs_id_equal(&p->lines[i].offer_id, &p->lines[line].offer_id))
            return true;
    return false;
}

static enum hs_err line_price(struct hs_pricing *p, size_t line)
{
    const Hanse__Offer *offer = p->lines[line].offer;
    HS_REQUIRE(!cited_before(p, line), HS_ERR_ORDER_INVALID);
    HS_TRY(quantity_check(offer, p->lines[line].quantity));
    struct hs_amount price, sum = {.minor = p->subtotal};
    HS_TRY(hs_amount_read(offer->price, &price));
    HS_REQUIRE(price.minor >= 0, HS_ERR_AMOUNT);
    HS_REQUIRE(offer->tax_bp <= HS_BASIS_POINTS, HS_ERR_MALFORMED);
    if (line == 0) {
        memcpy(p->currency, price.currency, sizeof p->currency);
        p->includes_tax = offer->price_includes_tax;
    }
    HS_REQUIRE(memcmp(p->currency, price.currency, sizeof p->currency) == 0, HS_ERR_CURRENCY);
    HS_REQUIRE(p->includes_tax == (bool)offer->price_includes_tax, HS_ERR_ORDER_INVALID);
    HS_TRY(hs_amount_times(&price, p->lines[line].quantity, &price));
    p->subtotals[line] = price.minor;
    memcpy(sum.currency, price.currency, sizeof sum.currency);
    HS_TRY(hs_amount_add(&sum, &price, &sum));
    p->subtotal = sum.minor;
    return HS_OK;
}

/* --- coupon --- */

/* An optional amount of the definition in the order's currency; absent: *out stays. */
static enum hs_err optional_read(const struct hs_pricing *p, const Hanse__Amount *in, int64_t *out)
{
    if (in == NULL)
        return HS_OK;
    struct hs_amount amount;
    HS_TRY(hs_amount_read(in, &amount));
    HS_REQUIRE(memcmp(amount.currency, p->currency, sizeof p->currency) == 0, HS_ERR_CURRENCY);
    HS_REQUIRE(amount.minor >= 0, HS_ERR_AMOUNT);
    *out = amount.minor;
    return HS_OK;
}

static bool applies_to(const Hanse__CouponDef *def, const struct hs_id *offer_id)
{
    for (size_t i = 0; i < def->n_offers; i++)
        if (hs_bytes_equal(hs_pb_bytes(def->offers[i]), HS_VIEW(*offer_id)))
            return true;
    return def->n_offers == 0;
}

static enum hs_err discount_of(const struct hs_pricing *p, const Hanse__CouponDef *def, int64_t base,
                               int64_t *out)
{
    int64_t fixed = 0, cap = HS_AMOUNT_MAX, discount;
    if (def->kind == HANSE__COUPON_KIND__COUPON_PERCENT) {
        HS_REQUIRE(def->percent_bp <= HS_BASIS_POINTS, HS_ERR_MALFORMED);
        HS_TRY(hs_amount_share(base, def->percent_bp, HS_BASIS_POINTS, &discount));
    } else {
        HS_REQUIRE(def->kind == HANSE__COUPON_KIND__COUPON_FIXED_ORDER, HS_ERR_MALFORMED);
        HS_TRY(optional_read(p, def->amount, &fixed));
        discount = fixed < base ? fixed : base;
    }
    HS_TRY(optional_read(p, def->max_discount, &cap));
    *out = discount < cap ? discount : cap;
    return HS_OK;
}

static enum hs_err coupon_apply(struct hs_pricing *p, const Hanse__CouponDef *def)
{
    int64_t least = 0, base = 0;
    HS_TRY(optional_read(p, def->min_subtotal, &least));
    HS_REQUIRE(p->subtotal >= least, HS_ERR_COUPON_MIN_NOT_MET);
    struct hs_share parts[HS_ORDER_LINES_MAX];
    for (size_t i = 0; i < p->count; i++) {
        bool in_scope = applies_to(def, &p->lines[i].offer_id);
        parts[i] =
            (struct hs_share){.weight = in_scope ? p->subtotals[i] : 0, .rank = p->lines[i].offer->tax_bp};
        base += parts[i].weight;
    }
    HS_TRY(discount_of(p, def, base, &p->discount));
    HS_REQUIRE(p->discount > 0, HS_ERR_COUPON_MIN_NOT_MET);
    HS_TRY(hs_share_out(p->discount, parts, p->count));
    for (size_t i = 0; i < p->count; i++)
        p->discounts[i] = parts[i].part;
    return HS_OK;
}

/* --- the totals as a message --- */

static enum hs_err amount_new(const struct hs_pricing *p, int64_t minor, struct hs_arena *arena,
                              Hanse__Amount **out)
{
    struct hs_amount amount;
    HS_TRY(hs_amount(p->currency, minor, &amount));
    return hs_amount_write(&amount, arena, out);
}

static enum hs_err line_write(const struct hs_pricing *p, size_t i, struct hs_arena *arena,
                              Hanse__LineTotal *out)
{
    hanse__line_total__init(out);
    int64_t total = hs_pricing_rest(p, i) + (p->includes_tax ? 0 : p->taxes[i]);
    HS_TRY(amount_new(p, p->subtotals[i], arena, &out->subtotal));
    HS_TRY(amount_new(p, p->discounts[i], arena, &out->discount));
    HS_TRY(amount_new(p, p->taxes[i], arena, &out->tax));
    return amount_new(p, total, arena, &out->total);
}

static enum hs_err rate_write(const struct hs_pricing *p, size_t i, struct hs_arena *arena,
                              Hanse__TaxTotal *out)
{
    hanse__tax_total__init(out);
    out->tax_bp = p->rates[i].bp;
    HS_TRY(amount_new(p, p->rates[i].taxable, arena, &out->taxable));
    return amount_new(p, p->rates[i].tax, arena, &out->amount);
}

static enum hs_err lists_write(const struct hs_pricing *p, struct hs_arena *arena, Hanse__Totals *out)
{
    Hanse__LineTotal *lines = hs_arena_alloc(arena, p->count * sizeof *lines);
    Hanse__TaxTotal *rates = hs_arena_alloc(arena, p->rate_count * sizeof *rates);
    out->lines = hs_arena_alloc(arena, p->count * sizeof *out->lines);
    out->taxes = hs_arena_alloc(arena, p->rate_count * sizeof *out->taxes);
    HS_REQUIRE(lines != NULL && rates != NULL && out->lines != NULL && out->taxes != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < p->count; i++) {
        HS_TRY(line_write(p, i, arena, &lines[i]));
        out->lines[out->n_lines++] = &lines[i];
    }
    for (size_t i = 0; i < p->rate_count; i++) {
        HS_TRY(rate_write(p, i, arena, &rates[i]));
        out->taxes[out->n_taxes++] = &rates[i];
    }
    return HS_OK;
}

static enum hs_err discount_write(const struct hs_pricing *p, const struct hs_price_coupon *coupon,
                                  struct hs_arena *arena, Hanse__Totals *out)
{
    Hanse__DiscountRef *ref = hs_arena_alloc(arena, sizeof *ref);
    out->discounts = hs_arena_alloc(arena, sizeof *out->discounts);
    HS_REQUIRE(ref != NULL && out->discounts != NULL, HS_ERR_NOMEM);
    hanse__discount_ref__init(ref);
    ref->coupon_id = hs_pb_data(hs_arena_copy(arena, HS_VIEW(coupon->coupon_id)));
    HS_REQUIRE(ref->coupon_id.len == HS_HASH_LEN, HS_ERR_NOMEM);
    HS_TRY(amount_new(p, p->discount, arena, &ref->amount));
    out->discounts[out->n_discounts++] = ref;
    return HS_OK;
}

static enum hs_err totals_write(const struct hs_pricing *p, const struct hs_price_coupon *coupon,
                                struct hs_arena *arena, Hanse__Totals **out)
{
    Hanse__Totals *totals = hs_arena_alloc(arena, sizeof *totals);
    HS_REQUIRE(totals != NULL, HS_ERR_NOMEM);
    hanse__totals__init(totals);
    HS_TRY(lists_write(p, arena, totals));
    if (coupon != NULL)
        HS_TRY(discount_write(p, coupon, arena, totals));
    int64_t total = p->subtotal - p->discount;
    for (size_t i = 0; i < p->rate_count && !p->includes_tax; i++)
        total += p->rates[i].tax; /* at most doubles it: the range is checked when it is written */
    HS_TRY(amount_new(p, p->subtotal, arena, &totals->subtotal));
    HS_TRY(amount_new(p, p->discount, arena, &totals->discount));
    HS_TRY(amount_new(p, total, arena, &totals->total));
    HS_TRY(amount_new(p, total, arena, &totals->due));
    *out = totals;
    return HS_OK;
}

enum hs_err hs_price(const struct hs_price_line *lines, size_t line_count,
                     const struct hs_price_coupon *coupons, size_t coupon_count, struct hs_arena *arena,
                     Hanse__Totals **out)
{
    *out = NULL;
    HS_REQUIRE(line_count > 0 && line_count <= HS_ORDER_LINES_MAX, HS_ERR_ORDER_INVALID);
    struct hs_pricing p = {.lines = lines, .count = line_count};
    for (size_t i = 0; i < line_count; i++)
        HS_TRY(line_price(&p, i));
    /* Every kind there is takes from the whole order, and two of those don't combine. */
    HS_REQUIRE(coupon_count <= 1, HS_ERR_COUPON_NOT_COMBINABLE);
    if (coupon_count == 1)
        HS_TRY(coupon_apply(&p, coupons[0].def));
    HS_TRY(hs_pricing_tax(&p));
    return totals_write(&p, coupon_count == 1 ? &coupons[0] : NULL, arena, out);
}

/* Foreign totals were unpacked strictly, so equal messages have equal bytes. */
enum hs_err hs_totals_check(const Hanse__Totals *a, const Hanse__Totals *b)
{
    struct hs_writer HS_WRITER left = hs_writer(HS_OBJECT_MAX), HS_WRITER right = hs_writer(HS_OBJECT_MAX);
    HS_TRY(hs_pack(&a->base, &left));
    HS_TRY(hs_pack(&b->base, &right));
    return hs_bytes_equal(hs_writer_bytes(&left), hs_writer_bytes(&right)) ? HS_OK : HS_ERR_ORDER_TOTAL;
}

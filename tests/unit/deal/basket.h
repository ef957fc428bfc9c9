/* An order to be priced: what the tests of pricing fill and change. */
#ifndef TESTS_UNIT_DEAL_BASKET_H
#define TESTS_UNIT_DEAL_BASKET_H

#include "deal/amount.h"
#include "deal/pricing.h"
#include "object/hdr.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

enum { LINES = HS_ORDER_LINES_MAX + 1 };

/* An order to be priced, with room to change it. */
struct basket {
    struct hs_arena arena;
    Hanse__Offer offers[LINES];
    Hanse__Amount prices[LINES];
    struct hs_price_line lines[LINES];
    size_t count;
    Hanse__CouponDef def;
    Hanse__Amount amount, max_discount, min_subtotal;
    struct hs_id scope_ids[LINES];
    ProtobufCBinaryData scope[LINES];
    struct hs_price_coupon coupons[2];
    size_t coupon_count;
    Hanse__Totals *totals;
};

static char eur_code[] = "EUR";

static inline void amount_set(Hanse__Amount *a, int64_t minor)
{
    hanse__amount__init(a);
    a->currency = eur_code;
    a->minor = minor;
}

static inline void add(struct basket *b, int64_t price, uint64_t quantity, uint32_t tax_bp, bool includes_tax)
{
    size_t i = b->count++;
    hanse__offer__init(&b->offers[i]);
    amount_set(&b->prices[i], price);
    b->offers[i].price = &b->prices[i];
    b->offers[i].tax_bp = tax_bp;
    b->offers[i].price_includes_tax = includes_tax;
    b->lines[i] = (struct hs_price_line){.offer = &b->offers[i], .quantity = quantity};
    memcpy(b->lines[i].offer_id.b, &i, sizeof i);
}

static inline void percent(struct basket *b, uint32_t bp)
{
    hanse__coupon_def__init(&b->def);
    b->def.kind = HANSE__COUPON_KIND__COUPON_PERCENT;
    b->def.percent_bp = bp;
    b->coupons[0] = b->coupons[1] = (struct hs_price_coupon){.coupon_id = {{1}}, .def = &b->def};
    b->coupon_count = 1;
}

static inline void fixed(struct basket *b, int64_t minor)
{
    percent(b, 0);
    b->def.kind = HANSE__COUPON_KIND__COUPON_FIXED_ORDER;
    amount_set(&b->amount, minor);
    b->def.amount = &b->amount;
}

static inline void scope(struct basket *b, size_t line)
{
    struct hs_id *id = &b->scope_ids[b->def.n_offers];
    *id = b->lines[line].offer_id;
    b->scope[b->def.n_offers++] = hs_pb_data(HS_VIEW(*id));
    b->def.offers = b->scope;
}

static inline enum hs_err price(struct basket *b)
{
    hs_arena_free(&b->arena);
    b->arena = hs_arena(1 << 20);
    return hs_price(b->lines, b->count, b->coupons, b->coupon_count, &b->arena, &b->totals);
}

static inline struct basket *basket(void)
{
    struct basket *b = calloc(1, sizeof *b);
    assert_non_null(b);
    return b;
}

static inline void basket_free(struct basket *b)
{
    hs_arena_free(&b->arena);
    free(b);
}

#endif

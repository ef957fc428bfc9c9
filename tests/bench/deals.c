/* Deals: what a third party does with an exported order, and the price function at its largest. */
#include "bench/bench.h"

#include "deal/pricing.h"
#include "fuzz/cast.h"
#include "fuzz/shop.h"

static void step_verify(void *context)
{
    const struct shop *s = context;
    struct hs_arena HS_ARENA arena = hs_arena(HS_EXPORT_ARENA);
    struct hs_export_report report;
    FUZZ_OK(hs_export_verify(s->export_bytes, &cast(CAST_ROOT)->pub, &arena, &report));
}

static void step_price(void *context)
{
    const struct shop *s = context;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_price_line lines[SHOP_LINES_MAX];
    struct hs_price_coupon coupon = {s->unit.coupon.id, s->unit.def.msg};
    Hanse__Totals *totals;
    for (size_t i = 0; i < s->lines; i++)
        lines[i] = (struct hs_price_line){s->offers[i].id, s->offers[i].msg, 1 + i % 3};
    FUZZ_OK(hs_price(lines, s->lines, &coupon, 1, &arena, &totals));
}

void bench_deals(void)
{
    static const size_t counts[] = {2, 20, 200};
    static struct shop shop;
    const struct bench_floor *f = bench_floors();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct hs_arena HS_ARENA arena = hs_arena(256 << 20);
        shop_make(&shop, counts[i], &arena);
        /* Chain, offers; definition, coupon, order, two events, receipt, export. */
        double floor_ns = (double)(SHOP_CHAIN + counts[i] + 7) * f->verify;
        struct bench_result verify = {
            "export_verify", counts[i], bench_time(step_verify, &shop, 300), 0, "verify of each signature",
            floor_ns};
        struct bench_result price = {"price_lines", counts[i], bench_time(step_price, &shop, 100), 0,
                                     NULL,          0};
        bench_report(&verify);
        bench_report(&price);
    }
}

/* How often which value came: counts by bounds that grow by a third or a half each, so that a quantile is
 * known to that. */
#ifndef HS_STORE_HISTOGRAM_H
#define HS_STORE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { HS_HISTOGRAM_BOUNDS = 40 };

struct hs_histogram {
    uint64_t counts[HS_HISTOGRAM_BOUNDS + 1]; /* values up to the bound of that number; the last: all above */
    uint64_t sum;
};

/* The bounds: 1, 2, 3, 4, 6, 8, 12, 16, 24, ... times unit, which is a power of two. */
uint64_t hs_histogram_bound(size_t i, uint64_t unit);

void hs_histogram_add(struct hs_histogram *h, uint64_t value, uint64_t unit);

uint64_t hs_histogram_count(const struct hs_histogram *h);

/* What came between two states of one histogram. */
struct hs_histogram hs_histogram_since(const struct hs_histogram *now, const struct hs_histogram *before);

/* The bound that the share q (0 to 1) of the values doesn't exceed; 0 where there are none, the last bound
 * for values beyond it. */
uint64_t hs_histogram_quantile(const struct hs_histogram *h, double q, uint64_t unit);

#endif

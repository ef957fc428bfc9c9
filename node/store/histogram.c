#include "store/histogram.h"

/* 1, 2, then 3/2 and 2 times the power of two before. */
uint64_t hs_histogram_bound(size_t i, uint64_t unit)
{
    if (i < 2)
        return (i + 1) * unit;
    uint64_t power = unit << (i / 2);
    return i % 2 == 0 ? power + power / 2 : 2 * power;
}

void hs_histogram_add(struct hs_histogram *h, uint64_t value, uint64_t unit)
{
    size_t i = 0;
    while (i < HS_HISTOGRAM_BOUNDS && value > hs_histogram_bound(i, unit))
        i++;
    h->counts[i]++;
    h->sum += value;
}

uint64_t hs_histogram_count(const struct hs_histogram *h)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= HS_HISTOGRAM_BOUNDS; i++)
        count += h->counts[i];
    return count;
}

struct hs_histogram hs_histogram_since(const struct hs_histogram *now, const struct hs_histogram *before)
{
    struct hs_histogram since = {.sum = now->sum - before->sum};
    for (size_t i = 0; i <= HS_HISTOGRAM_BOUNDS; i++)
        since.counts[i] = now->counts[i] - before->counts[i];
    return since;
}

uint64_t hs_histogram_quantile(const struct hs_histogram *h, double q, uint64_t unit)
{
    uint64_t seen = 0, count = hs_histogram_count(h);
    if (count == 0)
        return 0;
    for (size_t i = 0; i < HS_HISTOGRAM_BOUNDS; i++) {
        seen += h->counts[i];
        if ((double)seen >= q * (double)count)
            return hs_histogram_bound(i, unit);
    }
    return hs_histogram_bound(HS_HISTOGRAM_BOUNDS - 1, unit);
}

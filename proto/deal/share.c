#include "deal/share.h"

#include "deal/amount.h"
#include "deal/wide.h"
#include "wire/limits.h"

static enum hs_err weights_sum(const struct hs_share *parts, size_t count, int64_t *sum)
{
    *sum = 0;
    for (size_t i = 0; i < count; i++) {
        HS_REQUIRE(parts[i].weight >= 0 && parts[i].weight <= HS_AMOUNT_MAX - *sum, HS_ERR_AMOUNT);
        *sum += parts[i].weight;
    }
    return HS_OK;
}

/* The part with the largest remainder; its own is then taken away. */
static size_t largest_take(const struct hs_share *parts, int64_t *remainders, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (remainders[i] > remainders[best] ||
            (remainders[i] == remainders[best] && parts[i].rank > parts[best].rank))
            best = i;
    HS_ASSERT(remainders[best] > 0);
    remainders[best] = 0;
    return best;
}

enum hs_err hs_share_out(int64_t total, struct hs_share *parts, size_t count)
{
    HS_ASSERT(count <= HS_ORDER_LINES_MAX);
    int64_t sum, left = total, remainders[HS_ORDER_LINES_MAX] = {0};
    HS_TRY(weights_sum(parts, count, &sum));
    HS_REQUIRE(total >= 0 && total <= HS_AMOUNT_MAX && (sum > 0 || total == 0), HS_ERR_AMOUNT);
    for (size_t i = 0; i < count; i++) {
        hs_uwide product = (hs_uwide)(uint64_t)total * (uint64_t)parts[i].weight;
        parts[i].part = sum == 0 ? 0 : (int64_t)(product / (uint64_t)sum);
        remainders[i] = sum == 0 ? 0 : (int64_t)(product % (uint64_t)sum);
        left -= parts[i].part;
    }
    /* The remainders sum up to left x sum and each is below sum: more than left of them are above 0. */
    for (; left > 0; left--)
        parts[largest_take(parts, remainders, count)].part++;
    return HS_OK;
}

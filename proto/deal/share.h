/* Spreading a whole amount over parts without losing or inventing a unit: largest remainders. */
#ifndef HS_DEAL_SHARE_H
#define HS_DEAL_SHARE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* One part: its weight, and who wins a tie (the higher rank, then the lower index). */
struct hs_share {
    int64_t weight; /* 0 <= weight <= HS_AMOUNT_MAX */
    uint32_t rank;
    int64_t part; /* the result */
};

/* Gives each floor(total x weight / sum of weights), then one unit each to the largest remainders until the
 * parts sum up to total. No part exceeds its weight where total doesn't exceed the sum. At most
 * HS_ORDER_LINES_MAX parts. AMOUNT where the weights' sum is out of range, or is 0 and total isn't. */
enum hs_err hs_share_out(int64_t total, struct hs_share *parts, size_t count);

#endif

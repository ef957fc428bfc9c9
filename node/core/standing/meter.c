#include "core/standing/meter.h"

#include <stdlib.h>

static void refill(struct hs_meter *meter, const struct hs_flow flows[static HS_FLOWS], struct hs_time now)
{
    double seconds = (double)(now.ms - meter->at.ms) / 1000.0;
    bool full = !meter->begun;
    meter->begun = true;
    for (size_t i = 0; i < HS_FLOWS; i++) {
        if (seconds > 0)
            meter->left[i] += seconds * flows[i].rate;
        if (full || meter->left[i] > flows[i].burst)
            meter->left[i] = flows[i].burst;
    }
    meter->at = now;
}

bool hs_meter_take(struct hs_meter *meter, const struct hs_flow flows[static HS_FLOWS],
                   enum hs_flow_kind kind, double amount, struct hs_time now)
{
    refill(meter, flows, now);
    if (meter->left[kind] < amount)
        return false;
    meter->left[kind] -= amount;
    return true;
}

struct hs_meter *hs_meters_of(struct hs_meters *meters, const struct hs_key *root)
{
    struct hs_metered *found = NULL;
    HASH_FIND(hh, meters->by_root, root, sizeof *root, found);
    if (found != NULL) {
        HASH_DEL(meters->by_root, found); /* to the end of the order */
    } else if (HASH_COUNT(meters->by_root) >= HS_METERS_MAX) {
        found = meters->by_root;
        HASH_DEL(meters->by_root, found);
        *found = (struct hs_metered){.root = *root};
    } else {
        found = calloc(1, sizeof *found);
        if (found == NULL)
            return NULL;
        found->root = *root;
    }
    HASH_ADD(hh, meters->by_root, root, sizeof found->root, found);
    if (HS_IS_HASHED(hh, found))
        return &found->meter;
    free(found);
    return NULL;
}

void hs_meters_free(struct hs_meters *meters)
{
    struct hs_metered *one, *next;
    HASH_ITER(hh, meters->by_root, one, next)
    {
        HASH_DEL(meters->by_root, one);
        free(one);
    }
}

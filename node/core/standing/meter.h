/* Token buckets: how fast somebody may use this node. A node's is kept beyond its session, so that it gains
 * nothing by opening a new one. */
#ifndef HS_CORE_METER_H
#define HS_CORE_METER_H

#include "base/bytes.h"
#include "core/hash.h"

/* A bucket holds burst and gets rate back in a second. */
struct hs_flow {
    double burst, rate;
};

enum hs_flow_kind {
    HS_FLOW_REQUESTS,  /* what it asks of this node, */
    HS_FLOW_BYTES,     /* and the bytes of that */
    HS_FLOW_HUB_BYTES, /* what it sends as a hub, */
    HS_FLOW_HUB_ITEMS, /* and the inbox items in that */
    HS_FLOW_SHOWN,     /* what it is shown of a room's hub for a head, of up to a frame each */
    HS_FLOWS
};

struct hs_meter {
    double left[HS_FLOWS];
    struct hs_time at;
    bool begun; /* full until it is used first */
};

/* Takes amount of one flow; false where that isn't there, and nothing is taken. */
bool hs_meter_take(struct hs_meter *meter, const struct hs_flow flows[static HS_FLOWS],
                   enum hs_flow_kind kind, double amount, struct hs_time now);

enum { HS_METERS_MAX = 4096 }; /* nodes whose use is remembered; the one that was used longest ago goes */

struct hs_metered {
    struct hs_key root;
    struct hs_meter meter;
    UT_hash_handle hh;
};

struct hs_meters {
    struct hs_metered *by_root; /* the one used longest ago first */
};

/* The node's meter, until the next call of this; NULL without memory. */
struct hs_meter *hs_meters_of(struct hs_meters *meters, const struct hs_key *root);
void hs_meters_free(struct hs_meters *meters);

#endif

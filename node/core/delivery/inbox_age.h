/* Inboxes that nobody fetches: a device that was lost, a node that is gone. What has waited for too long is
 * dropped, a little of it in each tick. */
#ifndef HS_CORE_INBOX_AGE_H
#define HS_CORE_INBOX_AGE_H

#include "core/turn.h"

enum {
    HS_INBOX_AGE_LAP_MS = 3600 * 1000, /* from one lap through all of them to the next, and from the start */
    HS_INBOX_AGE_SET_MS =
        7 * 24 * 3600 * 1000, /* of no lap at all: the clock was set, and the next lap waits */
    HS_INBOX_AGE_LOOKS = 16,  /* inboxes that one tick looks at: 50,000 in an hour */
    HS_INBOX_AGE_ITEMS = 64   /* that one tick drops: each may have its record cut */
};

/* Some of what is due. */
void hs_inbox_age_tick(struct hs_turn *turn);

#endif

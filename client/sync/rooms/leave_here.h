/* A room that its person has left on this device, while its hub may not know of it. */
#ifndef HS_SYNC_LEAVE_HERE_H
#define HS_SYNC_LEAVE_HERE_H

#include "sync/state.h"

/* The hub has heard of it, or won't, or this device comes back: nothing more is said of it there. */
enum hs_err hs_parting_over(struct hs_step *s, const struct hs_id *room);

#endif

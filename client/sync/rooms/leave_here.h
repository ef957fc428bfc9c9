/* A room that its person has left on this device, while its hub may not know of it. */
#ifndef HS_SYNC_LEAVE_HERE_H
#define HS_SYNC_LEAVE_HERE_H

#include "sync/state.h"

/* The hub has heard of it, or won't, or this device comes back: nothing more is said of it there. */
enum hs_err hs_parting_over(struct hs_step *s, const struct hs_id *room);

/* A member leaves on this device, and the hub, which won't have that, is told nothing more. */
enum hs_err hs_leave_unsaid(struct hs_step *s, struct hs_live_room *room);

#endif

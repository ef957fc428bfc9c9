/* A member whose Welcome is lost: the hub or the home node was restored from a backup and has it no more,
 * while the log says that this device was let in. It takes the room's public side as it is now, and comes
 * back by an external commit like a device that has lost its keys (rejoin.c). */
#ifndef HS_SYNC_LATE_H
#define HS_SYNC_LATE_H

#include "store/posts.h"
#include "sync/state.h"

enum {
    HS_LATE_MS = 30000,     /* a Welcome has so long to come after the hub has said that this is a member */
    HS_LATE_LEAVERS = 10000 /* before somebody has taken out who has left */
};

/* The hub has answered to a JOIN: is its persona a member? The row is stored. */
enum hs_err hs_late_told(struct hs_step *s, struct hs_join_row *row, bool joined);

/* The time has come for some. */
enum hs_err hs_lates_look(struct hs_step *s);

/* What was being fetched is dropped. */
void hs_late_drop(struct hs_sync *sync);

#endif

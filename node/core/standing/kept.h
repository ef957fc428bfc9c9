/* How much of this node's disk the copies of one hub's rooms take: what a hub that is followed can make a
 * home keep for its users is bounded by its standing, whatever it lets its rooms say. Counted in memory, in
 * laps through the rooms: it is no view, and after a start it is known once the first lap is over. */
#ifndef HS_CORE_KEPT_H
#define HS_CORE_KEPT_H

#include "core/turn.h"

enum { HS_KEPT_ROOMS = 32 }; /* that one tick looks at */

/* The turn's session is a hub's that brings these records for a room: QUOTA where it has no place for them;
 * it is left for a while then (HS_HUB_PAUSE_MS), and nothing is lost by it. */
enum hs_err hs_kept_take(struct hs_turn *turn, const Hanse__Records *records);

void hs_kept_tick(struct hs_turn *turn);

#endif

/* What the hub that was in office before may still say to those who followed it: what it had put into its
 * inbox before it went, and that is about its own time. */
#ifndef HS_CORE_FOLLOW_FORMER_H
#define HS_CORE_FOLLOW_FORMER_H

#include "core/federation/peer.h"
#include "core/state.pb-c.h"
#include "core/turn.h"

enum {
    HS_FORMER_RECORDS = 256
}; /* before the HUB_MOVE that are looked at for one item: it was on its way then */

/* May the node with that root begin the persona's reading of the room at the record seq? The hub in office
 * may at any place; the one before only before the HUB_MOVE with which it went, and before the copy only
 * where the persona's HOME_MOVE to this node, from that place on, is one of the last records of its term. */
bool hs_former_may_begin(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                         const struct hs_key *root, const struct hs_key *persona, uint64_t seq);

/* May it say that the persona reads no further than the record seq? The one before only where the record
 * there, in its time, is one that names this persona and ends its reading. */
bool hs_former_may_remove(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                          const struct hs_key *root, const struct hs_key *persona, uint64_t seq);

#endif

/* What shows others that a hub gave its office away, judged when it comes with the log: a node that kept one
 * which doesn't hold would show it on in its own term, and nobody would come to its rooms any more. */
#ifndef HS_CORE_LINK_H
#define HS_CORE_LINK_H

#include "core/state.pb-c.h"
#include "core/turn.h"
#include "room/hub_move.h"

/* The entry of a HUB_MOVE, with head and descriptor: is the head that hub's, over this record and of the term
 * before, and is that hub the one that the moves beside it name, as far as this copy has got them? BAD_CHAIN;
 * NOMEM. */
enum hs_err hs_link_check(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                          const Hanse__State__RoomEntry *entry, struct hs_hub_link *out);

#endif

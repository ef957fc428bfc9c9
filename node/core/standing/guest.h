/* What other nodes use of this one: their users, the rooms that these are in, and the memberships, which are
 * held from the JOIN on. They are views of the rooms' logs, and hold a node to its quota. */
#ifndef HS_CORE_GUEST_H
#define HS_CORE_GUEST_H

#include "core/turn.h"

struct hs_quota;

/* A user of that node has joined a room here, now or not long ago. */
bool hs_guest_is_known(struct hs_turn *turn, const struct hs_key *root);

/* One more membership of that node's persona in room (NULL: a new one): QUOTA where it has no place for it.
 */
enum hs_err hs_guest_check(struct hs_turn *turn, const struct hs_key *root, const struct hs_key *persona,
                           const struct hs_id *room, const struct hs_quota *quota);

/* Holds a place from the JOIN (or an Add without one) on, gives it back with the removal. For views: nothing
 * is refused here. This node's own users aren't counted. */
void hs_guest_hold(struct hs_turn *turn, const struct hs_key *root, const struct hs_key *persona,
                   const struct hs_id *room);
void hs_guest_release(struct hs_turn *turn, const struct hs_key *root, const struct hs_key *persona,
                      const struct hs_id *room);

/* Rooms that this node copies from that hub. */
uint64_t hs_copies_count(struct hs_turn *turn, const struct hs_key *hub);
void hs_copies_add(struct hs_turn *turn, const struct hs_key *hub);

enum { HS_GUEST_DAYS = 30 }; /* a node whose last user has left may fetch what waits for it for so long */

#endif

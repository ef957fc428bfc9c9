/* Followers of one room compare what its hub signed for each of them: a hub that tells two stories to two
 * nodes is caught as soon as these two speak. */
#ifndef HS_CORE_HEADS_H
#define HS_CORE_HEADS_H

#include "core/federation/peer.h"
#include "core/turn.h"

enum {
    HS_HEADS_MAX = 32,   /* heads in one frame: as many signatures as a node checks for one frame at most */
    HS_HEADS_MS = 60000, /* how often they are told to a node with which there is a session */
};

/* That node has users in a room that is followed here. */
void hs_heads_share(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *node);

/* Tells the peer the newest heads of the rooms that are shared with it; all of them, over some frames. */
void hs_heads_tell(struct hs_turn *turn, struct hs_peer *peer);

#endif

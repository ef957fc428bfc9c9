/* Following: this node's copy of rooms whose hub is another node. */
#ifndef HS_CORE_FOLLOW_H
#define HS_CORE_FOLLOW_H

#include "core/federation/peer.h"
#include "core/state.pb-c.h"
#include "core/turn.h"

/* A copy begins below this number: no log of a million records a second comes here in a lifetime, and what is
 * added to a number doesn't run over. */
#define HS_SEQ_END (UINT64_C(1) << 48)

/* Says to the hub from where on its rooms and inbox are to be sent. */
void hs_follow_attach(struct hs_turn *turn, struct hs_peer *peer);

/* The same for one room. */
void hs_follow_attach_room(struct hs_turn *turn, struct hs_peer *peer, const struct hs_id *room,
                           uint64_t next);

/* Tells the hub, which is the turn's session, what is held for good: its inbox before inbox_next (0: no word
 * of it), and the room's log before next (room NULL: of none). */
void hs_follow_cursors(struct hs_turn *turn, uint64_t inbox_next, const struct hs_id *room, uint64_t next);

/* follow_records.c: records that a chain has shown to be the log's, up to a HUB_MOVE of the hub that is
 * followed: records->head is that hub's over the HUB_MOVE, records->descriptor names its key (office/way.h).
 * An error means that nothing was written, unless the turn is void. */
enum hs_err hs_follow_shown(struct hs_turn *turn, const struct hs_id *room, const Hanse__Records *records);

/* The next item of that hub's inbox (handed_on.c). */
uint64_t hs_handed_next(struct hs_turn *turn, const struct hs_key *hub);

/* The record since which that user of this node reads the room, as a hub's item has said it; 0: none has. */
uint64_t hs_reads_since(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona);

/* A post of a local device for a followed room: kept for the hub, answered with Queued. */
enum hs_err hs_follow_queue(struct hs_turn *turn, const struct hs_id *room,
                            const Hanse__State__RoomView *view, const Hanse__Frame *request,
                            Hanse__Frame *reply);

#endif

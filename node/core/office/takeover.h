/* A room is to come here: an owner's device has asked for that, and the room's hub hasn't heard of it yet.
 * First this node fetches the records before its copy, from the copy's first one backwards, each verified by
 * the one behind it; only then it asks the hub to give the room away, so that nothing of the log is the old
 * hub's alone when that goes. All of it is in the store: it goes on whoever is connected, and until the
 * HUB_MOVE it can be given up. */
#ifndef HS_CORE_TAKEOVER_H
#define HS_CORE_TAKEOVER_H

#include "core/federation/peer.h"
#include "core/rooms/room_record.h"

enum {
    HS_TAKEOVERS_MAX = 64,       /* at once: each tick looks at all of them */
    HS_TAKEOVER_AGAIN_MS = 2000, /* what the hub can't answer now is asked again after this */
    HS_TAKEOVER_LAG = 64,    /* records that the next hub may still lack when the room goes to it: as many as
                                are on their way in a busy room */
    HS_TAKEOVER_ITEMS = 256, /* of its inbox that are looked at for that */
};

/* ---- takeover.c: at the node to which the room shall go ---- */

/* An owner's device, the turn's session, asks for it. waits: its request is kept, and carried out by this
 * node; else this node has the whole log, and the request may go to the hub. BUSY where too many wait. */
enum hs_err hs_takeover_begin(struct hs_turn *turn, const Hanse__MoveHub *request, bool *waits);

/* It is wanted, and hasn't come. */
bool hs_takeover_is_wanted(struct hs_turn *turn, const struct hs_id *room);

/* The operator doesn't want it; whoever asked for it is told. INVALID_STATE where nobody did; HUB_MOVED where
 * the room is given to this node already. */
enum hs_err hs_takeover_give_up(struct hs_turn *turn, const struct hs_id *room);

/* The hub's answer to what was asked for it. */
void hs_takeover_answered(struct hs_turn *turn, const struct hs_id *room, const Hanse__Frame *answer);

void hs_takeover_tick(struct hs_turn *turn);

/* For apply functions: the room has come, or has gone elsewhere. */
void hs_takeover_over(struct hs_turn *turn, const struct hs_id *room);

/* ---- prefix.c: the records before a copy ---- */

/* Is the record seq the one before this copy's first? */
bool hs_prefix_is_next(const Hanse__State__RoomView *view, uint64_t seq);

/* What this node's log keeps of a Tail's record i, and nothing that the hub hangs on beside it: a HUB_MOVE
 * has a head and a descriptor, the genesis its group, a POST blobs; one before the number erased has no body.
 */
void hs_prefix_entry(const Hanse__Tail *tail, size_t i, const struct hs_record_header *header,
                     uint64_t erased, Hanse__State__RoomEntry *out);

/* Takes what a Tail brings: records that end before this copy's first one. LOG_FORK where they aren't those
 * that it continues, LOG_GAP, MALFORMED; POLICY, WRONG_SENDER and what else is wrong with a genesis. */
enum hs_err hs_prefix_take(struct hs_turn *turn, const struct hs_id *room, const Hanse__Tail *tail);

/* One of them enters the copy. The view isn't stored. */
void hs_prefix_apply(struct hs_turn *turn, struct hs_room_record *record);

/* ---- prefix_give.c: at the hub ---- */

/* Answers a WantTail with an owner's HubMove: records before the one named. Errors as for MoveHub. */
enum hs_err hs_prefix_give(struct hs_turn *turn, const Hanse__WantTail *want, Hanse__Frame *reply);

/* Has the next hub, whose session this is, got what it needs, but for what is on its way? BUSY where it
 * hasn't.
 */
enum hs_err hs_prefix_is_given(struct hs_turn *turn, const struct hs_id *room,
                               const Hanse__State__RoomView *view);

#endif

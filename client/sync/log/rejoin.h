/* A device whose copy of a room's keys is too old to go on: it follows the room by its public side, as a hub
 * does, and comes back by an external commit that takes its former leaf's place. */
#ifndef HS_SYNC_REJOIN_H
#define HS_SYNC_REJOIN_H

#include "room/log.h"
#include "sync/state.h"

/* ---- lost.c: without keys ---- */

/* Records are followed, but nothing can be read or sent. */
static inline bool hs_room_is_lost(const struct hs_live_room *room)
{
    return room->row.keys == HS_ROOM_KEYS_LOST;
}

/* This commit is settled, and shows that this copy is older than the room: it is of one's own leaf and not
 * known here, or another copy of this device came back by it. The keys go, the public side stays; in the
 * second case the room is frozen, for the person has to say which copy goes on. */
enum hs_err hs_lost_begin(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row);

/* The room is in memory again. */
enum hs_err hs_lost_load(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_lost_save(struct hs_step *s, struct hs_live_room *room);

/* What changes the group. The public side stands before a commit until that is settled. */
enum hs_err hs_lost_commit(struct hs_step *s, struct hs_live_room *room,
                           const struct hs_record_header *header, struct hs_bytes body);
enum hs_err hs_lost_proposal(struct hs_step *s, struct hs_live_room *room,
                             const struct hs_record_header *header, struct hs_bytes body);
enum hs_err hs_lost_settled(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row);

/* The public side isn't needed any more. */
void hs_lost_forget(struct hs_step *s, struct hs_live_room *room);

/* ---- rejoin.c: and back ---- */

/* The room stands at its log's end: asks for what it takes, or waits for what is under way. */
enum hs_err hs_rejoin_next(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_rejoins_resume(struct hs_step *s);

/* The same when the time has come for what had to wait. */
enum hs_err hs_rejoins_tick(struct hs_step *s);
struct hs_time hs_rejoins_deadline(const struct hs_sync *sync);
enum hs_err hs_rejoin_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err);

/* Its record came: the room has keys again, if that is settled. */
enum hs_err hs_rejoin_arrived(struct hs_step *s, struct hs_live_room *room,
                              const struct hs_record_header *header, const struct hs_outbox_row *row);
enum hs_err hs_rejoin_settled(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_rejoin_voided(struct hs_step *s, struct hs_live_room *room);

#endif

/* What this device can't read any more, and shows as missing. */
#ifndef HS_SYNC_GAP_H
#define HS_SYNC_GAP_H

#include "room/log.h"
#include "sync/state.h"

/* A POST record without its body: nodes keep it no longer. */
enum hs_err hs_post_erased(struct hs_step *s, struct hs_live_room *room,
                           const struct hs_record_header *header);

/* A gap begins at the commit that a lost state couldn't follow, and ends at that record, though no post may
 * be missing. */
enum hs_err hs_gap_begin(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row);
enum hs_err hs_gap_end(struct hs_step *s, struct hs_live_room *room, uint64_t seq);

/* This device doesn't know what it posted in the room's epoch, and ends that before it posts again: it would
 * use a key twice. */
static inline bool hs_renews(const struct hs_live_room *room)
{
    return room->row.renew > 0 && room->row.renew == room->row.epoch + 1;
}

/* A post of one's own leaf in that epoch is in the log that this copy of the device didn't send, with a key
 * that it may have used itself: those of its own that are under way are said again when their records come,
 * for members can't read what has a key that they have seen. any: there are some. */
enum hs_err hs_posts_collide(struct hs_step *s, struct hs_live_room *room, uint64_t epoch, bool *any);

/* Tells the application of the gap that grew since it was told last, once for all records of one read. */
enum hs_err hs_gap_tell(struct hs_step *s, struct hs_live_room *room);

/* A post that this device can't read joins the gap before it, or begins one. */
enum hs_err hs_gap_grow(struct hs_step *s, struct hs_live_room *room, const struct hs_record_header *header,
                        enum hs_err why);

#endif

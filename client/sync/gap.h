/* What this device can't read any more, and shows as missing. */
#ifndef HS_SYNC_GAP_H
#define HS_SYNC_GAP_H

#include "room/log.h"
#include "sync/state.h"

/* A POST record without its body: nodes keep it no longer. */
enum hs_err hs_post_erased(struct hs_step *s, struct hs_live_room *room,
                           const struct hs_record_header *header);

/* Tells the application of the gap that grew since it was told last, once for all records of one read. */
enum hs_err hs_gap_tell(struct hs_step *s, struct hs_live_room *room);

/* A post that this device can't read joins the gap before it, or begins one. */
enum hs_err hs_gap_grow(struct hs_step *s, struct hs_live_room *room, const struct hs_record_header *header,
                        enum hs_err why);

#endif

/* Cursors: what subscribers hold for good. They come with every batch and are worth nothing for long, so they
 * are gathered in memory and written from time to time; what is lost with the process is delivered again. */
#ifndef HS_CORE_CURSOR_H
#define HS_CORE_CURSOR_H

#include "core/turn.h"

enum {
    HS_CURSOR_MS = 5000,      /* a cursor waits so long to be written, and for the next tick */
    HS_CURSOR_SESSIONS = 2048 /* sessions whose cursors one tick writes: keeps it at some 20 ms */
};

/* The turn's session holds that room's records, or its inbox, up to here. */
void hs_cursor_room(struct hs_turn *turn, const struct hs_id *room, uint64_t next);
void hs_cursor_inbox(struct hs_turn *turn, uint64_t next);

/* The turn's session asks for its inbox from next on: before which number items are gone that it asks for. It
 * had acknowledged them before it became an older copy of itself, or left them for too long. 0: none is. */
uint64_t hs_cursor_inbox_lost(struct hs_turn *turn, uint64_t next);

/* Writes those that are due; those of one session, which ends; all of them. */
void hs_cursors_tick(struct hs_turn *turn);
void hs_cursors_flush(struct hs_turn *turn, struct hs_session *session);
void hs_cursors_flush_all(struct hs_turn *turn);

#endif

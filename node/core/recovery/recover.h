/* A hub that came back from a backup: its rooms stand still until what they have lost is back, or it is plain
 * that nothing is. Whoever reads a room says how far it has read; who has read more shows what the hub signed
 * for it then, and brings the records. Nothing of that is believed but by the hub's own signature: first the
 * headers are shown, from the newest head backwards to the log's end, and then each record is the one that
 * its header names.
 *
 * All of this is in memory, and begun anew after a restart from what is in the log by then. */
#ifndef HS_CORE_RECOVER_H
#define HS_CORE_RECOVER_H

#include "core/state.pb-c.h"
#include "core/turn.h"

enum {
    HS_RECOVER_MS = 60000,       /* who reads the room has so long to come before it goes on without them */
    HS_RECOVER_MAX = 1 << 20,    /* records of one room: 32 MiB of hashes meanwhile */
    HS_RECOVER_ROOMS = 10000,    /* rooms that somebody has come for, at once */
    HS_RECOVER_READERS = 100000, /* of one room */
    HS_RECOVER_HEADERS = 128,    /* in one frame */
    HS_RECOVER_TICK = 64,        /* rooms that are looked at in one tick */
};

/* True where the room, which this node is the hub of, was there before the last restoring and hasn't been
 * resumed since. */
bool hs_recover_is_frozen(struct hs_turn *turn, const Hanse__State__RoomView *view);

/* True where the ledger was restored and hasn't been resumed: what was claimed and redeemed may be lost. */
bool hs_recover_ledger_is_frozen(struct hs_turn *turn);

/* A subscriber reads a frozen room, and holds everything before next. known: and the views say that it reads
 * it. */
void hs_recover_attached(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                         uint64_t next, bool known);

/* The turn's session reads a room that was let go on after a restoring, and holds more than there is: it is
 * asked what, for the room may have moved, and then it says so. */
void hs_recover_ahead(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view);

/* Rooms go on whose time has come. */
void hs_recover_tick(struct hs_turn *turn);

/* The operator says so: room NULL: all, and the ledger. NOT_FOUND where that room isn't frozen; HUB_MOVED
 * where its readers have shown that it has moved: such rooms stay as they are until its log is back up to
 * there. */
enum hs_err hs_recover_resume(struct hs_turn *turn, const struct hs_id *room);

/* How many rooms of this hub stand still; for the operator. */
uint64_t hs_recover_count(struct hs_turn *turn);

#endif

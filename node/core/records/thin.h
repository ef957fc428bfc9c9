/* What records need not be there at all, or not whole. Of some kinds the last one says everything (where a
 * node is, what wakes a device, how many items came from a hub, how many went into an inbox), and of an
 * attachment that nothing ever named nothing is left to say once it is gone. Such records leave their streams
 * and the journal, some in each tick: numbers run on, and the views that are made of the others are the same.
 * Of attachments what says that they came goes on one day of three, what says that they went on the next but
 * one: a backup that has read the former finds the latter. What a newer record says anew (spent.h) is cut
 * here. A lap takes a second for 256 rows of the journal:
 * in a very large store days, and what stands too far from the record that says it too stays (NODE-78). */
#ifndef HS_CORE_THIN_H
#define HS_CORE_THIN_H

#include "core/turn.h"

enum {
    HS_THIN_AHEAD = 256,          /* records of a stream among which the one that says it too is looked for */
    HS_THIN_ROWS = 256,           /* of the journal that one tick looks at */
    HS_THIN_GONE = 64,            /* records that one tick deletes or cuts: keeps a round short */
    HS_THIN_LAP_MS = 3600 * 1000, /* from the journal's end to the next beginning */
    /* So old is what says it too, before what it stands for goes: a backup reads the journal up to the end
     * that it found at its beginning, a slice at a time, and mustn't lose a record to one that it doesn't
     * read. No backup takes as long. */
    HS_THIN_AGE_MS = 24 * 3600 * 1000
};

void hs_thin_tick(struct hs_turn *turn);

#endif

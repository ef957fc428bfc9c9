/* The acceptance window: which epochs' posts count after a commit (spec/delivery.md), by hub time. The hub
 * takes no others, and members show no others; what they would need to read them is wiped. */
#ifndef HS_ROOM_WINDOW_H
#define HS_ROOM_WINDOW_H

#include "base/bytes.h"
#include "base/err.h"

enum {
    HS_ROOM_PAST_EPOCHS = 5,
    HS_ROOM_WINDOW_S = 30 /* after the commit that ended the epoch */
};

/* Epochs that posts may still come from, the oldest first. {0}: none. */
struct hs_window {
    struct hs_window_end {
        uint64_t epoch;
        struct hs_time ended; /* hub time of the commit */
    } past[HS_ROOM_PAST_EPOCHS];
    size_t count;
};

/* A commit ended that epoch; strict: it removed somebody or changed the policy, and no past epoch counts any
 * more. */
void hs_window_end(struct hs_window *window, uint64_t epoch, struct hs_time at, bool strict);

/* Does a post of that epoch count in a record of that hub time? now: the present epoch. WRONG_EPOCH for one
 * that isn't there yet, EPOCH_TOO_OLD. */
enum hs_err hs_window_takes(const struct hs_window *window, uint64_t now, uint64_t epoch, struct hs_time at);

#endif

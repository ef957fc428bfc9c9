/* Commits that aren't settled yet, what may have to be said again, and who may not commit. */
#ifndef HS_STORE_UNSETTLED_H
#define HS_STORE_UNSETTLED_H

#include "room/settlement.h"
#include "room/window.h"
#include "store/posts.h"

/* A room's newest commit, until a record settles it or makes it void. */
struct hs_unsettled_row {
    uint64_t seq;            /* of the commit's record */
    struct hs_id commit;     /* its chain hash */
    struct hs_time time;     /* its hub time */
    uint64_t epoch;          /* that it leads to */
    uint64_t epoch_min;      /* of the room's row, before it */
    struct hs_key committer; /* device; zeros where it isn't known */
    int32_t err;   /* enum hs_err: why this device can't accept it; OK: its group is in the new epoch */
    uint32_t leaf; /* one's own */
    bool own;      /* made here */
    bool joined;   /* it let this device in: there is nothing to go back to */
    bool gone;     /* it removes this device */
    bool rejoined; /* somebody came back by it: who has left waits on */
    bool strict;   /* posts of earlier epochs aren't believed behind it */
    struct hs_window window; /* as it was before it */
    struct hs_bytes joins;   /* body hashes of the JOINs that it admits, 32 bytes each */
    struct hs_bytes
        body; /* of a commit that a lost state can't follow, or follows in public when it is settled */
    uint64_t missed, missed_last; /* posts of the epoch that it leads to, which can't be read before that */
    struct hs_message_row line;   /* to be shown once it is settled; kind 0: nothing */
};
bool hs_unsettled_row_get(struct hs_kv *kv, const struct hs_id *room, struct hs_arena *arena,
                          struct hs_unsettled_row *out);
bool hs_unsettled_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                           struct hs_id *room, struct hs_unsettled_row *out);
void hs_unsettled_row_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_unsettled_row *row);
void hs_unsettled_row_delete(struct hs_kv *kv, const struct hs_id *room);

/* Contents of one's own posts that are in the log under an epoch that isn't settled. */
void hs_held_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, struct hs_bytes content);
bool hs_held_next(struct hs_kv *kv, const struct hs_id *room, struct hs_kv_key *cursor,
                  struct hs_arena *arena, struct hs_bytes *content);
void hs_held_delete(struct hs_kv *kv, const struct hs_id *room);

/* Past epochs that posts may still come from. */
void hs_window_row_get(struct hs_kv *kv, const struct hs_id *room, struct hs_window *out);
void hs_window_row_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_window *window);

/* Members whose proposal to leave is in the log, of that epoch. */
void hs_leaving_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *persona, uint64_t epoch);
bool hs_leaving_has(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *persona);
uint64_t hs_leaving_epoch(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *persona,
                          struct hs_arena *arena);
bool hs_leaving_next(struct hs_kv *kv, const struct hs_id *room, struct hs_kv_key *cursor,
                     struct hs_arena *arena, struct hs_key *persona);
void hs_leaving_delete(struct hs_kv *kv, const struct hs_id *room);

void hs_bars_row_get(struct hs_kv *kv, const struct hs_id *room, struct hs_bars *out);
void hs_bars_row_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_bars *bars);

#endif

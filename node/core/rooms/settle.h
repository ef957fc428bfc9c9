/* Settling commits: whose verdicts came, whether they are enough, and the records that follow
 * (spec/rooms.md). What came is kept in memory only: after a restart members say it again. */
#ifndef HS_CORE_SETTLE_H
#define HS_CORE_SETTLE_H

#include "core/rooms/room_record.h"

struct hs_core;

/* One device's verdict. */
struct hs_vote {
    struct hs_key device;
    bool bad, alone;
    uint8_t *object; /* SignedObject, where it may be quoted; else NULL */
    size_t len;
};

/* How many of a follower's members are connected, as it said. */
struct hs_presence {
    struct hs_key node;
    uint32_t connected;
};

enum { HS_PRESENCES_MAX = 1024 /* followers of one room that are counted by their word */ };

/* A commit that isn't settled. */
struct hs_settling {
    struct hs_id room, commit;
    uint64_t seq;
    struct hs_time deadline;
    struct hs_vote *votes; /* of members, one each: never more than the room has */
    size_t count, size, good, bad, good_quotes, bad_quotes;
    struct hs_presence *presences;
    size_t presence_count;
    struct hs_settling *next;
};

/* ---- settle_votes.c: what came, in memory ---- */

/* Finds or makes the books of the room's newest commit; those of an older one go. NULL without memory. */
struct hs_settling *hs_settling_of(struct hs_core *core, const struct hs_id *room,
                                   const Hanse__State__UnsettledView *unsettled, struct hs_time now);
void hs_settling_drop(struct hs_core *core, const struct hs_id *room);
void hs_settlings_free(struct hs_core *core);

/* A device's first verdict counts; object: its bytes. NOMEM. */
enum hs_err hs_vote_add(struct hs_settling *settling, const struct hs_verdict *verdict, bool alone,
                        struct hs_bytes object);

/* That vote never came. */
void hs_vote_drop(struct hs_settling *settling, size_t index);

enum hs_err hs_presence_set(struct hs_settling *settling, const struct hs_key *node, uint32_t connected);

/* The first deadline; INT64_MAX where there is none. */
struct hs_time hs_settlings_deadline(const struct hs_core *core);

/* ---- settle.c ---- */

/* The room's newest commit, or one of its verdicts, is there: where it can be settled, the record is written.
 * due: its time is up, and those count who have spoken. Errors stick in the transaction. */
void hs_settle_try(struct hs_turn *turn, const struct hs_id *room, bool due);

/* Those whose time is up, some at a time: the rest is still due. */
enum {
    HS_SETTLE_ROOMS = 8 /* in one transaction: a large room's settlement is some MiB of records and views */
};
void hs_settle_tick(struct hs_turn *turn);

/* Commits that weren't settled when the node stopped get their time anew. */
void hs_settle_load(struct hs_turn *turn);

/* May this device's commit come in now? UNSETTLED, DENIED (barred), POLICY (too many commits of the epoch are
 * void). */
enum hs_err hs_settle_admits(struct hs_turn *turn, const struct hs_room_commit *c);

/* ---- settle_in.c ---- */

/* At a follower: commits of the hub came with a batch; it is told how many may speak of the newest. */
void hs_settle_presence(struct hs_turn *turn, const struct hs_id *room,
                        const struct hs_record_header *commit);

#endif

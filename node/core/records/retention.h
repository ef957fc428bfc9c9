/* Retention: posts that are older than the room's policy wants lose their bodies, at the hub and at
 * followers; their headers stay, so that the chain stands. A little of it is done in each tick. */
#ifndef HS_CORE_RETENTION_H
#define HS_CORE_RETENTION_H

#include "core/turn.h"

enum {
    HS_RETENTION_ROOMS = 64,    /* that one tick looks at: all rooms of a large node in some minutes */
    HS_RETENTION_RECORDS = 256, /* that one tick erases or forgets: keeps a round short */
};

/* An erased post is known by its hash for so long after its hub time, so that who submits it again gets the
 * answer that it got: longer than a device sleeps that still has it in its outbox. */
#define HS_RETENTION_KNOWN_MS (30ll * 24 * 3600 * 1000)

/* Some of what is due. */
void hs_retention_tick(struct hs_turn *turn);

/* The hub of a followed room says so, with its records: 0 = for good. */
void hs_retention_learn(struct hs_turn *turn, const struct hs_id *room, int64_t retention_ms);

/* For registers (register.h): the room's posts before erased have no body, those before forgotten no entry in
 * HS_T_BODY; before it was old. */
struct hs_retained {
    uint64_t erased, forgotten;
};
void hs_retained_apply(struct hs_turn *turn, const struct hs_id *room, struct hs_retained old,
                       struct hs_retained now);

/* The register's value; zeros where it isn't one. */
struct hs_retained hs_retained_parse(struct hs_bytes value);

#endif

/* One blob on its way between a follower and the hub of a room. Of blob_move*.c only. */
#ifndef HS_CORE_BLOB_MOVE_H
#define HS_CORE_BLOB_MOVE_H

#include "core/blobs/blob.h"

struct hs_move {
    struct hs_move *next;
    bool push;
    bool back; /* push: for a hub that has lost it; nobody here waits for the outcome */
    struct hs_key hub;
    struct hs_key persona; /* push: for whom, each by itself; zeros where the hub has asked for it */
    struct hs_id blob, room;
    uint64_t size;        /* fetch: 0 until the hub has said it */
    uint64_t session;     /* of the hub, in which it was begun */
    bool known;           /* how far it has come: have */
    uint64_t have, ahead; /* durable where it goes to; passed on so far */
    enum hs_err err;      /* push: refused for good */
    struct hs_time at;    /* not before */
    struct hs_time moved; /* the last time that it came further, or was begun anew */
    struct hs_time came;  /* that it came further, or was asked for first */
};

/* persona: of a push, for whom; zeros for a fetch, and for what the hub has asked for. NULL where there is
 * none. */
struct hs_move *hs_move_find(const struct hs_core *core, const struct hs_id *hash, const struct hs_id *room,
                             bool push, const struct hs_key *persona);
void hs_move_end(struct hs_core *core, struct hs_move *wanted);

/* What can be done for it now. */
void hs_move_go_on(struct hs_turn *turn, const struct hs_move *move);

/* It has come to the room's hub. */
void hs_blob_at_hub_put(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room);

#endif

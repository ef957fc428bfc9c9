/* What the operator asks of the running node: facts, read and never written. */
#ifndef HS_CORE_ADMIN_H
#define HS_CORE_ADMIN_H

#include "core/admin.pb-c.h"
#include "core/turn.h"

enum {
    HS_ADMIN_ROOMS = 200,     /* in one answer: some milliseconds of the commit thread */
    HS_ADMIN_MEMBERS = 20000, /* looked at for the homes of one room: more than a group has */
    HS_ADMIN_GAUGE_MS = 5000, /* a gauge's age: metrics are read every 15 s or so */
    HS_ADMIN_HOMES = 1000,    /* told of one room */
};

/* bytes: an AdminRequest. Leaves an effect ADMIN for the asker with an AdminAnswer, or an error: MALFORMED,
 * UNSUPPORTED, NOT_FOUND, CONFLICT where a room's short id isn't one room's alone. */
void hs_admin_asked(struct hs_turn *turn, uint64_t asker, struct hs_bytes bytes);

/* Counts what metrics show of sessions and peers, now and then. On a tick. */
void hs_admin_gauge(struct hs_turn *turn);

/* The handlers: request and answer are of the same kind. */
typedef enum hs_err hs_admin_handler(struct hs_turn *turn, const Hanse__State__AdminRequest *request,
                                     Hanse__State__AdminAnswer *answer);

hs_admin_handler hs_admin_status, hs_admin_peers, hs_admin_rooms, hs_admin_room, hs_admin_resume,
    hs_admin_evidence, hs_admin_root;

/* What others have shown the ledger since the last restoring; NULL without memory. */
Hanse__State__AdminProofs *hs_admin_proofs(struct hs_turn *turn);

/* For hs_admin_peers: the domains that show another root than the pinned one. NOMEM. */
enum hs_err hs_admin_roots_seen(struct hs_turn *turn, Hanse__State__AdminPeers *list);

/* The room whose id begins so, its key and view in scratch: NOT_FOUND; CONFLICT where there are several. */
enum hs_err hs_admin_find_room(struct hs_turn *turn, const Hanse__State__AdminAskRoom *ask,
                               struct hs_arena *scratch, struct hs_bytes *key, struct hs_bytes *value);

#endif

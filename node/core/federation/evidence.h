/* Evidence against hubs: two stories of one room, both signed. The first of each room and key is kept for
 * good; the copy of the room stays as it is and is served, and nothing more of that hub is taken for it. */
#ifndef HS_CORE_EVIDENCE_H
#define HS_CORE_EVIDENCE_H

#include "core/state.pb-c.h"
#include "core/turn.h"

/* The hub's records contradict what this node holds: true where that could be proved, and was kept. */
bool hs_evidence_of_records(struct hs_turn *turn, const struct hs_id *room,
                            const Hanse__State__RoomView *view, const Hanse__Records *records);

/* The same for a head alone, that somebody else has of the hub. */
bool hs_evidence_of_head(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                         const Hanse__SignedObject *head);

/* Evidence that somebody else has gathered: false where it doesn't prove anything against the room's hub. */
bool hs_evidence_take(struct hs_turn *turn, struct hs_bytes evidence);

/* The evidence against the hub of a room, packed; empty where there is none. */
struct hs_bytes hs_evidence_of_room(struct hs_turn *turn, const struct hs_id *room);

/* For the operator: the evidence at or behind *cursor ({0}: the first), in the arena; moves *cursor behind
 * it. False at the end. */
struct hs_core_evidence {
    struct hs_id room;
    struct hs_key hub_root;
    const char *domain;      /* of the hub */
    uint64_t seq;            /* the record of which it told two stories */
    struct hs_time at;       /* when this node learnt of it */
    struct hs_bytes content; /* Evidence: what hanse verify checks, behind HS_EVIDENCE_MAGIC */
};
bool hs_core_evidence_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                           struct hs_core_evidence *out);

/* A chain that was verified shows another HUB_MOVE of a term than this copy's, the record seq: true where
 * both are kept as evidence now. Whoever was the hub then isn't any more, and could say so at any time; so
 * nothing else follows from it. */
bool hs_evidence_of_move(struct hs_turn *turn, const struct hs_id *room, uint64_t seq,
                         const Hanse__HubMoved *theirs);

#endif

/* The way to a hub in office that the former one doesn't show: it may be gone for good, or have forgotten. A
 * chain of HubMoved proves itself by what the hubs signed, so it counts whoever brings it (way.c). It makes
 * no hub: the room is read on from where this copy stands, from the hub that the chain leads to (way_take.c),
 * and only the HUB_MOVE record itself, once it is reached, changes whom the room is followed from. */
#ifndef HS_CORE_WAY_H
#define HS_CORE_WAY_H

#include "core/federation/peer.h"
#include "core/state.pb-c.h"
#include "core/turn.h"

enum {
    HS_WAY_ROOMS = 64,      /* that one tick looks at, and that are read on at once */
    HS_WAY_ANSWERS = 3,     /* in a row that bring nothing: then it rests */
    HS_WAY_REST_MS = 60000, /* so long */
    HS_WAY_ASK_MS = 5000,   /* an answer is waited for so long */
    HS_WAY_PACE_MS = 10, /* a record keeps a way's place so long, beyond the first minute, a minute at most */
    HS_WAY_FIRST = 64,   /* hashes that a way begins with; then twice as many again and again */
    HS_WAY_HASHES = 1 << 20,  /* records on all ways at once, one way always has a place: 32 MiB of hashes */
    HS_WAY_RECORDS = 1 << 22, /* of one room: who is further behind begins anew */
};

/* A chain that is on its way to its HUB_MOVE, in the turn's arena; NULL where there is none. */
Hanse__Moved *hs_way_get(struct hs_turn *turn, const struct hs_id *room);

/* Shows the session's other side who is in office, as far as this node can. False where it can't. */
bool hs_way_show(struct hs_turn *turn, struct hs_session *session, const struct hs_id *room,
                 const Hanse__State__RoomView *view);

/* A HUB_MOVE to that term was applied: what led there is done with. */
void hs_way_reached(struct hs_turn *turn, const struct hs_id *room, uint32_t term);

/* ---- way_take.c ---- */

/* Reads on, where that is possible now. */
void hs_way_work(struct hs_turn *turn, const struct hs_id *room);
void hs_way_tick(struct hs_turn *turn);

/* The peer has answered what hs_way_work() asked; or somebody who wasn't asked has made this up. */
void hs_way_answered(struct hs_turn *turn, const struct hs_peer *peer, const struct hs_id *room,
                     const Hanse__Tail *tail);

/* The same of one who reads the room here, the turn's session. */
void hs_way_told(struct hs_turn *turn, const struct hs_id *room, const Hanse__Tail *tail);

/* ---- way_place.c ---- */

/* What was asked in turns that came to nothing has never left. */
void hs_ways_undone(struct hs_core *core);
void hs_ways_free(struct hs_core *core);

/* ---- way_ask.c ---- */

/* One of those who read the room here and hold more than the records before next: with each number another
 * one, in turn. NULL where there is none. */
struct hs_session *hs_way_reader(struct hs_turn *turn, const struct hs_id *room, uint64_t next, size_t which);

/* ---- way_tell.c ---- */

enum {
    HS_TELL_MS = 60000,   /* a home is told again after this, and all rooms are looked at again */
    HS_TELL_LOOKS = 256,  /* members that one tick looks at */
    HS_TELL_AT_ONCE = 16, /* homes that one tick tells: a chain has up to 45 KiB */
    HS_TELL_ITEMS = 2048, /* with so many that wait for brands' nodes more, or less, a tick ends: 20 ms */
    HS_TELL_NOTED = 256,  /* who was told of late; with more homes than that, some are told more often */
    HS_WHERE_MAX = 16     /* nodes in one frame */
};

/* In memory: where the look at who is to be told stands, and who was told. */
struct hs_tell {
    struct hs_kv_key office_from, member_from;
    struct hs_id room;
    bool in_room;
    struct hs_time lap_at; /* the next look at all */
    size_t next;
    struct {
        struct hs_key home;
        struct hs_id room;
        struct hs_time until; /* 0: free */
    } told[HS_TELL_NOTED];
};

void hs_tell_tick(struct hs_turn *turn);

/* A room has come here; a node has that was called to be told. */
void hs_tell_again(struct hs_core *core);
void hs_tell_came(struct hs_core *core, const struct hs_key *home);

#endif

/* The hub in office: which node orders a room, and how that passes from one to the next. It is a matter of
 * the log alone: a HUB_MOVE record (room_move.c) is the last one of a term. The hub that goes follows the
 * room from then on, like any other node. The one that comes was a follower; it gets the records that it
 * hasn't, applies all of them as a hub (office_take.c), and begins its term when it has applied the HUB_MOVE.
 * Until then its view has an office_end, and the room stands still. */
#ifndef HS_CORE_OFFICE_H
#define HS_CORE_OFFICE_H

#include "core/federation/peer.h"
#include "core/state.pb-c.h"
#include "core/turn.h"
#include "room/hub_move.h"

enum {
    HS_OFFICE_RECORDS = 64,    /* that are applied in one turn: a commit takes some milliseconds */
    HS_OFFICE_ROOMS = 16,      /* rooms on their way here that one tick works on */
    HS_OFFICE_LOOKS = 256,     /* and how many it looks at for that: others rest */
    HS_OFFICE_RESTS = 64,      /* rooms that rest at once; of more, the one that has rested most goes on */
    HS_OFFICE_ASK_MS = 5000,   /* a question to the former hub is asked again after this */
    HS_OFFICE_AGAIN_MS = 60000 /* a log that can't be applied is tried again after this */
};

/* Each tick goes on behind the room at which the last one stopped, so that none waits for the others. That
 * rooms rest is kept in memory only, and isn't undone with a turn: at worst one is tried later. */
struct hs_office_walk {
    struct hs_kv_key from; /* empty: at the first room */
    bool more;             /* there is work, as soon as may be */
    bool lap_more;         /* some of it was seen since the first room */
    struct {
        struct hs_id room;
        struct hs_time until; /* 0: free */
    } rests[HS_OFFICE_RESTS];
};

/* True while this node gathers what it needs to be the hub. */
static inline bool hs_office_is_coming(const Hanse__State__RoomView *view)
{
    return view != NULL && view->office_end > 0;
}

/* Does this hub tell others what the record seq ended? Of its own time always; of former terms again what may
 * still have been on its way to them at the end, for the word of a hub that has gone doesn't count for it. */
bool hs_office_tells(const Hanse__State__RoomView *view, uint64_t seq);

/* Is any room on its way here? */
bool hs_office_is_any_coming(struct hs_turn *turn);

/* The term of the hub in office, as far as this copy of the log goes. */
static inline uint32_t hs_room_term(const Hanse__State__RoomView *view)
{
    return view->hub_term > 0 ? view->hub_term : HS_POLICY_HUB_TERM_FIRST;
}

/* The root of the room's brand. */
struct hs_key hs_room_brand(struct hs_turn *turn, const Hanse__State__RoomView *view);

/* Hub and term for which the next record is judged. */
struct hs_hub_office hs_room_office(struct hs_turn *turn, const struct hs_id *room,
                                    const Hanse__State__RoomView *view);

/* The HUB_MOVE record at or behind seq in this copy; false where there is none. */
bool hs_office_move_at(struct hs_turn *turn, const struct hs_id *room, uint64_t seq, uint64_t *out);

/* The HUB_MOVE with which the term of the hub in office began; false where this copy hasn't got it. While the
 * office comes here, it is the one that brings it. */
bool hs_office_began(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                     uint64_t *out);

/* The last HUB_MOVE with which that node went out of office; false where this copy has got none. */
bool hs_office_left(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                    const struct hs_key *root, uint64_t *seq);

/* The end of that node's term which the record from was in, or is before: the first HUB_MOVE at or behind
 * from with which it went; false where this copy has got none. */
bool hs_office_gave(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                    const struct hs_key *root, uint64_t from, uint64_t *seq);

/* What shows a newcomer that the office has come from the brand's node to where it is: NOT_FOUND where this
 * node hasn't got all of it. */
enum hs_err hs_office_moves(struct hs_turn *turn, const struct hs_id *room,
                            const Hanse__State__RoomView *view, Hanse__HubMoved ***list, size_t *count);

/* A follower's copy has got a HUB_MOVE of its hub: is it one? LOG_FORK, MALFORMED and what
 * hs_hub_move_verify() says. */
enum hs_err hs_office_check_move(struct hs_turn *turn, const struct hs_id *room,
                                 const Hanse__State__RoomView *view, const struct hs_record_header *header,
                                 struct hs_bytes body);

/* And what a follower does about it: the new hub is dialled and read on from, what waited for the former one
 * waits for the new one; or the office comes here. */
void hs_office_moved(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *former);

/* At the hub: may the turn's session, the next hub's, ask for what the body of a HUB_MOVE gives it? Errors as
 * for MoveHub. */
enum hs_err hs_office_may_go(struct hs_turn *turn, const struct hs_id *room,
                             const Hanse__State__RoomView *view, struct hs_bytes body,
                             struct hs_hub_move *move);

/* For the moment there is no use in working on that room, which is tried again later. Kept in memory only. */
bool hs_office_rests(const struct hs_turn *turn, const struct hs_id *room);
void hs_office_rest(struct hs_turn *turn, const struct hs_id *room, int64_t ms);

/* Work on rooms whose office comes here. */
void hs_office_tick(struct hs_turn *turn);
struct hs_time hs_office_deadline(const struct hs_core *core);

/* The hub has answered: the former one, or the one that is to go. asked is NULL where the turn is carried out
 * again. */
void hs_office_answered(struct hs_turn *turn, const struct hs_peer *peer, const struct hs_asked *asked,
                        const Hanse__Frame *answer);

#endif

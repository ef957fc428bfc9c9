/* Records of a room's stream: how they enter the log, and what they make of the views. The apply functions
 * are the only writers of a room's views. They take facts that whoever decided has worked out already; where
 * the records are read again, hs_room_apply() works them out anew from the record and the views before it. */
#ifndef HS_CORE_ROOM_RECORD_H
#define HS_CORE_ROOM_RECORD_H

#include "core/rooms/room.h"
#include "room/genesis.h"
#include "room/home_move.h"
#include "room/hub_move.h"
#include "room/invite.h"
#include "room/join.h"
#include "room/judge_change.h"
#include "room/settlement.h"

/* A record that is in the log, and about to be applied. */
struct hs_room_record {
    struct hs_id room;
    Hanse__State__RoomView *view; /* its tip is behind this record already; the rest is as before it */
    struct hs_bytes prev_hash;    /* of the record before; empty for the first */
    struct hs_record_header header;
    const Hanse__State__RoomEntry *entry;
};

/* The next record of a room that this node is the hub of: its header is made, and it enters log and journal.
 * record: room, view and entry are set; the rest is filled in here. It must be applied in the same turn,
 * whose time is the record's from here on: whoever goes on with other things takes a copy of the turn before.
 */
enum hs_err hs_room_append(struct hs_turn *turn, const struct hs_record_spec *spec,
                           Hanse__State__RoomEntry *entry, struct hs_room_record *record);

/* The same without the last step: for who needs the header's hash for the entry. */
enum hs_err hs_room_make(struct hs_turn *turn, const struct hs_record_spec *spec,
                         Hanse__State__RoomEntry *entry, struct hs_room_record *record);

/* A record with its header enters log, journal and tip: the one above, or at a follower one of the hub's. The
 * view isn't stored. */
enum hs_err hs_room_enter(struct hs_turn *turn, struct hs_room_record *record);

/* What is known of a commit, before it is let in or where it is applied again. */
struct hs_room_commit {
    struct hs_id room;
    struct hs_key persona;
    Hanse__State__RoomView *view;
    struct hs_time hub_time;
    struct hs_group_store store; /* of the group, which reads on from it */
    struct hs_mls_public *group;
    struct hs_mls_event *event;
    const struct hs_mls_change *change;
    struct hs_judge_facts facts;
    struct hs_bytes policy;    /* packed, after the commit */
    struct hs_bytes *welcomes; /* one for each who is added */
    Hanse__Tree *tree;         /* for all of them */
    struct hs_writer nodes;    /* what it names, where it is too large for an item */
    struct hs_key *homes;      /* their home nodes */
    bool recovered;            /* the Welcome is lost: newcomers have had it, or ask again */
    bool spent;                /* nobody needs it any more (spent.h) */
};

/* The parts of that in their order; nothing is written. Errors are the committer's. */
enum hs_err hs_room_commit_stage(struct hs_turn *turn, struct hs_room_commit *c, struct hs_bytes message);
enum hs_err hs_room_commit_judge(struct hs_turn *turn, struct hs_room_commit *c);
enum hs_err hs_room_commit_cut(struct hs_turn *turn, struct hs_room_commit *c, struct hs_bytes welcome);

/* The last of them: the group in memory is that of the new epoch. */
enum hs_err hs_room_commit_merge(struct hs_turn *turn, struct hs_room_commit *c);
void hs_room_commit_wipe(struct hs_room_commit *c);
#define HS_ROOM_COMMIT HS_AUTO(hs_room_commit_wipe)

/* One for each kind of record at the hub. Each stores the room's view. */
void hs_genesis_apply(struct hs_turn *turn, const struct hs_room_record *record,
                      const struct hs_genesis *genesis, const struct hs_room_member *owner,
                      struct hs_mls_public *group);
void hs_invite_apply(struct hs_turn *turn, const struct hs_room_record *record,
                     const struct hs_invite *invite);
void hs_join_apply(struct hs_turn *turn, const struct hs_room_record *record, const struct hs_join *join);
void hs_commit_apply(struct hs_turn *turn, const struct hs_room_record *record, struct hs_room_commit *c);
void hs_home_apply(struct hs_turn *turn, const struct hs_room_record *record,
                   const struct hs_home_move *move);
enum hs_err hs_settled_apply(struct hs_turn *turn, const struct hs_room_record *record);
enum hs_err hs_void_apply(struct hs_turn *turn, const struct hs_room_record *record);
/* Also at a follower, where the view isn't stored either. */
void hs_hub_move_apply(struct hs_turn *turn, const struct hs_room_record *record,
                       const struct hs_hub_move *move);
enum hs_err hs_leave_again(struct hs_turn *turn, const struct hs_room_record *record);
void hs_post_apply(struct hs_turn *turn, const struct hs_room_record *record);

/* One of the hub's at a follower, which keeps hardly more of it than the record itself. The view isn't
 * stored: they come in batches. */
void hs_copy_apply(struct hs_turn *turn, const struct hs_room_record *record);

/* A commit that isn't settled: NULL where there is none. put: what it will mean, and what was before it,
 * while the views are still as they were. */
Hanse__State__UnsettledView *hs_unsettled_view(struct hs_turn *turn, const struct hs_id *room);
void hs_unsettled_put(struct hs_turn *turn, const struct hs_room_record *record,
                      const struct hs_room_commit *c);

/* Could a foreign record that says so be applied? */
enum hs_err hs_leave_could_be(struct hs_turn *turn, const struct hs_room_record *record);

/* A post that waited for a former hub when this node took its office, as if its sender sent it now. Errors as
 * for SubmitMessage. */
enum hs_err hs_post_queued(struct hs_turn *turn, const struct hs_id *room,
                           const Hanse__SubmitMessage *submit);

/* A member's proposal to leave, as it comes. UNSETTLED, WRONG_EPOCH, NOT_MEMBER, WRONG_SENDER; BUSY where
 * many wait; what MLS and the room's rules say. */
enum hs_err hs_room_leave(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                          Hanse__State__RoomView *view, struct hs_bytes message, Hanse__Frame *reply);

/* Does the commit take out all who wait for it? POLICY; WRONG_EPOCH where its maker couldn't know. */
enum hs_err hs_leave_admits(struct hs_turn *turn, const struct hs_room_commit *c);

/* Has it left, and waits for the commit that takes it out? */
bool hs_leave_is_listed(const Hanse__State__RoomView *view, const struct hs_key *persona);

/* The home of a member that is out is told so. */
void hs_room_tell_removed(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                          const struct hs_key *home, uint64_t seq);

/* Who may not commit in the room. STORE. */
enum hs_err hs_bars_load(struct hs_turn *turn, const struct hs_id *room, struct hs_bars *out);

/* Applies entry, the record seq of the room's stream, once more; with its facts from the record itself. */
enum hs_err hs_room_apply(struct hs_turn *turn, const struct hs_id *room, uint64_t seq,
                          const Hanse__State__RoomEntry *entry);

#endif

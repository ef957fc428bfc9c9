/* Rooms at their node: the stream of a room is its log, and everything else about it is a view of that. */
#ifndef HS_CORE_ROOM_H
#define HS_CORE_ROOM_H

#include "core/state.pb-c.h"
#include "core/turn.h"
#include "mls/public.h"
#include "room/group_store.h"
#include "room/log.h"
#include "room/policy.h"

enum {
    HS_HOME_MOVES_FREE = 16,         /* by their numbers: who tries out homes isn't held up ... */
    HS_HOME_MOVE_MS = 10 * 60 * 1000 /* ... but each is in the log for good: so long between later ones */
};

/* The room that this node is the hub of: ROOM_UNKNOWN where it isn't, HUB_MOVED where it was; RECOVERING
 * while it stands still. */
enum hs_err hs_room_hubbed(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView **view);

/* This node is its hub, and it can't be changed just now: it was restored, or the office is on its way here.
 */
bool hs_room_stands_still(struct hs_turn *turn, const Hanse__State__RoomView *view);

/* The room's policy, in the turn's arena. */
enum hs_err hs_room_policy(struct hs_turn *turn, const Hanse__State__RoomView *view,
                           struct hs_policy *policy);

/* The persona may speak in the room through this session: WRONG_SENDER where the session doesn't act for it,
 * NOT_MEMBER. */
enum hs_err hs_room_speaker(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona);

/* Hub time for the next record: now, but never before the last one. */
struct hs_time hs_room_time(const struct hs_turn *turn, const Hanse__State__RoomView *view);

void hs_room_store(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view);

/* Writes what changed of the room's public group: the last thing of a turn, for where it fails, the whole
 * turn does. */
void hs_room_group_save(struct hs_turn *turn, const struct hs_group_store *store,
                        struct hs_mls_public *group);

/* The newest GroupInfo (MLSMessage) of a room of this hub, for who joins from outside; NULL data where there
 * is none. That of a new room has its tree within. */
void hs_room_group_info_put(struct hs_turn *turn, const struct hs_id *room, struct hs_bytes group_info);
struct hs_bytes hs_room_group_info(struct hs_turn *turn, const struct hs_id *room);

/* The newest head that the hub has signed, at a follower; NULL where none came yet. */
Hanse__SignedObject *hs_room_kept_head(struct hs_turn *turn, const struct hs_id *room);

/* The JOIN of a persona, as it stands; NULL where there is none. */
Hanse__State__JoinView *hs_join_view(struct hs_turn *turn, const struct hs_id *room,
                                     const struct hs_key *persona);

/* The entry seq of the copy of this node; NULL where there is none. */
Hanse__State__RoomEntry *hs_room_entry(struct hs_turn *turn, const struct hs_id *room, uint64_t seq);

/* The number of the record with that body; false where the room has none. */
bool hs_room_find_body(struct hs_turn *turn, const struct hs_id *room, const struct hs_id *body_hash,
                       uint64_t *seq);

/* Fills in Accepted for the record seq. */
enum hs_err hs_reply_accepted(struct hs_turn *turn, const struct hs_id *room, uint64_t seq,
                              Hanse__Frame *reply);

/* Body known already: answers as before and returns true. */
bool hs_room_answer_known(struct hs_turn *turn, const struct hs_id *room, struct hs_bytes body,
                          Hanse__Frame *reply);

/* Invites are their room's: a log that comes here from another hub may name another room's key, which is no
 * secret, and does nothing to that room. Whoever asks with a key alone gets the first room that had it. */
Hanse__State__InviteView *hs_invite_view(struct hs_turn *turn, const struct hs_id *room,
                                         const struct hs_key *invite_key);
bool hs_invite_room(struct hs_turn *turn, const struct hs_key *invite_key, struct hs_id *out);
void hs_invite_store(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *invite_key,
                     const Hanse__State__InviteView *view);

/* The room's invite with that key, if it is still good at now: INVITE_UNKNOWN, INVITE_EXPIRED. */
enum hs_err hs_invite_is_open(struct hs_turn *turn, const struct hs_key *invite_key, const struct hs_id *room,
                              Hanse__State__InviteView **out);

/* One more account was made with that invite. */
void hs_invite_signed_up(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *invite_key);

/* From seq on, subscriber may read the room. A node that reads it already gets one more member. */
void hs_subscribe(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room,
                  uint64_t from, uint32_t members);

/* One of its members is gone with the record seq; with the last one the reading ends behind it. */
void hs_unsubscribe(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room,
                    uint64_t seq);

#endif

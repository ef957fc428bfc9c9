/* Members of a room that has moved, for the ledger of its brand: that stays with the brand's node, which
 * knows who was a member when it was the hub, and learns from the hub in office who has been since. */
#ifndef HS_CORE_TOLD_H
#define HS_CORE_TOLD_H

#include "core/state.pb-c.h"
#include "core/turn.h"

/* Members that one hub may have told of, in all rooms: as many as some large rooms have in a year. Of more
 * the ledger doesn't know, until some are gone. */
enum {
    HS_TOLD_MAX = 65536,
    HS_TOLD_PIECE = 512 /* members that one record tells of: keeps a turn short, however large the room is */
};

/* ---- the hub in office (tell_brand.c) ---- */

/* That persona is a member from now on and at home there, or is none any more (home NULL). For views, once
 * for each change: where the brand's node is another one, and has been told of the others, it is told so. */
void hs_tell_brand(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                   const struct hs_key *home);

/* The session's other side reads the room from the record next on: where it is the brand's node, has come
 * into this hub's term and knows nothing yet, it is told who is a member. */
void hs_brand_attached(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                       uint64_t next);

/* The same for a room that is looked at once in a while; and a brand's node that the operator has blocked is
 * told nothing any more. Gives how many items wait for it more, or less, by that. */
size_t hs_brand_judge(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view);

/* For views: from now on it is told, or isn't any more; and it is told of so many members more. */
void hs_brand_told_apply(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__HomeTold *told);

/* It hasn't been told of all of them yet: hs_brand_judge() goes on with that. */
bool hs_brand_is_being_told(const Hanse__State__RoomView *view);

/* Or hs_brand_judge() has more to drop of what it was told. */
bool hs_brand_has_more(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view);

/* The brand's node reads the room on, with or without members of its own, from where it stands; or no further
 * than the record seq. Nothing happens where this is the brand's node. */
void hs_brand_reads(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view);
void hs_brand_reads_to(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                       uint64_t seq);

/* ---- the brand's node ---- */

/* An item of that hub may be taken. ROOM_UNKNOWN where it is no room that has moved from here, WRONG_PEER
 * where that hub isn't in office, QUOTA, MALFORMED. */
enum hs_err hs_told_check(struct hs_turn *turn, const struct hs_key *hub, const Hanse__MemberItem *item);
void hs_told_apply(struct hs_turn *turn, const struct hs_key *hub, const Hanse__MemberItem *item);

/* The hub is in office no more: what it has told counts for nothing, HS_TOLD_MAX rows at most and who was a
 * member in this node's own time. The next one tells everything anew. */
void hs_told_forget(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *hub);

/* Is the persona a member of a room of this node's brand, and where is it at home? Of one that has moved as
 * the hub in office says, or where that has said nothing as it was then. NOT_MEMBER; BUSY while the hub in
 * office, which knows, can't say so or hasn't yet, and while the room comes back here. */
enum hs_err hs_brand_member(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                            struct hs_key *home);

#endif

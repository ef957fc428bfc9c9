/* Moving to another home node (move.c), and proof against hubs that tell two stories (evidence.c). */
#ifndef HS_SYNC_MOVE_H
#define HS_SYNC_MOVE_H

#include "room/head.h"
#include "sync/state.h"

/* ---- move.c ---- */

/* To a new home: goes on with every room whose turn hasn't come, and ends where there is none. */
enum hs_err hs_moves_resume(struct hs_step *s);

/* It follows to another home: that of a member, or of who has left on this device and wants the hub to know.
 */
static inline bool hs_room_moves(const struct hs_room_row *row)
{
    return row->state == HS_ROOM_STATE_MEMBER || row->parting;
}

/* The room's newest number, which its hub is told next or was told last. */
uint64_t hs_move_number(const struct hs_step *s, const struct hs_live_room *room);

/* The home node was restored, and has forgotten that it reads the room for this device: the hub is told once
 * more where that is, as if it was a new home. */
bool hs_home_forgot_lately(const struct hs_step *s, const struct hs_live_room *room);
enum hs_err hs_home_forgot(struct hs_step *s, struct hs_live_room *room);

/* A HOME_MOVE of this device's persona. Where it isn't known here, this is an older copy of the device: the
 * room comes to where the copy is at home. */
struct hs_home_move;
enum hs_err hs_home_moved(struct hs_step *s, struct hs_live_room *room, const struct hs_home_move *move);
enum hs_err hs_forgotten_received(struct hs_step *s, const Hanse__Forgotten *forgotten);

/* The operation of who waits for the move; NULL: nobody does. */
struct hs_op *hs_move_op(struct hs_sync *sync);

/* Keeps that it is over but for rooms that wait, and ends that operation. */
enum hs_err hs_move_over(struct hs_step *s, bool rooms_wait, enum hs_err err);

enum hs_err hs_home_item_received(struct hs_step *s, const Hanse__HomeItem *item);
enum hs_err hs_home_move_record(struct hs_step *s, struct hs_live_room *room,
                                const struct hs_record_header *header, struct hs_bytes body);

/* ---- home.c ---- */

/* The home node has this device's account. Where it is a new one, what only the former home would have got is
 * waited for no more. */
enum hs_err hs_home_confirmed(struct hs_step *s);

/* The new home won't have this device: everything is as before, and what waited then for a hub waits on. */
enum hs_err hs_move_refused(struct hs_step *s, enum hs_err err);

/* ---- hub_move.c ---- */

/* A HUB_MOVE record: the room is told of by another hub from then on, as soon as the head of these records
 * has been checked. */
enum hs_err hs_hub_move_record(struct hs_step *s, struct hs_live_room *room,
                               const struct hs_record_header *header, struct hs_bytes body);
enum hs_err hs_hub_moved(struct hs_step *s, struct hs_live_room *room);

/* The home node says why nothing comes of a move that it has kept. */
enum hs_err hs_hub_move_refused(struct hs_step *s, const struct hs_id *room, const struct hs_id *body,
                                enum hs_err err);

/* Where the policy doesn't know the hub in office yet: commits that it follows, if this member may. behind:
 * it doesn't know it yet. */
enum hs_err hs_policy_follow(struct hs_step *s, struct hs_live_room *room, bool *behind);

/* ---- way.c ---- */

/* The room's hub has gone with the newest record: that is kept, to be shown. Before the row changes. */
enum hs_err hs_way_keep(struct hs_step *s, const struct hs_live_room *room);

/* Shows the home node how the hubs before went, where this device has seen all of it. */
enum hs_err hs_way_tell(struct hs_step *s, const struct hs_live_room *room);

/* Somebody shows who is in office. It is kept, and shown to the home node; a room whose new home its hub
 * doesn't know yet is told to that hub. UNEXPECTED where it leads from elsewhere, or nowhere; errors of the
 * chain. */
enum hs_err hs_way_learn(struct hs_step *s, struct hs_live_room *room, Hanse__HubMoved *const *moves,
                         size_t count);

/* The hub in office behind the one that is known, as it was shown. */
bool hs_way_shown(struct hs_step *s, const struct hs_live_room *room, struct hs_hub_office *office,
                  struct hs_bytes *descriptor);

/* ---- evidence.c ---- */

/* The room was frozen for what came: where it proves that the hub told two stories, that is kept. */
enum hs_err hs_evidence_seen(struct hs_step *s, struct hs_live_room *room, const Hanse__Records *records);

/* A member showed a head that the hub signed for it. Freezes the room where it is of another story; ahead: it
 * covers more than is here, and says what. LOG_FORK where it contradicts and proves nothing. */
enum hs_err hs_evidence_head(struct hs_step *s, struct hs_live_room *room, const Hanse__SignedObject *object,
                             struct hs_head *ahead, bool *is_ahead);

enum hs_err hs_evidence_received(struct hs_step *s, const Hanse__EvidenceItem *item);

/* The newest head, for a post to show; NULL where there is none. */
enum hs_err hs_evidence_own_head(struct hs_step *s, const struct hs_live_room *room,
                                 Hanse__SignedObject **out);

/* A checked head that came with records: it is the newest one. */
enum hs_err hs_evidence_keep_head(struct hs_step *s, const struct hs_live_room *room,
                                  const Hanse__SignedObject *head);

/* The newest head that covers no more than is here; NULL where there is none. */
enum hs_err hs_evidence_held_head(struct hs_step *s, const struct hs_live_room *room,
                                  Hanse__SignedObject **out);

/* ---- tail.c ---- */

enum hs_err hs_tail_wanted(struct hs_step *s, const Hanse__WantTail *want);

#endif

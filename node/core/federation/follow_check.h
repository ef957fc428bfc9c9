/* What a followed room's hub sends, or a chain has shown, before any of it enters the copy. */
#ifndef HS_CORE_FOLLOW_CHECK_H
#define HS_CORE_FOLLOW_CHECK_H

#include "core/rooms/room_record.h"
#include "core/turn.h"
#include "room/log.h"

/* A batch by the turn's session, which is the room's hub: each record continues the copy, whose tip is given;
 * those that are held already are passed over, and what was held before must come again as it was. The head
 * is by the key that the hub has now and covers all of it. Nothing is written. head_counts: it is of the
 * present term; one of a former term, which the hub in office covers, isn't looked at. What
 * hs_log_check_next(), hs_head_verify(), hs_office_check_move() and hs_link_check() say; MALFORMED (no head,
 * one of another term, or a HUB_MOVE that isn't the batch's last), LOG_GAP (a record other than a post is
 * erased), LOG_FORK (the hub tells two stories, or another than it promised), BAD_CHAIN (its key isn't
 * known), TOO_LARGE, STORE, NOMEM. */
enum hs_err hs_follow_check(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                            const Hanse__Records *records, struct hs_log_tip tip, bool *head_counts);

/* The same for what hs_follow_shown() is given: the chain has judged its head. */
enum hs_err hs_follow_check_shown(struct hs_turn *turn, const struct hs_id *room,
                                  Hanse__State__RoomView *view, const Hanse__Records *records,
                                  struct hs_log_tip tip);

/* The end of a hub's term: move is read from the entry's body, and head and descriptor, which show it to
 * others, enter the entry; they live as long as the turn. shown: records came by a chain. What is wrong with
 * the HUB_MOVE (hs_hub_move_verify()), BAD_CHAIN without a descriptor, TOO_LARGE for one of more than
 * HS_DESCRIPTOR_MAX bytes, NOMEM. */
enum hs_err hs_follow_prove_move(struct hs_turn *turn, const struct hs_room_record *r,
                                 Hanse__State__RoomEntry *entry, const Hanse__Records *records, bool shown,
                                 struct hs_hub_move *move);

#endif

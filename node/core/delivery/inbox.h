/* Inboxes: what one subscriber is to get besides the rooms' records: Welcomes, outcomes, requests. */
#ifndef HS_CORE_INBOX_H
#define HS_CORE_INBOX_H

#include "core/records/stream.h"
#include "core/turn.h"

/* Appends an item (its seq is set here); it is delivered when the subscriber is attached. */
void hs_inbox_put(struct hs_turn *turn, const struct hs_key *subscriber, Hanse__InboxItem *item);

/* The next item's number is at least this one: what had those before it is gone for good. */
void hs_inbox_pass(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t number);

/* Items that wait in one inbox: more than a device leaves unread that is in use, and as many as its node goes
 * through at once. Who is asked to add one more answers BUSY. */
enum { HS_INBOX_MAX = 4096 };

/* Do so many wait, MemberItems left out? Those are no wish of whom they are for. */
bool hs_inbox_is_past(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t max);

/* HS_INBOX_MAX of them, with the Welcomes that wait for their trees? */
bool hs_inbox_is_full(struct hs_turn *turn, const struct hs_key *subscriber);

/* The same for an item that its record can be cut of when it is gone (spent.h). Of a hub's Welcomes for one
 * persona and room only the newest stays, and of a persona's wishes. */
void hs_inbox_put_from(struct hs_turn *turn, const struct hs_key *subscriber, Hanse__InboxItem *item,
                       const struct hs_stream_at *from);

/* The same for a MemberItem: of those for one persona and room only the newest stays, whoever doesn't fetch
 * them. */
void hs_inbox_tell(struct hs_turn *turn, const struct hs_key *subscriber, Hanse__InboxItem *item);

/* How many MemberItems wait for it, of all rooms. */
uint64_t hs_inbox_told(struct hs_turn *turn, const struct hs_key *subscriber);

/* Does one wait of that room? */
bool hs_inbox_is_told(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room);

/* In the order in which those of one room are dropped the last one of the first so many; false where that are
 * all of them. */
bool hs_inbox_told_at(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room,
                      size_t many, struct hs_id *last);

/* Of that room none of them waits any more, up to the one of that name (empty: none at all). No other room's
 * are looked at. */
void hs_inbox_untell(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room,
                     struct hs_bytes until);

/* Deletes what lies before next. */
void hs_inbox_prune(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t next);

/* The number that the next item will get. */
uint64_t hs_inbox_next(struct hs_turn *turn, const struct hs_key *subscriber);

/* How many items wait for it. */
uint64_t hs_inbox_waiting(struct hs_turn *turn, const struct hs_key *subscriber);

#endif

/* Welcomes that came from hubs and wait for their trees. They count among what waits in an inbox, and of a
 * hub's for one persona in one room only the newest waits: the record of another one is cut. Of apply
 * functions, but for what only reads. */
#ifndef HS_CORE_HELD_WELCOME_H
#define HS_CORE_HELD_WELCOME_H

#include "core/records/stream.h"

/* The Welcome that is item waits; number: the item's at that hub; from: its record in the hub's stream. */
void hs_held_welcome_put(struct hs_turn *turn, const struct hs_stream_at *from, uint64_t number,
                         const struct hs_key *subscriber, const Hanse__InboxItem *item);

/* Does what that record handed on wait? */
bool hs_held_welcome_is_from(struct hs_turn *turn, const struct hs_stream_at *at,
                             const Hanse__State__HandedOn *handed);

/* How many wait for that subscriber. */
uint64_t hs_held_welcome_count(struct hs_turn *turn, const struct hs_key *subscriber);

/* Where those of a hub lie; with a tree's hash behind it, those that wait for that. */
struct hs_kv_key hs_held_welcome_key(struct hs_bytes hub);

/* The first Welcome behind that prefix; false where there is none. */
bool hs_held_welcome_first(struct hs_turn *turn, const struct hs_kv_key *prefix, struct hs_bytes *key,
                           Hanse__State__HeldWelcome **held);

/* Its item; NULL where the store failed, which sticks, or without memory. */
Hanse__InboxItem *hs_held_welcome_item(struct hs_turn *turn, const Hanse__State__HeldWelcome *held);

/* It waits no more: it goes on. */
void hs_held_welcome_let_go(struct hs_turn *turn, const struct hs_id *hub, struct hs_bytes key,
                            const struct hs_key *subscriber, const Hanse__InboxItem *item);

#endif

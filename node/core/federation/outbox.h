/* The outbox to one hub: posts of this node's users that the hub hasn't answered yet, durable, in order. */
#ifndef HS_CORE_OUTBOX_H
#define HS_CORE_OUTBOX_H

#include "core/federation/peer.h"
#include "core/turn.h"

/* Appends the post of the turn's session, unless it waits already. BUSY past HS_OUTBOX_MAX. */
enum hs_err hs_outbox_put(struct hs_turn *turn, const struct hs_key *hub, const struct hs_id *room,
                          const Hanse__Frame *request);

/* How many wait; too high by those that were answered out of their order. */
uint64_t hs_outbox_count(struct hs_turn *turn, const struct hs_key *hub);

bool hs_outbox_waits(struct hs_turn *turn, const struct hs_key *hub);

/* Sends what isn't under way, as far as the window reaches. */
void hs_outbox_send(struct hs_turn *turn, struct hs_peer *peer);

/* Nothing is under way: all that wait will be sent from the first on. */
void hs_outbox_restart(struct hs_peer *peer);

/* The hub's answer: the post is done with; a refusal goes into its sender's inbox. False where it answers no
 * post. */
bool hs_outbox_answered(struct hs_turn *turn, struct hs_peer *peer, const Hanse__Frame *answer);

/* The room has another hub: what waits for the former one waits for that from now on, in its order, but for
 * what is in the log. */
void hs_outbox_move(struct hs_turn *turn, const struct hs_key *from, const struct hs_key *to,
                    const struct hs_id *room);

/* The room's hub is this node now: what waited for the former one is taken or refused here. */
void hs_outbox_take(struct hs_turn *turn, const struct hs_key *from, const struct hs_id *room);

#endif

/* Whose device or node a session is, and for whom it may speak. */
#ifndef HS_CORE_ACCOUNT_H
#define HS_CORE_ACCOUNT_H

#include "core/state.pb-c.h"
#include "core/turn.h"

/* Personas that an account serves besides its own: anybody makes keys at will, and nobody has so many brands.
 */
enum { HS_BOUND_MAX = 1000 };

/* True where the turn's session may act for persona: a device whose account it is or is bound to; a node that
 * is the home of that member of room (room may be NULL for devices only). */
bool hs_session_acts_for(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona);

/* The device that serves a persona at this node; false where none does. */
bool hs_persona_subscriber(struct hs_turn *turn, const struct hs_key *persona, struct hs_key *subscriber);

/* True for a persona that brand knows: one that was bound for it, or an account's public identity. */
bool hs_persona_is_for(struct hs_turn *turn, const struct hs_key *persona, const struct hs_key *brand);

/* May the session's account make rooms here, or bring them? Those may whom the brand gave a role. */
bool hs_account_may_found(struct hs_turn *turn);

#endif

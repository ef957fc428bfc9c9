/* Members whose home is this node, and who have no account here: after a restoring, when the room's readers
 * have brought back that they are members, and nobody could bring back their accounts. They read the room
 * once they have signed up, or bound their persona, again. */
#ifndef HS_CORE_ABSENT_H
#define HS_CORE_ABSENT_H

#include "core/turn.h"

/* The member would read the room from the record from on; forget: it is none any more. */
void hs_absent_note(struct hs_turn *turn, const struct hs_key *persona, const struct hs_id *room,
                    uint64_t from);
void hs_absent_forget(struct hs_turn *turn, const struct hs_key *persona, const struct hs_id *room);

/* True where the persona is such a member of any room. */
bool hs_absent_is(struct hs_turn *turn, const struct hs_key *persona);

/* The persona has an account now: its device reads what it was to read. */
void hs_absent_came(struct hs_turn *turn, const struct hs_key *persona);

#endif

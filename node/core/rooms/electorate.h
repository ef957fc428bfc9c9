/* Who may speak of a commit that isn't settled, and how many of them are connected. */
#ifndef HS_CORE_ELECTORATE_H
#define HS_CORE_ELECTORATE_H

#include "core/rooms/settle.h"

struct hs_session;

/* Who was a member before the commit, as the hub's views still are until it is settled. */
struct hs_electorate {
    struct hs_turn *turn;
    const struct hs_id *room;
    const Hanse__State__UnsettledView *was;
    struct hs_key persona; /* who claims to be one */
};

/* The commit, with those who were members, for proto/room to judge by. policy is filled in, and out points to
 * it and to e, and reads from the turn: all live as long. STORE for an unsound view, what hs_policy_parse()
 * says. */
enum hs_err hs_electorate_settlement(struct hs_electorate *e, struct hs_policy *policy,
                                     struct hs_settlement *out);

/* Devices of members that read the room now: one's own by their sessions, others' by what their nodes say.
 * Without the committer, and who is removed by the commit. */
size_t hs_electorate_connected(const struct hs_electorate *e, const struct hs_settling *settling);

/* Is this the session of that persona's device here? */
bool hs_is_session_of(struct hs_turn *turn, const struct hs_session *session, const struct hs_key *persona);

#endif

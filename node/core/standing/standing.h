/* What another node may do here. Blocked: nothing. A stranger: ask what an invite is for, and join with it.
 * From the JOIN on it is invited, under a small quota and without any operator's help; the operator's list
 * allows more. */
#ifndef HS_CORE_STANDING_H
#define HS_CORE_STANDING_H

#include "core/standing/meter.h"
#include "core/turn.h"

struct hs_peer;

struct hs_quota {
    struct hs_flow flows[HS_FLOWS];
    uint64_t users, rooms, memberships; /* that its users have in rooms of this node */
    uint64_t inbox;                     /* items that wait for it, beyond which it may join nothing more */
    uint64_t copies;                    /* of a hub: rooms that are copied from it */
    uint64_t kept;                      /* of a hub: bytes of their records */
};

enum {
    HS_STRANGER_MS = 60000, /* until its Join: the user who brought the invite is there and waits */
    HS_STRANGERS_MAX =
        128, /* strangers at once; for one more the oldest goes, so that newcomers get through */
    HS_HUB_PAUSE_MS = 60000, /* a hub that sends more than it may is dialled again after this */
};

const struct hs_quota *hs_quota_of(enum hs_peer_standing standing);

/* Of the node with that root, which claims that domain (NULL: none). */
enum hs_peer_standing hs_standing_of(struct hs_turn *turn, const struct hs_key *root,
                                     const struct hs_id *domain);

/* Nothing is said to that node, and nothing of it is heard. domain NULL: not known. */
bool hs_standing_is_blocked(const struct hs_core *core, const struct hs_key *root,
                            const struct hs_id *domain);

/* The turn's session is that node's: takes its standing, ends what it is in the way of. DENIED where it is
 * blocked. */
enum hs_err hs_standing_enter(struct hs_turn *turn, const struct hs_key *root, const struct hs_id *domain);

/* The turn's session has brought a Join that was taken. */
void hs_standing_joined(struct hs_turn *turn);

/* Takes one request of len bytes from the session's allowance; false where it has none left. */
bool hs_standing_spend(struct hs_turn *turn, size_t len);

/* One more thing of up to a frame that the session's other side is shown for a head, which costs it nothing.
 */
bool hs_standing_spend_shown(struct hs_turn *turn);

/* The same for what a hub sends to this node. */
bool hs_standing_spend_hub(struct hs_turn *turn, enum hs_flow_kind kind, size_t amount);

/* New rules of the operator: sessions of nodes that are blocked now end, the others get their new standing. A
 * mistake in them is logged and changes nothing. */
void hs_standing_reload(struct hs_turn *turn, struct hs_bytes packed);

/* Another standing may be right for this node's session now. */
void hs_standing_again(struct hs_turn *turn, struct hs_session *session);

/* Ends sessions of strangers that have had their time; when the next one has. */
void hs_standing_tick(struct hs_turn *turn);
struct hs_time hs_standing_deadline(const struct hs_core *core);

#endif

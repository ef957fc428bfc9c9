/* The room's rules for a commit: one function for the hub and for every member, a function of nothing but
 * what is handed in. All facts were verified before; rights are judged by the policy before the commit, at
 * the commit's hub time, each proposal by its own proposer. hs_judge_change() (judge_change.h) gathers the
 * facts from MLS. */
#ifndef HS_ROOM_JUDGE_H
#define HS_ROOM_JUDGE_H

#include "room/invite.h"
#include "room/join.h"
#include "room/policy.h"

/* A JOIN record that the commit's context names, with the invite that it uses. */
struct hs_judge_join {
    struct hs_join join;     /* hs_join_verify() at the JOIN record's hub time */
    struct hs_invite invite; /* hs_invite_open() of the room's INVITE record with that key */
    struct hs_time hub_time; /* of the JOIN record: the invite's end is judged by it */
    uint32_t uses_before;    /* JOIN records with this invite before this one, as far as they are known */
    bool was_admitted;       /* by an earlier commit */
};

struct hs_judge_added {
    struct hs_room_member member; /* hs_room_leaf_check() at the commit's hub time */
    struct hs_id key_package_ref;
    const struct hs_room_member *by; /* the proposer; the committer for its own proposals */
    bool is_member;                  /* the persona has a leaf in the tree before the commit */
};

struct hs_judge_removed {
    struct hs_key persona;
    const struct hs_room_member *by;
};

struct hs_judge_updated {
    struct hs_key persona_before;
    struct hs_room_member after; /* hs_room_leaf_check() at the commit's hub time */
};

struct hs_judge_commit {
    const struct hs_policy *policy;     /* before the commit */
    const struct hs_hub_office *office; /* as the log says before the commit; NULL: as the policy says */
    struct hs_id room;
    struct hs_time hub_time; /* of the commit's record */
    const struct hs_room_member *committer;
    uint32_t members;  /* leaves before the commit */
    bool has_customer; /* COUNTER: somebody without a role is in the tree before the commit */
    const struct hs_judge_added *added;
    size_t added_count;
    const struct hs_judge_removed *removed;
    size_t removed_count;
    const struct hs_judge_updated *updated;
    size_t updated_count;
    const struct hs_policy *new_policy;     /* NULL where the commit doesn't set one */
    const struct hs_room_member *policy_by; /* its proposer */
    const struct hs_judge_join *joins;
    size_t join_count;
    /* JOINs named in the context that lie before this member's own anchor in the log, so that it can't have
     * them: so many newcomers are taken on the word of the hub and the members before. 0 at the hub. */
    size_t joins_before_anchor;
};

/* HS_OK, or why the commit must be refused:
 *
 * - DENIED: the committer, a proposer, a newcomer or the bearer of a new leaf is banned, or on a revoked
 * device.
 * - POLICY: a right is missing; an owner is removed by somebody else; a persona is added twice or is in the
 * room already; a leaf changes its persona; a policy change goes too far; a counter gets a second customer; a
 * JOIN is named that admits nobody.
 * - NAME_REFUSED: a newcomer with a role above member, or one who acts by such a role, shows neither handle
 * nor grant of the hub's root.
 * - HUB_MOVED: somebody is added though the policy doesn't know the hub in office yet.
 * - ROOM_FULL: more leaves than the policy allows.
 * - INVITE_UNKNOWN: a newcomer without a JOIN record.
 * - INVITE_REPLAYED: the JOIN is for another key package or device, or admitted somebody before.
 * - INVITE_EXPIRED: the invite had run out when it was used.
 * - INVITE_USED_UP: it had been used as often as it may be.
 * - INVITE_INVALID: the JOIN's invite isn't of this room or another one, or its issuer may not invite. */
enum hs_err hs_judge_commit(const struct hs_judge_commit *commit);

#endif

/* From a staged MLS commit to the room's verdict: reads the leaves and the policy, then hs_judge_commit().
 * The same for the hub and for every member. */
#ifndef HS_ROOM_JUDGE_CHANGE_H
#define HS_ROOM_JUDGE_CHANGE_H

#include "mls/event.h"
#include "mls/public.h"
#include "room/judge.h"

/* An arena of this size holds the facts of the largest commit. */
enum { HS_JUDGE_ARENA = 2 << 20 };

struct hs_judge_input {
    const struct hs_mls_public *before; /* the group before the commit is merged */
    const struct hs_mls_change *change; /* hs_mls_staged_change() */
    struct hs_time hub_time;            /* of the commit's record */
    const struct hs_hub_office *office; /* as the log says before the commit; NULL: as the policy says */
    const struct hs_judge_join
        *joins; /* the JOINs that the commit's context names, as far as they are held */
    size_t join_count;
    size_t joins_before_anchor; /* those that aren't: see judge.h; always 0 at the hub */
    /* Has the persona a leaf in the tree? NULL: all leaves are read, which costs O(members) for commits that
     * add. */
    bool (*is_member)(void *index, const struct hs_key *persona);
    /* Has it left, by a proposal in the log that no commit has taken up yet? Whoever takes it out needs no
     * right. NULL: nobody has, but by the proposals that the commit takes up. */
    bool (*has_left)(void *index, const struct hs_key *persona);
    void *index; /* of both */
};

/* What the commit does, for the caller's own books. */
struct hs_judge_facts {
    struct hs_room_member committer;
    const struct hs_room_member *added; /* in the arena, in the change's order */
    size_t added_count;
    const struct hs_key *removed; /* their personas, in the change's order */
    size_t removed_count;
    bool rejoined;           /* the committer came back by an external commit: nobody was removed */
    struct hs_policy policy; /* after the commit, in the arena */
    bool policy_changed;
};

/* Errors of hs_judge_commit(); POLICY for an external commit that does anything else than put a new leaf of
 * the same persona and device in the place of the former one; errors of hs_room_leaf_check() for a leaf that
 * enters the tree, for the committer and the proposers; of hs_policy_parse(); POLICY where GroupContext
 * extensions other than the policy change or the policy goes missing; NOMEM. facts may be NULL and is zeros
 * after an error. */
enum hs_err hs_judge_change(const struct hs_judge_input *input, struct hs_arena *arena,
                            struct hs_judge_facts *facts);

/* May this proposal wait in the room for a commit? The same rules for a proposal alone, as the hub and the
 * members apply them when it comes: leaving is free, the rest takes the right. sender: the proposer's leaf.
 * POLICY, DENIED, NAME_REFUSED, errors as above. */
enum hs_err hs_judge_proposal(const struct hs_mls_public *before, const struct hs_mls_event *event,
                              struct hs_time hub_time, struct hs_arena *arena);

#endif

#include "room/judge.h"

/* Neither banned nor on a device that was revoked. */
static enum hs_err admission_check(const struct hs_judge_commit *c, const struct hs_room_member *who)
{
    bool out = hs_policy_is_banned(c->policy, &who->persona) || hs_policy_is_revoked(c->policy, &who->device);
    return out ? HS_ERR_DENIED : HS_OK;
}

/* The right as it stands in the policy before the commit, exercised by somebody whom the brand vouches for
 * where it comes from a role. */
static enum hs_err right_check(const struct hs_judge_commit *c, const struct hs_room_member *by,
                               enum hs_right right)
{
    HS_TRY(admission_check(c, by));
    HS_REQUIRE(hs_policy_allows(c->policy, &by->persona, c->hub_time, right), HS_ERR_POLICY);
    bool by_role = hs_policy_role(c->policy, &by->persona, c->hub_time) != HS_ROOM_MEMBER;
    HS_REQUIRE(!by_role || hs_room_member_is_endorsed(by), HS_ERR_NAME_REFUSED);
    return HS_OK;
}

static bool role_ranks_above_member(enum hs_room_role role)
{
    return role != HS_ROOM_MEMBER && role != HS_ROOM_LISTENER;
}

static bool is_added(const struct hs_judge_commit *c, const struct hs_key *persona)
{
    for (size_t i = 0; i < c->added_count; i++)
        if (hs_key_equal(&c->added[i].member.persona, persona))
            return true;
    return false;
}

static bool is_removed(const struct hs_judge_commit *c, const struct hs_key *persona)
{
    for (size_t i = 0; i < c->removed_count; i++)
        if (hs_key_equal(&c->removed[i].persona, persona))
            return true;
    return false;
}

/* What holds for every newcomer, invited or not. */
static enum hs_err newcomer_check(const struct hs_judge_commit *c, size_t index)
{
    const struct hs_judge_added *added = &c->added[index];
    const struct hs_key *persona = &added->member.persona;
    HS_TRY(right_check(c, added->by, HS_RIGHT_ADD));
    HS_TRY(admission_check(c, &added->member));
    HS_REQUIRE(!added->is_member || is_removed(c, persona), HS_ERR_POLICY);
    for (size_t i = 0; i < index; i++)
        HS_REQUIRE(!hs_key_equal(&c->added[i].member.persona, persona), HS_ERR_POLICY);
    enum hs_room_role role = hs_policy_role(c->policy, persona, c->hub_time);
    HS_REQUIRE(!role_ranks_above_member(role) || hs_room_member_is_endorsed(&added->member),
               HS_ERR_NAME_REFUSED);
    return HS_OK;
}

/* The JOIN of a newcomer; join_count where there is none. */
static size_t join_find(const struct hs_judge_commit *c, const struct hs_key *persona)
{
    size_t i = 0;
    while (i < c->join_count && !hs_key_equal(&c->joins[i].join.persona, persona))
        i++;
    return i;
}

static enum hs_err join_check(const struct hs_judge_commit *c, const struct hs_judge_join *j,
                              const struct hs_judge_added *added)
{
    bool same_key = hs_id_equal(&j->join.key_package_ref, &added->key_package_ref) &&
                    hs_key_equal(&j->join.member.device, &added->member.device);
    HS_REQUIRE(same_key && !j->was_admitted, HS_ERR_INVITE_REPLAYED);
    HS_REQUIRE(hs_key_equal(&j->join.invite_key, &j->invite.invite_key), HS_ERR_INVITE_INVALID);
    HS_REQUIRE(hs_id_equal(&j->invite.room, &c->room) && hs_id_equal(&j->join.room, &c->room),
               HS_ERR_INVITE_INVALID);
    HS_REQUIRE(hs_policy_allows(c->policy, &j->invite.issuer, c->hub_time, HS_RIGHT_INVITE),
               HS_ERR_INVITE_INVALID);
    HS_REQUIRE(j->hub_time.ms < j->invite.not_after.ms, HS_ERR_INVITE_EXPIRED);
    HS_REQUIRE(!hs_join_is_over(j->hub_time, c->hub_time), HS_ERR_INVITE_EXPIRED);
    HS_REQUIRE(j->uses_before < j->invite.max_uses, HS_ERR_INVITE_USED_UP);
    return HS_OK;
}

/* Everybody in a group or channel came by an invite, but for those whose JOIN this member can't have; and
 * every JOIN that is named admits somebody. Personas are distinct on both sides, so equal numbers make it one
 * to one. */
static enum hs_err joins_check(const struct hs_judge_commit *c)
{
    size_t matched = 0;
    for (size_t i = 0; i < c->added_count; i++) {
        size_t at = join_find(c, &c->added[i].member.persona);
        if (at == c->join_count)
            continue;
        HS_TRY(join_check(c, &c->joins[at], &c->added[i]));
        matched++;
    }
    HS_REQUIRE(c->added_count - matched <= c->joins_before_anchor, HS_ERR_INVITE_UNKNOWN);
    HS_REQUIRE(c->added_count - matched == c->joins_before_anchor && matched == c->join_count, HS_ERR_POLICY);
    return HS_OK;
}

/* A counter has no invites: the brand's side brings its agents and the one customer, whoever has no role. */
static enum hs_err counter_check(const struct hs_judge_commit *c)
{
    HS_REQUIRE(c->join_count == 0 && c->joins_before_anchor == 0, HS_ERR_POLICY);
    bool has_customer = c->has_customer;
    for (size_t i = 0; i < c->added_count; i++) {
        if (hs_policy_role(c->policy, &c->added[i].member.persona, c->hub_time) != HS_ROOM_MEMBER)
            continue;
        HS_REQUIRE(!has_customer, HS_ERR_POLICY);
        has_customer = true;
    }
    return HS_OK;
}

static enum hs_err added_check(const struct hs_judge_commit *c)
{
    /* A newcomer learns from the policy which node is the hub. */
    HS_REQUIRE(c->added_count == 0 || c->office == NULL || c->office->term == c->policy->hub_term,
               HS_ERR_HUB_MOVED);
    for (size_t i = 0; i < c->added_count; i++)
        HS_TRY(newcomer_check(c, i));
    HS_TRY(c->policy->kind == HS_ROOM_COUNTER ? counter_check(c) : joins_check(c));
    uint64_t members = (uint64_t)c->members + c->added_count;
    HS_REQUIRE(c->added_count == 0 || members <= c->policy->max_members + (uint64_t)c->removed_count,
               HS_ERR_ROOM_FULL);
    return HS_OK;
}

static enum hs_err removed_check(const struct hs_judge_commit *c)
{
    for (size_t i = 0; i < c->removed_count; i++) {
        const struct hs_judge_removed *removed = &c->removed[i];
        /* Leaving is free. Who comes again with a new device, having lost the old one, replaces it. */
        if (hs_key_equal(&removed->by->persona, &removed->persona) || is_added(c, &removed->persona))
            continue;
        HS_TRY(right_check(c, removed->by, HS_RIGHT_REMOVE));
        enum hs_room_role role = hs_policy_role(c->policy, &removed->persona, c->hub_time);
        HS_REQUIRE(role != HS_ROOM_OWNER, HS_ERR_POLICY);
    }
    return HS_OK;
}

static enum hs_err updated_check(const struct hs_judge_commit *c)
{
    for (size_t i = 0; i < c->updated_count; i++) {
        HS_REQUIRE(hs_key_equal(&c->updated[i].persona_before, &c->updated[i].after.persona), HS_ERR_POLICY);
        HS_TRY(admission_check(c, &c->updated[i].after));
    }
    return HS_OK;
}

static enum hs_err policy_change(const struct hs_judge_commit *c)
{
    if (c->new_policy == NULL)
        return HS_OK;
    HS_TRY(right_check(c, c->policy_by, HS_RIGHT_CHANGE_POLICY));
    return hs_policy_change_check(c->policy, c->new_policy, &c->policy_by->persona, c->hub_time, c->office);
}

enum hs_err hs_judge_commit(const struct hs_judge_commit *commit)
{
    HS_TRY(admission_check(commit, commit->committer));
    HS_TRY(added_check(commit));
    HS_TRY(removed_check(commit));
    HS_TRY(updated_check(commit));
    return policy_change(commit);
}

#include "room/judge_change.h"

#include "base/reader.h"

/* What is gathered for one commit; everything lives in the arena. */
struct gather {
    const struct hs_judge_input *input;
    struct hs_arena *arena;
    struct hs_policy policy, new_policy;
    struct hs_room_member committer;
    bool committer_checked; /* in full, not only its persona */
    struct hs_judge_commit commit;
};

static enum hs_err leaf_check(const struct gather *g, const struct hs_mls_member *leaf,
                              struct hs_room_member *out)
{
    return hs_room_leaf_check(leaf, &g->policy.hub_root, g->input->hub_time, out);
}

static enum hs_err policy_of(const struct hs_mls_public *before, struct hs_arena *arena,
                             struct hs_policy *out)
{
    struct hs_bytes bytes = {0};
    HS_REQUIRE(hs_mls_public_extension(before, HS_POLICY_EXTENSION, &bytes), HS_ERR_POLICY);
    return hs_policy_parse(bytes, arena, out);
}

/* The next extension that isn't the policy; false at the end. Counts policies on the way. */
static bool other_next(struct hs_reader *r, struct hs_bytes *whole, size_t *policies)
{
    while (hs_reader_left(r) > 0) {
        const uint8_t *from = r->pos;
        uint16_t type = hs_read_u16(r);
        (void)hs_read_mls_vec(r);
        *whole = hs_bytes(from, (size_t)(r->pos - from));
        if (type != HS_POLICY_EXTENSION)
            return true;
        (*policies)++;
    }
    return false;
}

/* A room's GroupContext changes in nothing but its policy, of which there is one. */
static enum hs_err extensions_check(struct hs_bytes before, struct hs_bytes after)
{
    struct hs_reader old = hs_reader(before), new = hs_reader(after);
    struct hs_bytes a = {0}, b = {0};
    size_t old_policies = 0, new_policies = 0;
    for (;;) {
        bool old_more = other_next(&old, &a, &old_policies), new_more = other_next(&new, &b, &new_policies);
        HS_REQUIRE(old_more == new_more, HS_ERR_POLICY);
        if (!old_more)
            break;
        HS_REQUIRE(hs_bytes_equal(a, b), HS_ERR_POLICY);
    }
    HS_TRY(old.err);
    HS_TRY(new.err);
    HS_REQUIRE(new_policies == 1, HS_ERR_POLICY);
    return HS_OK;
}

static enum hs_err new_policy_read(struct gather *g, struct hs_bytes before, struct hs_bytes after)
{
    HS_TRY(extensions_check(before, after));
    struct hs_bytes bytes = {0};
    HS_REQUIRE(hs_mls_extension_find(after, HS_POLICY_EXTENSION, &bytes), HS_ERR_POLICY);
    HS_TRY(hs_policy_parse(bytes, g->arena, &g->new_policy));
    g->commit.new_policy = &g->new_policy;
    return HS_OK;
}

/* A room is changed by its members alone, and by what its rules speak of (ROOM-61). */
static enum hs_err scope_check(const struct hs_mls_change *change)
{
    HS_REQUIRE(change->psk_count == 0 && !change->reinit_proposed, HS_ERR_POLICY);
    if (!change->external)
        return change->resync ? HS_ERR_POLICY : HS_OK;
    HS_REQUIRE(change->resync && change->removed_count == 1 && change->added_count == 0, HS_ERR_POLICY);
    return change->extensions_proposed ? HS_ERR_POLICY : HS_OK;
}

/* A member whose state is lost comes back: the leaf that goes is its own, by the same device, and the one
 * that comes is as good as any that enters the tree (ROOM-90). */
static enum hs_err rejoin_check(struct gather *g)
{
    const struct hs_mls_change *change = g->input->change;
    const struct hs_mls_member *former = &change->removed[0].member;
    struct hs_key persona = {0};
    HS_REQUIRE(hs_bytes_equal(former->signature_key, change->committer.signature_key), HS_ERR_POLICY);
    HS_TRY(hs_room_leaf_persona(former, &persona));
    HS_TRY(leaf_check(g, &change->committer, &g->committer));
    return hs_key_equal(&persona, &g->committer.persona) ? HS_OK : HS_ERR_POLICY;
}

/* The facts of the proposer: a member as the tree has it. */
static enum hs_err proposer_find(const struct gather *g, struct hs_mls_author author,
                                 const struct hs_room_member **out)
{
    HS_REQUIRE(author.type == HS_MLS_SENDER_MEMBER, HS_ERR_POLICY);
    if (g->committer_checked && author.index == g->input->change->committer.leaf) {
        *out = &g->committer;
        return HS_OK;
    }
    struct hs_mls_member member = {0};
    enum hs_err err = hs_mls_public_member(g->input->before, author.index, &member);
    HS_REQUIRE(err != HS_ERR_NOT_FOUND, HS_ERR_NOT_MEMBER);
    HS_TRY(err);
    struct hs_room_member *facts = hs_arena_alloc(g->arena, sizeof *facts);
    HS_REQUIRE(facts != NULL, HS_ERR_NOMEM);
    HS_TRY(leaf_check(g, &member, facts));
    *out = facts;
    return HS_OK;
}

static bool is_member(const struct hs_judge_input *input, const struct hs_key *persona)
{
    if (input->is_member != NULL)
        return input->is_member(input->index, persona);
    struct hs_mls_member member = {0};
    for (uint32_t leaf = 0; hs_mls_public_member_next(input->before, &leaf, &member);) {
        struct hs_key other = {0};
        if (hs_room_leaf_persona(&member, &other) == HS_OK && hs_key_equal(&other, persona))
            return true;
    }
    return false;
}

static enum hs_err added_gather(struct gather *g)
{
    const struct hs_mls_change *change = g->input->change;
    struct hs_judge_added *added = hs_arena_alloc(g->arena, (change->added_count + 1) * sizeof *added);
    HS_REQUIRE(added != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < change->added_count; i++) {
        HS_TRY(leaf_check(g, &change->added[i].member, &added[i].member));
        HS_TRY(proposer_find(g, change->added[i].by, &added[i].by));
        HS_REQUIRE(HS_FIXED(HS_MLS_VIEW(change->added[i].key_package_ref), &added[i].key_package_ref),
                   HS_ERR_MLS_VERSION);
        added[i].is_member = is_member(g->input, &added[i].member.persona);
    }
    g->commit.added = added;
    g->commit.added_count = change->added_count;
    return hs_mls_public_error(g->input->before); /* else who is a member may not have been seen */
}

/* By its own proposal in the commit; or that was of an earlier epoch, which a way back has ended (ROOM-90).
 */
static bool is_leaving(const struct gather *g, const struct hs_mls_removed *removed,
                       const struct hs_key *persona)
{
    bool says_so = removed->by.type == HS_MLS_SENDER_MEMBER && removed->by.index == removed->member.leaf;
    return says_so || (g->input->has_left != NULL && g->input->has_left(g->input->index, persona));
}

/* Who leaves may have let its certificate run out: of its leaf only the persona is read. */
static enum hs_err leaver_find(const struct gather *g, const struct hs_key *persona,
                               const struct hs_room_member **out)
{
    struct hs_room_member *facts = hs_arena_alloc(g->arena, sizeof *facts);
    HS_REQUIRE(facts != NULL, HS_ERR_NOMEM);
    facts->persona = *persona;
    *out = facts;
    return HS_OK;
}

static enum hs_err removed_gather(struct gather *g)
{
    const struct hs_mls_change *change = g->input->change;
    struct hs_judge_removed *removed =
        hs_arena_alloc(g->arena, (change->removed_count + 1) * sizeof *removed);
    HS_REQUIRE(removed != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < change->removed_count; i++) {
        const struct hs_mls_removed *from = &change->removed[i];
        HS_TRY(hs_room_leaf_persona(&from->member, &removed[i].persona));
        HS_TRY(is_leaving(g, from, &removed[i].persona) ? leaver_find(g, &removed[i].persona, &removed[i].by)
                                                        : proposer_find(g, from->by, &removed[i].by));
    }
    g->commit.removed = removed;
    g->commit.removed_count = change->removed_count;
    return HS_OK;
}

static enum hs_err updated_gather(struct gather *g)
{
    const struct hs_mls_change *change = g->input->change;
    struct hs_judge_updated *updated =
        hs_arena_alloc(g->arena, (change->updated_count + 1) * sizeof *updated);
    HS_REQUIRE(updated != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < change->updated_count; i++) {
        HS_TRY(hs_room_leaf_persona(&change->updated[i].before, &updated[i].persona_before));
        HS_TRY(leaf_check(g, &change->updated[i].after, &updated[i].after));
    }
    g->commit.updated = updated;
    g->commit.updated_count = change->updated_count;
    return HS_OK;
}

/* Has a counter its customer, somebody without a role? Counters are small: all leaves are read. */
static enum hs_err customer_find(const struct gather *g, bool *found)
{
    struct hs_mls_member member = {0};
    for (uint32_t leaf = 0; hs_mls_public_member_next(g->input->before, &leaf, &member);) {
        struct hs_key persona = {0};
        HS_TRY(hs_room_leaf_persona(&member, &persona));
        if (hs_policy_role(&g->policy, &persona, g->input->hub_time) == HS_ROOM_MEMBER)
            *found = true;
    }
    return hs_mls_public_error(g->input->before);
}

static enum hs_err gather_start(struct gather *g)
{
    const struct hs_judge_input *input = g->input;
    struct hs_bytes group = hs_mls_public_id(input->before);
    HS_TRY(policy_of(input->before, g->arena, &g->policy));
    HS_REQUIRE(HS_FIXED(group, &g->commit.room), HS_ERR_MLS_GROUP);
    g->commit.policy = &g->policy;
    g->commit.hub_time = input->hub_time;
    g->commit.office = input->office;
    g->commit.committer = &g->committer;
    g->commit.members = hs_mls_public_member_count(input->before);
    g->commit.joins = input->joins;
    g->commit.join_count = input->join_count;
    g->commit.joins_before_anchor = input->joins_before_anchor;
    if (g->policy.kind == HS_ROOM_COUNTER)
        HS_TRY(customer_find(g, &g->commit.has_customer));
    return HS_OK;
}

/* An empty commit takes no right: of its committer only persona and device count. */
static enum hs_err committer_gather(struct gather *g)
{
    const struct hs_mls_change *change = g->input->change;
    bool acts = change->added_count + change->removed_count > 0 || change->extensions_proposed;
    if (!acts) {
        HS_REQUIRE(HS_FIXED(change->committer.signature_key, &g->committer.device), HS_ERR_MALFORMED);
        return hs_room_leaf_persona(&change->committer, &g->committer.persona);
    }
    HS_TRY(leaf_check(g, &change->committer, &g->committer));
    g->committer_checked = true;
    return HS_OK;
}

static enum hs_err change_gather(struct gather *g)
{
    const struct hs_mls_change *change = g->input->change;
    HS_TRY(scope_check(change));
    HS_TRY(gather_start(g));
    if (change->external)
        return rejoin_check(g);
    HS_TRY(committer_gather(g));
    HS_TRY(added_gather(g));
    HS_TRY(removed_gather(g));
    HS_TRY(updated_gather(g));
    if (!change->extensions_proposed)
        return HS_OK;
    HS_TRY(new_policy_read(g, change->old_extensions, change->new_extensions));
    return proposer_find(g, change->extensions_by, &g->commit.policy_by);
}

static enum hs_err facts_fill(const struct gather *g, struct hs_judge_facts *facts)
{
    const struct hs_judge_commit *commit = &g->commit;
    struct hs_room_member *added = hs_arena_alloc(g->arena, (commit->added_count + 1) * sizeof *added);
    struct hs_key *removed = hs_arena_alloc(g->arena, (commit->removed_count + 1) * sizeof *removed);
    HS_REQUIRE(added != NULL && removed != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < commit->added_count; i++)
        added[i] = commit->added[i].member;
    for (size_t i = 0; i < commit->removed_count; i++)
        removed[i] = commit->removed[i].persona;
    *facts = (struct hs_judge_facts){.committer = g->committer,
                                     .added = added,
                                     .added_count = commit->added_count,
                                     .removed = removed,
                                     .removed_count = commit->removed_count,
                                     .policy = commit->new_policy != NULL ? g->new_policy : g->policy,
                                     .policy_changed = commit->new_policy != NULL,
                                     .rejoined = g->input->change->external};
    return HS_OK;
}

/* A device that is newly revoked is no owner's or moderator's in the room, but that of whoever revokes it: as
 * with bans, only who may govern goes further (ROOM-8). */
static enum hs_err revoked_check(const struct gather *g, const struct hs_key *device)
{
    const struct hs_key *by = &g->commit.policy_by->persona;
    struct hs_mls_member member = {0};
    struct hs_key persona = {0};
    if (hs_policy_is_revoked(&g->policy, device))
        return HS_OK;
    enum hs_err err = hs_mls_public_member_by_key(g->input->before, HS_VIEW(*device), &member);
    if (err == HS_ERR_NOT_FOUND)
        return HS_OK;
    HS_TRY(err);
    HS_TRY(hs_room_leaf_persona(&member, &persona));
    enum hs_room_role role = hs_policy_role(&g->policy, &persona, g->input->hub_time);
    bool high = role == HS_ROOM_OWNER || role == HS_ROOM_MODERATOR;
    return !high || hs_key_equal(&persona, by) ? HS_OK : HS_ERR_POLICY;
}

static enum hs_err revocations_check(const struct gather *g)
{
    const struct hs_policy *after = g->commit.new_policy;
    if (after == NULL ||
        hs_policy_allows(&g->policy, &g->commit.policy_by->persona, g->input->hub_time, HS_RIGHT_GOVERN))
        return HS_OK;
    for (size_t i = 0; i < after->revoked_count; i++)
        HS_TRY(revoked_check(g, &after->revoked[i]));
    return HS_OK;
}

enum hs_err hs_judge_change(const struct hs_judge_input *input, struct hs_arena *arena,
                            struct hs_judge_facts *facts)
{
    if (facts != NULL)
        *facts = (struct hs_judge_facts){0};
    struct gather g = {.input = input, .arena = arena};
    HS_TRY(change_gather(&g));
    HS_TRY(hs_judge_commit(&g.commit));
    HS_TRY(revocations_check(&g));
    return facts != NULL ? facts_fill(&g, facts) : HS_OK;
}

#include "room/judge_change.h"

#include "base/reader.h"

/* GroupContext (RFC 9420, 8.1): the extensions stand last. */
static enum hs_err context_extensions(struct hs_bytes context, struct hs_bytes *extensions)
{
    struct hs_reader r = hs_reader(context);
    (void)hs_read_u16(&r);     /* version */
    (void)hs_read_u16(&r);     /* cipher suite */
    (void)hs_read_mls_vec(&r); /* group id */
    (void)hs_read_u64(&r);     /* epoch */
    (void)hs_read_mls_vec(&r); /* tree hash */
    (void)hs_read_mls_vec(&r); /* confirmed transcript hash */
    *extensions = hs_read_mls_vec(&r);
    return hs_reader_finish(&r);
}

/* The change that a commit of this proposal alone would make, by its proposer. */
struct change_of_one {
    struct hs_mls_change change;
    struct hs_mls_added added;
    struct hs_mls_removed removed;
    struct hs_mls_updated updated;
};

static enum hs_err change_make(const struct hs_mls_public *before, const struct hs_mls_event *event,
                               struct change_of_one *one)
{
    const struct hs_mls_proposal_facts *proposal = &event->proposal;
    one->change.committer = event->sender;
    switch (proposal->type) {
    case HS_MLS_ADD:
        one->added = (struct hs_mls_added){
            .member = proposal->target, .key_package_ref.len = HS_HASH_LEN, .by = event->author};
        one->change.added = &one->added;
        one->change.added_count = 1;
        return HS_OK;
    case HS_MLS_REMOVE:
        one->removed = (struct hs_mls_removed){.member = proposal->target, .by = event->author};
        one->change.removed = &one->removed;
        one->change.removed_count = 1;
        return HS_OK;
    case HS_MLS_UPDATE:
        one->updated = (struct hs_mls_updated){.before = event->sender, .after = proposal->target};
        one->change.updated = &one->updated;
        one->change.updated_count = 1;
        return HS_OK;
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        one->change.extensions_proposed = true;
        one->change.extensions_by = event->author;
        one->change.new_extensions = proposal->extensions;
        return context_extensions(hs_mls_public_context(before), &one->change.old_extensions);
    default:
        return HS_ERR_POLICY;
    }
}

static enum hs_err kind_of(const struct hs_mls_public *before, enum hs_room_kind *kind)
{
    struct hs_arena HS_ARENA arena = hs_arena(HS_JUDGE_ARENA);
    struct hs_bytes bytes = {0};
    struct hs_policy policy = {0};
    HS_REQUIRE(hs_mls_public_extension(before, HS_POLICY_EXTENSION, &bytes), HS_ERR_POLICY);
    HS_TRY(hs_policy_parse(bytes, &arena, &policy));
    *kind = policy.kind;
    return HS_OK;
}

enum hs_err hs_judge_proposal(const struct hs_mls_public *before, const struct hs_mls_event *event,
                              struct hs_time hub_time, struct hs_arena *arena)
{
    HS_REQUIRE(event->kind == HS_MLS_EVENT_PROPOSAL, HS_ERR_INVALID_ARG);
    HS_REQUIRE(event->author.type == HS_MLS_SENDER_MEMBER, HS_ERR_POLICY);
    if (event->proposal.type == HS_MLS_REMOVE && event->proposal.target.leaf == event->sender.leaf)
        return HS_OK; /* leaving is free, also for who is banned or whose certificate has run out */
    struct change_of_one one = {0};
    enum hs_room_kind kind = HS_ROOM_GROUP;
    HS_TRY(change_make(before, event, &one));
    HS_TRY(kind_of(before, &kind));
    /* the JOIN of a proposed newcomer is named by the commit that admits it */
    size_t joins_to_come = kind == HS_ROOM_COUNTER ? 0 : one.change.added_count;
    struct hs_judge_input input = {
        .before = before, .change = &one.change, .hub_time = hub_time, .joins_before_anchor = joins_to_come};
    return hs_judge_change(&input, arena, NULL);
}

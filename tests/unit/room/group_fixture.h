/* A room as its hub and its owner see it, with live MLS groups: what judging is tested with. */
#ifndef TESTS_UNIT_ROOM_GROUP_FIXTURE_H
#define TESTS_UNIT_ROOM_GROUP_FIXTURE_H

#include "unit/room/fixture.h"

#include "mls/group.h"
#include "room/judge_change.h"

/* Rosa owns it, Max moderates, Bob is a customer. */
struct room {
    struct person rosa, max, bob, eve;
    struct hs_policy policy;
    struct hs_id id;
    struct hs_mls_group *owner;
    struct hs_mls_public *hub;
    struct hs_signer invite;
};

static inline struct hs_bytes policy_bytes(const struct hs_policy *policy)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_POLICY_MAX);
    assert_ok(hs_policy_pack(policy, &w));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

/* more: another extension of the GroupContext, or NULL. */
static inline void room_make_with(struct room *room, enum hs_room_kind kind,
                                  const struct hs_mls_extension *more)
{
    *room = (struct room){.rosa = person_make("rosa", "rosa"),
                          .max = person_make("max", "max"),
                          .bob = person_make("bob", NULL),
                          .eve = person_make("eve", NULL),
                          .id = id_of("room"),
                          .invite = signer_of("invite")};
    room->policy = policy_make(&room->rosa.persona.pub, kind);
    room->policy = with_role(room->policy, &room->max.persona.pub, HS_ROOM_MODERATOR, 0);
    const uint16_t types[] = {HS_POLICY_EXTENSION, 0xF4A2};
    const struct hs_mls_extension extensions[] = {{HS_POLICY_EXTENSION, policy_bytes(&room->policy)},
                                                  more != NULL ? *more : (struct hs_mls_extension){0}};
    struct hs_mls_create create = {.leaf = {.signer = &room->rosa.mls,
                                            .identity = room->rosa.identity,
                                            .not_before = T0 - 3600,
                                            .not_after = T0 + 84 * 86400,
                                            .extension_types = types,
                                            .extension_type_count = 2},
                                   .group_id = HS_VIEW(room->id),
                                   .extensions = extensions,
                                   .extension_count = more != NULL ? 2 : 1,
                                   .settings = hs_mls_settings_default()};
    assert_ok(hs_mls_group_create(&create, &room->owner));
    struct hs_writer HS_WRITER info = hs_writer(1 << 20);
    assert_ok(hs_mls_group_info(room->owner, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), hs_bytes(NULL, 0), &room->hub));
}

static inline void room_make(struct room *room, enum hs_room_kind kind)
{
    room_make_with(room, kind, NULL);
}

static inline void room_free(struct room *room)
{
    hs_mls_group_free(room->owner);
    hs_mls_public_free(room->hub);
}

static inline struct hs_judge_join join_of(const struct room *room, const struct person *joiner)
{
    struct hs_join_spec spec = {.invite = &room->invite,
                                .room = room->id,
                                .persona = joiner->persona.pub,
                                .home_root = key_of("root"),
                                .key_package = joiner->key_package,
                                .now = now};
    struct hs_invite_spec grant = {.device = &room->max.device,
                                   .certificate = room->max.certificate,
                                   .room = room->id,
                                   .invite_key = room->invite.pub,
                                   .max_uses = 5,
                                   .now = now,
                                   .not_after = later(day_ms)};
    struct hs_key root = key_of("root");
    struct hs_judge_join join = {.hub_time = now};
    struct hs_writer HS_WRITER body = hs_writer(65536), HS_WRITER invite = hs_writer(65536);
    assert_ok(hs_join_build(&spec, &body));
    assert_ok(hs_invite_build(&grant, &invite));
    assert_ok(hs_join_verify(hs_writer_bytes(&body), &room->id, &root, now, &join.join));
    assert_ok(hs_invite_open(hs_writer_bytes(&invite), &room->id, now, &join.invite));
    return join;
}

/* The member's commit, staged at the hub and judged there. The commit stays pending at the member. */
struct verdict {
    struct hs_mls_event *event;
    struct hs_judge_facts facts;
    enum hs_err err;
};

static inline struct verdict judge_at(struct room *room, struct hs_bytes commit,
                                      const struct hs_judge_join *joins, size_t join_count, struct hs_time at)
{
    struct verdict verdict = {0};
    assert_ok(hs_mls_public_process(room->hub, commit, &verdict.event));
    assert_int_equal(verdict.event->kind, HS_MLS_EVENT_COMMIT);
    struct hs_judge_input input = {.before = room->hub,
                                   .change = hs_mls_staged_change(verdict.event->staged),
                                   .hub_time = at,
                                   .joins = joins,
                                   .join_count = join_count};
    verdict.err = hs_judge_change(&input, &arena, &verdict.facts);
    if (verdict.err != HS_OK)
        assert_true(verdict.facts.added == NULL && verdict.facts.policy.role_count == 0);
    return verdict;
}

static inline struct hs_bytes commit_make(struct hs_mls_group *group,
                                          const struct hs_mls_commit_request *request,
                                          struct hs_bytes *welcome)
{
    struct hs_writer HS_WRITER commit = hs_writer(1 << 20), HS_WRITER w = hs_writer(1 << 20);
    struct hs_mls_commit_request with_tree = *request;
    with_tree.tree_in_welcome = true;
    assert_ok(hs_mls_group_commit(group, &with_tree, &(struct hs_mls_commit_result){&commit, &w, NULL}));
    if (welcome != NULL)
        *welcome = hs_arena_copy(&arena, hs_writer_bytes(&w));
    return hs_arena_copy(&arena, hs_writer_bytes(&commit));
}

static inline enum hs_err judge(struct room *room, struct hs_bytes commit, const struct hs_judge_join *joins,
                                size_t join_count)
{
    struct verdict verdict = judge_at(room, commit, joins, join_count, now);
    hs_mls_event_free(verdict.event);
    return verdict.err;
}

/* The commit of one member's group is judged and forgotten again. */
static inline enum hs_err trial(struct room *room, struct hs_mls_group *group,
                                const struct hs_mls_commit_request *request,
                                const struct hs_judge_join *joins, size_t join_count)
{
    struct hs_bytes commit = commit_make(group, request, NULL);
    enum hs_err err = judge(room, commit, joins, join_count);
    hs_mls_group_drop(group);
    return err;
}

/* Joins by Welcome a group whose commit was let in. */
static inline struct hs_mls_group *admitted(struct room *room, struct person *person)
{
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    const uint16_t types[] = {HS_POLICY_EXTENSION, 0xF4A2};
    struct hs_mls_leaf_params params = {.signer = &person->mls,
                                        .identity = person->identity,
                                        .not_before = T0 - 3600,
                                        .not_after = T0 + 84 * 86400,
                                        .extension_types = types,
                                        .extension_type_count = 2};
    struct hs_writer HS_WRITER w = hs_writer(65536);
    assert_ok(hs_mls_key_package_new(&params, false, &w, &priv));
    person->key_package = hs_arena_copy(&arena, hs_writer_bytes(&w));

    struct hs_bytes welcome;
    struct hs_mls_commit_request request = {.adds = &person->key_package, .add_count = 1};
    struct hs_judge_join join = join_of(room, person);
    struct hs_bytes commit = commit_make(room->owner, &request, &welcome);
    struct verdict verdict = judge_at(room, commit, &join, room->policy.kind == HS_ROOM_COUNTER ? 0 : 1, now);
    assert_ok(verdict.err);
    assert_int_equal(verdict.facts.added_count, 1);
    assert_true(hs_key_equal(&verdict.facts.added[0].persona, &person->persona.pub));
    assert_true(hs_key_equal(&verdict.facts.committer.persona, &room->rosa.persona.pub));
    assert_false(verdict.facts.policy_changed);
    assert_int_equal(verdict.facts.policy.role_count, room->policy.role_count);
    assert_ok(hs_mls_public_merge(room->hub, verdict.event->staged));
    assert_ok(hs_mls_group_accept(room->owner));
    hs_mls_event_free(verdict.event);
    struct hs_mls_group *group = NULL;
    struct hs_mls_join how = {.welcome = welcome,
                              .key_package = person->key_package,
                              .priv = &priv,
                              .signer = &person->mls,
                              .settings = hs_mls_settings_default()};
    assert_ok(hs_mls_group_join(&how, &group));
    return group;
}

/* What the hub says to a proposal; it keeps none that it refuses. */
static inline enum hs_err proposal_at_hub(struct room *room, const struct hs_writer *w)
{
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_public_process(room->hub, hs_writer_bytes(w), &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_PROPOSAL);
    enum hs_err err = hs_judge_proposal(room->hub, event, now, &arena);
    if (err != HS_OK)
        assert_ok(hs_mls_public_drop_proposal(room->hub, HS_MLS_VIEW(event->proposal.ref)));
    hs_mls_event_free(event);
    return err;
}

static inline enum hs_err propose(struct room *room, struct hs_mls_group *group,
                                  const struct hs_mls_proposal_request *request)
{
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    assert_ok(hs_mls_group_propose(group, request, &w));
    return proposal_at_hub(room, &w);
}

#endif

#include "unit/room/fixture.h"

#include "mls/group.h"
#include "room/judge_change.h"

/* A room as its hub and its owner see it: Rosa owns it, Max moderates, Bob is a customer. */
struct room {
    struct person rosa, max, bob, eve;
    struct hs_policy policy;
    struct hs_id id;
    struct hs_mls_group *owner;
    struct hs_mls_public *hub;
    struct hs_signer invite;
};

static struct hs_bytes policy_bytes(const struct hs_policy *policy)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_POLICY_MAX);
    assert_ok(hs_policy_pack(policy, &w));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

static void room_make(struct room *room, enum hs_room_kind kind)
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
    const struct hs_mls_extension extension = {HS_POLICY_EXTENSION, policy_bytes(&room->policy)};
    struct hs_mls_create create = {.leaf = {.signer = &room->rosa.device,
                                            .identity = room->rosa.identity,
                                            .not_before = T0 - 3600,
                                            .not_after = T0 + 84 * 86400,
                                            .extension_types = types,
                                            .extension_type_count = 2},
                                   .group_id = HS_VIEW(room->id),
                                   .extensions = &extension,
                                   .extension_count = 1,
                                   .settings = hs_mls_settings_default()};
    assert_ok(hs_mls_group_create(&create, &room->owner));
    struct hs_writer HS_WRITER info = hs_writer(1 << 20);
    assert_ok(hs_mls_group_info(room->owner, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), hs_bytes(NULL, 0), &room->hub));
}

static void room_free(struct room *room)
{
    hs_mls_group_free(room->owner);
    hs_mls_public_free(room->hub);
}

static struct hs_judge_join join_of(const struct room *room, const struct person *joiner)
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

static struct verdict judge_at(struct room *room, struct hs_bytes commit, const struct hs_judge_join *joins,
                               size_t join_count, struct hs_time at)
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

static struct hs_bytes commit_make(struct hs_mls_group *group, const struct hs_mls_commit_request *request,
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

static enum hs_err judge(struct room *room, struct hs_bytes commit, const struct hs_judge_join *joins,
                         size_t join_count)
{
    struct verdict verdict = judge_at(room, commit, joins, join_count, now);
    hs_mls_event_free(verdict.event);
    return verdict.err;
}

/* The commit of one member's group is judged and forgotten again. */
static enum hs_err trial(struct room *room, struct hs_mls_group *group,
                         const struct hs_mls_commit_request *request, const struct hs_judge_join *joins,
                         size_t join_count)
{
    struct hs_bytes commit = commit_make(group, request, NULL);
    enum hs_err err = judge(room, commit, joins, join_count);
    hs_mls_group_drop(group);
    return err;
}

/* Joins by Welcome a group whose commit was let in. */
static struct hs_mls_group *admitted(struct room *room, struct person *person)
{
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    const uint16_t types[] = {HS_POLICY_EXTENSION, 0xF4A2};
    struct hs_mls_leaf_params params = {.signer = &person->device,
                                        .identity = person->identity,
                                        .not_before = T0 - 3600,
                                        .not_after = T0 + 84 * 86400,
                                        .extension_types = types,
                                        .extension_type_count = 2};
    struct hs_writer HS_WRITER w = hs_writer(65536);
    assert_ok(hs_mls_key_package_new(&params, &w, &priv));
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
                              .signer = &person->device,
                              .settings = hs_mls_settings_default()};
    assert_ok(hs_mls_group_join(&how, &group));
    return group;
}

/* ROOM-51, ROOM-53 */
static void test_admit(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_judge_join bob = join_of(&room, &room.bob), eve = join_of(&room, &room.eve);
    struct hs_mls_commit_request request = {.adds = &room.bob.key_package, .add_count = 1};
    assert_ok(trial(&room, room.owner, &request, &bob, 1));
    assert_err(trial(&room, room.owner, &request, NULL, 0), HS_ERR_INVITE_UNKNOWN);
    assert_err(trial(&room, room.owner, &request, &eve, 1), HS_ERR_INVITE_UNKNOWN);
    struct hs_bytes second = key_package_make(&room.bob.device, room.bob.identity);
    request.adds = &second;
    assert_err(trial(&room, room.owner, &request, &bob, 1), HS_ERR_INVITE_REPLAYED);
    /* a node's own device with Bob's credential */
    struct hs_bytes forged = key_package_make(&room.eve.device, room.bob.identity);
    request.adds = &forged;
    assert_err(trial(&room, room.owner, &request, &bob, 1), HS_ERR_WRONG_SENDER);
    struct hs_bytes commit = commit_make(room.owner, &(struct hs_mls_commit_request){0}, NULL);
    assert_ok(judge(&room, commit, NULL, 0));
    hs_mls_group_drop(room.owner);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    /* twice in the room, found with and without an index */
    struct person bob2 = person_make("bob", NULL);
    request.adds = &bob2.key_package;
    bob = join_of(&room, &bob2);
    bob2.device = signer_of("bob's tablet");
    bob2.certificate = certificate_make(&bob2.persona, &bob2.device, now, later(day_ms));
    assert_ok(hs_credential_pack(bob2.certificate, NULL, 0, "bob", &arena, &bob2.identity));
    bob2.key_package = key_package_make(&bob2.device, bob2.identity);
    bob = join_of(&room, &bob2);
    assert_err(trial(&room, room.owner, &request, &bob, 1), HS_ERR_POLICY);
    hs_mls_group_free(bobs);
    room_free(&room);
}

static bool nobody(void *index, const struct hs_key *persona)
{
    (void)persona;
    (*(int *)index)++;
    return false;
}

/* The index is asked where there is one. */
static void test_index(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_judge_join bob = join_of(&room, &room.bob);
    struct hs_mls_commit_request request = {.adds = &room.bob.key_package, .add_count = 1};
    struct hs_bytes commit = commit_make(room.owner, &request, NULL);
    struct hs_mls_event *event = NULL;
    int asked = 0;
    assert_ok(hs_mls_public_process(room.hub, commit, &event));
    struct hs_judge_input input = {.before = room.hub,
                                   .change = hs_mls_staged_change(event->staged),
                                   .hub_time = now,
                                   .joins = &bob,
                                   .join_count = 1,
                                   .is_member = nobody,
                                   .index = &asked};
    assert_ok(hs_judge_change(&input, &arena, NULL));
    assert_int_equal(asked, 1);
    hs_mls_event_free(event);
    room_free(&room);
}

/* ROOM-56 */
static void test_remove(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_group *maxs = admitted(&room, &room.max); /* leaf 1; its own tree goes stale from here on */
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    const uint32_t owner = 0, max = 1, bob = 2;
    struct hs_mls_commit_request request = {.removes = &bob, .remove_count = 1};
    struct hs_bytes commit = commit_make(room.owner, &request, NULL);
    struct verdict verdict = judge_at(&room, commit, NULL, 0, now);
    assert_ok(verdict.err);
    assert_int_equal(verdict.facts.removed_count, 1);
    assert_true(hs_key_equal(&verdict.facts.removed[0], &room.bob.persona.pub));
    hs_mls_event_free(verdict.event);
    hs_mls_group_drop(room.owner);
    request.removes = &owner;
    assert_err(trial(&room, bobs, &request, NULL, 0), HS_ERR_POLICY);
    request.removes = &max;
    assert_err(trial(&room, bobs, &request, NULL, 0), HS_ERR_POLICY);
    assert_ok(trial(&room, room.owner, &request, NULL, 0));
    hs_mls_group_free(maxs);
    hs_mls_group_free(bobs);
    room_free(&room);
}

/* ROOM-58: a leaf's certificate must hold when it is renewed, and its persona stays */
static void test_update(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    struct hs_mls_commit_request request = {.force_path = true};
    assert_ok(trial(&room, bobs, &request, NULL, 0));
    struct hs_bytes commit = commit_make(bobs, &request, NULL);
    struct verdict verdict = judge_at(&room, commit, NULL, 0, later(200 * day_ms));
    assert_err(verdict.err, HS_ERR_EXPIRED);
    hs_mls_event_free(verdict.event);
    hs_mls_group_drop(bobs);
    /* another persona's certificate for the same device */
    Hanse__SignedObject *swapped = certificate_make(&room.eve.persona, &room.bob.device, now, later(day_ms));
    assert_ok(hs_credential_pack(swapped, NULL, 0, "eve", &arena, &request.identity));
    assert_err(trial(&room, bobs, &request, NULL, 0), HS_ERR_POLICY);
    /* a new certificate of the same persona */
    Hanse__SignedObject *renewed =
        certificate_make(&room.bob.persona, &room.bob.device, now, later(400 * day_ms));
    assert_ok(hs_credential_pack(renewed, NULL, 0, "Bob", &arena, &request.identity));
    assert_ok(trial(&room, bobs, &request, NULL, 0));
    request.identity = room.eve.identity; /* somebody else's credential */
    assert_err(trial(&room, bobs, &request, NULL, 0), HS_ERR_WRONG_SENDER);
    hs_mls_group_free(bobs);
    room_free(&room);
}

static enum hs_err try_policy(struct room *room, struct hs_mls_group *group,
                              const struct hs_mls_extension *list, size_t count)
{
    struct hs_mls_commit_request request = {
        .set_extensions = true, .extensions = list, .extension_count = count};
    return trial(room, group, &request, NULL, 0);
}

/* ROOM-8 */
static void test_policy(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    struct hs_policy changed = with_ban(room.policy, &room.eve.persona.pub);
    struct hs_mls_extension list[3] = {{HS_POLICY_EXTENSION, policy_bytes(&changed)},
                                       {0xF4A2, hs_bytes_str("other")},
                                       {HS_POLICY_EXTENSION, policy_bytes(&changed)}};
    struct hs_mls_commit_request request = {.set_extensions = true, .extensions = list, .extension_count = 1};
    struct hs_bytes commit = commit_make(room.owner, &request, NULL);
    struct verdict verdict = judge_at(&room, commit, NULL, 0, now);
    assert_ok(verdict.err);
    assert_true(verdict.facts.policy_changed);
    assert_true(hs_policy_is_banned(&verdict.facts.policy, &room.eve.persona.pub));
    hs_mls_event_free(verdict.event);
    hs_mls_group_drop(room.owner);
    assert_err(try_policy(&room, bobs, list, 1), HS_ERR_POLICY);       /* not Bob's right */
    assert_err(try_policy(&room, room.owner, list, 2), HS_ERR_POLICY); /* something else besides */
    assert_err(try_policy(&room, room.owner, list + 1, 1), HS_ERR_POLICY);
    assert_err(try_policy(&room, room.owner, list, 0), HS_ERR_POLICY); /* no policy any more */
    list[0].data = hs_bytes_str("\x0a\xff");
    assert_err(try_policy(&room, room.owner, list, 1), HS_ERR_MALFORMED);
    changed.kind = HS_ROOM_CHANNEL;
    list[0].data = policy_bytes(&changed);
    assert_err(try_policy(&room, room.owner, list, 1), HS_ERR_POLICY);
    hs_mls_group_free(bobs);
    room_free(&room);
}

static enum hs_err proposal_at_hub(struct room *room, const struct hs_writer *w)
{
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_public_process(room->hub, hs_writer_bytes(w), &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_PROPOSAL);
    enum hs_err err = hs_judge_proposal(room->hub, event, now, &arena);
    if (err != HS_OK)
        assert_ok(hs_mls_public_drop_proposal(room->hub, &event->proposal.ref));
    hs_mls_event_free(event);
    return err;
}

/* ROOM-60 */
static void test_proposals(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    const struct hs_bytes none = {0};
    struct hs_policy banned = with_ban(room.policy, &room.eve.persona.pub);
    struct hs_mls_extension extension = {HS_POLICY_EXTENSION, policy_bytes(&banned)};
#define PROPOSE(want, call)                                                                                  \
    do {                                                                                                     \
        struct hs_writer HS_WRITER w = hs_writer(1 << 20);                                                   \
        assert_ok(call);                                                                                     \
        assert_err(proposal_at_hub(&room, &w), (want));                                                      \
    } while (0)
    PROPOSE(HS_ERR_POLICY, hs_mls_group_propose_add(bobs, room.eve.key_package, none, &w));
    PROPOSE(HS_OK, hs_mls_group_propose_add(room.owner, room.eve.key_package, none, &w));
    PROPOSE(HS_ERR_POLICY, hs_mls_group_propose_remove(bobs, 0, none, &w));
    PROPOSE(HS_ERR_POLICY, hs_mls_group_propose_extensions(bobs, &extension, 1, none, &w));
    PROPOSE(HS_OK, hs_mls_group_propose_extensions(room.owner, &extension, 1, none, &w));
    PROPOSE(HS_OK, hs_mls_group_propose_update(bobs, none, none, &w));
    Hanse__SignedObject *swapped = certificate_make(&room.eve.persona, &room.bob.device, now, later(day_ms));
    struct hs_bytes identity;
    assert_ok(hs_credential_pack(swapped, NULL, 0, "eve", &arena, &identity));
    PROPOSE(HS_ERR_POLICY, hs_mls_group_propose_update(bobs, identity, none, &w));
    PROPOSE(HS_OK, hs_mls_group_propose_remove(room.owner, 1, none, &w));
    PROPOSE(HS_OK, hs_mls_group_propose_remove(bobs, 1, none, &w)); /* leaving */
#undef PROPOSE
    hs_mls_group_free(bobs);
    room_free(&room);
}

/* A member's proposal reaches the hub and the others, whatever its worth. */
static void spread(struct room *room, struct hs_mls_group *const *groups, size_t count,
                   const struct hs_writer *w)
{
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_public_process(room->hub, hs_writer_bytes(w), &event));
    hs_mls_event_free(event);
    for (size_t i = 0; i < count; i++) {
        assert_ok(hs_mls_group_process(groups[i], hs_writer_bytes(w), &event));
        hs_mls_event_free(event);
    }
}

/* ROOM-50: each proposal is judged by its own proposer, not by the committer */
static void test_proposer(void **state)
{
    (void)state;
    for (int by_owner = 0; by_owner < 2; by_owner++) {
        struct room room;
        room_make(&room, HS_ROOM_GROUP);
        struct hs_mls_group *bobs = admitted(&room, &room.bob);
        struct hs_mls_group *const groups[] = {room.owner, bobs};
        struct hs_judge_join eve = join_of(&room, &room.eve);
        struct hs_writer HS_WRITER w = hs_writer(1 << 20);
        struct hs_mls_group *proposer = by_owner ? room.owner : bobs,
                            *committer = by_owner ? bobs : room.owner;
        assert_ok(hs_mls_group_propose_add(proposer, room.eve.key_package, hs_bytes(NULL, 0), &w));
        spread(&room, groups, 2, &w);
        struct hs_bytes commit = commit_make(committer, &(struct hs_mls_commit_request){0}, NULL);
        assert_err(judge(&room, commit, &eve, 1), by_owner ? HS_OK : HS_ERR_POLICY);
        hs_mls_group_free(bobs);
        room_free(&room);
    }
}

/* ROOM-60: whoever leaves is taken out by the next commit, also of a member without rights */
static void test_leave(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    struct hs_mls_group *eves = admitted(&room, &room.eve);
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    /* Bob's group stands one epoch back: the owner's commit brings it up */
    hs_mls_group_free(bobs);
    assert_ok(hs_mls_group_propose_remove(eves, 2, hs_bytes(NULL, 0), &w));
    assert_ok(proposal_at_hub(&room, &w));
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_group_process(room.owner, hs_writer_bytes(&w), &event));
    assert_ok(hs_judge_proposal(hs_mls_group_public(room.owner), event, now, &arena));
    hs_mls_event_free(event);
    struct hs_bytes commit = commit_make(room.owner, &(struct hs_mls_commit_request){0}, NULL);
    struct verdict verdict = judge_at(&room, commit, NULL, 0, later(500 * day_ms));
    /* the owner's own certificate has run out by then */
    assert_err(verdict.err, HS_ERR_EXPIRED);
    hs_mls_event_free(verdict.event);
    verdict = judge_at(&room, commit, NULL, 0, now);
    assert_ok(verdict.err);
    assert_int_equal(verdict.facts.removed_count, 1);
    assert_true(hs_key_equal(&verdict.facts.removed[0], &room.eve.persona.pub));
    hs_mls_event_free(verdict.event);
    hs_mls_group_free(eves);
    room_free(&room);
}

/* ROOM-59 */
static void test_counter(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_COUNTER);
    struct hs_mls_commit_request both = {
        .adds = (struct hs_bytes[]){room.bob.key_package, room.eve.key_package}, .add_count = 2};
    assert_err(trial(&room, room.owner, &both, NULL, 0), HS_ERR_POLICY);
    struct hs_mls_commit_request agent = {.adds = &room.max.key_package, .add_count = 1};
    assert_ok(trial(&room, room.owner, &agent, NULL, 0));
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    struct hs_mls_commit_request second = {.adds = &room.eve.key_package, .add_count = 1};
    assert_err(trial(&room, room.owner, &second, NULL, 0), HS_ERR_POLICY);
    assert_ok(trial(&room, room.owner, &agent, NULL, 0));
    hs_mls_group_free(bobs);
    room_free(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_admit),  cmocka_unit_test(test_index),    cmocka_unit_test(test_remove),
        cmocka_unit_test(test_update), cmocka_unit_test(test_policy),   cmocka_unit_test(test_proposals),
        cmocka_unit_test(test_leave),  cmocka_unit_test(test_proposer), cmocka_unit_test(test_counter),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

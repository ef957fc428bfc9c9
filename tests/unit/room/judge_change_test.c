#include "unit/room/group_fixture.h"

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

/* Makes that device a revoked one. */
static enum hs_err try_revoke(struct room *room, struct hs_mls_group *group, const struct hs_key *device)
{
    struct hs_policy changed = with_revoked(room->policy, device);
    struct hs_mls_extension policy = {HS_POLICY_EXTENSION, policy_bytes(&changed)};
    return try_policy(room, group, &policy, 1);
}

/* ROOM-8: a moderator who could revoke an owner's device would have banned the owner. */
static void test_revoked_devices(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    hs_mls_group_free(bobs);
    struct hs_mls_group *maxs = admitted(&room, &room.max);
    assert_err(try_revoke(&room, maxs, &room.rosa.device.pub), HS_ERR_POLICY);
    assert_ok(try_revoke(&room, maxs, &room.max.device.pub));
    assert_ok(try_revoke(&room, maxs, &room.bob.device.pub));
    assert_ok(try_revoke(&room, maxs, &room.eve.device.pub)); /* not in the room */
    assert_ok(try_revoke(&room, room.owner, &room.rosa.device.pub));
    hs_mls_group_free(maxs);
    room_free(&room);
    room_make(&room, HS_ROOM_GROUP);
    maxs = admitted(&room, &room.max);
    assert_ok(try_revoke(&room, room.owner, &room.max.device.pub));
    hs_mls_group_free(maxs);
    room_free(&room);
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

/* ROOM-60 */
static void test_proposals(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    struct hs_policy banned = with_ban(room.policy, &room.eve.persona.pub);
    struct hs_mls_extension extension = {HS_POLICY_EXTENSION, policy_bytes(&banned)};
    const struct hs_mls_proposal_request add = {.type = HS_MLS_ADD, .key_package = room.eve.key_package},
                                         remove_owner = {.type = HS_MLS_REMOVE, .leaf = 0},
                                         remove_bob = {.type = HS_MLS_REMOVE, .leaf = 1},
                                         policy = {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS,
                                                   .extensions = &extension,
                                                   .extension_count = 1};
    struct hs_mls_proposal_request update = {.type = HS_MLS_UPDATE};
    assert_err(propose(&room, bobs, &add), HS_ERR_POLICY);
    assert_ok(propose(&room, room.owner, &add));
    assert_err(propose(&room, bobs, &remove_owner), HS_ERR_POLICY);
    assert_err(propose(&room, bobs, &policy), HS_ERR_POLICY);
    assert_ok(propose(&room, room.owner, &policy));
    assert_ok(propose(&room, bobs, &update));
    Hanse__SignedObject *swapped = certificate_make(&room.eve.persona, &room.bob.device, now, later(day_ms));
    assert_ok(hs_credential_pack(swapped, NULL, 0, "eve", &arena, &update.identity));
    assert_err(propose(&room, bobs, &update), HS_ERR_POLICY);
    assert_ok(propose(&room, room.owner, &remove_bob));
    assert_ok(propose(&room, bobs, &remove_bob)); /* leaving */
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
        struct hs_mls_proposal_request add = {.type = HS_MLS_ADD, .key_package = room.eve.key_package};
        assert_ok(hs_mls_group_propose(proposer, &add, &w));
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
    assert_ok(
        hs_mls_group_propose(eves, &(struct hs_mls_proposal_request){.type = HS_MLS_REMOVE, .leaf = 2}, &w));
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
        cmocka_unit_test(test_admit),           cmocka_unit_test(test_index),
        cmocka_unit_test(test_remove),          cmocka_unit_test(test_update),
        cmocka_unit_test(test_policy),          cmocka_unit_test(test_proposals),
        cmocka_unit_test(test_revoked_devices), cmocka_unit_test(test_leave),
        cmocka_unit_test(test_proposer),        cmocka_unit_test(test_counter),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

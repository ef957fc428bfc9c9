/* What MLS knows and rooms don't take: other suites, people from outside, PSKs, ReInit, keys outside the main
 * subgroup. */
#include "unit/room/group_fixture.h"

#include "mls/external.h"
#include "support/mixed_key.h"

enum { OTHER_SUITE = 0xF0F3, EXTERNAL_SENDERS = 5 };

/* The rooms' suite under another number: all of MLS works, and still it isn't a room's. */
static const struct hs_mls_suite *other_suite(void)
{
    static struct hs_mls_suite suite;
    if (hs_mls_suite_find(OTHER_SUITE) == NULL) {
        suite = hs_mls_suite_3;
        suite.id = OTHER_SUITE;
        assert_ok(hs_mls_suite_add(&suite));
    }
    return hs_mls_suite_find(OTHER_SUITE);
}

static struct hs_mls_leaf_params leaf_params(const struct hs_mls_signer *signer, struct hs_bytes identity)
{
    static const uint16_t types[] = {HS_POLICY_EXTENSION, 0xF4A2};
    return (struct hs_mls_leaf_params){.signer = signer,
                                       .identity = identity,
                                       .not_before = T0 - 3600,
                                       .not_after = T0 + 84 * 86400,
                                       .extension_types = types,
                                       .extension_type_count = 2};
}

static struct hs_bytes package_until(const struct hs_mls_signer *signer, struct hs_bytes identity,
                                     uint64_t not_after)
{
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_mls_leaf_params params = leaf_params(signer, identity);
    params.not_after = not_after > 0 ? not_after : params.not_after;
    struct hs_writer HS_WRITER w = hs_writer(65536);
    assert_ok(hs_mls_key_package_new(&params, false, &w, &priv));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

static struct hs_bytes package_by(const struct hs_mls_signer *signer, struct hs_bytes identity)
{
    return package_until(signer, identity, 0);
}

/* ROOM-6: at the limit, and a second past it */
static void test_lifetime(void **state)
{
    (void)state;
    struct person bob = person_make("bob", NULL);
    struct hs_mls_signer signer = hs_mls_signer_ed25519(&hs_mls_suite_3, &bob.device);
    struct hs_key root = key_of("root");
    struct hs_room_package out;
    const uint64_t last = leaf_params(&signer, bob.identity).not_before + HS_ROOM_PACKAGE_LIFETIME_MAX;
    assert_ok(hs_room_package_check(package_until(&signer, bob.identity, last), &root, now, &out));
    assert_err(hs_room_package_check(package_until(&signer, bob.identity, last + 1), &root, now, &out),
               HS_ERR_MLS_KEY_PACKAGE);
}

/* ROOM-6 */
static void test_suite(void **state)
{
    (void)state;
    struct person bob = person_make("bob", NULL);
    struct hs_mls_signer signer = hs_mls_signer_ed25519(other_suite(), &bob.device);
    struct hs_bytes package = package_by(&signer, bob.identity);
    struct hs_mls_key_package_facts facts;
    struct hs_key root = key_of("root");
    struct hs_room_package out;
    assert_ok(hs_mls_key_package_check(package, T0, &facts));
    assert_err(hs_room_package_check(package, &root, now, &out), HS_ERR_MLS_VERSION);
    assert_ok(hs_room_package_check(bob.key_package, &root, now, &out));
    assert_true(hs_key_equal(&out.member.device, &bob.device.pub));
    assert_err(hs_room_suite_check(other_suite()), HS_ERR_MLS_VERSION);
    assert_ok(hs_room_suite_check(&hs_mls_suite_3));
}

/* ROOM-61: nobody lets himself in */
static void test_external_commit(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_writer HS_WRITER info = hs_writer(1 << 20), HS_WRITER commit = hs_writer(1 << 20);
    struct hs_mls_group HS_MLS_GROUP *bobs = NULL, HS_MLS_GROUP *rosas = NULL;
    assert_ok(hs_mls_group_info(room.owner, true, &info));
    struct hs_mls_external_join join = {.group_info = hs_writer_bytes(&info),
                                        .leaf = leaf_params(&room.bob.mls, room.bob.identity),
                                        .settings = hs_mls_settings_default()};
    struct hs_mls_commit_result result = {.commit = &commit};
    struct hs_judge_join named = join_of(&room, &room.bob);
    assert_ok(hs_mls_group_join_external(&join, &result, &bobs));
    assert_err(judge(&room, hs_writer_bytes(&commit), NULL, 0), HS_ERR_POLICY);
    assert_err(judge(&room, hs_writer_bytes(&commit), &named, 1), HS_ERR_POLICY);
    /* ROOM-90: but who is in may put her own leaf there anew, and nothing else, and nobody else's */
    hs_writer_reset(&commit);
    join.leaf = leaf_params(&room.rosa.mls, room.rosa.identity);
    join.resync = true;
    assert_ok(hs_mls_group_join_external(&join, &result, &rosas));
    assert_ok(judge(&room, hs_writer_bytes(&commit), NULL, 0));
    assert_err(judge(&room, hs_writer_bytes(&commit), &named, 1), HS_ERR_POLICY);
    hs_mls_group_free(rosas);
    rosas = NULL;
    hs_writer_reset(&commit);
    join.leaf = leaf_params(&room.rosa.mls, room.bob.identity);
    assert_ok(hs_mls_group_join_external(&join, &result, &rosas));
    assert_int_not_equal(judge(&room, hs_writer_bytes(&commit), NULL, 0), HS_OK);
    room_free(&room);
}

/* A proposal is refused at the hub, and so is a commit that takes it up. */
static void refuse_from_outside(struct room *room, const struct hs_mls_outsider *outsider,
                                const struct hs_mls_proposal_request *request,
                                const struct hs_judge_join *joins, size_t join_count)
{
    struct hs_mls_event *event = NULL;
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    assert_ok(hs_mls_outsider_propose(outsider, request, &w));
    assert_err(proposal_at_hub(room, &w), HS_ERR_POLICY);
    assert_ok(hs_mls_public_process(room->hub, hs_writer_bytes(&w), &event));
    hs_mls_event_free(event);
    assert_ok(hs_mls_group_process(room->owner, hs_writer_bytes(&w), &event));
    hs_mls_event_free(event);
    struct hs_bytes commit = commit_make(room->owner, &(struct hs_mls_commit_request){0}, NULL);
    assert_err(judge(room, commit, joins, join_count), HS_ERR_POLICY);
}

/* ROOM-61 */
static void test_newcomer_proposal(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_judge_join named = join_of(&room, &room.bob);
    struct hs_mls_outsider bob = {.signer = &room.bob.mls,
                                  .newcomer = true,
                                  .group_id = HS_VIEW(room.id),
                                  .epoch = hs_mls_public_epoch(room.hub)};
    struct hs_mls_proposal_request add = {.type = HS_MLS_ADD, .key_package = room.bob.key_package};
    refuse_from_outside(&room, &bob, &add, &named, 1);
    room_free(&room);
}

/* ROOM-61: also where the room's first GroupContext names external senders */
static void test_external_sender(void **state)
{
    (void)state;
    struct room room;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_mls_external_sender sender = {.signature_key = HS_VIEW(rosa.device.pub),
                                            .credential_type = HS_MLS_BASIC,
                                            .identity = rosa.identity};
    struct hs_writer HS_WRITER senders = hs_writer(65536);
    assert_ok(hs_mls_external_senders_write(&sender, 1, &senders));
    struct hs_mls_extension extension = {EXTERNAL_SENDERS, hs_writer_bytes(&senders)};
    room_make_with(&room, HS_ROOM_GROUP, &extension);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    struct hs_mls_outsider outside = {
        .signer = &rosa.mls, .group_id = HS_VIEW(room.id), .epoch = hs_mls_public_epoch(room.hub)};
    struct hs_mls_proposal_request remove = {.type = HS_MLS_REMOVE, .leaf = 1};
    refuse_from_outside(&room, &outside, &remove, NULL, 0);
    hs_mls_group_free(bobs);
    room_free(&room);
}

/* ROOM-61 */
static void test_psk(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_psk psk = {.id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("a word")},
                             .secret = hs_bytes_str("that only these two know")};
    struct hs_mls_proposal_request request = {.type = HS_MLS_PSK, .psk = psk.id};
    struct hs_mls_commit_request commit = {.psks = &psk.id, .psk_count = 1};
    assert_ok(hs_mls_group_set_psks(room.owner, &psk, 1));
    assert_err(propose(&room, room.owner, &request), HS_ERR_POLICY);
    assert_err(trial(&room, room.owner, &commit, NULL, 0), HS_ERR_POLICY);
    commit.force_path = true;
    assert_err(trial(&room, room.owner, &commit, NULL, 0), HS_ERR_POLICY);
    room_free(&room);
}

/* ROOM-61 */
static void test_reinit(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_reinit reinit = {
        .group_id = hs_bytes_str("another room"), .version = 1, .suite = hs_mls_suite_3.id};
    struct hs_mls_proposal_request request = {.type = HS_MLS_REINIT, .reinit = reinit};
    struct hs_mls_commit_request commit = {.reinit = &reinit};
    assert_err(propose(&room, room.owner, &request), HS_ERR_POLICY);
    assert_err(trial(&room, room.owner, &commit, NULL, 0), HS_ERR_POLICY);
    room_free(&room);
}

/* The persona's certificate for a key that hs_certificate_build() wouldn't take. */
static struct hs_bytes credential_for(const struct hs_signer *persona, const struct hs_mls_signer *device)
{
    struct hs_key transport = key_of("transport");
    Hanse__DeviceCertificate msg = HANSE__DEVICE_CERTIFICATE__INIT;
    msg.signature_key = hs_pb_data(HS_MLS_VIEW(device->pub));
    msg.transport_key = hs_pb_data(HS_VIEW(transport));
    msg.device_number = 1;
    msg.not_before_ms = now.ms;
    struct hs_author author = {.signer = persona, .issuer = persona->pub, .now = now};
    Hanse__SignedObject *certificate = NULL;
    struct hs_bytes identity;
    assert_ok(hs_object_make(HS_KIND_DEVICE_CERTIFICATE, &msg.base, &author, &(struct hs_hdr_spec){0}, &arena,
                             &certificate));
    assert_ok(hs_credential_pack(certificate, NULL, 0, "bob", &arena, &identity));
    return identity;
}

/* ROOM-7: MLS verifies by such a key, the room doesn't take it: neither with a newcomer ... */
static void test_mixed_key_newcomer(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_signer mixed = mixed_signer();
    struct hs_bytes identity = credential_for(&room.bob.persona, &mixed);
    struct hs_bytes package = package_by(&mixed, identity);
    struct hs_mls_key_package_facts facts;
    struct hs_key root = key_of("root");
    struct hs_room_package out;
    assert_ok(hs_mls_key_package_check(package, T0, &facts));
    assert_err(hs_room_package_check(package, &root, now, &out), HS_ERR_BAD_KEY);
    struct hs_mls_member leaf = {
        .credential_type = HS_MLS_BASIC, .identity = identity, .signature_key = HS_MLS_VIEW(mixed.pub)};
    struct hs_room_member member;
    assert_err(hs_room_leaf_check(&leaf, &root, now, &member), HS_ERR_BAD_KEY);
    /* ... whose commit the hub judges, as every member does */
    struct hs_mls_commit_request request = {.adds = &package, .add_count = 1};
    struct hs_judge_join named = join_of(&room, &room.bob);
    assert_err(trial(&room, room.owner, &request, &named, 1), HS_ERR_BAD_KEY);
    struct hs_mls_proposal_request add = {.type = HS_MLS_ADD, .key_package = package};
    assert_err(propose(&room, room.owner, &add), HS_ERR_BAD_KEY);
    room_free(&room);
}

/* ROOM-7: ... nor with the new credential of a member. */
static void test_mixed_key_update(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    struct hs_mls_signer mixed = mixed_signer();
    struct hs_mls_updated updated = {0};
    assert_ok(hs_mls_public_member(room.hub, 1, &updated.before));
    updated.after = updated.before;
    updated.after.identity = credential_for(&room.bob.persona, &mixed);
    updated.after.signature_key = HS_MLS_VIEW(mixed.pub);
    struct hs_mls_change change = {
        .committer = updated.before, .updated = &updated, .updated_count = 1, .has_path = true};
    struct hs_judge_input input = {.before = room.hub, .change = &change, .hub_time = now};
    assert_err(hs_judge_change(&input, &arena, NULL), HS_ERR_BAD_KEY);
    struct hs_mls_event event = {.kind = HS_MLS_EVENT_PROPOSAL,
                                 .author = {HS_MLS_SENDER_MEMBER, 1},
                                 .sender = updated.before,
                                 .proposal = {.type = HS_MLS_UPDATE, .target = updated.after}};
    assert_err(hs_judge_proposal(room.hub, &event, now, &arena), HS_ERR_BAD_KEY);
    /* another good key of the same persona is fine */
    struct hs_signer tablet = signer_of("bob's tablet");
    struct hs_mls_signer signer = hs_room_signer(&tablet);
    struct hs_bytes identity;
    Hanse__SignedObject *certificate = certificate_make(&room.bob.persona, &tablet, now, later(day_ms));
    assert_ok(hs_credential_pack(certificate, NULL, 0, "bob", &arena, &identity));
    struct hs_mls_commit_request commit = {.identity = identity, .signer = &signer};
    assert_ok(trial(&room, bobs, &commit, NULL, 0));
    hs_mls_group_free(bobs);
    room_free(&room);
}

/* ROOM-50: an empty commit takes no right, but a revoked device makes none. */
static void test_revoked_device(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_mls_group *bobs = admitted(&room, &room.bob);
    struct hs_policy policy = with_revoked(room.policy, &room.bob.device.pub);
    struct hs_mls_extension extension = {HS_POLICY_EXTENSION, policy_bytes(&policy)};
    struct hs_mls_commit_request revoke = {
        .set_extensions = true, .extensions = &extension, .extension_count = 1};
    struct hs_mls_commit_request renew = {.force_path = true};
    struct hs_mls_event *event = NULL;
    assert_ok(trial(&room, bobs, &renew, NULL, 0));
    struct hs_bytes commit = commit_make(room.owner, &revoke, NULL);
    struct verdict verdict = judge_at(&room, commit, NULL, 0, now);
    assert_ok(verdict.err);
    assert_ok(hs_mls_public_merge(room.hub, verdict.event->staged));
    hs_mls_event_free(verdict.event);
    assert_ok(hs_mls_group_process(bobs, commit, &event));
    assert_ok(hs_mls_group_merge(bobs, event->staged));
    hs_mls_event_free(event);
    assert_err(trial(&room, bobs, &renew, NULL, 0), HS_ERR_DENIED);
    hs_mls_group_free(bobs);
    room_free(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suite),
        cmocka_unit_test(test_lifetime),
        cmocka_unit_test(test_external_commit),
        cmocka_unit_test(test_newcomer_proposal),
        cmocka_unit_test(test_external_sender),
        cmocka_unit_test(test_psk),
        cmocka_unit_test(test_reinit),
        cmocka_unit_test(test_mixed_key_newcomer),
        cmocka_unit_test(test_mixed_key_update),
        cmocka_unit_test(test_revoked_device),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

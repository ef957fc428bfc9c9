#include "unit/room/fixture.h"

#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static struct hs_writer genesis_make(const struct person *owner, const struct hs_policy *policy,
                                     struct hs_id *room)
{
    struct hs_genesis_spec spec = {
        .device = &owner->device, .certificate = owner->certificate, .policy = policy, .now = now};
    struct hs_writer w = hs_writer(65536);
    assert_ok(hs_genesis_build(&spec, &w, room));
    return w;
}

/* ROOM-10 */
static void test_round_trip(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_policy policy = policy_make(&rosa.persona.pub, HS_ROOM_GROUP);
    struct hs_id room, again_room;
    struct hs_genesis genesis;
    struct hs_writer HS_WRITER body = genesis_make(&rosa, &policy, &room);
    struct hs_writer HS_WRITER again = genesis_make(&rosa, &policy, &again_room);
    assert_false(hs_id_equal(&room, &again_room)); /* the nonce */
    assert_int_equal(hs_writer_bytes(&again).len, hs_writer_bytes(&body).len);
    assert_ok(hs_genesis_verify(hs_writer_bytes(&body), now, &arena, &genesis));
    assert_true(hs_id_equal(&room, &genesis.room));
    assert_true(hs_key_equal(&genesis.owner, &rosa.persona.pub));
    assert_true(hs_key_equal(&genesis.device, &rosa.device.pub));
    assert_true(genesis.created.ms == now.ms);
    assert_bytes(genesis.policy.name, policy.name);
    struct hs_writer HS_WRITER packed = hs_writer(HS_POLICY_MAX);
    assert_ok(hs_policy_pack(&policy, &packed));
    assert_bytes(genesis.policy_bytes, hs_writer_bytes(&packed));

    const uint8_t nonce[16] = {1};
    struct hs_genesis_spec spec = {&rosa.device, rosa.certificate, &policy, now, nonce};
    struct hs_writer HS_WRITER a = hs_writer(65536), HS_WRITER b = hs_writer(65536);
    struct hs_id room_a, room_b;
    assert_ok(hs_genesis_build(&spec, &a, &room_a));
    assert_ok(hs_genesis_build(&spec, &b, &room_b));
    assert_true(hs_id_equal(&room_a, &room_b));
}

/* ROOM-10 */
static void test_build_refuses(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa"), bob = person_make("bob", NULL);
    struct hs_policy policy = policy_make(&rosa.persona.pub, HS_ROOM_GROUP);
    struct hs_id room;
    struct hs_writer HS_WRITER w = hs_writer(65536);
    struct hs_genesis_spec good = {&rosa.device, rosa.certificate, &policy, now, NULL}, spec = good;
    spec.certificate = bob.certificate;
    assert_err(hs_genesis_build(&spec, &w, &room), HS_ERR_INVALID_ARG);
    spec = good;
    spec.now = later(200 * day_ms);
    assert_err(hs_genesis_build(&spec, &w, &room), HS_ERR_INVALID_ARG);
    spec = good;
    policy.hub_term = 2;
    assert_err(hs_genesis_build(&spec, &w, &room), HS_ERR_INVALID_ARG);
    policy = policy_make(&bob.persona.pub, HS_ROOM_GROUP);
    assert_err(hs_genesis_build(&spec, &w, &room), HS_ERR_INVALID_ARG);
    policy.max_members = 1;
    assert_err(hs_genesis_build(&spec, &w, &room), HS_ERR_INVALID_ARG);
    assert_int_equal(hs_writer_bytes(&w).len, 0);
}

/* What a dishonest owner's program could sign. */
static struct hs_bytes forged(const struct person *signer, const struct hs_key *issuer,
                              const struct hs_key *audience, const struct hs_policy *policy,
                              const Hanse__SignedObject *certificate)
{
    Hanse__Genesis payload = HANSE__GENESIS__INIT;
    struct hs_writer HS_WRITER packed = hs_writer(HS_POLICY_MAX), HS_WRITER body = hs_writer(65536);
    assert_ok(hs_policy_pack(policy, &packed));
    assert_ok(HS_UNPACK(hanse__policy, hs_writer_bytes(&packed), HS_STRICT, &arena, &payload.policy));
    struct hs_author author = {&signer->device, *issuer, now, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(*audience)};
    Hanse__GenesisBody message = HANSE__GENESIS_BODY__INIT;
    assert_ok(hs_object_make(HS_KIND_GENESIS, &payload.base, &author, &hdr, &arena, &message.genesis));
    assert_ok(hs_object_copy(certificate, &arena, &message.owner_certificate));
    assert_ok(HS_PACK(&message, &body));
    return hs_arena_copy(&arena, hs_writer_bytes(&body));
}

/* ROOM-10 */
static void test_verify_refuses(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa"), bob = person_make("bob", NULL);
    struct hs_key root = key_of("root"), other = key_of("other root"), *owner = &rosa.persona.pub;
    struct hs_policy policy = policy_make(owner, HS_ROOM_GROUP), term2 = policy;
    struct hs_genesis out;
    struct hs_bytes good = forged(&rosa, owner, &root, &policy, rosa.certificate);
    assert_ok(hs_genesis_verify(good, now, &arena, &out));
    assert_ok(hs_genesis_verify(good, later(900 * day_ms), &arena, &out)); /* history stays valid */
    assert_ok(hs_genesis_verify(good, later(-HS_CLOCK_SKEW_MS), &arena, &out));
    assert_err(hs_genesis_verify(good, later(-HS_CLOCK_SKEW_MS - 1), &arena, &out), HS_ERR_NOT_YET);
    term2.hub_term = 2;
#define VERIFY(...) hs_genesis_verify(forged(__VA_ARGS__), now, &arena, &out)
    assert_err(VERIFY(&bob, owner, &root, &policy, rosa.certificate), HS_ERR_WRONG_SIGNER);
    assert_err(VERIFY(&bob, owner, &root, &policy, bob.certificate), HS_ERR_WRONG_SIGNER);
    assert_err(VERIFY(&bob, &bob.persona.pub, &root, &policy, bob.certificate), HS_ERR_POLICY);
    assert_err(VERIFY(&rosa, owner, &other, &policy, rosa.certificate), HS_ERR_POLICY);
    assert_err(VERIFY(&rosa, owner, &root, &term2, rosa.certificate), HS_ERR_POLICY);
    Hanse__SignedObject *old =
        certificate_make(&rosa.persona, &rosa.device, later(-9 * day_ms), later(-day_ms));
    assert_err(VERIFY(&rosa, owner, &root, &policy, old), HS_ERR_EXPIRED);
    Hanse__SignedObject *next =
        certificate_make(&rosa.persona, &rosa.device, later(day_ms), later(9 * day_ms));
    assert_err(VERIFY(&rosa, owner, &root, &policy, next), HS_ERR_NOT_YET);
#undef VERIFY
    uint8_t *big = hs_arena_alloc(&arena, 49153);
    assert_err(hs_genesis_verify(hs_bytes(big, 49152), now, &arena, &out), HS_ERR_MALFORMED);
    assert_err(hs_genesis_verify(hs_bytes(big, 49153), now, &arena, &out), HS_ERR_TOO_LARGE);
    assert_true(out.policy.role_count == 0);
    uint8_t *copy = bytes_copy(good);
    for (size_t i = 0; i < good.len; i++) {
        copy[i] ^= 0x04;
        assert_true(hs_genesis_verify(hs_bytes(copy, good.len), now, &arena, &out) != HS_OK);
        copy[i] ^= 0x04;
        assert_true(hs_genesis_verify(hs_bytes(good.data, i), now, &arena, &out) != HS_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_build_refuses),
        cmocka_unit_test(test_verify_refuses),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

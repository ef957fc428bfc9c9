#include "unit/room/fixture.h"

#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static struct hs_join_spec spec_make(const struct hs_signer *invite, const struct person *joiner)
{
    return (struct hs_join_spec){.invite = invite,
                                 .room = id_of("room"),
                                 .persona = joiner->persona.pub,
                                 .home_root = key_of("home"),
                                 .key_package = joiner->key_package,
                                 .now = now};
}

static struct hs_bytes join_make(const struct hs_join_spec *spec)
{
    struct hs_writer HS_WRITER w = hs_writer(65536);
    assert_ok(hs_join_build(spec, &w));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

static enum hs_err verify(struct hs_bytes body, struct hs_join *out)
{
    struct hs_id room = id_of("room");
    struct hs_key root = key_of("root");
    return hs_join_verify(body, &room, &root, now, out);
}

/* ROOM-23 */
static void test_round_trip(void **state)
{
    (void)state;
    struct hs_signer invite = signer_of("invite");
    struct person bob = person_make("bob", "bob");
    struct hs_join_spec spec = spec_make(&invite, &bob);
    struct hs_bytes body = join_make(&spec), key_package;
    struct hs_join join;
    assert_ok(verify(body, &join));
    assert_true(hs_key_equal(&join.invite_key, &invite.pub));
    assert_true(hs_id_equal(&join.room, &spec.room));
    assert_true(hs_key_equal(&join.persona, &bob.persona.pub));
    assert_true(hs_key_equal(&join.home_root, &spec.home_root));
    assert_bytes(HS_VIEW(join.key_package_ref), HS_MLS_VIEW(bob.facts.ref));
    assert_true(hs_key_equal(&join.member.device, &bob.device.pub));
    assert_string_equal(join.member.handle, "bob@rosa.example");
    assert_ok(hs_join_key_package(body, &arena, &key_package));
    assert_bytes(key_package, bob.key_package);
    Hanse__SignedObject *object = NULL;
    struct hs_join_proof proof;
    assert_ok(hs_join_proof_build(&spec, &arena, &object));
    assert_ok(hs_join_proof_verify(object, &proof));
    assert_true(hs_key_equal(&proof.invite_key, &invite.pub));
    assert_true(hs_key_equal(&proof.persona, &bob.persona.pub));
    assert_true(proof.created.ms == now.ms);
    spec.key_package = hs_bytes(NULL, 0);
    assert_err(hs_join_proof_build(&spec, &arena, &object), HS_ERR_INVALID_ARG);
}

/* A JOIN put together from one's proof and another's key package. */
static struct hs_bytes join_mix(const struct hs_join_spec *spec, struct hs_bytes key_package)
{
    Hanse__JoinBody message = HANSE__JOIN_BODY__INIT;
    struct hs_writer HS_WRITER w = hs_writer(65536);
    assert_ok(hs_join_proof_build(spec, &arena, &message.proof));
    message.key_package = hs_pb_data(key_package);
    assert_ok(HS_PACK(&message, &w));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

/* ROOM-24: a proof that was seen is of no use to anybody else */
static void test_replayed(void **state)
{
    (void)state;
    struct hs_signer invite = signer_of("invite");
    struct person bob = person_make("bob", NULL), eve = person_make("eve", NULL);
    struct hs_join_spec spec = spec_make(&invite, &bob);
    struct hs_join join;
    assert_ok(verify(join_mix(&spec, bob.key_package), &join));
    assert_err(verify(join_mix(&spec, eve.key_package), &join), HS_ERR_INVITE_REPLAYED);
    assert_true(join.persona.b[0] == 0 && join.persona.b[31] == 0);
    /* another key package of the same device is another use */
    struct hs_bytes second = key_package_make(&bob.device, bob.identity);
    assert_err(verify(join_mix(&spec, second), &join), HS_ERR_INVITE_REPLAYED);
    /* the hash fits, the persona doesn't */
    spec.persona = eve.persona.pub;
    assert_err(verify(join_make(&spec), &join), HS_ERR_INVITE_REPLAYED);
}

/* ROOM-23 */
static void test_invalid(void **state)
{
    (void)state;
    struct hs_signer invite = signer_of("invite"), other = signer_of("other invite");
    struct person bob = person_make("bob", NULL);
    struct hs_join_spec good = spec_make(&invite, &bob), spec = good;
    struct hs_key root = key_of("root");
    struct hs_join join;
    spec.room = id_of("other room");
    assert_err(verify(join_make(&spec), &join), HS_ERR_INVITE_INVALID);

    /* signed by another key than the one that it names */
    Hanse__JoinProof payload = HANSE__JOIN_PROOF__INIT;
    uint8_t hash[32] = {0};
    payload.persona_key = hs_pb_data(HS_VIEW(bob.persona.pub));
    payload.key_package_hash = hs_pb_data(hs_bytes(hash, 32));
    payload.home_root = hs_pb_data(HS_VIEW(root));
    struct hs_author author = {&other, invite.pub, now, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(good.room)};
    struct hs_join_proof proof;
    Hanse__SignedObject *object = NULL;
    assert_ok(hs_object_make(HS_KIND_JOIN_PROOF, &payload.base, &author, &hdr, &arena, &object));
    assert_err(hs_join_proof_verify(object, &proof), HS_ERR_INVITE_INVALID);
    /* fields of another length */
    author.signer = &invite;
    assert_ok(hs_object_make(HS_KIND_JOIN_PROOF, &payload.base, &author, &hdr, &arena, &object));
    assert_ok(hs_join_proof_verify(object, &proof));
    payload.home_root.len = 31;
    assert_ok(hs_object_make(HS_KIND_JOIN_PROOF, &payload.base, &author, &hdr, &arena, &object));
    assert_err(hs_join_proof_verify(object, &proof), HS_ERR_INVITE_INVALID);
    /* another kind of object */
    assert_err(hs_join_proof_verify(bob.certificate, &proof), HS_ERR_INVITE_INVALID);
    assert_true(proof.created.ms == 0);
}

/* ROOM-23: the key package is judged like any leaf */
static void test_key_package(void **state)
{
    (void)state;
    struct hs_signer invite = signer_of("invite");
    struct person bob = person_make("bob", "bob"), eve = person_make("eve", NULL);
    struct hs_join_spec spec = spec_make(&invite, &bob);
    struct hs_id room = id_of("room");
    struct hs_key root = key_of("root"), other_root = key_of("other root");
    struct hs_join join;
    struct hs_bytes body = join_make(&spec), junk = hs_bytes_str("junk");
    assert_err(hs_join_verify(body, &room, &other_root, now, &join), HS_ERR_WRONG_SIGNER);
    assert_err(hs_join_verify(body, &room, &root, later(84 * day_ms + 1000), &join), HS_ERR_MLS_KEY_PACKAGE);
    spec.key_package = junk;
    assert_err(verify(join_make(&spec), &join), HS_ERR_MLS_VERSION);
    spec.key_package = key_package_make(&eve.device, bob.identity); /* bob's name on eve's key */
    assert_err(verify(join_make(&spec), &join), HS_ERR_WRONG_SENDER);
    spec.key_package = key_package_make(&bob.device, hs_bytes_str("bob"));
    assert_true(verify(join_make(&spec), &join) != HS_OK);
    assert_err(verify(hs_bytes(NULL, 0), &join), HS_ERR_MALFORMED);
    uint8_t *big = hs_arena_alloc(&arena, 49153);
    assert_err(verify(hs_bytes(big, 49152), &join), HS_ERR_MALFORMED);
    assert_err(verify(hs_bytes(big, 49153), &join), HS_ERR_TOO_LARGE);
    assert_err(verify(join_mix(&spec, hs_bytes(NULL, 0)), &join), HS_ERR_INVITE_REPLAYED);
    assert_err(hs_join_key_package(join_mix(&spec, hs_bytes(NULL, 0)), &arena, &junk), HS_ERR_MALFORMED);
    assert_err(hs_join_verify(body, &room, &root, (struct hs_time){-1}, &join), HS_ERR_INVALID_ARG);
    assert_err(hs_join_key_package(hs_bytes(NULL, 0), &arena, &junk), HS_ERR_MALFORMED);
}

/* ROOM-23: altered at each byte, cut at each byte */
static void test_altered(void **state)
{
    (void)state;
    struct hs_signer invite = signer_of("invite");
    struct person bob = person_make("bob", NULL);
    struct hs_join_spec spec = spec_make(&invite, &bob);
    struct hs_bytes body = join_make(&spec), key_package;
    uint8_t *copy = bytes_copy(body);
    struct hs_join join;
    assert_ok(hs_join_key_package(body, &arena, &key_package));
    size_t key_package_from = body.len - key_package.len; /* the last field */
    for (size_t i = 0; i < body.len; i++) {
        copy[i] ^= 0x08;
        enum hs_err err = verify(hs_bytes(copy, body.len), &join);
        assert_true(err != HS_OK);
        if (i >= key_package_from)
            assert_err(err, HS_ERR_INVITE_REPLAYED);
        copy[i] ^= 0x08;
        assert_true(verify(hs_bytes(copy, i), &join) != HS_OK);
    }
    assert_ok(verify(hs_bytes(copy, body.len), &join));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_replayed), cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_key_package), cmocka_unit_test(test_altered),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

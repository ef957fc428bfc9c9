#include "base/writer.h"
#include "crypto/hash.h"
#include "crypto/selftest.h"
#include "object/object.h"
#include "schema/identity.pb-c.h"
#include "support/test.h"
#include "wire/unpack.h"

#include <string.h>

static struct hs_signer alice, bob;
static const struct hs_time now = {1700000000000};

static int setup(void **state)
{
    (void)state;
    struct hs_secret32 a = {{1}}, b = {{2}};
    hs_signer_init(&alice, &a);
    hs_signer_init(&bob, &b);
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

static Hanse__SignedObject *make_grant(struct hs_arena *arena)
{
    Hanse__Grant grant = HANSE__GRANT__INIT;
    grant.key = hs_pb_data(HS_VIEW(bob.pub));
    grant.role = HANSE__ROLE__ROLE_TILL;
    struct hs_author author = {.signer = &alice, .issuer = alice.pub, .now = now};
    Hanse__SignedObject *obj;
    assert_ok(hs_object_make(HS_KIND_GRANT, &grant.base, &author, &(struct hs_hdr_spec){0}, arena, &obj));
    return obj;
}

static enum hs_err open_grant(const Hanse__SignedObject *obj, const struct hs_key *key,
                              struct hs_arena *arena)
{
    Hanse__Grant *grant;
    enum hs_err err = HS_OBJECT_OPEN(hanse__grant, obj, HS_KIND_GRANT, key, 1, arena, &grant);
    assert_true((err == HS_OK) == (grant != NULL));
    return err;
}

/* OBJECT-4: the encoding of DSSE v1, byte for byte. */
static void pae_is_dsse(void **state)
{
    (void)state;
    struct hs_writer HS_WRITER w = hs_writer(256);
    hs_object_pae(&w, hs_bytes_str("http://example.com/HelloWorld"), hs_bytes_str("hello world"));
    assert_ok(w.err);
    assert_bytes(hs_writer_bytes(&w), hs_bytes_str("DSSEv1 29 http://example.com/HelloWorld 11 hello world"));
}

/* OBJECT-5: the id hashes type and payload, not signatures. */
static void id_is_of_type_and_payload(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(65536);
    Hanse__SignedObject *obj = make_grant(&arena);
    struct hs_writer HS_WRITER w = hs_writer(4096);
    hs_object_pae(&w, hs_bytes_str(obj->type), hs_pb_bytes(obj->payload));
    struct hs_id want = hs_hash_labelled("hanse-id-v1", hs_writer_bytes(&w));
    struct hs_id id = hs_object_id(obj);
    assert_true(hs_id_equal(&id, &want));
    obj->signatures[0]->sig.data[0] ^= 1;
    id = hs_object_id(obj);
    assert_true(hs_id_equal(&id, &want));
    obj->payload.data[5] ^= 1;
    id = hs_object_id(obj);
    assert_false(hs_id_equal(&id, &want));
}

static void opens_what_was_signed(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(262144);
    Hanse__SignedObject *obj = make_grant(&arena);
    Hanse__Grant *grant;
    assert_ok(HS_OBJECT_OPEN(hanse__grant, obj, HS_KIND_GRANT, &alice.pub, 1, &arena, &grant));
    assert_bytes(hs_pb_bytes(grant->key), HS_VIEW(bob.pub));
    assert_int_equal(grant->role, HANSE__ROLE__ROLE_TILL);
    struct hs_key signer;
    assert_true(hs_object_claimed_signer(obj, 0, &signer));
    assert_true(hs_key_equal(&signer, &alice.pub));
    assert_false(hs_object_claimed_signer(obj, 1, &signer));
    assert_int_equal(hs_object_claimed_kind(obj), HS_KIND_GRANT);
    assert_int_equal(hs_object_claimed_kind(NULL), HS_KIND_NONE);
}

/* OBJECT-8: type, signer, number of signatures, signature. */
static void opening_is_strict(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__SignedObject *obj = make_grant(&arena);
    assert_ok(open_grant(obj, &alice.pub, &arena));
    assert_err(open_grant(obj, &bob.pub, &arena), HS_ERR_WRONG_SIGNER);
    assert_err(open_grant(NULL, &alice.pub, &arena), HS_ERR_MALFORMED);

    Hanse__Ticket *ticket;
    assert_err(HS_OBJECT_OPEN(hanse__ticket, obj, HS_KIND_TICKET, &alice.pub, 1, &arena, &ticket),
               HS_ERR_UNEXPECTED);

    Hanse__Signature *twice[2] = {obj->signatures[0], obj->signatures[0]}, **one = obj->signatures;
    obj->signatures = twice;
    obj->n_signatures = 2;
    assert_err(open_grant(obj, &alice.pub, &arena), HS_ERR_WRONG_SIGNER);
    obj->signatures = one;
    obj->n_signatures = 0;
    assert_err(open_grant(obj, &alice.pub, &arena), HS_ERR_WRONG_SIGNER);
    obj->n_signatures = 1;

    obj->signatures[0]->sig.len = 63;
    assert_err(open_grant(obj, &alice.pub, &arena), HS_ERR_BAD_SIGNATURE);
    obj->signatures[0]->sig.len = 64;
    obj->signatures[0]->key_id.len = 31;
    assert_err(open_grant(obj, &alice.pub, &arena), HS_ERR_WRONG_SIGNER);
    obj->signatures[0]->key_id.len = 32;
    assert_ok(open_grant(obj, &alice.pub, &arena));
}

/* OBJECT-8: no bit of type, payload or signature can change. */
static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA keep = hs_arena(65536);
    Hanse__SignedObject *obj = make_grant(&keep);
    struct hs_bytes parts[] = {hs_bytes_str(obj->type), hs_pb_bytes(obj->payload),
                               hs_pb_bytes(obj->signatures[0]->key_id), hs_pb_bytes(obj->signatures[0]->sig)};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        for (size_t bit = 0; bit < 8 * parts[p].len; bit++) {
            uint8_t *byte = (uint8_t *)(uintptr_t)parts[p].data + bit / 8;
            *byte ^= (uint8_t)(1u << (bit % 8));
            struct hs_arena HS_ARENA arena = hs_arena(65536);
            assert_true(open_grant(obj, &alice.pub, &arena) != HS_OK);
            *byte ^= (uint8_t)(1u << (bit % 8));
        }
    }
}

/* A payload of raw bytes under a good signature: what a hostile signer can make. */
static Hanse__SignedObject *sign_raw(enum hs_kind kind, struct hs_bytes payload, struct hs_arena *arena)
{
    Hanse__SignedObject *obj;
    assert_ok(hs_object_copy(make_grant(arena), arena, &obj));
    obj->type = (char *)(uintptr_t)hs_kind_info(kind)->type;
    obj->payload = hs_pb_data(payload);
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    hs_object_pae(&w, hs_bytes_str(obj->type), payload);
    struct hs_sig sig;
    hs_sign(&alice, hs_writer_bytes(&w), &sig);
    obj->signatures[0]->sig = hs_pb_data(hs_arena_copy(arena, HS_VIEW(sig)));
    return obj;
}

/* OBJECT-9: the payload is unpacked strictly, its header has the right shape. */
static void payload_is_unpacked_strictly(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(4 << 20);
    assert_err(open_grant(sign_raw(HS_KIND_GRANT, hs_bytes("\xff", 1), &arena), &alice.pub, &arena),
               HS_ERR_MALFORMED);
    /* no header at all */
    assert_err(open_grant(sign_raw(HS_KIND_GRANT, hs_bytes(NULL, 0), &arena), &alice.pub, &arena),
               HS_ERR_MALFORMED);
    Hanse__SignedObject *good = make_grant(&arena);
    uint8_t bytes[256];
    memcpy(bytes, good->payload.data, good->payload.len);
    /* field 15, unknown, with the value 1 */
    memcpy(bytes + good->payload.len, "\x78\x01", 2);
    Hanse__SignedObject *unknown = sign_raw(HS_KIND_GRANT, hs_bytes(bytes, good->payload.len + 2), &arena);
    assert_err(open_grant(unknown, &alice.pub, &arena), HS_ERR_UNSUPPORTED);
    /* the role's value, the last byte, set to one that isn't in the enum */
    memcpy(bytes, good->payload.data, good->payload.len);
    assert_int_equal(bytes[good->payload.len - 1], HANSE__ROLE__ROLE_TILL);
    bytes[good->payload.len - 1] = 99;
    Hanse__SignedObject *role = sign_raw(HS_KIND_GRANT, hs_bytes(bytes, good->payload.len), &arena);
    assert_err(open_grant(role, &alice.pub, &arena), HS_ERR_UNSUPPORTED);
}

/* OBJECT-10: also in an envelope that came in a frame; what opens can be packed and unpacked. */
static void envelope_is_understood(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__SignedObject *obj = make_grant(&arena), *back;
    uint8_t one = 1;
    ProtobufCMessageUnknownField unknown = {
        .tag = 99, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = 1, .data = &one};
    ProtobufCMessage *places[] = {&obj->base, &obj->signatures[0]->base};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct hs_bytes bytes;
        places[i]->unknown_fields = &unknown;
        places[i]->n_unknown_fields = 1;
        assert_err(open_grant(obj, &alice.pub, &arena), HS_ERR_UNSUPPORTED);
        assert_ok(hs_object_pack(obj, &arena, &bytes));
        assert_err(hs_object_unpack(bytes, &arena, &back), HS_ERR_UNSUPPORTED);
        assert_ok(HS_UNPACK(hanse__signed_object, bytes, HS_LENIENT, &arena, &back));
        assert_err(open_grant(back, &alice.pub, &arena), HS_ERR_UNSUPPORTED);
        places[i]->n_unknown_fields = 0;
        assert_ok(open_grant(obj, &alice.pub, &arena));
    }
}

/* OBJECT-3: at the limit and one past it, on both ways. */
static void size_is_limited(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(4 << 20);
    uint8_t *big = hs_arena_alloc(&arena, HS_PAYLOAD_SMALL + 1);
    assert_non_null(big);
    assert_err(
        open_grant(sign_raw(HS_KIND_GRANT, hs_bytes(big, HS_PAYLOAD_SMALL + 1), &arena), &alice.pub, &arena),
        HS_ERR_TOO_LARGE);
    /* at the limit it's read, and its content then found wrong */
    assert_err(
        open_grant(sign_raw(HS_KIND_GRANT, hs_bytes(big, HS_PAYLOAD_SMALL), &arena), &alice.pub, &arena),
        HS_ERR_MALFORMED);

    for (size_t extra = 0; extra < 2; extra++) {
        Hanse__Grant grant = HANSE__GRANT__INIT;
        struct hs_author author = {.signer = &alice, .issuer = alice.pub, .now = now};
        Hanse__SignedObject *obj;
        assert_ok(
            hs_object_make(HS_KIND_GRANT, &grant.base, &author, &(struct hs_hdr_spec){0}, &arena, &obj));
        grant.key = hs_pb_data(hs_bytes(big, HS_PAYLOAD_SMALL - obj->payload.len - 3 + extra));
        assert_err(
            hs_object_make(HS_KIND_GRANT, &grant.base, &author, &(struct hs_hdr_spec){0}, &arena, &obj),
            extra == 0 ? HS_OK : HS_ERR_TOO_LARGE);
    }
}

static void signing_refuses_bad_arguments(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(65536);
    Hanse__Grant grant = HANSE__GRANT__INIT;
    const struct hs_signer *signers[2] = {&alice, &bob};
    Hanse__SignedObject *obj;
    /* no header yet */
    assert_err(hs_object_sign(HS_KIND_GRANT, &grant.base, signers, 1, &arena, &obj), HS_ERR_INVALID_ARG);
    assert_null(obj);
    struct hs_hdr_spec spec = {0};
    assert_ok(hs_hdr_new(&arena, &alice.pub, now, &spec, NULL, &grant.hdr));
    assert_ok(hs_object_sign(HS_KIND_GRANT, &grant.base, signers, 1, &arena, &obj));
    assert_err(hs_object_sign(HS_KIND_GRANT, &grant.base, signers, 2, &arena, &obj), HS_ERR_INVALID_ARG);
    assert_err(hs_object_sign(HS_KIND_TICKET, &grant.base, signers, 1, &arena, &obj), HS_ERR_INVALID_ARG);
}

/* OBJECT-8: two signatures where the kind says so, in its order. */
static void two_signatures_are_ordered(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__BindPersona bind = HANSE__BIND_PERSONA__INIT, *opened;
    struct hs_hdr_spec spec = {0};
    assert_ok(hs_hdr_new(&arena, &alice.pub, now, &spec, NULL, &bind.hdr));
    const struct hs_signer *signers[2] = {&alice, &bob};
    Hanse__SignedObject *obj;
    assert_ok(hs_object_sign(HS_KIND_BIND_PERSONA, &bind.base, signers, 2, &arena, &obj));
    struct hs_key keys[2] = {alice.pub, bob.pub}, swapped[2] = {bob.pub, alice.pub};
    assert_ok(HS_OBJECT_OPEN(hanse__bind_persona, obj, HS_KIND_BIND_PERSONA, keys, 2, &arena, &opened));
    assert_err(HS_OBJECT_OPEN(hanse__bind_persona, obj, HS_KIND_BIND_PERSONA, swapped, 2, &arena, &opened),
               HS_ERR_WRONG_SIGNER);
    assert_err(HS_OBJECT_OPEN(hanse__bind_persona, obj, HS_KIND_BIND_PERSONA, keys, 1, &arena, &opened),
               HS_ERR_INVALID_ARG);
}

static void packs_and_copies(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__SignedObject *obj = make_grant(&arena), *back, *copy;
    struct hs_bytes bytes;
    assert_ok(hs_object_pack(obj, &arena, &bytes));
    assert_ok(hs_object_unpack(bytes, &arena, &back));
    assert_true(hs_object_equal(obj, back));
    assert_ok(open_grant(back, &alice.pub, &arena));
    assert_ok(hs_object_copy(obj, &arena, &copy));
    assert_true(hs_object_equal(obj, copy));
    assert_true(copy->payload.data != obj->payload.data);
    copy->payload.data[0] ^= 1;
    assert_false(hs_object_equal(obj, copy));
    for (size_t len = 1; len < bytes.len; len++)
        if (hs_object_unpack(hs_bytes(bytes.data, len), &arena, &back) == HS_OK)
            assert_true(open_grant(back, &alice.pub, &arena) != HS_OK);
    struct hs_arena HS_ARENA tiny = hs_arena(64);
    assert_err(hs_object_copy(obj, &tiny, &copy), HS_ERR_NOMEM);
    assert_err(hs_object_pack(obj, &tiny, &bytes), HS_ERR_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pae_is_dsse),
        cmocka_unit_test(id_is_of_type_and_payload),
        cmocka_unit_test(opens_what_was_signed),
        cmocka_unit_test(opening_is_strict),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(payload_is_unpacked_strictly),
        cmocka_unit_test(envelope_is_understood),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(signing_refuses_bad_arguments),
        cmocka_unit_test(two_signatures_are_ordered),
        cmocka_unit_test(packs_and_copies),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

/* Certificates, and the two-signature binding of personas. */
#include "identity/bind.h"
#include "schema/identity.pb-c.h"
#include "unit/identity/people.h"

static struct people p;

static int setup(void **state)
{
    (void)state;
    people_init(&p);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hs_arena_free(&p.arena);
    return 0;
}

/* IDENTITY-3 */
static void certificate_says_whose_device(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = certify(&p, &p.customer, &p.phone, at(-HOUR), at(HOUR));
    struct hs_certificate c;
    assert_ok(hs_certificate_verify(obj, now, &c));
    assert_true(hs_key_equal(&c.persona, &p.customer.pub));
    assert_true(hs_key_equal(&c.signature_key, &p.phone.signature.pub));
    assert_true(hs_key_equal(&c.transport_key, &p.phone.transport_pub));
    assert_int_equal(c.device_number, 1);
    assert_int_equal(c.not_after.ms, now.ms + HOUR);
}

/* IDENTITY-3: its window, to the millisecond. */
static void certificate_has_a_window(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = certify(&p, &p.customer, &p.phone, at(1000), at(HOUR));
    struct hs_certificate c;
    assert_err(hs_certificate_verify(obj, at(999), &c), HS_ERR_NOT_YET);
    assert_ok(hs_certificate_verify(obj, at(1000), &c));
    assert_ok(hs_certificate_verify(obj, at(HOUR - 1), &c));
    assert_err(hs_certificate_verify(obj, at(HOUR), &c), HS_ERR_EXPIRED);
    obj = certify(&p, &p.customer, &p.phone, at(-2 * HOUR), at(0 - now.ms));
    assert_ok(hs_certificate_verify(obj, at(-HS_CLOCK_SKEW_MS), &c));
    assert_err(hs_certificate_verify(obj, at(-HS_CLOCK_SKEW_MS - 1), &c), HS_ERR_NOT_YET);
    assert_ok(hs_certificate_verify(obj, at(1000 * HOUR), &c));
}

/* A certificate whose fields the builder would refuse, signed by signer. */
static Hanse__SignedObject *odd(const struct hs_signer *signer, const struct hs_key *issuer,
                                struct hs_bytes sign, struct hs_bytes transport, int64_t not_before)
{
    Hanse__DeviceCertificate msg = HANSE__DEVICE_CERTIFICATE__INIT;
    msg.signature_key = hs_pb_data(sign);
    msg.transport_key = hs_pb_data(transport);
    msg.not_before_ms = not_before;
    struct hs_author author = {.signer = signer, .issuer = *issuer, .now = now};
    Hanse__SignedObject *obj;
    assert_ok(hs_object_make(HS_KIND_DEVICE_CERTIFICATE, &msg.base, &author, &(struct hs_hdr_spec){0},
                             &p.arena, &obj));
    return obj;
}

/* IDENTITY-3: an issuer that didn't sign, keys of another length or outside the main subgroup. */
static void certificate_fields_are_checked(void **state)
{
    (void)state;
    struct hs_bytes sign = HS_VIEW(p.phone.signature.pub), transport = HS_VIEW(p.phone.transport_pub);
    struct hs_key low = {{1}};
    struct hs_certificate c;
    const struct hs_key *own = &p.customer.pub;
    assert_ok(hs_certificate_verify(odd(&p.customer, own, sign, transport, 0), now, &c));
    assert_err(hs_certificate_verify(odd(&p.customer, &p.shop.pub, sign, transport, 0), now, &c),
               HS_ERR_WRONG_SIGNER);
    sign.len = 31;
    assert_err(hs_certificate_verify(odd(&p.customer, own, sign, transport, 0), now, &c), HS_ERR_MALFORMED);
    sign.len = 32;
    transport.len = 0;
    assert_err(hs_certificate_verify(odd(&p.customer, own, sign, transport, 0), now, &c), HS_ERR_MALFORMED);
    transport.len = 32;
    assert_err(hs_certificate_verify(odd(&p.customer, own, sign, transport, -1), now, &c), HS_ERR_MALFORMED);
    assert_err(hs_certificate_verify(odd(&p.customer, own, HS_VIEW(low), transport, 0), now, &c),
               HS_ERR_BAD_KEY);
    struct hs_certificate bad = {.signature_key = low};
    Hanse__SignedObject *obj;
    assert_err(hs_certificate_build(&p.customer, &bad, now, &p.arena, &obj), HS_ERR_BAD_KEY);
    assert_err(hs_certificate_verify(grant(&p, &p.root, own, HANSE__ROLE__ROLE_TILL, now, at(HOUR)), now, &c),
               HS_ERR_UNEXPECTED);
}

/* IDENTITY-8: BindPersona wants both keys, the right account and the right home. */
static void binding_wants_both_keys(void **state)
{
    (void)state;
    struct hs_key home = p.root.pub, brand = p.other_root.pub;
    struct hs_signer known = signer_of(40);
    Hanse__SignedObject *obj;
    struct hs_bind b;
    assert_ok(hs_bind_build(&p.customer, &known, &home, &brand, now, at(HOUR), &p.arena, &obj));
    assert_ok(hs_bind_verify(obj, &p.customer.pub, &home, now, &b));
    assert_true(hs_key_equal(&b.persona, &known.pub));
    assert_true(hs_key_equal(&b.brand_root, &brand));
    assert_true(hs_key_equal(&b.account, &p.customer.pub));
    assert_err(hs_bind_verify(obj, &p.shop.pub, &home, now, &b), HS_ERR_WRONG_SIGNER);
    assert_err(hs_bind_verify(obj, &p.customer.pub, &brand, now, &b), HS_ERR_WRONG_PEER);
    assert_err(hs_bind_verify(obj, &p.customer.pub, &home, at(HOUR), &b), HS_ERR_EXPIRED);
    obj->n_signatures = 1;
    assert_err(hs_bind_verify(obj, &p.customer.pub, &home, now, &b), HS_ERR_WRONG_SIGNER);
    obj->n_signatures = 2;
    obj->signatures[1]->sig.data[0] ^= 1;
    assert_err(hs_bind_verify(obj, &p.customer.pub, &home, now, &b), HS_ERR_BAD_SIGNATURE);
}

/* IDENTITY-8: the second signature must be the very persona's that is named. */
static void binding_names_who_signed(void **state)
{
    (void)state;
    struct hs_signer known = signer_of(40), mallory = signer_of(41);
    Hanse__BindPersona msg = HANSE__BIND_PERSONA__INIT;
    struct hs_hdr_spec spec = {.audience = HS_VIEW(p.root.pub)};
    assert_ok(hs_hdr_new(&p.arena, &p.customer.pub, now, &spec, NULL, &msg.hdr));
    msg.persona_key = hs_pb_data(HS_VIEW(known.pub));
    msg.brand_root = hs_pb_data(HS_VIEW(p.other_root.pub));
    const struct hs_signer *signers[2] = {&p.customer, &mallory};
    Hanse__SignedObject *obj;
    struct hs_bind b;
    assert_ok(hs_object_sign(HS_KIND_BIND_PERSONA, &msg.base, signers, 2, &p.arena, &obj));
    assert_err(hs_bind_verify(obj, &p.customer.pub, &p.root.pub, now, &b), HS_ERR_WRONG_SIGNER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_says_whose_device),  cmocka_unit_test(certificate_has_a_window),
        cmocka_unit_test(certificate_fields_are_checked), cmocka_unit_test(binding_wants_both_keys),
        cmocka_unit_test(binding_names_who_signed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

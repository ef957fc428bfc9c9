#include "identity/auth.h"
#include "unit/identity/people.h"

#include <string.h>

static struct people p;
static const uint8_t hash[64] = "the hash of a handshake, which both sides have and nobody else..";

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

/* IDENTITY-11 */
static void device_proves_its_key(void **state)
{
    (void)state;
    Hanse__SignedObject *certificate = certify(&p, &p.customer, &p.phone, now, at(HOUR));
    struct hs_bytes h = hs_bytes(hash, sizeof hash);
    struct hs_sig sig;
    hs_auth_sign(&p.phone.signature, h, &sig);
    struct hs_certificate c;
    const struct hs_key *remote = &p.phone.transport_pub;
    assert_ok(hs_auth_verify_device(certificate, HS_VIEW(sig), h, remote, now, &c));
    assert_true(hs_key_equal(&c.persona, &p.customer.pub));
    assert_err(hs_auth_verify_device(certificate, HS_VIEW(sig), h, &p.till.transport_pub, now, &c),
               HS_ERR_WRONG_PEER);
    assert_err(hs_auth_verify_device(certificate, HS_VIEW(sig), h, remote, at(HOUR), &c), HS_ERR_EXPIRED);
    uint8_t other[64];
    memcpy(other, hash, sizeof other);
    other[63] ^= 1;
    assert_err(hs_auth_verify_device(certificate, HS_VIEW(sig), hs_bytes(other, 64), remote, now, &c),
               HS_ERR_BAD_SIGNATURE);
    assert_err(hs_auth_verify_device(certificate, hs_bytes(sig.b, 63), h, remote, now, &c),
               HS_ERR_BAD_SIGNATURE);
    hs_auth_sign(&p.customer, h, &sig);
    assert_err(hs_auth_verify_device(certificate, HS_VIEW(sig), h, remote, now, &c), HS_ERR_BAD_SIGNATURE);
}

/* IDENTITY-11: the bytes that are signed. */
static void signature_is_over_label_and_hash(void **state)
{
    (void)state;
    uint8_t message[14 + 32];
    memcpy(message, "hanse-auth-v1", 14);
    memcpy(message + 14, hash, 32);
    struct hs_sig sig;
    hs_auth_sign(&p.node, hs_bytes(hash, 32), &sig);
    assert_ok(hs_verify(&p.node.pub, hs_bytes(message, sizeof message), HS_VIEW(sig)));
}

/* IDENTITY-11: a node is its root. */
static void node_proves_its_key(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = describe(&p, &p.root);
    struct hs_bytes h = hs_bytes(hash, sizeof hash);
    struct hs_sig sig;
    hs_auth_sign(&p.node, h, &sig);
    struct hs_descriptor d;
    const struct hs_key *remote = &p.till.transport_pub;
    assert_ok(hs_auth_verify_node(obj, NULL, HS_VIEW(sig), h, remote, now, &d));
    assert_true(hs_key_equal(&d.root, &p.root.pub));
    assert_ok(hs_auth_verify_node(obj, &p.root.pub, HS_VIEW(sig), h, remote, now, &d));
    assert_err(hs_auth_verify_node(obj, &p.other_root.pub, HS_VIEW(sig), h, remote, now, &d),
               HS_ERR_WRONG_SIGNER);
    assert_err(hs_auth_verify_node(obj, NULL, HS_VIEW(sig), h, &p.phone.transport_pub, now, &d),
               HS_ERR_WRONG_PEER);
    hs_auth_sign(&p.root, h, &sig);
    assert_err(hs_auth_verify_node(obj, NULL, HS_VIEW(sig), h, remote, now, &d), HS_ERR_BAD_SIGNATURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_proves_its_key),
        cmocka_unit_test(signature_is_over_label_and_hash),
        cmocka_unit_test(node_proves_its_key),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

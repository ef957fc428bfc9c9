#include "identity/derive.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/selftest.h"
#include "support/test.h"

#include <string.h>

/* IDENTITY-1: HKDF-SHA256(seed, "hanse-persona-v1" || root), checked against the two steps written out. */
static void persona_is_hkdf_of_seed_and_root(void **state)
{
    (void)state;
    struct hs_secret32 seed = {{1, 2, 3}};
    struct hs_key root = {{9, 8, 7}};
    struct hs_signer persona, want;
    hs_persona_derive(&seed, &root, &persona);

    uint8_t salt[32] = {0}, prk[32], message[16 + 32 + 1];
    memcpy(message, "hanse-persona-v1", 16);
    memcpy(message + 16, root.b, 32);
    message[48] = 1;
    hs_hmac(hs_bytes(salt, sizeof salt), HS_VIEW(seed), prk);
    struct hs_secret32 okm;
    hs_hmac(hs_bytes(prk, sizeof prk), hs_bytes(message, sizeof message), okm.b);
    hs_signer_init(&want, &okm);
    assert_bytes(HS_VIEW(persona.pub), HS_VIEW(want.pub));
}

/* IDENTITY-1: another brand or another seed gives another key; the same ones the same. */
static void personas_are_unlinkable_by_key(void **state)
{
    (void)state;
    struct hs_secret32 seed = {{1}}, other_seed = {{2}};
    struct hs_key root = {{3}}, other_root = {{4}};
    struct hs_signer a, again, b, c;
    hs_persona_derive(&seed, &root, &a);
    hs_persona_derive(&seed, &root, &again);
    hs_persona_derive(&seed, &other_root, &b);
    hs_persona_derive(&other_seed, &root, &c);
    assert_true(hs_key_equal(&a.pub, &again.pub));
    assert_false(hs_key_equal(&a.pub, &b.pub));
    assert_false(hs_key_equal(&a.pub, &c.pub));
    assert_ok(hs_sign_key_check(&a.pub));
}

/* IDENTITY-2 */
static void device_keys_differ_by_persona_and_use(void **state)
{
    (void)state;
    struct hs_secret32 secret = {{5}};
    struct hs_key one = {{6}}, two = {{7}};
    struct hs_device_keys HS_DEVICE_KEYS a = {0}, HS_DEVICE_KEYS b = {0}, HS_DEVICE_KEYS again = {0};
    hs_device_keys_derive(&secret, &one, &a);
    hs_device_keys_derive(&secret, &two, &b);
    hs_device_keys_derive(&secret, &one, &again);
    assert_true(hs_key_equal(&a.signature.pub, &again.signature.pub));
    assert_true(hs_key_equal(&a.transport_pub, &again.transport_pub));
    assert_false(hs_key_equal(&a.signature.pub, &b.signature.pub));
    assert_false(hs_key_equal(&a.transport_pub, &b.transport_pub));
    struct hs_secret32 HS_SECRET seed = {0};
    hs_signer_seed(&a.signature, &seed);
    assert_false(hs_secret_equal(HS_VIEW(seed), HS_VIEW(a.transport)));
    struct hs_device_keys zero = {0};
    hs_device_keys_wipe(&again);
    assert_memory_equal(&again, &zero, sizeof zero);
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(persona_is_hkdf_of_seed_and_root),
        cmocka_unit_test(personas_are_unlinkable_by_key),
        cmocka_unit_test(device_keys_differ_by_persona_and_use),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

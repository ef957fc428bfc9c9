/* KeyPackages and leaves: made, checked, and what is refused. */
#include "unit/mls/world.h"

#include "crypto/dh.h"
#include "mls/key_package_check.h"
#include "mls/leaf.h"
#include "mls/suite.h"

#include <stdlib.h>

/* MLS-11 */
static void facts(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package_facts f;
    person_init(&p, "alice");
    const struct hs_mls_extension extension = {.type = 0xF0F0, .data = hs_bytes_str("app")};
    struct hs_mls_leaf_params params = person_params(&p);
    params.not_before = NOW - 5;
    params.not_after = NOW + 5;
    params.extensions = &extension;
    params.extension_count = 1;
    hs_writer_reset(&p.key_package);
    assert_ok(hs_mls_key_package_new(&params, &p.key_package, &p.priv));
    struct hs_bytes message = hs_writer_bytes(&p.key_package), data;
    assert_ok(hs_mls_key_package_check(message, NOW, &f));
    assert_bytes(f.identity, hs_bytes_str("alice"));
    assert_memory_equal(f.signature_key.b, p.signer.pub.b, 32);
    assert_true(hs_mls_extension_find(f.extensions, 0xF0F0, &data));
    assert_bytes(data, hs_bytes_str("app"));
    assert_false(hs_mls_extension_find(f.extensions, 0xF0F1, &data));
    /* the lifetime, both ends included */
    assert_ok(hs_mls_key_package_check(message, NOW - 5, &f));
    assert_ok(hs_mls_key_package_check(message, NOW + 5, &f));
    assert_err(hs_mls_key_package_check(message, NOW - 6, &f), HS_ERR_MLS_KEY_PACKAGE);
    assert_err(hs_mls_key_package_check(message, NOW + 6, &f), HS_ERR_MLS_KEY_PACKAGE);
}

/* Default types are known to all and never listed (RFC 9420, 7.2); each type is listed once. MLS-5 */
static void capabilities(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package kp;
    person_init(&p, "alice");
    const struct hs_mls_extension extension = {.type = HS_MLS_EXT_APPLICATION_ID, .data = hs_bytes_str("id")};
    const uint16_t types[] = {3, 0xF4A1, 0xF4A1, 0x0A0A}, credentials[] = {HS_MLS_X509, HS_MLS_BASIC};
    struct hs_mls_leaf_params params = person_params(&p);
    params.extensions = &extension;
    params.extension_count = 1;
    params.extension_types = types;
    params.extension_type_count = 4;
    params.credential_types = credentials;
    params.credential_type_count = 2;
    hs_writer_reset(&p.key_package);
    assert_ok(hs_mls_key_package_new(&params, &p.key_package, &p.priv));
    assert_ok(hs_mls_key_package_read(hs_writer_bytes(&p.key_package), &kp));
    assert_bytes(kp.leaf.capabilities.extensions, hs_bytes("\xF4\xA1\x0A\x0A", 4));
    assert_bytes(kp.leaf.capabilities.credentials, hs_bytes("\0\1\0\2", 4));
    assert_bytes(kp.leaf.capabilities.proposals, (struct hs_bytes){0});
    struct hs_mls_key_package_facts f;
    assert_ok(hs_mls_key_package_check(hs_writer_bytes(&p.key_package), NOW, &f));
}

/* MLS-2 */
static void bad_params(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    person_init(&p, "alice");
    static uint8_t identity[HS_MLS_MAX_IDENTITY + 1];
    static uint16_t types[HS_MLS_MAX_EXTENSIONS + 1];
    const struct hs_mls_extension twice[] = {{.type = 0xF001}, {.type = 0xF001}};
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_leaf_params params = person_params(&p);
    params.identity = hs_bytes(identity, sizeof identity);
    assert_err(hs_mls_key_package_new(&params, &w, &p.priv), HS_ERR_INVALID_ARG);
    params.identity.len--;
    assert_ok(hs_mls_key_package_new(&params, &w, &p.priv));
    params = person_params(&p);
    params.not_before = params.not_after + 1;
    assert_err(hs_mls_key_package_new(&params, &w, &p.priv), HS_ERR_INVALID_ARG);
    params = person_params(&p);
    params.extension_types = types;
    params.extension_type_count = HS_MLS_MAX_EXTENSIONS + 1;
    assert_err(hs_mls_key_package_new(&params, &w, &p.priv), HS_ERR_INVALID_ARG);
    params.extension_type_count--;
    assert_ok(hs_mls_key_package_new(&params, &w, &p.priv));
    params = person_params(&p);
    params.extensions = twice;
    params.extension_count = 2;
    assert_err(hs_mls_key_package_new(&params, &w, &p.priv), HS_ERR_INVALID_ARG);
}

static void private_half(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package_private priv;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    person_init(&p, "alice");
    hs_mls_key_package_private_save(&p.priv, &w);
    assert_int_equal(w.len, HS_MLS_KEY_PACKAGE_PRIVATE_LEN);
    assert_ok(hs_mls_key_package_private_load(hs_writer_bytes(&w), &priv));
    assert_memory_equal(&priv, &p.priv, sizeof priv);
    assert_err(hs_mls_key_package_private_load(hs_bytes(w.data, w.len - 1), &priv), HS_ERR_MALFORMED);
    w.data[0]++;
    assert_err(hs_mls_key_package_private_load(hs_writer_bytes(&w), &priv), HS_ERR_MALFORMED);
}

/* Re-signs a KeyPackage after it was bent, so that only the bend can be what is refused. */
static enum hs_err check_bent(struct person *p, struct hs_mls_key_package *kp)
{
    struct hs_sig leaf_sig, sig;
    struct hs_mls_key_package_facts f;
    struct hs_writer HS_WRITER leaf = hs_writer(CAP), HS_WRITER tbs = hs_writer(CAP),
                               HS_WRITER w = hs_writer(CAP);
    hs_mls_write_leaf_tbs(&leaf, &kp->leaf, (struct hs_bytes){0}, 0);
    assert_ok(hs_mls_sign(&p->signer, "LeafNodeTBS", hs_writer_bytes(&leaf), &leaf_sig));
    kp->leaf.signature = HS_VIEW(leaf_sig);
    hs_mls_write_key_package_tbs(&tbs, kp);
    assert_ok(hs_mls_sign(&p->signer, "KeyPackageTBS", hs_writer_bytes(&tbs), &sig));
    kp->signature = HS_VIEW(sig);
    hs_mls_write_head(&w, HS_MLS_KEY_PACKAGE);
    hs_mls_write_key_package(&w, kp);
    return hs_mls_key_package_check(hs_writer_bytes(&w), NOW, &f);
}

/* MLS-1, MLS-3, MLS-5, MLS-10 */
static void bent(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package good, kp;
    static const uint8_t low[32] = {1}, short_key[31] = {9};
    static uint8_t many[4 * (HS_MLS_MAX_EXTENSIONS + 1)], types[2 * (HS_MLS_MAX_CAPABILITIES + 1)];
    person_init(&p, "alice");
    assert_ok(hs_mls_key_package_read(hs_writer_bytes(&p.key_package), &good));
    kp = good;
    assert_ok(check_bent(&p, &kp));
    kp = good;
    kp.version = 2;
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_VERSION);
    kp = good;
    kp.suite = 1;
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_VERSION);
    kp = good;
    kp.init_key = kp.leaf.encryption_key;
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_KEY_PACKAGE);
    kp = good;
    kp.init_key = hs_bytes(low, sizeof low);
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_KEY_PACKAGE);
    kp = good;
    kp.leaf.encryption_key = hs_bytes(low, sizeof low);
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_LEAF);
    kp = good;
    kp.leaf.encryption_key = hs_bytes(short_key, sizeof short_key);
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_LEAF);
    kp = good;
    kp.leaf.signature_key = hs_bytes(low, sizeof low); /* a point of low order */
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_LEAF);
    kp = good;
    kp.leaf.source = HS_MLS_LEAF_UPDATE;
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_KEY_PACKAGE);
    kp = good;
    kp.leaf.capabilities.credentials = hs_bytes("\0\2", 2); /* lacks its own credential's type */
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_LEAF);
    kp = good;
    kp.leaf.extensions = hs_bytes("\xF0\x01\0", 3); /* not in its capabilities */
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_LEAF);
    kp = good;
    kp.leaf.extensions = hs_bytes("\0\1\0\0\1\0", 6); /* twice the same type */
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_LEAF);
    kp = good;
    kp.extensions = hs_bytes("\0\1\0\0\1\0", 6);
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_KEY_PACKAGE);
    kp = good;
    kp.leaf.extensions = hs_bytes("\0\1\5", 3); /* cut short */
    assert_err(check_bent(&p, &kp), HS_ERR_MALFORMED);
    kp = good;
    for (size_t i = 0; i <= HS_MLS_MAX_EXTENSIONS; i++)
        many[3 * i + 1] = (uint8_t)(i + 10);
    kp.extensions = hs_bytes(many, 3 * HS_MLS_MAX_EXTENSIONS);
    assert_ok(check_bent(&p, &kp));
    kp.extensions.len += 3;
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_KEY_PACKAGE);
    kp = good;
    kp.leaf.capabilities.proposals = hs_bytes(types, 2 * HS_MLS_MAX_CAPABILITIES);
    assert_ok(check_bent(&p, &kp));
    kp.leaf.capabilities.proposals.len += 2;
    assert_err(check_bent(&p, &kp), HS_ERR_MLS_LEAF);
    kp = good;
    kp.leaf.credential_type = 7;
    assert_err(check_bent(&p, &kp), HS_ERR_MALFORMED);
}

/* Unknown capabilities (GREASE) are kept and do no harm. MLS-4 */
static void grease(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package kp;
    person_init(&p, "alice");
    assert_ok(hs_mls_key_package_read(hs_writer_bytes(&p.key_package), &kp));
    kp.leaf.capabilities.versions = hs_bytes("\0\1\x1A\x1A", 4);
    kp.leaf.capabilities.suites = hs_bytes("\0\3\x2A\x2A", 4);
    kp.leaf.capabilities.extensions = hs_bytes("\x3A\x3A", 2);
    kp.leaf.capabilities.proposals = hs_bytes("\x4A\x4A", 2);
    kp.leaf.capabilities.credentials = hs_bytes("\x5A\x5A\0\1", 4);
    kp.leaf.extensions = hs_bytes("\x3A\x3A\0", 3);
    kp.extensions = hs_bytes("\x6A\x6A\1x", 4);
    assert_ok(check_bent(&p, &kp));
}

/* Every X25519 key that hs_mls_hpke_key() refuses fails in HPKE too, and a good one passes. MLS-3 */
static void low_order(void **state)
{
    (void)state;
    static const char *const hex[] = {
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000080",
    };
    struct hs_secret32 priv, shared;
    struct hs_key key, out;
    hs_dh_keypair(&priv, &key);
    assert_ok(hs_mls_hpke_key(HS_VIEW(key), &out));
    for (size_t i = 0; i < sizeof hex / sizeof hex[0]; i++) {
        for (size_t j = 0; j < 32; j++) {
            char digits[3] = {hex[i][2 * j], hex[i][2 * j + 1], 0};
            key.b[j] = (uint8_t)strtoul(digits, NULL, 16);
        }
        assert_err(hs_mls_hpke_key(HS_VIEW(key), &out), HS_ERR_BAD_KEY);
        assert_err(hs_dh(&priv, &key, &shared), HS_ERR_BAD_KEY);
    }
}

/* What a group asks for in its context, a newcomer must know. MLS-15 */
static void required_capabilities(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) alice, HS_AUTO(person_free) bob;
    struct sent SENT s = sent_new();
    person_init(&alice, "alice");
    person_init(&bob, "bob");
    person_create(&alice, "policy");
    struct hs_mls_leaf_params params = person_params(&bob);
    params.extension_type_count = 0;
    hs_writer_reset(&bob.key_package);
    assert_ok(hs_mls_key_package_new(&params, &bob.key_package, &bob.priv));
    struct hs_bytes add = hs_writer_bytes(&bob.key_package);
    const struct hs_mls_commit_request request = {.adds = &add, .add_count = 1};
    assert_err(person_try_commit(&alice, &request, &s), HS_ERR_MLS_LEAF);
    const struct hs_mls_extension asks[] = {
        {.type = ROOM_POLICY, .data = hs_bytes_str("p")},
        {.type = HS_MLS_EXT_REQUIRED_CAPABILITIES, .data = hs_bytes("\2\xF4\xA1\2\0\1\2\0\1", 9)},
    };
    const struct hs_mls_commit_request good = {
        .set_extensions = true, .extensions = asks, .extension_count = 2};
    assert_ok(person_try_commit(&alice, &good, &s));
    hs_mls_group_drop(alice.group);
    static const char *const bad[] = {"\2\xF4\xA2\0\0", "\0\2\0\x99\0", "\0\0\2\0\2", "\0\0", "\1\0\0\0"};
    static const size_t bad_len[] = {5, 5, 5, 2, 4};
    for (size_t i = 0; i < 5; i++) {
        const struct hs_mls_extension ask = {.type = HS_MLS_EXT_REQUIRED_CAPABILITIES,
                                             .data = hs_bytes(bad[i], bad_len[i])};
        const struct hs_mls_commit_request r = {
            .set_extensions = true, .extensions = &ask, .extension_count = 1};
        assert_err(person_try_commit(&alice, &r, &s), i < 3 ? HS_ERR_MLS_LEAF : HS_ERR_MALFORMED);
    }
}

/* MLS-10 */
static void create_limits(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    static uint8_t id[HS_MLS_MAX_GROUP_ID + 1];
    person_init(&p, "alice");
    struct hs_mls_create create = {.leaf = person_params(&p),
                                   .group_id = hs_bytes(id, sizeof id),
                                   .settings = hs_mls_settings_default()};
    assert_err(hs_mls_group_create(&create, &p.group), HS_ERR_INVALID_ARG);
    create.group_id.len = 0;
    assert_err(hs_mls_group_create(&create, &p.group), HS_ERR_INVALID_ARG);
    create.group_id.len = HS_MLS_MAX_GROUP_ID;
    const struct hs_mls_settings most = {HS_MLS_MAX_OUT_OF_ORDER, HS_MLS_MAX_FORWARD, HS_MLS_MAX_PAST_EPOCHS};
    create.settings = most;
    assert_ok(hs_mls_group_create(&create, &p.group));
    hs_mls_group_free_at(&p.group);
    create.settings.out_of_order++;
    assert_err(hs_mls_group_create(&create, &p.group), HS_ERR_INVALID_ARG);
    create.settings = most;
    create.settings.forward++;
    assert_err(hs_mls_group_create(&create, &p.group), HS_ERR_INVALID_ARG);
    create.settings = most;
    create.settings.past_epochs++;
    assert_err(hs_mls_group_create(&create, &p.group), HS_ERR_INVALID_ARG);
    create.settings = most;
    const struct hs_mls_extension unknown = {.type = 0xABCD};
    create.extensions = &unknown;
    create.extension_count = 1;
    assert_err(hs_mls_group_create(&create, &p.group), HS_ERR_MLS_LEAF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts),     cmocka_unit_test(capabilities),          cmocka_unit_test(bad_params),
        cmocka_unit_test(bent),      cmocka_unit_test(private_half),          cmocka_unit_test(grease),
        cmocka_unit_test(low_order), cmocka_unit_test(required_capabilities), cmocka_unit_test(create_limits),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

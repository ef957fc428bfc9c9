/* Leaves: what they list, and what is refused. */
#include "unit/mls/bent.h"

/* Default types are known to all and never listed (RFC 9420, 7.2); each type is listed once. MLS-5 */
static void capabilities(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package kp;
    person_init(&p, "alice");
    const struct hs_mls_extension extension = {.type = HS_MLS_EXT_APPLICATION_ID, .data = hs_bytes_str("id")};
    const uint16_t types[] = {3, 0xF4A1, 0xF4A1, 0x0A0A}, credentials[] = {HS_MLS_X509, HS_MLS_BASIC},
                   proposals[] = {HS_MLS_ADD, 0xF002, HS_MLS_GROUP_CONTEXT_EXTENSIONS, 0xF002},
                   suites[] = {3, 1, 0x2A2A};
    struct hs_mls_leaf_params params = person_params(&p);
    params.extensions = &extension;
    params.extension_count = 1;
    params.extension_types = types;
    params.extension_type_count = 4;
    params.credential_types = credentials;
    params.credential_type_count = 2;
    params.proposal_types = proposals;
    params.proposal_type_count = 4;
    params.suites = suites;
    params.suite_count = 3;
    person_key_package_with(&p, &params, false);
    assert_ok(hs_mls_key_package_read(hs_writer_bytes(&p.key_package), &kp));
    assert_bytes(kp.leaf.capabilities.versions, hs_bytes("\0\1", 2));
    assert_bytes(kp.leaf.capabilities.suites, hs_bytes("\0\3\0\1\x2A\x2A", 6));
    assert_bytes(kp.leaf.capabilities.extensions, hs_bytes("\xF4\xA1\x0A\x0A", 4));
    assert_bytes(kp.leaf.capabilities.credentials, hs_bytes("\0\1\0\2", 4));
    assert_bytes(kp.leaf.capabilities.proposals, hs_bytes("\xF0\2", 2));
    struct hs_mls_key_package_facts f;
    assert_ok(hs_mls_key_package_check(hs_writer_bytes(&p.key_package), NOW, &f));
}

/* One more value in each list, of those that mean nothing (RFC 9420, 13.5). MLS-4 */
static void own_grease(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package kp;
    struct hs_mls_key_package_facts f;
    person_init(&p, "alice");
    struct hs_mls_leaf_params params = person_params(&p);
    params.grease = true;
    for (int i = 0; i < 20; i++) {
        person_key_package_with(&p, &params, false);
        assert_ok(hs_mls_key_package_check(hs_writer_bytes(&p.key_package), NOW, &f));
        assert_ok(hs_mls_key_package_read(hs_writer_bytes(&p.key_package), &kp));
        const struct hs_mls_capabilities *c = &kp.leaf.capabilities;
        const struct hs_bytes lists[] = {c->suites, c->extensions, c->proposals, c->credentials};
        for (size_t at = 0; at < 4; at++) {
            const uint8_t *last = lists[at].data + lists[at].len - 2;
            assert_int_equal(lists[at].len, at == 2 ? 2 : 4);
            assert_true(last[0] == last[1] && last[0] % 16 == 10 && last[0] < 0xFA);
        }
    }
}

/* A certificate list instead of an identity (RFC 9420, 5.3). */
static void x509(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package_facts f;
    person_init(&p, "alice");
    struct hs_mls_leaf_params params = person_params(&p);
    params.credential_type = HS_MLS_X509;
    params.identity = hs_bytes("\3abc\2de", 7);
    person_key_package_with(&p, &params, false);
    assert_ok(hs_mls_key_package_check(hs_writer_bytes(&p.key_package), NOW, &f));
    assert_int_equal(f.credential_type, HS_MLS_X509);
    assert_bytes(f.identity, params.identity);
    params.identity.len--; /* no list any more */
    hs_writer_reset(&p.key_package);
    assert_err(hs_mls_key_package_new(&params, false, &p.key_package, &p.priv), HS_ERR_INVALID_ARG);
    params.credential_type = 3;
    assert_err(hs_mls_key_package_new(&params, false, &p.key_package, &p.priv), HS_ERR_INVALID_ARG);
}

/* Each rule of RFC 9420, 7.3 that a leaf can break alone. MLS-1, MLS-3, MLS-5, MLS-10 */
static void leaf_rules(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    static const uint8_t low[32] = {1}, short_key[31] = {9};
    person_init(&p, "alice");
    const struct bent good = bent_new(&p);
    struct bent b = good;
    b.kp.leaf.encryption_key = hs_bytes(low, sizeof low);
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    b = good;
    b.kp.leaf.encryption_key = hs_bytes(short_key, sizeof short_key);
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    b = good;
    b.kp.leaf.signature_key = hs_bytes(short_key, sizeof short_key);
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    b = good;
    b.kp.leaf.signature_key = hs_bytes(low, sizeof low); /* a point of low order: nothing verifies with it */
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    for (enum hs_mls_leaf_source source = HS_MLS_LEAF_UPDATE; source <= HS_MLS_LEAF_COMMIT; source++) {
        b = good;
        b.kp.leaf.source = source;
        assert_err(check_bent(&b), HS_ERR_MLS_KEY_PACKAGE);
    }
    b = good;
    b.kp.leaf.source = 4;
    assert_err(check_bent(&b), HS_ERR_MALFORMED);
    b = good;
    b.kp.leaf.not_before = NOW + 1;
    assert_err(check_bent(&b), HS_ERR_MLS_KEY_PACKAGE);
    b = good;
    b.kp.leaf.not_after = NOW - 1;
    assert_err(check_bent(&b), HS_ERR_MLS_KEY_PACKAGE);
    b = good;
    b.kp.leaf.capabilities.credentials = hs_bytes("\0\2", 2); /* not its own credential's type */
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    b = good;
    b.kp.leaf.capabilities.versions = hs_bytes("\0\2", 2); /* not the version that it is used in */
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    b = good;
    b.kp.leaf.capabilities.suites = hs_bytes("\0\2", 2); /* nor the suite */
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    b = good;
    b.kp.leaf.extensions = hs_bytes("\xF0\x01\0", 3); /* not in its capabilities */
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    b = good;
    b.kp.leaf.extensions = hs_bytes("\0\1\0\0\1\0", 6); /* twice the same type */
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    b = good;
    b.kp.leaf.extensions = hs_bytes("\0\1\5", 3); /* cut short */
    assert_err(check_bent(&b), HS_ERR_MALFORMED);
    b = good;
    b.kp.leaf.capabilities.extensions = hs_bytes("\0", 1); /* half a type */
    assert_err(check_bent(&b), HS_ERR_MALFORMED);
    b = good;
    b.kp.leaf.credential_type = 7; /* nobody knows where it ends */
    assert_err(check_bent(&b), HS_ERR_UNSUPPORTED);
    b = good;
    b.kp.leaf.credential_type = HS_MLS_X509; /* "alice" is no list */
    assert_err(check_bent(&b), HS_ERR_MALFORMED);
}

/* Each limit, and one past it. MLS-2, MLS-10 */
static void limits(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    static uint8_t many[3 * (HS_MLS_MAX_EXTENSIONS + 1)], types[2 * (HS_MLS_MAX_CAPABILITIES + 1)],
        identity[HS_MLS_MAX_IDENTITY + 1];
    person_init(&p, "alice");
    const struct bent good = bent_new(&p);
    struct bent b = good;
    for (size_t i = 0; i <= HS_MLS_MAX_EXTENSIONS; i++)
        many[3 * i + 1] = (uint8_t)(i + 10);
    b.kp.extensions = hs_bytes(many, 3 * HS_MLS_MAX_EXTENSIONS);
    assert_ok(check_bent(&b));
    b.kp.extensions.len += 3;
    assert_err(check_bent(&b), HS_ERR_MLS_KEY_PACKAGE);
    b = good;
    struct hs_bytes *const lists[] = {&b.kp.leaf.capabilities.versions, &b.kp.leaf.capabilities.suites,
                                      &b.kp.leaf.capabilities.extensions, &b.kp.leaf.capabilities.proposals,
                                      &b.kp.leaf.capabilities.credentials};
    for (size_t i = 0; i < 5; i++) {
        b = good;
        memset(types, 0, sizeof types);
        memcpy(types, lists[i]->data, lists[i]->len);
        *lists[i] = hs_bytes(types, 2 * HS_MLS_MAX_CAPABILITIES);
        assert_ok(check_bent(&b));
        lists[i]->len += 2;
        assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    }
    b = good;
    b.kp.leaf.credential = hs_bytes(identity, HS_MLS_MAX_IDENTITY);
    assert_ok(check_bent(&b));
    b.kp.leaf.credential.len++;
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
}

/* Default types in the lists are against RFC 9420, 7.2, but some write them: read all the same. */
static void defaults_listed(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    person_init(&p, "alice");
    struct bent b = bent_new(&p);
    b.kp.leaf.capabilities.extensions = hs_bytes("\0\1\0\2\0\3\0\4\0\5", 10);
    b.kp.leaf.capabilities.proposals = hs_bytes("\0\1\0\2\0\3\0\4\0\5\0\6\0\7", 14);
    b.kp.leaf.extensions = hs_bytes("\0\1\2id", 5);
    assert_ok(check_bent(&b));
}

/* Unknown capabilities and extensions are kept and do no harm. MLS-4 */
static void grease(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    person_init(&p, "alice");
    struct bent b = bent_new(&p);
    b.kp.leaf.capabilities.versions = hs_bytes("\0\1\x1A\x1A", 4);
    b.kp.leaf.capabilities.suites = hs_bytes("\0\3\x2A\x2A", 4);
    b.kp.leaf.capabilities.extensions = hs_bytes("\x3A\x3A", 2);
    b.kp.leaf.capabilities.proposals = hs_bytes("\x4A\x4A", 2);
    b.kp.leaf.capabilities.credentials = hs_bytes("\x5A\x5A\0\1", 4);
    b.kp.leaf.extensions = hs_bytes("\x3A\x3A\0", 3);
    b.kp.extensions = hs_bytes("\x6A\x6A\1x", 4);
    assert_ok(check_bent(&b));
}

/* required_capabilities (RFC 9420, 7.3 and 11.1): each of the three lists. */
static void required(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    person_init(&p, "alice");
    struct bent b = bent_new(&p);
    assert_ok(hs_mls_key_package_verify(&hs_mls_suite_3, &b.kp, &leaf));
    static const struct {
        const char *list;
        size_t len;
        enum hs_err want;
    } rows[] = {
        {"\0\0\0", 3, HS_OK},
        {"\2\xF4\xA1\2\0\1\2\0\1", 9, HS_OK},
        {"\4\0\2\0\5\4\0\7\0\4\0", 11, HS_OK}, /* default types are everybody's */
        {"\2\xF4\xA2\0\0", 5, HS_ERR_MLS_LEAF},
        {"\0\2\0\x99\0", 5, HS_ERR_MLS_LEAF},
        {"\0\0\2\0\2", 5, HS_ERR_MLS_LEAF}, /* credential types have no default */
        {"\0\0", 2, HS_ERR_MALFORMED},
        {"\1\0\0\0", 4, HS_ERR_MALFORMED},
        {"\0\0\0\0", 4, HS_ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hs_writer HS_WRITER w = hs_writer(CAP);
        hs_mls_write_extension(&w, HS_MLS_EXT_REQUIRED_CAPABILITIES, hs_bytes(rows[i].list, rows[i].len));
        assert_err(hs_mls_leaf_supports(leaf, hs_writer_bytes(&w)), rows[i].want);
    }
    /* an extension of the group that the leaf doesn't list; one that it does */
    assert_err(hs_mls_leaf_supports(leaf, hs_bytes("\xF4\xA2\0", 3)), HS_ERR_MLS_LEAF);
    assert_ok(hs_mls_leaf_supports(leaf, hs_bytes("\xF4\xA1\0", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capabilities), cmocka_unit_test(own_grease), cmocka_unit_test(x509),
        cmocka_unit_test(leaf_rules),   cmocka_unit_test(limits),     cmocka_unit_test(defaults_listed),
        cmocka_unit_test(grease),       cmocka_unit_test(required),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

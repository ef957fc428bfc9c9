/* KeyPackages: made, checked, and what is refused. */
#include "unit/mls/bent.h"

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
    person_key_package_with(&p, &params, false);
    struct hs_bytes message = hs_writer_bytes(&p.key_package), data;
    assert_ok(hs_mls_key_package_check(message, NOW, &f));
    assert_bytes(f.identity, hs_bytes_str("alice"));
    assert_bytes(f.signature_key, HS_MLS_VIEW(p.signer.pub));
    assert_ptr_equal(f.suite, &hs_mls_suite_3);
    assert_int_equal(f.credential_type, HS_MLS_BASIC);
    assert_false(f.last_resort);
    assert_true(hs_mls_extension_find(f.extensions, 0xF0F0, &data));
    assert_bytes(data, hs_bytes_str("app"));
    assert_false(hs_mls_extension_find(f.extensions, 0xF0F1, &data));
    /* the lifetime, both ends included */
    assert_ok(hs_mls_key_package_check(message, NOW - 5, &f));
    assert_ok(hs_mls_key_package_check(message, NOW + 5, &f));
    assert_err(hs_mls_key_package_check(message, NOW - 6, &f), HS_ERR_MLS_KEY_PACKAGE);
    assert_err(hs_mls_key_package_check(message, NOW + 6, &f), HS_ERR_MLS_KEY_PACKAGE);
}

/* The extension that says so, and its type among the leaf's (RFC 9420, 10). MLS-11 */
static void last_resort(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package kp;
    struct hs_mls_key_package_facts f;
    person_init(&p, "alice");
    struct hs_mls_leaf_params params = person_params(&p);
    person_key_package_with(&p, &params, true);
    assert_ok(hs_mls_key_package_check(hs_writer_bytes(&p.key_package), NOW, &f));
    assert_true(f.last_resort);
    assert_ok(hs_mls_key_package_read(hs_writer_bytes(&p.key_package), &kp));
    assert_bytes(kp.extensions, hs_bytes("\0\12\0", 3));
    assert_bytes(kp.leaf.capabilities.extensions, hs_bytes("\xF4\xA1\0\12", 4));
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
    assert_err(hs_mls_key_package_new(&params, false, &w, &p.priv), HS_ERR_INVALID_ARG);
    params.identity.len--;
    assert_ok(hs_mls_key_package_new(&params, false, &w, &p.priv));
    params = person_params(&p);
    params.not_before = params.not_after + 1;
    assert_err(hs_mls_key_package_new(&params, false, &w, &p.priv), HS_ERR_INVALID_ARG);
    params = person_params(&p);
    params.extension_types = types;
    params.extension_type_count = HS_MLS_MAX_EXTENSIONS + 1;
    assert_err(hs_mls_key_package_new(&params, false, &w, &p.priv), HS_ERR_INVALID_ARG);
    params.extension_type_count--;
    assert_ok(hs_mls_key_package_new(&params, false, &w, &p.priv));
    params = person_params(&p);
    params.proposal_types = params.credential_types = params.suites = types;
    params.proposal_type_count = params.credential_type_count = params.suite_count = HS_MLS_MAX_EXTENSIONS;
    assert_ok(hs_mls_key_package_new(&params, false, &w, &p.priv));
    size_t *const counts[] = {&params.proposal_type_count, &params.credential_type_count,
                              &params.suite_count};
    for (size_t i = 0; i < 3; i++) {
        ++*counts[i];
        assert_err(hs_mls_key_package_new(&params, false, &w, &p.priv), HS_ERR_INVALID_ARG);
        --*counts[i];
    }
    params = person_params(&p);
    params.extensions = twice;
    params.extension_count = 2;
    assert_err(hs_mls_key_package_new(&params, false, &w, &p.priv), HS_ERR_INVALID_ARG);
}

static void private_half(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_KEY_PACKAGE_PRIVATE_MAX);
    person_init(&p, "alice");
    hs_mls_key_package_private_save(&p.priv, &w);
    assert_int_equal(w.len, 1 + 2 * 33);
    assert_ok(hs_mls_key_package_private_load(hs_writer_bytes(&w), &priv));
    assert_bytes(HS_MLS_VIEW(priv.init), HS_MLS_VIEW(p.priv.init));
    assert_bytes(HS_MLS_VIEW(priv.leaf), HS_MLS_VIEW(p.priv.leaf));
    for (size_t len = 0; len < w.len; len++)
        assert_err(hs_mls_key_package_private_load(hs_bytes(w.data, len), &priv), HS_ERR_MALFORMED);
    static const uint8_t nothing[sizeof priv];
    assert_memory_equal(&priv, nothing, sizeof priv);
    w.data[1] = HS_MLS_MAX_SECRET + 1;
    assert_err(hs_mls_key_package_private_load(hs_writer_bytes(&w), &priv), HS_ERR_MALFORMED);
    w.data[1] = 32;
    w.data[0]++;
    assert_err(hs_mls_key_package_private_load(hs_writer_bytes(&w), &priv), HS_ERR_MALFORMED);
    /* the longest that any suite has */
    struct hs_mls_key_package_private longest = {.init.len = HS_MLS_MAX_SECRET,
                                                 .leaf.len = HS_MLS_MAX_SECRET};
    hs_writer_reset(&w);
    hs_mls_key_package_private_save(&longest, &w);
    assert_int_equal(w.len, HS_MLS_KEY_PACKAGE_PRIVATE_MAX);
    assert_ok(hs_mls_key_package_private_load(hs_writer_bytes(&w), &priv));
    assert_int_equal(priv.leaf.len, HS_MLS_MAX_SECRET);
}

/* Each rule of RFC 9420, 10.1, broken by itself. MLS-1, MLS-3, MLS-5 */
static void key_package_rules(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    static const uint8_t low[32] = {1}, short_key[31] = {9};
    person_init(&p, "alice");
    const struct bent good = bent_new(&p);
    struct bent b = good;
    b.kp.version = 2;
    assert_err(check_bent(&b), HS_ERR_MLS_VERSION);
    b = good;
    b.kp.suite = 0xF003; /* none of this build */
    assert_err(check_bent(&b), HS_ERR_MLS_VERSION);
    b = good;
    b.kp.leaf.signature = hs_bytes(p.name, sizeof p.name);
    b.keep_leaf = true;
    assert_err(check_bent(&b), HS_ERR_MLS_LEAF);
    b = good;
    b.kp.signature = b.kp.leaf.signature;
    b.keep_whole = true;
    assert_err(check_bent(&b), HS_ERR_MLS_KEY_PACKAGE);
    b = good;
    b.kp.init_key = b.kp.leaf.encryption_key;
    assert_err(check_bent(&b), HS_ERR_MLS_KEY_PACKAGE);
    b = good;
    b.kp.init_key = hs_bytes(low, sizeof low); /* nobody can encrypt to it */
    assert_err(check_bent(&b), HS_ERR_MLS_KEY_PACKAGE);
    b = good;
    b.kp.init_key = hs_bytes(short_key, sizeof short_key);
    assert_err(check_bent(&b), HS_ERR_MLS_KEY_PACKAGE);
    b = good;
    b.kp.extensions = hs_bytes("\0\1\0\0\1\0", 6); /* a type twice */
    assert_err(check_bent(&b), HS_ERR_MLS_KEY_PACKAGE);
}

/* The KeyPackage's suite is the group's (RFC 9420, 10.1). */
static void other_suite(void **state)
{
    (void)state;
    struct person HS_AUTO(person_free) p;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    person_init(&p, "alice");
    struct bent b = bent_new(&p);
    struct hs_mls_suite other = hs_mls_suite_3;
    other.id = 0xF004;
    assert_err(hs_mls_key_package_verify(&other, &b.kp, &leaf), HS_ERR_MLS_VERSION);
    assert_ok(hs_mls_key_package_verify(&hs_mls_suite_3, &b.kp, &leaf));
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
    person_key_package_with(&bob, &params, false);
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
        assert_err(person_try_commit(&alice, &r, &s), i < 3 ? HS_ERR_MLS_LEAF : HS_ERR_MLS_PROPOSAL);
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
    const struct hs_mls_settings most = {.out_of_order = HS_MLS_MAX_OUT_OF_ORDER,
                                         .forward = HS_MLS_MAX_FORWARD,
                                         .past_epochs = HS_MLS_MAX_PAST_EPOCHS,
                                         .padding = HS_MLS_MAX_PADDING};
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
        cmocka_unit_test(facts),
        cmocka_unit_test(last_resort),
        cmocka_unit_test(bad_params),
        cmocka_unit_test(private_half),
        cmocka_unit_test(key_package_rules),
        cmocka_unit_test(other_suite),
        cmocka_unit_test(required_capabilities),
        cmocka_unit_test(create_limits),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

/* KeyPackages: made, checked, refused. */
#include "unit/mls_api/cast.h"

static void facts(void **state)
{
    const struct person *anna = *state;
    struct hanse_mls_key_package kp;
    struct hanse_mls_peek peek;
    assert_good(hanse_mls_key_package_check(hanse_mls_view(&anna->package), NOW, &kp));
    assert_int_equal(kp.suite, SUITE);
    assert_int_equal(kp.credential_type, HANSE_MLS_BASIC);
    assert_int_equal(kp.ref.len, 32);
    assert_false(kp.last_resort);
    assert_text(kp.identity, "Anna");
    assert_same(kp.signature_key, hanse_mls_signer_public(anna->signer));
    assert_int_equal(kp.not_before, 0);
    assert_int_equal(kp.not_after, 2 * NOW);
    assert_int_equal(kp.extensions.len, 0);
    assert_good(hanse_mls_message_peek(hanse_mls_view(&anna->package), &peek));
    assert_int_equal(peek.wire_format, HANSE_MLS_KEY_PACKAGE);
}

static void last_resort_and_extensions(void **state)
{
    const struct person *anna = *state;
    struct hanse_mls_leaf leaf = person_leaf(anna);
    const struct hanse_mls_extension id = {HANSE_MLS_EXT_APPLICATION_ID, hanse_mls_text("phone")};
    struct hanse_mls_key_package kp;
    struct hanse_mls_bytes data;
    BUF message = {0}, private_half = {0};
    leaf.credential_type = HANSE_MLS_X509;
    leaf.identity = hanse_mls_bytes("\x02\x01\x00", 3); /* a certificate list, encoded */
    leaf.extensions = &id;
    leaf.extension_count = 1;
    assert_good(hanse_mls_key_package_new(&leaf, true, &message, &private_half));
    assert_good(hanse_mls_key_package_check(hanse_mls_view(&message), NOW, &kp));
    assert_true(kp.last_resort);
    assert_int_equal(kp.credential_type, HANSE_MLS_X509);
    assert_true(hanse_mls_extension_find(kp.extensions, HANSE_MLS_EXT_APPLICATION_ID, &data));
    assert_text(data, "phone");
}

static void lifetime(void **state)
{
    const struct person *anna = *state;
    struct hanse_mls_bytes message = hanse_mls_view(&anna->package);
    struct hanse_mls_leaf leaf = person_leaf(anna);
    struct hanse_mls_key_package kp;
    BUF made = {0}, private_half = {0};
    assert_good(hanse_mls_key_package_check(message, 2 * NOW, &kp));
    assert_fault(hanse_mls_key_package_check(message, 2 * NOW + 1, &kp), HANSE_ERR_MLS_KEY_PACKAGE);
    assert_null(kp.identity.data);
    leaf.not_before = leaf.not_after + 1;
    assert_fault(hanse_mls_key_package_new(&leaf, false, &made, &private_half), HANSE_ERR_INVALID_ARG);
}

static void altered(void **state)
{
    struct person *anna = *state;
    struct hanse_mls_key_package kp;
    anna->package.data[anna->package.len - 1] ^= 1;
    assert_fault(hanse_mls_key_package_check(hanse_mls_view(&anna->package), NOW, &kp),
                 HANSE_ERR_MLS_KEY_PACKAGE);
    assert_fault(hanse_mls_key_package_check(nothing, NOW, &kp), HANSE_ERR_MALFORMED);
}

/* A private half that isn't one doesn't join. */
static void private_halves(void **state)
{
    struct person *anna = *state, ben;
    BUF welcome = {0};
    struct hanse_mls_group *group;
    person_init(&ben, "Ben");
    person_create(&ben, NULL);
    struct hanse_mls_bytes add = hanse_mls_view(&anna->package);
    const struct hanse_mls_commit request = {
        .size = sizeof request, .adds = &add, .add_count = 1, .tree_in_welcome = true};
    assert_good(hanse_mls_group_commit(ben.group, &request, NULL, &welcome, NULL));
    struct hanse_mls_join join = person_join(anna, &welcome);
    join.private_half.len--;
    assert_fault(hanse_mls_group_join(&join, &group), HANSE_ERR_MALFORMED);
    join.private_half = hanse_mls_view(&ben.private_half);
    assert_fault(hanse_mls_group_join(&join, &group), HANSE_ERR_INVALID_ARG);
    join = person_join(anna, &welcome);
    join.signer = NULL;
    assert_fault(hanse_mls_group_join(&join, &group), HANSE_ERR_INVALID_ARG);
    assert_null(group);
    join.signer = anna->signer;
    assert_good(hanse_mls_group_join(&join, &group));
    hanse_mls_group_free(group);
    person_free(&ben);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANNA_TEST(facts, anna_setup),          ANNA_TEST(last_resort_and_extensions, anna_setup),
        ANNA_TEST(lifetime, anna_setup),       ANNA_TEST(altered, anna_setup),
        ANNA_TEST(private_halves, anna_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

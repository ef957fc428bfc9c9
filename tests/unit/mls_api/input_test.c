/* Structs that begin with their size: what an older and a newer program hand in. */
#include "unit/mls_api/cast.h"

static enum hanse_err make(const struct hanse_mls_leaf *leaf)
{
    BUF message = {0}, private_half = {0};
    enum hanse_err err = hanse_mls_key_package_new(leaf, false, &message, &private_half);
    if (err != HANSE_OK) {
        assert_null(message.data);
        assert_null(private_half.data);
    }
    return err;
}

static void wrong_sizes(void **state)
{
    struct hanse_mls_leaf leaf = person_leaf(*state);
    assert_good(make(&leaf));
    const size_t wrong[] = {0, 8, sizeof leaf - 1, 4097, SIZE_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        leaf.size = wrong[i];
        assert_fault(make(&leaf), HANSE_ERR_INVALID_ARG);
    }
    assert_fault(make(NULL), HANSE_ERR_INVALID_ARG);
}

/* A newer program's struct is longer: fine as long as it asks for nothing new. */
static void newer_programs(void **state)
{
    struct {
        struct hanse_mls_leaf leaf;
        uint8_t more[64];
    } newer = {.leaf = person_leaf(*state)};
    newer.leaf.size = sizeof newer;
    assert_good(make(&newer.leaf));
    newer.more[63] = 1;
    assert_fault(make(&newer.leaf), HANSE_ERR_UNSUPPORTED);
}

static void nobody_signs(void **state)
{
    struct hanse_mls_leaf leaf = person_leaf(*state);
    struct hanse_mls_create create = {
        .size = sizeof create, .leaf = &leaf, .group_id = hanse_mls_text("club")};
    struct hanse_mls_group *group;
    leaf.signer = NULL;
    assert_fault(make(&leaf), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_group_create(&create, &group), HANSE_ERR_INVALID_ARG);
    assert_null(group);
    create.leaf = NULL;
    assert_fault(hanse_mls_group_create(&create, &group), HANSE_ERR_INVALID_ARG);
}

static void every_struct_is_checked(void **state)
{
    struct person *anna = *state;
    struct hanse_mls_group *group;
    struct hanse_mls_public *pub;
    BUF buf = {0};
    const struct hanse_mls_create create = {0};
    const struct hanse_mls_join join = {0};
    const struct hanse_mls_external_join external = {0};
    const struct hanse_mls_successor successor = {0};
    const struct hanse_mls_commit commit = {0};
    const struct hanse_mls_propose propose = {0}, good = {.size = sizeof good};
    const struct hanse_mls_outsider outsider = {0}, nobody = {.size = sizeof nobody};
    const struct hanse_mls_store store = {0}, hollow = {.size = sizeof hollow};
    const struct hanse_mls_signer *signer = anna->signer;
    person_create(anna, NULL);
    assert_fault(hanse_mls_group_create(&create, &group), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_group_join(&join, &group), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_group_join_external(&external, &buf, NULL, &group), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_group_succeed(&successor, &buf, &group), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_group_commit(anna->group, &commit, &buf, NULL, NULL), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_group_propose(anna->group, &propose, &buf), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_outsider_propose(&outsider, &good, &buf), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_outsider_propose(&nobody, &good, &buf), HANSE_ERR_INVALID_ARG);
    for (int i = 0; i < 2; i++) {
        const struct hanse_mls_store *bad = i == 0 ? &store : &hollow;
        assert_fault(hanse_mls_group_save(anna->group, bad), HANSE_ERR_INVALID_ARG);
        assert_fault(hanse_mls_group_load(bad, &signer, 1, &group), HANSE_ERR_INVALID_ARG);
        assert_fault(hanse_mls_public_load(bad, &pub), HANSE_ERR_INVALID_ARG);
    }
    assert_null(group);
    assert_null(pub);
    assert_null(buf.data);
}

static void settings(void **state)
{
    struct person *anna = *state;
    struct hanse_mls_settings given;
    hanse_mls_settings_init(&given);
    assert_int_equal(given.size, sizeof given);
    assert_int_equal(given.out_of_order, 32);
    assert_int_equal(given.forward, 2000);
    assert_int_equal(given.past_epochs, 5);
    assert_int_equal(given.past_seconds, 0);
    assert_false(given.private_handshakes || given.settling);
    assert_int_equal(given.padding, 0);

    struct hanse_mls_leaf leaf = person_leaf(anna);
    struct hanse_mls_create create = {
        .size = sizeof create, .leaf = &leaf, .group_id = hanse_mls_text("club"), .settings = &given};
    struct hanse_mls_group *group;
    given.past_epochs = HANSE_MLS_MAX_PAST_EPOCHS;
    assert_good(hanse_mls_group_create(&create, &group));
    hanse_mls_group_free(group);
    given.past_epochs++;
    assert_fault(hanse_mls_group_create(&create, &group), HANSE_ERR_INVALID_ARG);
    given.size = 0;
    assert_fault(hanse_mls_group_create(&create, &group), HANSE_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANNA_TEST(wrong_sizes, anna_setup),  ANNA_TEST(newer_programs, anna_setup),
        ANNA_TEST(nobody_signs, anna_setup), ANNA_TEST(every_struct_is_checked, anna_setup),
        ANNA_TEST(settings, anna_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

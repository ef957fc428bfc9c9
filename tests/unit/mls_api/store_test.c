/* The store of the caller's: what is asked of it, and what its failures do. */
#include "unit/mls_api/cast.h"

static void a_life_with_restarts(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_commit request = {.size = sizeof request};
    BUF commit = {0}, post = {0};
    person_save(&c->ben);
    person_load(&c->ben);
    assert_agree(&c->anna, &c->ben);
    for (int i = 0; i < 4; i++) {
        assert_good(hanse_mls_group_commit(c->ben.group, &request, &commit, NULL, NULL));
        person_save(&c->ben);
        person_load(&c->ben);
        assert_same(hanse_mls_group_pending(c->ben.group), hanse_mls_view(&commit));
        assert_good(hanse_mls_group_accept(c->ben.group));
        person_save(&c->ben);
        person_load(&c->ben);
        person_merges(&c->anna, &commit);
        hanse_mls_buf_free(&commit);
        assert_agree(&c->anna, &c->ben);
        assert_good(hanse_mls_group_protect(c->anna.group, hanse_mls_text("x"), nothing, 0, &post));
        EVENT *event = person_gets(&c->ben, &post);
        assert_text(event->plaintext, "x");
        hanse_mls_buf_free(&post);
    }
}

static void nothing_there(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_store store = shelf_store(c->ben.shelf);
    const struct hanse_mls_signer *signers[] = {c->anna.signer, c->ben.signer};
    struct hanse_mls_group *group;
    struct hanse_mls_public *pub;
    assert_fault(hanse_mls_group_load(&store, signers, 2, &group), HANSE_ERR_NOT_FOUND);
    assert_fault(hanse_mls_public_load(&store, &pub), HANSE_ERR_NOT_FOUND);
    assert_null(pub);
    person_save(&c->ben);
    assert_fault(hanse_mls_group_load(&store, signers, 1, &group), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_group_load(&store, NULL, 0, &group), HANSE_ERR_INVALID_ARG);
    assert_null(group);
    assert_good(hanse_mls_group_load(&store, signers, 2, &group));
    hanse_mls_group_free(group);
}

/* Whichever call fails, the save says so, with the store's own error. The transaction is rolled back, and the
 * group that is loaded again is the one from before. */
static void failing_saves(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_commit request = {.size = sizeof request};
    enum hanse_err err = HANSE_ERR_IO;
    size_t fails_at = 0;
    person_save(&c->ben);
    while (err != HANSE_OK && fails_at < 1000) {
        struct shelf *before = shelf_copy(c->ben.shelf);
        struct hanse_mls_store store = shelf_store(c->ben.shelf);
        BUF commit = {0};
        person_commits(&c->ben, &request, &commit, NULL);
        c->ben.shelf->calls = 0;
        c->ben.shelf->fails_at = ++fails_at;
        err = hanse_mls_group_save(c->ben.group, &store);
        assert_true(err == HANSE_OK || err == HANSE_ERR_IO);
        hanse_mls_group_free(c->ben.group);
        c->ben.group = NULL;
        shelf_free(c->ben.shelf);
        c->ben.shelf = before;
        person_load(&c->ben);
        assert_agree(&c->anna, &c->ben);
    }
    assert_in_range(fails_at, 2, 999);
}

static void failing_loads(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_store store = shelf_store(c->ben.shelf);
    const struct hanse_mls_signer *signer = c->ben.signer;
    struct hanse_mls_group *group;
    size_t fails_at = 0;
    enum hanse_err err;
    person_save(&c->ben);
    do {
        c->ben.shelf->calls = 0;
        c->ben.shelf->fails_at = ++fails_at;
        err = hanse_mls_group_load(&store, &signer, 1, &group);
        assert_true(err == HANSE_OK ? group != NULL : err == HANSE_ERR_IO && group == NULL);
    } while (err != HANSE_OK && fails_at < 1000);
    assert_in_range(fails_at, 2, 999);
    hanse_mls_group_free(group);
}

static uint32_t members_listed(const struct hanse_mls_public *pub)
{
    struct hanse_mls_member member;
    uint32_t count = 0;
    for (uint32_t leaf = 0; hanse_mls_public_member_next(pub, &leaf, &member);)
        count++;
    return count;
}

/* A list of members that the store couldn't give in full isn't taken for a whole one. */
static void failing_lists(void **state)
{
    struct cast *c = *state;
    size_t fails_at = 0, failed = 0;
    person_save(&c->ben);
    for (enum hanse_err err = HANSE_ERR_IO; err != HANSE_OK; failed += err != HANSE_OK) {
        person_load(&c->ben);
        const struct hanse_mls_public *pub = hanse_mls_group_public(c->ben.group);
        assert_good(hanse_mls_public_error(pub));
        c->ben.shelf->calls = 0;
        c->ben.shelf->fails_at = ++fails_at;
        assert_true(fails_at < 100);
        uint32_t listed = members_listed(pub);
        c->ben.shelf->fails_at = 0;
        err = hanse_mls_public_error(pub);
        assert_true(err == HANSE_OK ? listed == 2 : err == HANSE_ERR_IO && listed < 2);
    }
    assert_true(failed > 0);
    assert_int_equal(c->ben.shelf->calls, fails_at - 1);
}

/* Another way to the same records, as in another transaction: the former one isn't touched any more. */
static void read_from_elsewhere(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_store store = shelf_store(c->ben.shelf);
    assert_fault(hanse_mls_group_read_from(c->ben.group, &store), HANSE_ERR_INVALID_ARG);
    person_save(&c->ben);
    person_load(&c->ben);
    struct shelf *copy = shelf_copy(c->ben.shelf);
    struct hanse_mls_store other = shelf_store(copy);
    assert_good(hanse_mls_group_read_from(c->ben.group, &other));
    size_t calls = c->ben.shelf->calls;
    const struct hanse_mls_commit request = {.size = sizeof request};
    BUF commit = {0};
    person_commits(&c->ben, &request, &commit, NULL);
    assert_good(hanse_mls_group_save(c->ben.group, &other));
    assert_int_equal(c->ben.shelf->calls, calls);
    person_merges(&c->anna, &commit);
    assert_agree(&c->anna, &c->ben);
    hanse_mls_group_free(c->ben.group);
    c->ben.group = NULL;
    shelf_free(copy);
}

/* A pending commit with a new signature key: both keys are asked for. */
static void two_signers(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_store store = shelf_store(c->ben.shelf);
    const struct hanse_mls_signer *signers[] = {c->ben.signer, c->cleo.signer};
    const struct hanse_mls_commit request = {.size = sizeof request, .signer = c->cleo.signer};
    BUF commit = {0};
    assert_good(hanse_mls_group_commit(c->ben.group, &request, &commit, NULL, NULL));
    person_save(&c->ben);
    hanse_mls_group_free(c->ben.group);
    assert_good(hanse_mls_group_load(&store, signers, 2, &c->ben.group));
    assert_good(hanse_mls_group_accept(c->ben.group));
    person_merges(&c->anna, &commit);
    assert_agree(&c->anna, &c->ben);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAST_TEST(a_life_with_restarts, cast_of_two), CAST_TEST(nothing_there, cast_of_two),
        CAST_TEST(failing_saves, cast_of_two),        CAST_TEST(failing_loads, cast_of_two),
        CAST_TEST(failing_lists, cast_of_two),        CAST_TEST(read_from_elsewhere, cast_of_two),
        CAST_TEST(two_signers, cast_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

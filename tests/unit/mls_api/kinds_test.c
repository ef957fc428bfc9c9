/* A message of another kind than the one that is asked for is UNEXPECTED, everywhere. */
#include "unit/mls_api/club.h"

enum kind { POST, COMMIT, WELCOME, GROUP_INFO, KEY_PACKAGE, KINDS };

struct cast {
    struct person anna, ben;
    struct hanse_mls_public *hub;
    struct hanse_mls_buf messages[KINDS];
};

static int setup(void **state)
{
    static struct cast cast;
    cast = (struct cast){0};
    person_init(&cast.anna, "Anna");
    person_init(&cast.ben, "Ben");
    person_create(&cast.anna, NULL);
    struct hanse_mls_bytes add = hanse_mls_view(&cast.ben.package);
    const struct hanse_mls_commit request = {
        .size = sizeof request, .adds = &add, .add_count = 1, .tree_in_welcome = true};
    assert_good(hanse_mls_group_info(cast.anna.group, true, &cast.messages[GROUP_INFO]));
    assert_good(hanse_mls_public_new(hanse_mls_view(&cast.messages[GROUP_INFO]), nothing, &cast.hub));
    assert_good(hanse_mls_group_protect(cast.anna.group, add, nothing, 0, &cast.messages[POST]));
    assert_good(hanse_mls_group_commit(cast.anna.group, &request, &cast.messages[COMMIT],
                                       &cast.messages[WELCOME], NULL));
    cast.messages[KEY_PACKAGE] = cast.ben.package;
    *state = &cast;
    return 0;
}

static int teardown(void **state)
{
    struct cast *c = *state;
    for (size_t i = 0; i < KEY_PACKAGE; i++)
        hanse_mls_buf_free(&c->messages[i]);
    hanse_mls_public_free(c->hub);
    person_free(&c->anna);
    person_free(&c->ben);
    return 0;
}

static enum hanse_err adds(struct cast *c, struct hanse_mls_bytes message)
{
    const struct hanse_mls_commit request = {.size = sizeof request, .adds = &message, .add_count = 1};
    hanse_mls_group_drop(c->anna.group);
    return hanse_mls_group_commit(c->anna.group, &request, NULL, NULL, NULL);
}

static enum hanse_err proposes(struct cast *c, struct hanse_mls_bytes message)
{
    BUF out = {0};
    const struct hanse_mls_propose wish = {
        .size = sizeof wish, .type = HANSE_MLS_ADD, .key_package = message};
    return hanse_mls_group_propose(c->anna.group, &wish, &out);
}

static enum hanse_err joins(struct cast *c, struct hanse_mls_bytes welcome, struct hanse_mls_bytes package)
{
    struct hanse_mls_join join = person_join(&c->ben, &c->messages[WELCOME]);
    struct hanse_mls_group *group;
    join.welcome = welcome;
    join.key_package = package;
    enum hanse_err err = hanse_mls_group_join(&join, &group);
    hanse_mls_group_free(group);
    return err;
}

static enum hanse_err enters(struct cast *c, struct hanse_mls_bytes message)
{
    struct hanse_mls_leaf leaf = person_leaf(&c->ben);
    const struct hanse_mls_external_join join = {.size = sizeof join, .leaf = &leaf, .group_info = message};
    struct hanse_mls_group *group;
    BUF commit = {0};
    enum hanse_err err = hanse_mls_group_join_external(&join, &commit, NULL, &group);
    hanse_mls_group_free(group);
    return err;
}

static enum hanse_err hub_begins(struct hanse_mls_bytes message)
{
    struct hanse_mls_public *pub;
    enum hanse_err err = hanse_mls_public_new(message, nothing, &pub);
    hanse_mls_public_free(pub);
    return err;
}

static enum hanse_err cuts(struct hanse_mls_bytes message, struct hanse_mls_bytes ref)
{
    BUF part = {0};
    return hanse_mls_welcome_cut(message, ref, &part);
}

static void each_in_its_place(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_key_package kp;
    struct hanse_mls_bytes ref, welcome = hanse_mls_view(&c->messages[WELCOME]),
                                package = hanse_mls_view(&c->ben.package);
    assert_good(hanse_mls_key_package_check(package, NOW, &kp));
    struct hanse_mls_bytes own = hanse_mls_hash_view(&kp.ref);
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct hanse_mls_bytes m = hanse_mls_view(&c->messages[kind]);
        struct hanse_mls_key_package other;
        print_message("kind %d\n", (int)kind);
        assert_fault(hanse_mls_key_package_check(m, NOW, &other),
                     kind == KEY_PACKAGE ? HANSE_OK : HANSE_ERR_UNEXPECTED);
        assert_fault(adds(c, m), kind == KEY_PACKAGE ? HANSE_OK : HANSE_ERR_UNEXPECTED);
        assert_fault(proposes(c, m), kind == KEY_PACKAGE ? HANSE_OK : HANSE_ERR_UNEXPECTED);
        assert_fault(joins(c, welcome, m), kind == KEY_PACKAGE ? HANSE_OK : HANSE_ERR_UNEXPECTED);
        assert_fault(joins(c, m, package), kind == WELCOME ? HANSE_OK : HANSE_ERR_UNEXPECTED);
        assert_fault(cuts(m, own), kind == WELCOME ? HANSE_OK : HANSE_ERR_UNEXPECTED);
        assert_fault(hanse_mls_welcome_ref(m, 0, &ref), kind == WELCOME ? HANSE_OK : HANSE_ERR_UNEXPECTED);
        assert_fault(enters(c, m), kind == GROUP_INFO ? HANSE_OK : HANSE_ERR_UNEXPECTED);
        assert_fault(hub_begins(m), kind == GROUP_INFO ? HANSE_OK : HANSE_ERR_UNEXPECTED);
    }
}

/* Groups take PublicMessage and, members only, PrivateMessage. */
static void messages_for_groups(void **state)
{
    struct cast *c = *state;
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct hanse_mls_bytes m = hanse_mls_view(&c->messages[kind]);
        struct hanse_mls_event *event;
        enum hanse_err err = hanse_mls_group_process(c->anna.group, m, &event);
        assert_fault(err, kind == POST     ? HANSE_ERR_MLS_GENERATION
                          : kind == COMMIT ? HANSE_OK
                                           : HANSE_ERR_UNEXPECTED);
        hanse_mls_event_free(event);
        assert_fault(hanse_mls_public_process(c->hub, m, &event),
                     kind == COMMIT ? HANSE_OK : HANSE_ERR_UNEXPECTED);
        hanse_mls_event_free(event);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_in_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_for_groups, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Branches: some members of a group make one of their own. */
#include "unit/mls/cast.h"
#include "unit/mls/successor.h"

static struct successor alice2, bob2, carol2;

static int setup(void **state)
{
    struct cast *c = cast_found(state, NULL, 3);
    successor_init(&alice2, &c->alice, 3);
    successor_init(&bob2, &c->bob, 3);
    successor_init(&carol2, &c->carol, 3);
    return 0;
}

static int teardown(void **state)
{
    person_free(&alice2.person);
    person_free(&bob2.person);
    person_free(&carol2.person);
    return cast_teardown(state);
}

static const struct hs_mls_extension side_policy = {.type = ROOM_POLICY};

static struct hs_mls_successor side_room(const struct successor *by, const struct hs_bytes *adds,
                                         size_t count)
{
    struct hs_mls_successor plan = successor_plan(by, HS_MLS_PSK_BRANCH, adds, count);
    plan.group_id = hs_bytes_str("side room");
    plan.extensions = &side_policy;
    plan.extension_count = 1;
    return plan;
}

/* The old group goes on meanwhile, and the newcomer to the side room may have followed it further. MLS-56 */
static void some_of_them(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER welcome = hs_writer(CAP);
    struct sent SENT s = sent_new();
    const struct hs_bytes add = hs_writer_bytes(&bob2.person.key_package);
    const struct hs_mls_successor plan = side_room(&alice2, &add, 1);
    assert_ok(hs_mls_group_succeed(&plan, &welcome, &alice2.person.group));
    person_commit(&c->alice, &empty, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_restart(&c->bob);
    assert_ok(successor_join(&bob2, hs_writer_bytes(&welcome)));
    assert_same_epoch(&alice2.person, &bob2.person);
    assert_bytes(hs_mls_group_id(bob2.person.group), hs_bytes_str("side room"));
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(bob2.person.group)), 2);
    assert_talks(&alice2.person, &bob2.person, "just us");
    assert_talks(&c->alice, &c->bob, "and all of us");
}

/* MLS-56 */
static void strangers(void **state)
{
    struct cast *c = *state;
    struct person stranger;
    struct hs_writer HS_WRITER welcome = hs_writer(CAP);
    person_init(&stranger, "stranger");
    const struct hs_bytes adds[] = {hs_writer_bytes(&bob2.person.key_package),
                                    hs_writer_bytes(&stranger.key_package)};
    const struct hs_mls_successor plan = side_room(&alice2, adds, 2);
    assert_err(hs_mls_group_succeed(&plan, &welcome, &alice2.person.group), HS_ERR_INVALID_ARG);
    /* the same signature key as in the old group is fine as well, whatever the credential says now */
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv;
    struct hs_writer HS_WRITER package = hs_writer(CAP);
    struct hs_mls_leaf_params params = person_params(&c->carol);
    params.identity = hs_bytes_str("carol the second");
    assert_ok(hs_mls_key_package_new(&params, false, &package, &priv));
    const struct hs_bytes carol = hs_writer_bytes(&package);
    const struct hs_mls_successor fine = side_room(&alice2, &carol, 1);
    assert_ok(hs_mls_group_succeed(&fine, &welcome, &alice2.person.group));
    person_free(&stranger);
}

/* A group with that PSK, made by hand, with whomever. */
static void forge(struct cast *c, const struct hs_mls_psk_id *id, const struct hs_bytes *adds, size_t count,
                  struct hs_writer *welcome)
{
    struct sent SENT s = sent_new();
    struct person *by = &alice2.person;
    const struct hs_mls_secret secret = hs_mls_group_resumption(c->alice.group);
    const struct hs_mls_psk psk = {.id = *id, .secret = HS_MLS_VIEW(secret)};
    const struct hs_mls_commit_request request = {
        .adds = adds, .add_count = count, .psks = id, .psk_count = 1, .tree_in_welcome = true};
    person_create(by, "policy");
    assert_ok(hs_mls_group_set_psks(by->group, &psk, 1));
    assert_ok(person_try_commit(by, &request, &s));
    hs_writer_reset(welcome);
    hs_write_bytes(welcome, hs_writer_bytes(&s.welcome));
}

static void joiners_check(void **state)
{
    struct cast *c = *state;
    struct person stranger;
    struct hs_writer HS_WRITER welcome = hs_writer(CAP);
    person_init(&stranger, "stranger");
    const struct hs_bytes adds[] = {hs_writer_bytes(&bob2.person.key_package),
                                    hs_writer_bytes(&stranger.key_package)};
    struct hs_mls_psk_id id = {.type = HS_MLS_PSK_RESUMPTION,
                               .usage = HS_MLS_PSK_BRANCH,
                               .group_id = hs_mls_group_id(c->alice.group),
                               .epoch = hs_mls_group_epoch(c->alice.group)};
    forge(c, &id, adds, 2, &welcome); /* with somebody who isn't in the old group */
    assert_err(successor_join(&bob2, hs_writer_bytes(&welcome)), HS_ERR_MLS_WELCOME);
    id.usage = HS_MLS_PSK_REINIT;
    forge(c, &id, adds, 1, &welcome); /* a ReInit that nobody asked for */
    assert_err(successor_join(&bob2, hs_writer_bytes(&welcome)), HS_ERR_MLS_WELCOME);
    id.usage = HS_MLS_PSK_APPLICATION;
    forge(c, &id, adds, 1, &welcome); /* no branch at all */
    assert_err(successor_join(&bob2, hs_writer_bytes(&welcome)), HS_ERR_MLS_WELCOME);
    id.usage = HS_MLS_PSK_BRANCH;
    forge(c, &id, adds, 1, &welcome);
    struct hs_mls_group *from = c->bob.group;
    c->bob.group = NULL; /* without the old group nothing can be checked */
    assert_err(successor_join(&bob2, hs_writer_bytes(&welcome)), HS_ERR_NOT_FOUND);
    c->bob.group = from;
    assert_ok(successor_join(&bob2, hs_writer_bytes(&welcome)));
    person_free(&stranger);
}

/* Not in the first epoch: a branch begins a group, it doesn't join two. */
static void later_epoch(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_bytes add = hs_writer_bytes(&bob2.person.key_package);
    struct person *by = &alice2.person;
    const struct hs_mls_psk_id id = {.type = HS_MLS_PSK_RESUMPTION,
                                     .usage = HS_MLS_PSK_BRANCH,
                                     .group_id = hs_mls_group_id(c->alice.group),
                                     .epoch = hs_mls_group_epoch(c->alice.group)};
    const struct hs_mls_secret secret = hs_mls_group_resumption(c->alice.group);
    const struct hs_mls_psk psk = {.id = id, .secret = HS_MLS_VIEW(secret)};
    person_create(by, "policy");
    person_commit(by, &empty, &s);
    assert_ok(hs_mls_group_set_psks(by->group, &psk, 1));
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .psks = &id, .psk_count = 1, .tree_in_welcome = true};
    assert_err(person_try_commit(by, &request, &s), HS_ERR_MLS_PROPOSAL);
    /* and a joiner looks at it as well */
    struct hs_mls_state HS_MLS_STATE other = hs_mls_state_share(&by->group->pub->now);
    other.parsed.epoch = 2;
    assert_err(hs_mls_succession_check(c->alice.group, &id, 1, &other), HS_ERR_MLS_WELCOME);
    other.parsed.epoch = 1;
    assert_ok(hs_mls_succession_check(c->alice.group, &id, 1, &other));
    const struct hs_mls_psk_id twice[] = {id, id};
    assert_err(hs_mls_succession_check(c->alice.group, twice, 2, &other), HS_ERR_MLS_WELCOME);
    assert_err(hs_mls_succession_check(NULL, &id, 1, &other), HS_ERR_MLS_WELCOME);
    struct hs_mls_psk_id elsewhere = id;
    elsewhere.group_id = hs_bytes_str("elsewhere");
    assert_err(hs_mls_succession_check(c->alice.group, &elsewhere, 1, &other), HS_ERR_MLS_WELCOME);
    elsewhere = id;
    elsewhere.epoch += 7;
    assert_err(hs_mls_succession_check(c->alice.group, &elsewhere, 1, &other), HS_ERR_MLS_WELCOME);
}

static void other_suite(void **state)
{
    struct cast *c = *state;
    if (hs_mls_suite_find(1) == NULL)
        skip();
    struct successor other;
    struct hs_writer HS_WRITER welcome = hs_writer(CAP);
    successor_init(&other, &c->alice, 1);
    const struct hs_mls_successor plan = side_room(&other, NULL, 0);
    assert_err(hs_mls_group_succeed(&plan, &welcome, &other.person.group), HS_ERR_INVALID_ARG);
    person_free(&other.person);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(some_of_them), TEST(strangers), TEST(joiners_check), TEST(later_epoch), TEST(other_suite),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

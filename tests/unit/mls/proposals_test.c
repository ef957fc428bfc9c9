/* Proposals that wait, and what an honest committer makes of them. What is refused is in rules_*_test.c. */
#include "unit/mls/cast.h"

#include <stdlib.h>
#include <time.h>

static int setup(void **state)
{
    cast_found_watched(state, 3);
    return 0;
}

/* An honest committer keeps the Remove of a leaf, and leaves out its Update. MLS-17 */
static void update_and_remove(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER update = hs_writer(CAP), HS_WRITER remove = hs_writer(CAP);
    struct sent SENT s = sent_new();
    assert_ok(propose_update(&c->carol, "", &update));
    assert_ok(propose_remove(&c->bob, 2, &remove));
    struct person *all[] = {&c->alice, &c->bob};
    for (size_t i = 0; i < 2; i++) {
        person_hear(all[i], hs_writer_bytes(&update));
        person_hear(all[i], hs_writer_bytes(&remove));
    }
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->removed_count, 1);
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->updated_count, 1); /* the path */
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
}

/* Waiting proposals that clash: the honest committer takes what can stand together, and drops what is
 * forbidden. MLS-17 */
static void clashing_proposals(void **state)
{
    struct cast *c = *state;
    const struct hs_bytes none = {0};
    struct hs_writer messages[6];
    const struct hs_mls_extension one = {.type = ROOM_POLICY, .data = hs_bytes_str("one")},
                                  two = {.type = ROOM_POLICY, .data = hs_bytes_str("two")};
    for (size_t i = 0; i < 6; i++)
        messages[i] = hs_writer(CAP);
    assert_ok(propose_add(&c->bob, hs_writer_bytes(&c->dave.key_package), &messages[0]));
    assert_ok(propose_add(&c->carol, hs_writer_bytes(&c->dave.key_package), &messages[1]));
    assert_ok(propose_extensions(&c->bob, &one, 1, &messages[2]));
    assert_ok(propose_extensions(&c->carol, &two, 1, &messages[3]));
    assert_ok(propose_update(&c->bob, "", &messages[4]));
    assert_ok(propose_update(&c->bob, "", &messages[5]));
    struct person *all[] = {&c->alice, &c->bob, &c->carol};
    for (size_t i = 0; i < 18; i++)
        person_hear(all[i % 3], hs_writer_bytes(&messages[i / 3]));
    person_hear(&c->alice, hs_writer_bytes(&messages[0])); /* heard twice, kept once */
    assert_int_equal(hs_mls_public_proposal_count(hs_mls_group_public(c->alice.group)), 6);
    struct sent SENT s = sent_new();
    assert_ok(person_try_commit(&c->alice, &(struct hs_mls_commit_request){.tree_in_welcome = true}, &s));
    const struct hs_mls_change *change = hs_mls_group_pending_change(c->alice.group);
    struct hs_bytes policy;
    assert_int_equal(change->added_count, 1);
    assert_int_equal(change->added[0].by.index, 1);
    assert_int_equal(change->updated_count, 2);
    assert_int_equal(change->extensions_by.index, 2);
    assert_true(hs_mls_extension_find(change->new_extensions, ROOM_POLICY, &policy));
    assert_bytes(policy, hs_bytes_str("two"));
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_ok(person_try_join(&c->dave, hs_writer_bytes(&s.welcome), none));
    for (size_t i = 1; i < 3; i++)
        assert_same_epoch(&c->alice, all[i]);
    assert_same_epoch(&c->alice, &c->dave);
    for (size_t i = 0; i < 6; i++)
        hs_writer_free(&messages[i]);
}

/* Waits at alice and at the hub. */
static void wait_for(struct cast *c, const struct hs_writer *message)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    person_hear(&c->alice, hs_writer_bytes(message));
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(message), &event));
}

static void propose_package(struct cast *c, const struct hs_mls_leaf_params *params)
{
    struct hs_mls_key_package_private priv;
    struct hs_writer HS_WRITER package = hs_writer(CAP), HS_WRITER w = hs_writer(CAP);
    assert_ok(hs_mls_key_package_new(params, false, &package, &priv));
    assert_ok(propose_add(&c->bob, hs_writer_bytes(&package), &w));
    wait_for(c, &w);
}

/* No proposal keeps others from committing: what the group can't carry out with the rest of the list waits in
 * vain, and so does an Add of one whom somebody adds by value. MLS-16, MLS-17 */
static void hindering_proposals(void **state)
{
    struct cast *c = *state;
    static const uint16_t both[] = {HS_MLS_BASIC, HS_MLS_X509};
    const struct hs_mls_extension unknown = {.type = 0xABCD};
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER good = hs_writer(CAP), HS_WRITER w = hs_writer(CAP);
    struct person HS_AUTO(person_free) erin, HS_AUTO(person_free) frank;
    person_init(&erin, "erin");
    person_init(&frank, "frank");
    struct hs_mls_leaf_params poor = person_params(&erin), strange = person_params(&frank);
    poor.extension_type_count = 0;         /* doesn't know the room's policy */
    strange.credential_type = HS_MLS_X509; /* nobody else does */
    strange.identity = (struct hs_bytes){0};
    strange.credential_types = both;
    strange.credential_type_count = 2;
    propose_package(c, &poor);
    propose_package(c, &strange);
    assert_ok(propose_extensions(&c->bob, &unknown, 1, &w));
    wait_for(c, &w);
    assert_ok(propose_add(&c->bob, hs_writer_bytes(&c->dave.key_package), &good));
    wait_for(c, &good);
    struct hs_bytes add = hs_writer_bytes(&c->dave.key_package);
    assert_ok(
        person_try_commit(&c->alice, &(struct hs_mls_commit_request){.adds = &add, .add_count = 1}, &s));
    const struct hs_mls_change *change = hs_mls_group_pending_change(c->alice.group);
    assert_int_equal(change->added_count, 1);
    assert_int_equal(change->added[0].by.index, 0);
    assert_false(change->extensions_proposed);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&s.commit), &event));
}

/* Extensions that all know but for one whom the same commit adds give way. MLS-17 */
static void extensions_give_way(void **state)
{
    struct cast *c = *state;
    struct hs_mls_key_package_private priv;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP), HS_WRITER package = hs_writer(CAP);
    struct hs_mls_leaf_params params = person_params(&c->dave);
    struct person HS_AUTO(person_free) poor;
    const struct hs_mls_extension none = {.type = ROOM_POLICY, .data = hs_bytes_str("new")};
    person_init(&poor, "poor");
    params.extension_type_count = 0;
    assert_ok(propose_extensions(&c->bob, NULL, 0, &w)); /* now one needn't know the policy */
    wait_for(c, &w);
    assert_ok(hs_mls_key_package_new(&params, false, &package, &priv));
    struct hs_bytes add = hs_writer_bytes(&package);
    assert_ok(
        person_try_commit(&c->alice, &(struct hs_mls_commit_request){.adds = &add, .add_count = 1}, &s));
    assert_true(hs_mls_group_pending_change(c->alice.group)->extensions_proposed);
    hs_mls_group_drop(c->alice.group);
    hs_writer_reset(&w);
    assert_ok(propose_extensions(&c->bob, &none, 1, &w)); /* and now again: the newest counts */
    wait_for(c, &w);
    assert_err(
        person_try_commit(&c->alice, &(struct hs_mls_commit_request){.adds = &add, .add_count = 1}, &s),
        HS_ERR_MLS_LEAF); /* as the group is, dave can't come in */
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    assert_bytes(hs_mls_group_pending_change(c->alice.group)->new_extensions, hs_bytes("\xF4\xA1\x03new", 6));
}

/* A proposal that policy forbids is dropped, and not committed. */
static void dropped_proposal(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(propose_remove(&c->bob, 2, &w));
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event));
    assert_ok(hs_mls_group_drop_proposal(c->alice.group, HS_MLS_VIEW(event->proposal.ref)));
    assert_err(hs_mls_group_drop_proposal(c->alice.group, HS_MLS_VIEW(event->proposal.ref)),
               HS_ERR_NOT_FOUND);
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->removed_count, 0);
}

static void propose_with(struct cast *c, const char *data, struct hs_writer *out)
{
    const struct hs_mls_proposal_request request = {
        .type = HS_MLS_REMOVE, .leaf = 2, .authenticated_data = hs_bytes_str(data)};
    assert_ok(hs_mls_group_propose(c->bob.group, &request, out));
}

/* Keep at most so many, and then say so. MLS-10 */
static void too_many(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    for (int i = 0; i < HS_MLS_MAX_CACHED_PROPOSALS; i++) {
        hs_writer_reset(&w);
        char data[16];
        snprintf(data, sizeof data, "%d", i);
        propose_with(c, data, &w);
        assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event));
        hs_mls_event_free_at(&event);
    }
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event)); /* known already */
    hs_mls_event_free_at(&event);
    hs_writer_reset(&w);
    propose_with(c, "one more", &w);
    assert_err(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event), HS_ERR_TOO_LARGE);
}

/* Processor time that the hub takes to judge a commit of so many Adds, in clock ticks for each. */
static double ticks_per_add(size_t count)
{
    struct person alice;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    struct hs_mls_public HS_MLS_PUBLIC *hub = NULL;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_writer *packages = calloc(count, sizeof *packages);
    struct hs_bytes *adds = calloc(count, sizeof *adds);
    person_init(&alice, "alice");
    person_create(&alice, "policy");
    for (size_t i = 0; i < count; i++) {
        struct person other;
        person_init(&other, "other");
        packages[i] = other.key_package;
        other.key_package = (struct hs_writer){0};
        adds[i] = hs_writer_bytes(&packages[i]);
        person_free(&other);
    }
    assert_ok(hs_mls_group_info(alice.group, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &hub));
    assert_ok(hs_mls_group_commit(alice.group,
                                  &(struct hs_mls_commit_request){.adds = adds, .add_count = count},
                                  &(struct hs_mls_commit_result){.commit = &s.commit}));
    const clock_t start = clock();
    assert_ok(hs_mls_public_process(hub, hs_writer_bytes(&s.commit), &event));
    const clock_t end = clock();
    assert_int_equal(hs_mls_staged_change(event->staged)->added_count, count);
    for (size_t i = 0; i < count; i++)
        hs_writer_free(&packages[i]);
    free(packages);
    free(adds);
    person_free(&alice);
    return (double)(end - start) / (double)count;
}

/* An Add costs the same in a long list as in a short one, within the noise of the measurement. */
static void long_lists(void **state)
{
    (void)state;
    const double few = ticks_per_add(150), many = ticks_per_add(1500);
    assert_true(many < 3 * few);
}

/* What isn't for a group at all. */
static void misplaced(void **state)
{
    struct cast *c = *state;
    struct hs_mls_event *event = NULL;
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&c->dave.key_package), &event),
               HS_ERR_UNEXPECTED);
    assert_err(hs_mls_public_process(c->hub, hs_writer_bytes(&c->dave.key_package), &event),
               HS_ERR_UNEXPECTED);
    assert_err(hs_mls_group_process(c->bob.group, (struct hs_bytes){0}, &event), HS_ERR_MALFORMED);
    assert_err(hs_mls_public_process(c->hub, (struct hs_bytes){0}, &event), HS_ERR_MALFORMED);
}

int main(void)
{
#define TEST(name) CAST_TEST(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(update_and_remove),      TEST(clashing_proposals), TEST(hindering_proposals),
        TEST(extensions_give_way),    TEST(dropped_proposal),   TEST(too_many),
        cmocka_unit_test(long_lists), TEST(misplaced),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

/* ReInit: a group ends, and another one with new parameters follows it. */
#include "unit/mls/cast.h"
#include "unit/mls/successor.h"

/* Of the new room. */
static struct hs_writer extensions;

static int setup(void **state)
{
    cast_found_watched(state, 3);
    extensions = hs_writer(CAP);
    hs_mls_write_extension(&extensions, ROOM_POLICY, hs_bytes_str("policy 2"));
    return 0;
}

static int teardown(void **state)
{
    hs_writer_free(&extensions);
    return cast_teardown(state);
}

static struct hs_mls_reinit new_room(uint16_t suite)
{
    return (struct hs_mls_reinit){.group_id = hs_bytes_str("new room"),
                                  .version = HS_MLS_VERSION_10,
                                  .suite = suite,
                                  .extensions = hs_writer_bytes(&extensions)};
}

static void hub_takes(struct cast *c, struct hs_bytes commit)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(c->hub, commit, &event));
    assert_ok(hs_mls_public_merge(c->hub, event->staged));
}

/* Alice ends the group. */
static void end(struct cast *c, uint16_t suite)
{
    struct sent SENT s = sent_new();
    const struct hs_mls_reinit reinit = new_room(suite);
    const struct hs_mls_commit_request request = {.reinit = &reinit};
    person_commit(&c->alice, &request, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    hub_takes(c, hs_writer_bytes(&s.commit));
}

/* Nothing is sent, committed or taken any more; what was sent before can still be read. MLS-55 */
static void the_end(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP), HS_WRITER old = hs_writer(CAP),
                               HS_WRITER late = hs_writer(CAP);
    struct sent SENT s = sent_new();
    const struct hs_bytes none = {0};
    assert_ok(hs_mls_group_protect(c->bob.group, hs_bytes_str("before"), none, 0, &old));
    end(c, 3);
    for (int restarted = 0; restarted < 2; restarted++) {
        struct hs_mls_reinit reinit;
        assert_true(hs_mls_public_reinit(hs_mls_group_public(c->alice.group), &reinit));
        assert_bytes(reinit.group_id, hs_bytes_str("new room"));
        assert_bytes(reinit.extensions, hs_writer_bytes(&extensions));
        assert_int_equal(reinit.suite, 3);
        assert_err(hs_mls_group_protect(c->alice.group, none, none, 0, &w), HS_ERR_INVALID_STATE);
        assert_err(propose_update(&c->alice, "", &w), HS_ERR_INVALID_STATE);
        assert_err(person_try_commit(&c->alice, &empty, &s), HS_ERR_INVALID_STATE);
        person_restart(&c->alice);
    }
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&old), &event));
    assert_bytes(event->plaintext, hs_bytes_str("before"));
    hs_mls_event_free_at(&event);
    /* somebody who doesn't stop */
    hs_mls_blob_unref(c->bob.group->pub->now.reinit);
    c->bob.group->pub->now.reinit = NULL;
    assert_ok(hs_mls_group_protect(c->bob.group, hs_bytes_str("after"), none, 0, &late));
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&late), &event), HS_ERR_INVALID_STATE);
    assert_ok(propose_update(&c->bob, "", &w));
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event), HS_ERR_INVALID_STATE);
    assert_err(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event), HS_ERR_INVALID_STATE);
}

/* What the staged commit tells. MLS-20 */
static void is_seen(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_reinit reinit = new_room(3);
    assert_ok(person_try_commit(&c->alice, &(struct hs_mls_commit_request){.reinit = &reinit}, &s));
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event));
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_true(change->reinit_proposed);
    assert_int_equal(change->reinit_by.index, 0);
    assert_bytes(change->reinit.group_id, hs_bytes_str("new room"));
}

/* Nothing may stand beside it. */
static void stands_alone(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_reinit reinit = new_room(3);
    const uint32_t bob = 1;
    const struct hs_mls_psk_id psk = {.type = HS_MLS_PSK_EXTERNAL};
    const struct hs_bytes add = hs_writer_bytes(&c->carol.key_package);
    const struct hs_mls_commit_request requests[] = {
        {.reinit = &reinit, .removes = &bob, .remove_count = 1},
        {.reinit = &reinit, .adds = &add, .add_count = 1},
        {.reinit = &reinit, .psks = &psk, .psk_count = 1},
        {.reinit = &reinit, .set_extensions = true},
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        assert_err(person_try_commit(&c->alice, &requests[i], &s), HS_ERR_INVALID_ARG);
    /* what waits is left out of it */
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    assert_ok(propose_update(&c->bob, "", &w));
    person_hear(&c->alice, hs_writer_bytes(&w));
    person_hear(&c->carol, hs_writer_bytes(&w));
    assert_ok(person_try_commit(&c->alice, &(struct hs_mls_commit_request){.reinit = &reinit}, &s));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_true(hs_mls_public_reinit(hs_mls_group_public(c->carol.group), &(struct hs_mls_reinit){0}));
}

/* One that waits gives way to everything else, and is committed once nothing else is there. MLS-17 */
static void gives_way(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP), HS_WRITER u = hs_writer(CAP);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_REINIT, .reinit = new_room(3)};
    assert_ok(hs_mls_group_propose(c->bob.group, &request, &w));
    assert_ok(propose_update(&c->bob, "", &u));
    person_hear(&c->alice, hs_writer_bytes(&w));
    person_hear(&c->carol, hs_writer_bytes(&w));
    person_hear(&c->alice, hs_writer_bytes(&u));
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    assert_false(hs_mls_group_pending_change(c->alice.group)->reinit_proposed);
    hs_mls_group_drop(c->alice.group);
    assert_ok(person_try_commit(&c->carol, &empty, &t));
    assert_true(hs_mls_group_pending_change(c->carol.group)->reinit_proposed);
    assert_int_equal(hs_mls_group_pending_change(c->carol.group)->reinit_by.index, 1);
    assert_ok(hs_mls_group_accept(c->carol.group));
    person_follow(&c->alice, hs_writer_bytes(&t.commit));
    assert_same_epoch(&c->alice, &c->carol);
}

static void the_new_group(struct cast *c, uint16_t suite)
{
    struct successor alice, bob, carol;
    struct hs_writer HS_WRITER welcome = hs_writer(CAP);
    successor_init(&alice, &c->alice, suite);
    successor_init(&bob, &c->bob, suite);
    successor_init(&carol, &c->carol, suite);
    const struct hs_bytes adds[] = {hs_writer_bytes(&alice.person.key_package),
                                    hs_writer_bytes(&carol.person.key_package)};
    /* bob makes it, though alice ended the old one */
    struct hs_mls_successor plan = successor_plan(&bob, HS_MLS_PSK_REINIT, adds, 2);
    struct sent SENT s = sent_new();
    assert_err(hs_mls_group_succeed(&plan, &welcome, &bob.person.group), HS_ERR_INVALID_STATE);
    end(c, suite);
    person_restart(&c->bob);
    plan.from = c->bob.group;
    assert_ok(hs_mls_group_succeed(&plan, &welcome, &bob.person.group));
    assert_int_equal(hs_mls_group_epoch(bob.person.group), 1);
    assert_bytes(hs_mls_group_id(bob.person.group), hs_bytes_str("new room"));
    assert_ok(successor_join(&alice, hs_writer_bytes(&welcome)));
    assert_ok(successor_join(&carol, hs_writer_bytes(&welcome)));
    assert_same_epoch(&bob.person, &alice.person);
    assert_same_epoch(&bob.person, &carol.person);
    struct hs_bytes policy;
    assert_true(hs_mls_public_extension(hs_mls_group_public(alice.person.group), ROOM_POLICY, &policy));
    assert_bytes(policy, hs_bytes_str("policy 2"));
    assert_talks(&alice.person, &carol.person, "we have moved");
    person_restart(&carol.person);
    person_commit(&carol.person, &empty, &s);
    person_follow(&bob.person, hs_writer_bytes(&s.commit));
    assert_same_epoch(&bob.person, &carol.person);
    person_free(&alice.person);
    person_free(&bob.person);
    person_free(&carol.person);
}

/* MLS-56 */
static void same_suite(void **state)
{
    the_new_group(*state, 3);
}

static void other_suite(void **state)
{
    if (hs_mls_suite_find(1) == NULL)
        skip();
    the_new_group(*state, 1);
}

/* What whoever makes it can get wrong on purpose: others don't come along. */
static void joiners_check(void **state)
{
    struct cast *c = *state;
    struct successor alice, bob;
    struct person stranger;
    successor_init(&alice, &c->alice, 3);
    successor_init(&bob, &c->bob, 3);
    person_init(&stranger, "alice");
    const struct hs_bytes add = hs_writer_bytes(&alice.person.key_package);
    const struct hs_mls_successor plan = successor_plan(&bob, HS_MLS_PSK_REINIT, &add, 1);
    end(c, 3);
    /* no suite but the one that was said */
    if (hs_mls_suite_find(1) != NULL) {
        struct successor other;
        struct hs_writer HS_WRITER w = hs_writer(CAP);
        successor_init(&other, &c->bob, 1);
        const struct hs_mls_successor wrong = successor_plan(&other, HS_MLS_PSK_REINIT, NULL, 0);
        assert_err(hs_mls_group_succeed(&wrong, &w, &other.person.group), HS_ERR_INVALID_ARG);
        person_free(&other.person);
    }
    /* bob's own idea of what was agreed: another id, other extensions, a group that didn't end */
    struct hs_mls_state *agreed = &c->bob.group->pub->now;
    struct hs_mls_blob *good = agreed->reinit;
    struct hs_writer HS_WRITER bent = hs_writer(CAP);
    struct hs_mls_proposal proposal = {.type = HS_MLS_REINIT};
    for (int i = 0; i < 2; i++) {
        struct hs_writer HS_WRITER welcome = hs_writer(CAP);
        proposal.reinit = new_room(3);
        if (i == 0)
            proposal.reinit.group_id = hs_bytes_str("my room");
        else
            proposal.reinit.extensions = (struct hs_bytes){0};
        hs_writer_reset(&bent);
        hs_mls_write_proposal(&bent, &proposal);
        agreed->reinit = hs_mls_blob_new(hs_writer_bytes(&bent));
        assert_ok(hs_mls_group_succeed(&plan, &welcome, &bob.person.group));
        assert_err(successor_join(&alice, hs_writer_bytes(&welcome)), HS_ERR_MLS_WELCOME);
        hs_mls_blob_unref(agreed->reinit);
        hs_mls_group_free_at(&bob.person.group);
    }
    agreed->reinit = good;
    struct hs_writer HS_WRITER welcome = hs_writer(CAP);
    assert_ok(hs_mls_group_succeed(&plan, &welcome, &bob.person.group));
    const struct person *from = alice.from;
    alice.from = &stranger; /* somebody without the old group */
    assert_err(successor_join(&alice, hs_writer_bytes(&welcome)), HS_ERR_NOT_FOUND);
    alice.from = from;
    assert_ok(successor_join(&alice, hs_writer_bytes(&welcome)));
    person_free(&alice.person);
    person_free(&bob.person);
    person_free(&stranger);
}

/* Each thing that was agreed on. MLS-56 */
static void what_was_agreed(void **state)
{
    struct cast *c = *state;
    end(c, 3);
    const struct hs_mls_psk_id id = {.type = HS_MLS_PSK_RESUMPTION,
                                     .usage = HS_MLS_PSK_REINIT,
                                     .group_id = hs_mls_group_id(c->alice.group),
                                     .epoch = hs_mls_group_epoch(c->alice.group)};
    struct hs_mls_psk_id earlier = id;
    earlier.epoch--;
    struct hs_mls_state good = {.suite = &hs_mls_suite_3};
    good.parsed = (struct hs_mls_group_context){.version = HS_MLS_VERSION_10,
                                                .suite = 3,
                                                .group_id = hs_bytes_str("new room"),
                                                .epoch = 1,
                                                .extensions = hs_writer_bytes(&extensions)};
    assert_ok(hs_mls_succession_check(c->alice.group, &id, 1, &good));
    assert_err(hs_mls_succession_check(c->alice.group, &earlier, 1, &good), HS_ERR_MLS_WELCOME);
    struct hs_mls_state bad[] = {good, good, good, good, good};
    bad[0].parsed.version++;
    bad[1].parsed.suite++;
    bad[2].parsed.group_id = hs_bytes_str("room");
    bad[3].parsed.epoch++;
    bad[4].parsed.extensions = (struct hs_bytes){0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_err(hs_mls_succession_check(c->alice.group, &id, 1, &bad[i]), HS_ERR_MLS_WELCOME);
}

/* A Welcome to a group that follows nothing isn't one that follows this. */
static void no_follower(void **state)
{
    struct cast *c = *state;
    struct successor alice;
    struct person bob;
    successor_init(&alice, &c->alice, 3);
    person_init(&bob, "bob");
    end(c, 3);
    person_create(&bob, "policy 2");
    struct sent SENT s = sent_new();
    const struct hs_bytes add = hs_writer_bytes(&alice.person.key_package);
    const struct hs_mls_commit_request request = {.adds = &add, .add_count = 1, .tree_in_welcome = true};
    assert_ok(person_try_commit(&bob, &request, &s));
    assert_err(successor_join(&alice, hs_writer_bytes(&s.welcome)), HS_ERR_MLS_WELCOME);
    person_free(&alice.person);
    person_free(&bob);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_end),     TEST(is_seen),       TEST(stands_alone), TEST(gives_way),       TEST(same_suite),
        TEST(other_suite), TEST(joiners_check), TEST(no_follower),  TEST(what_was_agreed),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

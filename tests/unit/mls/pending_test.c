/* The pending commit: kept in the group and in its saved bytes, merged or dropped, never lost. */
#include "unit/mls/cast.h"

/* The commit survives a restart before it is sent, before it comes back, and before it is accepted. MLS-22,
 * MLS-23 */
static void survives_restarts(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_bytes add = hs_writer_bytes(&c->carol.key_package);
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .force_path = true, .tree_in_welcome = true};
    assert_ok(person_try_commit(&c->alice, &request, &s));
    assert_int_equal(c->alice.group->pending->staged->secrets->joiner.len, 0); /* MLS-27 */
    person_restart(&c->alice);
    assert_true(hs_mls_group_has_pending(c->alice.group));
    assert_bytes(hs_mls_group_pending_message(c->alice.group), hs_writer_bytes(&s.commit));
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->added_count, 1);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&s.commit), &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_OWN_COMMIT);
    assert_int_equal(event->epoch, 1);
    assert_null(event->staged);
    person_restart(&c->alice);
    assert_ok(hs_mls_group_accept(c->alice.group));
    assert_false(hs_mls_group_has_pending(c->alice.group));
    assert_null(hs_mls_group_pending_change(c->alice.group));
    person_restart(&c->alice);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_ok(person_try_join(&c->carol, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
    assert_same_epoch(&c->alice, &c->bob);
    assert_same_epoch(&c->alice, &c->carol);
    /* the path's keys are right too: a commit by another is opened with them */
    struct sent SENT t = sent_new();
    person_commit(&c->carol, &empty, &t);
    person_follow(&c->alice, hs_writer_bytes(&t.commit));
    person_follow(&c->bob, hs_writer_bytes(&t.commit));
    assert_same_epoch(&c->alice, &c->carol);
    assert_same_epoch(&c->bob, &c->carol);
}

/* MLS-22 */
static void only_one(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    assert_err(hs_mls_group_accept(c->alice.group), HS_ERR_INVALID_STATE);
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    assert_err(person_try_commit(&c->alice, &empty, &s), HS_ERR_INVALID_STATE);
    hs_mls_group_drop(c->alice.group);
    hs_mls_group_drop(c->alice.group);
    assert_ok(person_try_commit(&c->alice, &empty, &s));
}

/* Two commit at once: the one whom the orderer takes wins, the other drops its own and makes it anew. MLS-23
 */
static void loser_rebases(void **state)
{
    struct cast *c = *state;
    struct sent SENT a = sent_new(), SENT b = sent_new(), SENT again = sent_new();
    struct hs_bytes add = hs_writer_bytes(&c->carol.key_package);
    const struct hs_mls_commit_request request = {.adds = &add, .add_count = 1, .tree_in_welcome = true};
    assert_ok(person_try_commit(&c->alice, &empty, &a));
    assert_ok(person_try_commit(&c->bob, &request, &b));
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&a.commit));
    assert_false(hs_mls_group_has_pending(c->bob.group));
    assert_same_epoch(&c->alice, &c->bob);
    struct hs_mls_event *event = NULL;
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&b.commit), &event), HS_ERR_MLS_EPOCH);
    person_commit(&c->bob, &request, &again);
    person_follow(&c->alice, hs_writer_bytes(&again.commit));
    assert_ok(person_try_join(&c->carol, hs_writer_bytes(&again.welcome), (struct hs_bytes){0}));
    assert_same_epoch(&c->alice, &c->carol);
    assert_same_epoch(&c->alice, &c->bob);
}

/* Posts go on in the old epoch while a commit is pending. MLS-24 */
static void posts_while_pending(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    assert_talks(&c->alice, &c->bob, "still here");
    assert_talks(&c->bob, &c->alice, "me too");
    person_restart(&c->alice);
    assert_talks(&c->bob, &c->alice, "and after a restart");
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_talks(&c->alice, &c->bob, "new epoch");
}

/* A commit that was staged before another was merged is stale. */
static void stale_staged(void **state)
{
    struct cast *c = *state;
    struct sent SENT a = sent_new(), SENT b = sent_new();
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(person_try_commit(&c->alice, &empty, &a));
    assert_ok(person_try_commit(&c->bob, &empty, &b));
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&a.commit), &event));
    assert_ok(hs_mls_group_accept(c->bob.group));
    assert_err(hs_mls_group_merge(c->bob.group, event->staged), HS_ERR_INVALID_STATE);
}

/* What the pending commit names stays until it is decided. MLS-22 */
static void keeps_its_proposals(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP), HS_WRITER later = hs_writer(CAP);
    struct hs_mls_event HS_MLS_EVENT *event = NULL, HS_MLS_EVENT *other = NULL;
    assert_ok(propose_update(&c->bob, "", &w));
    assert_ok(propose_update(&c->bob, "", &later));
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event));
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&later), &other));
    const struct hs_bytes ref = HS_MLS_VIEW(event->proposal.ref), free = HS_MLS_VIEW(other->proposal.ref);
    person_restart(&c->alice);
    assert_err(hs_mls_group_drop_proposal(c->alice.group, ref), HS_ERR_INVALID_STATE);
    assert_ok(hs_mls_group_drop_proposal(c->alice.group, free));
    assert_err(hs_mls_group_drop_proposal(c->alice.group, free), HS_ERR_NOT_FOUND);
    person_restart(&c->alice);
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->updated_count, 2);
    hs_mls_group_drop(c->alice.group);
    assert_ok(hs_mls_group_drop_proposal(c->alice.group, ref));
}

/* A commit that can't be made changes nothing. MLS-15 */
static void failure_changes_nothing(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_id before = person_state(&c->alice);
    const struct hs_bytes twice[] = {hs_writer_bytes(&c->carol.key_package),
                                     hs_writer_bytes(&c->carol.key_package)};
    const struct hs_bytes member = hs_writer_bytes(&c->bob.key_package), junk = hs_bytes_str("junk");
    const uint32_t blank = 7, self = 0;
    const struct hs_mls_extension unknown = {.type = 0xABCD};
    const struct {
        struct hs_mls_commit_request request;
        enum hs_err want;
    } rows[] = {
        {{.adds = twice, .add_count = 2}, HS_ERR_MLS_PROPOSAL},
        {{.adds = &member, .add_count = 1}, HS_ERR_MLS_PROPOSAL},
        {{.adds = &junk, .add_count = 1}, HS_ERR_MLS_VERSION},
        {{.removes = &blank, .remove_count = 1}, HS_ERR_INVALID_ARG},
        {{.removes = &self, .remove_count = 1}, HS_ERR_INVALID_ARG},
        {{.set_extensions = true, .extensions = &unknown, .extension_count = 1}, HS_ERR_MLS_LEAF},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_err(person_try_commit(&c->alice, &rows[i].request, &s), rows[i].want);
    assert_same_state(&c->alice, before);
}

int main(void)
{
#define TEST(name) CAST_TEST(name, cast_of_two)
    const struct CMUnitTest tests[] = {
        TEST(survives_restarts),   TEST(only_one),     TEST(loser_rebases),
        TEST(posts_while_pending), TEST(stale_staged), TEST(failure_changes_nothing),
        TEST(keeps_its_proposals),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

/* Pre-shared keys: external ones and resumption secrets, by value and by reference, in commits and Welcomes.
 */
#include "unit/mls/cast.h"

static struct hs_mls_psk external(const char *id, const char *secret)
{
    return (struct hs_mls_psk){.id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str(id)},
                               .secret = hs_bytes_str(secret)};
}

static struct hs_mls_psk_id resumption(struct hs_bytes group_id, uint64_t epoch)
{
    return (struct hs_mls_psk_id){
        .type = HS_MLS_PSK_RESUMPTION, .usage = HS_MLS_PSK_APPLICATION, .group_id = group_id, .epoch = epoch};
}

static enum hs_err commit_psks(struct person *by, const struct hs_mls_psk_id *ids, size_t count,
                               struct sent *s)
{
    const struct hs_mls_commit_request request = {.psks = ids, .psk_count = count};
    return person_try_commit(by, &request, s);
}

/* What p answers to a commit that it must refuse, twice, without a change. */
static void refused(struct person *p, struct hs_bytes commit, enum hs_err want)
{
    struct hs_mls_event *event = NULL;
    const struct hs_id before = person_state(p);
    for (int i = 0; i < 2; i++)
        assert_err(hs_mls_group_process(p->group, commit, &event), want);
    assert_same_state(p, before);
}

/* Two external PSKs in one commit, which has no path. Who lacks one can't follow until it has it; who has
 * another secret finds the confirmation wrong. MLS-53 */
static void by_value(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_psk psks[] = {external("one", "first secret"), external("two", "second secret")};
    const struct hs_mls_psk wrong[] = {external("one", "first secret"), external("two", "second")};
    const struct hs_mls_psk_id ids[] = {psks[0].id, psks[1].id};
    assert_err(commit_psks(&c->alice, ids, 2, &s), HS_ERR_NOT_FOUND);
    assert_ok(hs_mls_group_set_psks(c->alice.group, psks, 2));
    hs_writer_reset(&s.commit);
    assert_ok(commit_psks(&c->alice, ids, 2, &s));
    const struct hs_mls_change *change = hs_mls_group_pending_change(c->alice.group);
    assert_int_equal(change->psk_count, 2);
    assert_bytes(change->psks[0].id.id, hs_bytes_str("one"));
    assert_int_equal(change->psks[0].id.nonce.len, 32);
    assert_int_equal(change->psks[0].by.index, 0);
    assert_false(change->has_path);
    refused(&c->bob, hs_writer_bytes(&s.commit), HS_ERR_NOT_FOUND);
    assert_ok(hs_mls_group_set_psks(c->bob.group, psks, 1));
    refused(&c->bob, hs_writer_bytes(&s.commit), HS_ERR_NOT_FOUND);
    assert_ok(hs_mls_group_set_psks(c->bob.group, wrong, 2));
    refused(&c->bob, hs_writer_bytes(&s.commit), HS_ERR_MLS_CONFIRMATION);
    assert_ok(hs_mls_group_set_psks(c->bob.group, psks, 2));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_ok(hs_mls_group_accept(c->alice.group));
    assert_same_epoch(&c->alice, &c->bob);
    assert_talks(&c->alice, &c->bob, "both");
}

/* The pending commit needs the PSKs no more once it is made: they aren't stored with the group. MLS-53 */
static void pending(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_psk psk = external("one", "first secret");
    assert_ok(hs_mls_group_set_psks(c->alice.group, &psk, 1));
    assert_ok(hs_mls_group_set_psks(c->bob.group, &psk, 1));
    assert_ok(commit_psks(&c->alice, &psk.id, 1, &s));
    person_restart(&c->alice);
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->psk_count, 1);
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
    assert_false(mls_store_holds(c->alice.store, psk.secret));
}

/* A proposal by itself; the committer names it by reference. Who doesn't have the PSK leaves it out. MLS-17
 */
static void by_reference(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    const struct hs_mls_psk psk = external("one", "first secret");
    const struct hs_mls_proposal_request request = {.type = HS_MLS_PSK, .psk = psk.id};
    assert_ok(hs_mls_group_propose(c->alice.group, &request, &w));
    person_hear(&c->alice, hs_writer_bytes(&w));
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&w), &event));
    assert_int_equal(event->proposal.type, HS_MLS_PSK);
    assert_bytes(event->proposal.psk.id, psk.id.id);
    assert_ok(person_try_commit(&c->bob, &empty, &s));
    assert_int_equal(hs_mls_group_pending_change(c->bob.group)->psk_count, 0);
    hs_mls_group_drop(c->bob.group);
    assert_ok(hs_mls_group_set_psks(c->alice.group, &psk, 1));
    assert_ok(hs_mls_group_set_psks(c->bob.group, &psk, 1));
    assert_ok(person_try_commit(&c->bob, &empty, &t));
    assert_int_equal(hs_mls_group_pending_change(c->bob.group)->psk_count, 1);
    assert_int_equal(hs_mls_group_pending_change(c->bob.group)->psks[0].by.index, 0);
    assert_ok(hs_mls_group_accept(c->bob.group));
    person_follow(&c->alice, hs_writer_bytes(&t.commit));
    assert_same_epoch(&c->alice, &c->bob);
}

/* A newcomer needs them too. MLS-32 */
static void in_a_welcome(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_psk psk = external("one", "first secret"), wrong = external("one", "second");
    struct hs_bytes add = hs_writer_bytes(&c->carol.key_package);
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .psks = &psk.id, .psk_count = 1, .tree_in_welcome = true};
    struct hs_mls_join join = {
        .key_package = hs_writer_bytes(&c->carol.key_package),
        .priv = &c->carol.priv,
        .signer = &c->carol.signer,
        .settings = hs_mls_settings_default(),
    };
    assert_ok(hs_mls_group_set_psks(c->alice.group, &psk, 1));
    assert_ok(hs_mls_group_set_psks(c->bob.group, &psk, 1));
    person_commit(&c->alice, &request, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    join.welcome = hs_writer_bytes(&s.welcome);
    assert_err(hs_mls_group_join(&join, &c->carol.group), HS_ERR_NOT_FOUND);
    join.psks = &wrong;
    join.psk_count = 1;
    assert_err(hs_mls_group_join(&join, &c->carol.group), HS_ERR_MLS_WELCOME);
    join.psks = &psk;
    assert_ok(hs_mls_group_join(&join, &c->carol.group));
    assert_same_epoch(&c->alice, &c->carol);
    assert_same_epoch(&c->alice, &c->bob);
    assert_talks(&c->carol, &c->bob, "got it");
}

/* A group knows its own resumption secrets: this epoch's, and those of the past epochs that are kept. MLS-54
 */
static void own_resumption(void **state)
{
    struct cast *c = *state;
    const uint64_t first = hs_mls_group_epoch(c->alice.group);
    const uint32_t kept = c->alice.group->settings.past_epochs;
    for (uint32_t i = 0; i <= kept; i++)
        next_epoch(&c->alice, &c->bob);
    person_restart(&c->alice);
    person_restart(&c->bob);
    const struct hs_mls_psk_id ids[] = {resumption(hs_bytes_str("room"), first + kept + 1),
                                        resumption(hs_bytes_str("room"), first + 1)};
    struct sent SENT s = sent_new(), SENT t = sent_new();
    const struct hs_mls_psk_id gone = resumption(hs_bytes_str("room"), first);
    assert_err(commit_psks(&c->alice, &gone, 1, &t), HS_ERR_NOT_FOUND);
    assert_ok(commit_psks(&c->alice, ids, 2, &s));
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
}

/* The own group is asked before what the caller gave. MLS-54 */
static void own_comes_first(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_psk psk = {.id = resumption(hs_bytes_str("room"), hs_mls_group_epoch(c->alice.group)),
                                   .secret = hs_bytes_str("a lie")};
    assert_ok(hs_mls_group_set_psks(c->bob.group, &psk, 1));
    assert_ok(commit_psks(&c->alice, &psk.id, 1, &s));
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
}

/* The resumption secret of another group that both are in, told by the caller. */
static void of_another_group(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_secret secret = hs_mls_group_resumption(c->alice.group),
                               same = hs_mls_group_resumption(c->bob.group);
    assert_bytes(HS_MLS_VIEW(secret), HS_MLS_VIEW(same));
    struct person alice, bob;
    person_init(&alice, "alice");
    person_init(&bob, "bob");
    struct hs_mls_create create = {
        .leaf = person_params(&alice), .group_id = hs_bytes_str("other"), .settings = alice.settings};
    assert_ok(hs_mls_group_create(&create, &alice.group));
    world_add(&alice, &bob, NULL, 0);
    const struct hs_mls_psk psk = {.id = resumption(hs_bytes_str("room"), 1), .secret = HS_MLS_VIEW(secret)};
    assert_ok(hs_mls_group_set_psks(alice.group, &psk, 1));
    assert_ok(commit_psks(&alice, &psk.id, 1, &s));
    assert_ok(hs_mls_group_accept(alice.group));
    struct hs_mls_event *event = NULL;
    assert_err(hs_mls_group_process(bob.group, hs_writer_bytes(&s.commit), &event), HS_ERR_NOT_FOUND);
    const struct hs_mls_psk others[] = {
        {.id = resumption(hs_bytes_str("room"), 2), .secret = HS_MLS_VIEW(secret)},
        {.id = resumption(hs_bytes_str("rooms"), 1), .secret = HS_MLS_VIEW(secret)},
        external("room", "secret"),
    };
    assert_ok(hs_mls_group_set_psks(bob.group, others, 3));
    assert_err(hs_mls_group_process(bob.group, hs_writer_bytes(&s.commit), &event), HS_ERR_NOT_FOUND);
    assert_ok(hs_mls_group_set_psks(bob.group, &psk, 1));
    person_follow(&bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&alice, &bob);
    person_free(&alice);
    person_free(&bob);
}

/* Usages that belong to the start of a new group. MLS-56 */
static void usages(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_psk_id id = resumption(hs_bytes_str("room"), hs_mls_group_epoch(c->alice.group));
    for (enum hs_mls_psk_usage usage = HS_MLS_PSK_REINIT; usage <= HS_MLS_PSK_BRANCH; usage++) {
        id.usage = usage;
        assert_err(commit_psks(&c->alice, &id, 1, &s), HS_ERR_MLS_PROPOSAL);
    }
    assert_false(hs_mls_group_has_pending(c->alice.group));
}

/* MLS-10 */
static void limit(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    static struct hs_mls_psk_id ids[HS_MLS_MAX_PSKS + 1];
    const struct hs_mls_psk psk = external("one", "first secret");
    for (size_t i = 0; i < HS_MLS_MAX_PSKS + 1; i++)
        ids[i] = psk.id;
    assert_ok(hs_mls_group_set_psks(c->alice.group, &psk, 1));
    assert_ok(hs_mls_group_set_psks(c->bob.group, &psk, 1));
    assert_err(commit_psks(&c->alice, ids, HS_MLS_MAX_PSKS + 1, &t), HS_ERR_TOO_LARGE);
    struct hs_bytes add = hs_writer_bytes(&c->carol.key_package);
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .psks = ids, .psk_count = HS_MLS_MAX_PSKS, .tree_in_welcome = true};
    person_commit(&c->alice, &request, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
    const struct hs_mls_join join = {
        .welcome = hs_writer_bytes(&s.welcome),
        .key_package = hs_writer_bytes(&c->carol.key_package),
        .priv = &c->carol.priv,
        .signer = &c->carol.signer,
        .psks = &psk,
        .psk_count = 1,
        .settings = hs_mls_settings_default(),
    };
    assert_ok(hs_mls_group_join(&join, &c->carol.group)); /* as many stand in a Welcome */
    assert_same_epoch(&c->alice, &c->carol);
}

int main(void)
{
#define TEST(name) CAST_TEST(name, cast_of_two)
    const struct CMUnitTest tests[] = {
        TEST(by_value),         TEST(pending),        TEST(by_reference),
        TEST(in_a_welcome),     TEST(own_resumption), TEST(own_comes_first),
        TEST(of_another_group), TEST(usages),         TEST(limit),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

/* An epoch that isn't settled yet can be taken back: settings.settling. */
#include "unit/mls/cast.h"

/* One unsettled epoch at a time. MLS-60 */
static void settled(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    assert_false(hs_mls_group_is_unsettled(c->carol.group)); /* who joined has nothing to go back to */
    assert_err(hs_mls_group_settle(c->alice.group), HS_ERR_INVALID_STATE);
    assert_err(hs_mls_group_revert(c->alice.group), HS_ERR_INVALID_STATE);
    person_commit(&c->alice, &empty, &s);
    assert_true(hs_mls_group_is_unsettled(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_ok(person_try_commit(&c->alice, &empty, &t));
    assert_err(hs_mls_group_accept(c->alice.group), HS_ERR_INVALID_STATE);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&t.commit), &event));
    assert_err(hs_mls_group_merge(c->bob.group, event->staged), HS_ERR_INVALID_STATE);
    assert_ok(hs_mls_group_settle(c->bob.group));
    assert_ok(hs_mls_group_merge(c->bob.group, event->staged));
    person_restart(&c->alice);
    assert_true(hs_mls_group_is_unsettled(c->alice.group));
    assert_ok(hs_mls_group_settle(c->alice.group));
    person_restart(&c->alice);
    assert_ok(hs_mls_group_accept(c->alice.group));
    assert_same_epoch(&c->alice, &c->bob);
}

/* All go back, and on with another commit; restarts at every step. MLS-61 */
static void reverted(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct person *all[] = {&c->alice, &c->bob, &c->carol};
    struct hs_writer HS_WRITER lost = hs_writer(CAP);
    const struct hs_mls_secret before = hs_mls_group_authenticator(c->alice.group);
    const uint64_t epoch = hs_mls_group_epoch(c->alice.group);
    person_restart(&c->bob);
    person_commit(&c->alice, &empty, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    person_restart(&c->bob);
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("void"), hs_bytes_str(""), 0, &lost));
    for (int i = 0; i < 3; i++)
        assert_ok(hs_mls_group_revert(all[i]->group));
    person_restart(&c->bob);
    person_restart(&c->alice);
    for (int i = 0; i < 3; i++) {
        const struct hs_mls_secret now = hs_mls_group_authenticator(all[i]->group);
        assert_bytes(HS_MLS_VIEW(now), HS_MLS_VIEW(before));
        assert_int_equal(hs_mls_group_epoch(all[i]->group), epoch);
        assert_false(hs_mls_group_is_unsettled(all[i]->group));
    }
    struct hs_mls_event *event = NULL;
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&lost), &event), HS_ERR_MLS_EPOCH);
    assert_talks(&c->alice, &c->bob, "anew");
    person_commit(&c->bob, &empty, &t);
    person_restart(&c->bob);
    person_follow(&c->alice, hs_writer_bytes(&t.commit));
    person_follow(&c->carol, hs_writer_bytes(&t.commit));
    assert_same_epoch(&c->alice, &c->bob);
    assert_same_epoch(&c->carol, &c->bob);
    /* the void epoch's post isn't the new one's */
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&lost), &event), HS_ERR_DECRYPT);
    assert_talks(&c->carol, &c->bob, "on we go");
}

/* No key is used twice: the ratchets of the epoch go on where they were. MLS-26, MLS-61 */
static void ratchets_go_on(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER early = hs_writer(CAP), HS_WRITER late = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("early"), hs_bytes_str(""), 0, &early));
    person_commit(&c->bob, &empty, &s);
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&early), &event)); /* late, but in time */
    hs_mls_event_free_at(&event);
    assert_ok(hs_mls_group_revert(c->alice.group));
    assert_ok(hs_mls_group_revert(c->bob.group));
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("late"), hs_bytes_str(""), 0, &late));
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&late), &event));
    assert_bytes(event->plaintext, hs_bytes_str("late"));
    hs_mls_event_free_at(&event);
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&early), &event), HS_ERR_MLS_GENERATION);
}

/* What waited, waits again; an own Update's private key, too. MLS-61 */
static void proposals_wait_again(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_writer HS_WRITER update = hs_writer(CAP), HS_WRITER remove = hs_writer(CAP),
                               HS_WRITER later = hs_writer(CAP);
    struct person *all[] = {&c->alice, &c->bob, &c->carol};
    struct hs_mls_signer HS_MLS_SIGNER signer;
    assert_ok(hs_mls_signer_random(c->bob.signer.suite, &signer));
    const struct hs_mls_proposal_request request = {.type = HS_MLS_UPDATE, .signer = &signer};
    assert_ok(hs_mls_group_propose(c->bob.group, &request, &update));
    assert_ok(propose_remove(&c->carol, 2, &remove));
    for (int i = 0; i < 3; i++) {
        person_hear(all[i], hs_writer_bytes(&update));
        person_hear(all[i], hs_writer_bytes(&remove));
    }
    person_commit(&c->alice, &empty, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_true(hs_mls_group_is_removed(c->carol.group));
    assert_ok(propose_update(&c->alice, "", &later));
    person_hear(&c->alice, hs_writer_bytes(&later));
    person_restart(&c->carol);
    const struct hs_mls_signer both[] = {c->bob.signer, signer};
    for (int i = 0; i < 2; i++) { /* a restart with both signers */
        person_save(&c->bob);
        hs_mls_group_free_at(&c->bob.group);
        assert_ok(hs_mls_group_load(&c->bob.store->store, both, 2, &c->bob.group));
        if (i == 0)
            assert_ok(hs_mls_group_revert(c->bob.group));
    }
    person_restart(&c->alice);
    assert_ok(hs_mls_group_revert(c->alice.group));
    person_restart(&c->alice);
    assert_ok(hs_mls_group_revert(c->carol.group));
    person_restart(&c->carol);
    for (int i = 0; i < 3; i++)
        assert_int_equal(hs_mls_public_proposal_count(hs_mls_group_public(all[i]->group)), 2);
    assert_false(hs_mls_group_is_removed(c->carol.group));
    assert_talks(&c->carol, &c->alice, "still here");
    assert_talks(&c->bob, &c->alice, "with my old key");
    person_commit(&c->alice, &empty, &t);
    person_follow(&c->bob, hs_writer_bytes(&t.commit));
    assert_same_epoch(&c->alice, &c->bob);
    assert_talks(&c->bob, &c->alice, "with my new key");
    assert_bytes(HS_MLS_VIEW(c->bob.group->signer.pub), HS_MLS_VIEW(signer.pub));
}

/* The same where the epoch before that one is written anew in the same save. MLS-61 */
static void proposals_are_stored(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_writer HS_WRITER update = hs_writer(CAP);
    person_commit(&c->alice, &empty, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_save(&c->bob);
    assert_ok(hs_mls_group_settle(c->alice.group));
    assert_ok(hs_mls_group_settle(c->bob.group));
    assert_ok(propose_update(&c->alice, "", &update));
    person_hear(&c->alice, hs_writer_bytes(&update));
    person_hear(&c->bob, hs_writer_bytes(&update));
    person_commit(&c->alice, &empty, &t);
    person_follow(&c->bob, hs_writer_bytes(&t.commit));
    person_save(&c->bob);
    person_crash(&c->bob);
    assert_ok(hs_mls_group_revert(c->bob.group));
    assert_int_equal(hs_mls_public_proposal_count(hs_mls_group_public(c->bob.group)), 1);
}

/* One's own commit that lost against the void one: the orderer may take it after all. MLS-61 */
static void pending_again(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new(), SENT u = sent_new();
    assert_ok(person_try_commit(&c->bob, &empty, &t));
    person_commit(&c->alice, &empty, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_false(hs_mls_group_has_pending(c->bob.group));
    person_restart(&c->bob);
    assert_ok(person_try_commit(&c->bob, &empty, &u));
    person_restart(&c->bob);
    assert_bytes(hs_mls_group_pending_message(c->bob.group), hs_writer_bytes(&u.commit));
    assert_ok(hs_mls_group_revert(c->bob.group));
    person_restart(&c->bob);
    assert_bytes(hs_mls_group_pending_message(c->bob.group), hs_writer_bytes(&t.commit));
    assert_ok(hs_mls_group_revert(c->alice.group));
    person_follow(&c->alice, hs_writer_bytes(&t.commit));
    assert_ok(hs_mls_group_accept(c->bob.group));
    assert_same_epoch(&c->alice, &c->bob);
    /* one's own that was void itself is gone, and so is what lost against a commit that was settled */
    assert_ok(hs_mls_group_revert(c->bob.group));
    assert_false(hs_mls_group_has_pending(c->bob.group));
    assert_ok(hs_mls_group_revert(c->alice.group));
    hs_writer_reset(&s.commit);
    assert_ok(person_try_commit(&c->bob, &empty, &u));
    person_commit(&c->alice, &empty, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_restart(&c->bob);
    assert_ok(hs_mls_group_settle(c->bob.group));
    person_restart(&c->bob);
    assert_false(hs_mls_group_has_pending(c->bob.group));
    const uint8_t pending = HS_MLS_RECORD_PENDING;
    assert_int_equal(mls_store_records(c->bob.store, hs_bytes(&pending, 1), NULL), 0);
}

/* A commit that takes another's place may remove or add whom the void one did. */
static void members_come_back(void **state)
{
    struct cast *c = *state;
    struct person dave;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    person_init(&dave, "dave");
    const uint32_t carol = 2;
    const struct hs_bytes add = hs_writer_bytes(&dave.key_package);
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .removes = &carol, .remove_count = 1, .tree_in_welcome = true};
    person_commit(&c->alice, &request, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_ok(hs_mls_group_revert(c->alice.group));
    person_restart(&c->bob);
    assert_ok(hs_mls_group_revert(c->bob.group));
    struct hs_mls_member member;
    assert_err(
        hs_mls_public_member_by_key(hs_mls_group_public(c->bob.group), HS_MLS_VIEW(dave.signer.pub), &member),
        HS_ERR_NOT_FOUND);
    assert_ok(hs_mls_public_member_by_key(hs_mls_group_public(c->bob.group), HS_MLS_VIEW(c->carol.signer.pub),
                                          &member));
    /* carol is still in: she can't be added again; dave can */
    const struct hs_bytes twice = hs_writer_bytes(&c->carol.key_package);
    assert_err(
        person_try_commit(&c->bob, &(struct hs_mls_commit_request){.adds = &twice, .add_count = 1}, &t),
        HS_ERR_MLS_PROPOSAL);
    struct person *others[] = {&c->alice, &c->carol};
    world_add(&c->bob, &dave, others, 2);
    assert_same_epoch(&c->carol, &dave);
    person_free(&dave);
}

/* Settling wipes what went with the epoch before, here and in the store. MLS-27, MLS-60 */
static void settling_wipes(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_secret init = c->bob.group->epoch.init, leaf = c->bob.group->path.priv[0];
    person_save(&c->bob);
    person_commit(&c->bob, &empty, &s);
    person_save(&c->bob);
    assert_true(mls_store_holds(c->bob.store, HS_MLS_VIEW(init)));
    assert_true(mls_store_holds(c->bob.store, HS_MLS_VIEW(leaf)));
    assert_ok(hs_mls_group_settle(c->bob.group));
    person_save(&c->bob);
    assert_false(mls_store_holds(c->bob.store, HS_MLS_VIEW(init)));
    assert_false(mls_store_holds(c->bob.store, HS_MLS_VIEW(leaf)));
}

/* And going back wipes what the void epoch brought. */
static void reverting_wipes(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    person_commit(&c->bob, &empty, &s);
    person_save(&c->bob);
    const struct hs_mls_secret init = c->bob.group->epoch.init, leaf = c->bob.group->path.priv[0];
    assert_true(mls_store_holds(c->bob.store, HS_MLS_VIEW(init)));
    assert_ok(hs_mls_group_revert(c->bob.group));
    person_save(&c->bob);
    assert_false(mls_store_holds(c->bob.store, HS_MLS_VIEW(init)));
    assert_false(mls_store_holds(c->bob.store, HS_MLS_VIEW(leaf)));
    person_crash(&c->bob);
    assert_same_epoch(&c->alice, &c->bob);
}

/* Without past epochs the one before is kept all the same, until it is settled; nothing else drops it. */
static void no_past(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_writer HS_WRITER old = hs_writer(CAP), HS_WRITER older = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    c->bob.group->settings.past_epochs = 0;
    c->bob.group->settings.past_seconds = 1;
    hs_mls_group_drop_past(c->bob.group);
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("old"), hs_bytes_str(""), 0, &old));
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("older"), hs_bytes_str(""), 0, &older));
    person_commit(&c->alice, &empty, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    hs_mls_group_drop_past(c->bob.group);
    hs_mls_group_expire(c->bob.group, 1000);
    hs_mls_group_expire(c->bob.group, 2000);
    person_restart(&c->bob);
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&old), &event));
    hs_mls_event_free_at(&event);
    assert_ok(hs_mls_group_revert(c->alice.group));
    assert_ok(hs_mls_group_revert(c->bob.group));
    person_restart(&c->bob);
    person_commit(&c->alice, &empty, &t);
    person_follow(&c->bob, hs_writer_bytes(&t.commit));
    assert_ok(hs_mls_group_settle(c->bob.group));
    person_restart(&c->bob);
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&older), &event), HS_ERR_MLS_EPOCH);
    assert_same_epoch(&c->alice, &c->bob);
}

/* A group that ended goes on if its end is void. */
static void reinit_is_void(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_reinit reinit = {.group_id = hs_bytes_str("new"), .version = 1, .suite = 3};
    person_commit(&c->alice, &(struct hs_mls_commit_request){.reinit = &reinit}, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_restart(&c->bob);
    assert_ok(hs_mls_group_revert(c->alice.group));
    assert_ok(hs_mls_group_revert(c->bob.group));
    assert_talks(&c->bob, &c->alice, "not over yet");
}

static void expect_void(struct person *who, struct hs_bytes message)
{
    struct hs_mls_event *event = NULL;
    assert_err(hs_mls_group_process(who->group, message, &event), HS_ERR_MLS_COMMIT);
}

/* MLS-61: what was taken back isn't merged again, not even where it was staged before, or after a restart;
 * its message keys would be given out twice. Another commit of the epoch is merged. */
static void void_stays_void(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_mls_event HS_MLS_EVENT *early = NULL;
    person_commit(&c->alice, &empty, &s);
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &early));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_ok(hs_mls_group_revert(c->bob.group));
    expect_void(&c->bob, hs_writer_bytes(&s.commit));
    assert_err(hs_mls_group_merge(c->bob.group, early->staged), HS_ERR_MLS_COMMIT);
    person_restart(&c->bob);
    expect_void(&c->bob, hs_writer_bytes(&s.commit));
    assert_ok(hs_mls_group_revert(c->alice.group));
    person_commit(&c->alice, &empty, &t);
    person_follow(&c->bob, hs_writer_bytes(&t.commit));
    assert_same_epoch(&c->alice, &c->bob);
    assert_ok(hs_mls_group_revert(c->bob.group));
    expect_void(&c->bob, hs_writer_bytes(&s.commit));
    expect_void(&c->bob, hs_writer_bytes(&t.commit));
}

/* HS_MLS_MAX_VOIDED times, and once more; settling makes room. */
static void voided_limit(void **state)
{
    struct cast *c = *state;
    struct sent SENT last = sent_new();
    for (int i = 0; i < HS_MLS_MAX_VOIDED; i++) {
        struct sent SENT s = sent_new();
        person_commit(&c->alice, &empty, &s);
        assert_ok(hs_mls_group_revert(c->alice.group));
    }
    person_restart(&c->alice);
    person_commit(&c->alice, &empty, &last);
    assert_err(hs_mls_group_revert(c->alice.group), HS_ERR_TOO_LARGE);
    person_follow(&c->bob, hs_writer_bytes(&last.commit));
    assert_same_epoch(&c->alice, &c->bob);
    assert_ok(hs_mls_group_settle(c->alice.group));
    struct sent SENT next = sent_new();
    person_commit(&c->alice, &empty, &next);
    assert_ok(hs_mls_group_revert(c->alice.group));
}

/* Who was a member, and what the context was, before the commit that isn't settled. MLS-60 */
static void the_epoch_before(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_member member;
    struct hs_bytes data;
    struct hs_bytes add = hs_writer_bytes(&c->dave.key_package);
    const uint32_t carol = hs_mls_group_own_leaf(c->carol.group);
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .removes = &carol, .remove_count = 1};
    assert_err(hs_mls_group_member_before(c->bob.group, 0, &member), HS_ERR_INVALID_STATE);
    assert_false(hs_mls_group_extension_before(c->bob.group, ROOM_POLICY, &data));
    person_commit(&c->alice, &request, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_restart(&c->bob);
    assert_ok(hs_mls_group_member_before(c->bob.group, carol, &member));
    assert_bytes(member.signature_key, HS_MLS_VIEW(c->carol.signer.pub));
    assert_err(hs_mls_group_member_before(c->bob.group, 3, &member), HS_ERR_NOT_FOUND);
    assert_true(hs_mls_group_extension_before(c->bob.group, ROOM_POLICY, &data));
    assert_bytes(data, hs_bytes_str("policy"));
    assert_false(hs_mls_group_extension_before(c->bob.group, 0xF4FF, &data));
}

int main(void)
{
#define TEST(name) CAST_TEST(name, cast_of_three_settling)
    const struct CMUnitTest tests[] = {
        TEST(settled),
        TEST(reverted),
        TEST(ratchets_go_on),
        TEST(proposals_wait_again),
        TEST(proposals_are_stored),
        TEST(pending_again),
        TEST(members_come_back),
        TEST(settling_wipes),
        TEST(reverting_wipes),
        TEST(no_past),
        TEST(reinit_is_void),
        TEST(void_stays_void),
        TEST(voided_limit),
        TEST(the_epoch_before),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

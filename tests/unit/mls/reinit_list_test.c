/* A ReInit in a commit's list (RFC 9420, 12.1.5, 12.2): what the change says, and that the group is at its
 * end. How the new group begins is in reinit_test.c. */
#include "unit/mls/evil.h"

/* By reference: carol's ReInit, alice's commit, without a path or with one. */
static void by_reference(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
    const struct hs_mls_proposal reinit = evil_reinit();
    const struct hs_mls_hash ref = evil_says(e, &e->carol, &reinit);
    evil_ref(&list, &ref);
    for (int i = 0; i < 2; i++) {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        evil_commit(e,
                    &(struct evil_commit){.by = &e->alice, .list = hs_writer_bytes(&list), .no_path = i == 0},
                    &message);
        assert_ok(hs_mls_group_process(e->bob.group, hs_writer_bytes(&message), &event));
        const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
        assert_true(change->reinit_proposed);
        assert_int_equal(change->reinit_by.type, HS_MLS_SENDER_MEMBER);
        assert_int_equal(change->reinit_by.index, 2);
        assert_bytes(change->reinit.group_id, hs_bytes_str("new room"));
        assert_int_equal(change->reinit.suite, EVIL_SUITE);
        assert_int_equal(change->reinit.version, HS_MLS_VERSION_10);
    }
}

/* A newer version and an unknown suite are for the application to judge: all members must answer alike. */
static void into_the_unknown(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_mls_proposal reinit = evil_reinit();
    reinit.reinit.version = 2;
    reinit.reinit.suite = 0x0A0A;
    evil_value(&list, &reinit);
    evil_commit(e, &(struct evil_commit){.by = &e->alice, .list = hs_writer_bytes(&list), .no_path = true},
                &message);
    assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&message), &event));
    assert_int_equal(hs_mls_staged_change(event->staged)->reinit.suite, 0x0A0A);
}

/* After it nothing is taken any more, not after a restart either. MLS-36 */
static void end_of_the_group(void **state)
{
    struct evil *e = *state;
    struct hs_mls_reinit reinit;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer(), HS_WRITER commit = writer();
    const struct hs_mls_proposal proposal = evil_reinit(), remove = evil_remove(3);
    assert_false(hs_mls_public_reinit(e->hub, &reinit));
    evil_value(&list, &proposal);
    evil_commit(e, &(struct evil_commit){.by = &e->carol, .list = hs_writer_bytes(&list)}, &message);
    evil_accepted(e, hs_writer_bytes(&message));
    for (int i = 0; i < 2; i++) {
        assert_true(hs_mls_public_reinit(e->hub, &reinit));
        assert_bytes(reinit.group_id, hs_bytes_str("new room"));
        assert_int_equal(reinit.suite, EVIL_SUITE);
        evil_propose(e, &(struct evil_sender){.person = &e->alice}, &remove, &message);
        evil_refused(e, hs_writer_bytes(&message), HS_ERR_INVALID_STATE);
        hs_mls_public_free_at(&e->hub);
        assert_ok(hs_mls_public_load(&e->hub_store->store, &e->hub));
        person_restart(&e->bob);
    }
    /* a commit, signed and tagged for the present epoch */
    struct hs_mls_authed authed = {.wire_format = HS_MLS_PUBLIC_MESSAGE};
    struct hs_mls_signature sig;
    authed.content = hs_mls_group_content(e->alice.group, HS_MLS_COMMIT, nothing);
    assert_ok(hs_mls_content_sign(&e->alice.signer, HS_MLS_PUBLIC_MESSAGE, &authed.content,
                                  hs_mls_public_context(e->hub), &sig));
    authed.signature = HS_MLS_VIEW(sig);
    authed.confirmation_tag = HS_MLS_VIEW(e->hub->now.confirmation_tag);
    assert_ok(hs_mls_group_frame(e->alice.group, &authed, &commit));
    evil_refused(e, hs_writer_bytes(&commit), HS_ERR_INVALID_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(by_reference),
        EVIL_TEST(into_the_unknown),
        EVIL_TEST(end_of_the_group),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

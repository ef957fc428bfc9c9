/* Proposals and commits as PrivateMessages. */
#include "unit/mls/cast.h"

#include "mls/external.h"

static int setup(void **state)
{
    struct hs_mls_settings settings = hs_mls_settings_default();
    settings.private_handshakes = true;
    settings.padding = 128;
    cast_found(state, &settings, 3);
    return 0;
}

/* Padded, unreadable for who isn't a member, the same for all who are. MLS-6, MLS-8 */
static void commits(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_peek peek;
    const struct hs_mls_commit_request request = {.authenticated_data = hs_bytes_str("head")};
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    struct hs_mls_public HS_MLS_PUBLIC *hub = NULL;
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &hub));
    assert_ok(person_try_commit(&c->alice, &request, &s));
    assert_ok(hs_mls_message_peek(hs_writer_bytes(&s.commit), &peek));
    assert_int_equal(peek.wire_format, HS_MLS_PRIVATE_MESSAGE);
    assert_int_equal(peek.content_type, HS_MLS_COMMIT);
    assert_false(peek.sender_known);
    assert_bytes(peek.authenticated_data, hs_bytes_str("head"));
    assert_err(hs_mls_public_process(hub, hs_writer_bytes(&s.commit), &event), HS_ERR_UNEXPECTED);
    struct hs_mls_private_message m;
    struct hs_reader r = hs_reader(hs_writer_bytes(&s.commit));
    (void)hs_mls_read_head(&r);
    hs_mls_read_private_message(&r, &m);
    assert_int_equal((m.ciphertext.len - HS_MLS_TAG_LEN) % 128, 0);
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_COMMIT);
    assert_bytes(event->sender.identity, hs_bytes_str("alice"));
    assert_bytes(event->authenticated_data, hs_bytes_str("head"));
    assert_ok(hs_mls_group_merge(c->bob.group, event->staged));
    hs_mls_event_free_at(&event);
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
    assert_same_epoch(&c->alice, &c->carol);
    assert_talks(&c->bob, &c->carol, "in secret");
}

/* A staged commit uses no key up: it is staged again after a restart, and by the merge its key goes. MLS-26,
 * MLS-52 */
static void staged_again(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_event *event = NULL;
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    person_save(&c->bob);
    for (int i = 0; i < 2; i++) {
        assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event));
        hs_mls_event_free_at(&event);
        person_restart(&c->bob);
    }
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event));
    const struct hs_mls_ratchet *turned = event->staged->secrets->turned;
    assert_int_equal(turned->next, 1);
    assert_ok(hs_mls_group_merge(c->bob.group, event->staged));
    hs_mls_event_free_at(&event);
    /* the ratchet of the epoch before has gone on */
    struct hs_mls_ratchet *left = NULL;
    assert_ok(hs_mls_ratchet_take(c->bob.group->past[0].secrets, 0, HS_MLS_RATCHET_HANDSHAKE, &left));
    assert_int_equal(left->next, 1);
    hs_mls_ratchet_free(left);
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event), HS_ERR_MLS_EPOCH);
}

/* One's own can't be read when it comes back, but is known by its bytes, also after a restart. MLS-23 */
static void own_echo(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    const uint32_t carol = 2;
    const struct hs_mls_commit_request request = {.removes = &carol, .remove_count = 1};
    assert_ok(person_try_commit(&c->alice, &request, &s));
    person_restart(&c->alice);
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->removed_count, 1);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&s.commit), &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_OWN_COMMIT);
    assert_bytes(event->sender.identity, hs_bytes_str("alice"));
    person_restart(&c->alice);
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
    /* one that was dropped is a stranger */
    assert_ok(person_try_commit(&c->alice, &empty, &t));
    hs_mls_group_drop(c->alice.group);
    struct hs_mls_event *none = NULL;
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&t.commit), &none),
               HS_ERR_MLS_GENERATION);
}

/* A key is used once, also for a commit that nobody takes: the next one has the next key. */
static void keys_of_dropped_commits(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    person_save(&c->alice);
    hs_mls_group_drop(c->alice.group);
    person_restart(&c->alice);
    assert_ok(person_try_commit(&c->alice, &empty, &t));
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&t.commit), &event));
    assert_int_equal(event->staged->secrets->turned->next, 2);
    assert_ok(hs_mls_group_merge(c->bob.group, event->staged));
    assert_ok(hs_mls_group_accept(c->alice.group));
    assert_same_epoch(&c->alice, &c->bob);
}

/* One's own proposal waits at once. MLS-16 */
static void proposals(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER update = hs_writer(CAP), HS_WRITER remove = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    assert_ok(propose_update(&c->bob, "bobby", &update));
    assert_ok(propose_remove(&c->carol, 2, &remove));
    assert_int_equal(hs_mls_public_proposal_count(hs_mls_group_public(c->bob.group)), 1);
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&update), &event), HS_ERR_MLS_GENERATION);
    person_restart(&c->bob);
    person_hear(&c->alice, hs_writer_bytes(&remove));
    person_hear(&c->bob, hs_writer_bytes(&remove));
    person_hear(&c->alice, hs_writer_bytes(&update));
    person_hear(&c->carol, hs_writer_bytes(&update));
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&update), &event), HS_ERR_MLS_GENERATION);
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    person_restart(&c->alice);
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_true(hs_mls_group_is_removed(c->carol.group));
    assert_same_epoch(&c->alice, &c->bob);
    snprintf(c->bob.name, sizeof c->bob.name, "bobby");
    assert_talks(&c->bob, &c->alice, "with my new key");
}

/* Each as it likes: the settings are a sender's own. */
static void mixed(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    c->bob.group->settings.private_handshakes = false;
    assert_ok(person_try_commit(&c->bob, &empty, &s));
    assert_int_equal(s.commit.data[3], HS_MLS_PUBLIC_MESSAGE);
    assert_ok(hs_mls_group_accept(c->bob.group));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_ok(person_try_commit(&c->alice, &empty, &t));
    assert_int_equal(t.commit.data[3], HS_MLS_PRIVATE_MESSAGE);
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&t.commit));
    assert_same_epoch(&c->alice, &c->bob);
}

/* An Add in a PrivateMessage commit: the newcomer comes in by Welcome as ever. */
static void adds(void **state)
{
    struct cast *c = *state;
    struct person dave;
    person_init(&dave, "dave");
    struct person *others[] = {&c->bob, &c->carol};
    world_add(&c->alice, &dave, others, 2);
    assert_talks(&dave, &c->carol, "hello");
    /* and one from outside comes in publicly all the same */
    struct person erin;
    person_init(&erin, "erin");
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    assert_ok(hs_mls_group_info(dave.group, true, &info));
    const struct hs_mls_external_join join = {
        .group_info = hs_writer_bytes(&info), .leaf = person_params(&erin), .settings = dave.settings};
    const struct hs_mls_commit_result result = {.commit = &s.commit};
    assert_ok(hs_mls_group_join_external(&join, &result, &erin.group));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    person_follow(&dave, hs_writer_bytes(&s.commit));
    assert_same_epoch(&erin, &dave);
    person_free(&dave);
    person_free(&erin);
}

/* A bit anywhere: refused, and nothing changes. */
static void bent(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_event *event = NULL;
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    const struct hs_id before = person_state(&c->bob);
    for (size_t at = 0; at < s.commit.len; at++) {
        s.commit.data[at] ^= 1;
        assert_int_not_equal(hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event), HS_OK);
        s.commit.data[at] ^= 1;
    }
    assert_same_state(&c->bob, before);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
}

int main(void)
{
#define TEST(name) CAST_TEST(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(commits),   TEST(staged_again), TEST(own_echo), TEST(keys_of_dropped_commits),
        TEST(proposals), TEST(mixed),        TEST(adds),     TEST(bent),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

/* Proposals from outside: external senders, and newcomers who ask to be added. */
#include "unit/mls/cast.h"

#include "mls/external.h"

static struct hs_mls_signer moderator_keys, service_keys;

static void create(struct cast *c)
{
    struct hs_writer HS_WRITER senders = hs_writer(CAP);
    const struct hs_mls_external_sender known[] = {
        {.signature_key = HS_MLS_VIEW(moderator_keys.pub),
         .credential_type = HS_MLS_BASIC,
         .identity = hs_bytes_str("moderator")},
        {.signature_key = HS_MLS_VIEW(service_keys.pub),
         .credential_type = HS_MLS_BASIC,
         .identity = hs_bytes_str("service")},
    };
    assert_ok(hs_mls_external_senders_write(known, 2, &senders));
    const struct hs_mls_extension extensions[] = {
        {.type = ROOM_POLICY, .data = hs_bytes_str("policy")},
        {.type = HS_MLS_EXT_EXTERNAL_SENDERS, .data = hs_writer_bytes(&senders)},
    };
    const struct hs_mls_create request = {
        .leaf = person_params(&c->alice),
        .group_id = hs_bytes_str("room"),
        .extensions = extensions,
        .extension_count = 2,
        .settings = c->alice.settings,
    };
    assert_ok(hs_mls_group_create(&request, &c->alice.group));
}

static int setup(void **state)
{
    struct cast *c = cast_meet(state, NULL);
    assert_ok(hs_mls_signer_random(c->alice.signer.suite, &moderator_keys));
    assert_ok(hs_mls_signer_random(c->alice.signer.suite, &service_keys));
    create(c);
    cast_gather(c, 2);
    return 0;
}

static int teardown(void **state)
{
    hs_mls_signer_wipe(&moderator_keys);
    hs_mls_signer_wipe(&service_keys);
    return cast_teardown(state);
}

static struct hs_mls_outsider outsider(const struct cast *c, const struct hs_mls_signer *signer,
                                       uint32_t index)
{
    return (struct hs_mls_outsider){.signer = signer,
                                    .index = index,
                                    .group_id = hs_mls_group_id(c->alice.group),
                                    .epoch = hs_mls_group_epoch(c->alice.group)};
}

static struct hs_mls_outsider newcomer(const struct cast *c)
{
    struct hs_mls_outsider self = outsider(c, &c->carol.signer, 0);
    self.newcomer = true;
    return self;
}

/* The moderator's wishes, committed by reference by whoever commits next. MLS-9 */
static void external_senders(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER add = hs_writer(CAP), HS_WRITER policy = hs_writer(CAP);
    const struct hs_mls_outsider moderator = outsider(c, &moderator_keys, 0),
                                 service = outsider(c, &service_keys, 1);
    const struct hs_mls_extension extension = {.type = ROOM_POLICY, .data = hs_bytes_str("policy 2")};
    assert_ok(hs_mls_outsider_propose(&moderator,
                                      &(struct hs_mls_proposal_request){
                                          .type = HS_MLS_ADD,
                                          .key_package = hs_writer_bytes(&c->carol.key_package),
                                          .authenticated_data = hs_bytes_str("ad"),
                                      },
                                      &add));
    assert_ok(hs_mls_outsider_propose(&service,
                                      &(struct hs_mls_proposal_request){
                                          .type = HS_MLS_GROUP_CONTEXT_EXTENSIONS,
                                          .extensions = &extension,
                                          .extension_count = 1,
                                      },
                                      &policy));
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&add), &event));
    assert_int_equal(event->author.type, HS_MLS_SENDER_EXTERNAL);
    assert_int_equal(event->author.index, 0);
    assert_int_equal(event->sender.identity.len, 0);
    assert_bytes(event->proposal.target.identity, hs_bytes_str("carol"));
    assert_bytes(event->authenticated_data, hs_bytes_str("ad"));
    person_hear(&c->bob, hs_writer_bytes(&add));
    person_hear(&c->alice, hs_writer_bytes(&policy));
    person_hear(&c->bob, hs_writer_bytes(&policy));
    person_restart(&c->bob);
    assert_ok(person_try_commit(&c->bob, &(struct hs_mls_commit_request){.tree_in_welcome = true}, &s));
    const struct hs_mls_change *change = hs_mls_group_pending_change(c->bob.group);
    assert_int_equal(change->added_count, 1);
    assert_int_equal(change->added[0].by.type, HS_MLS_SENDER_EXTERNAL);
    assert_int_equal(change->added[0].by.index, 0);
    assert_int_equal(change->extensions_by.index, 1);
    assert_ok(hs_mls_group_accept(c->bob.group));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_ok(person_try_join(&c->carol, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
    assert_same_epoch(&c->alice, &c->bob);
    assert_same_epoch(&c->alice, &c->carol);
}

/* The moderator removes somebody. */
static void removal(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    const struct hs_mls_outsider moderator = outsider(c, &moderator_keys, 0);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_REMOVE, .leaf = 0};
    assert_ok(hs_mls_outsider_propose(&moderator, &request, &w));
    person_hear(&c->alice, hs_writer_bytes(&w));
    person_hear(&c->bob, hs_writer_bytes(&w));
    /* who is to go may still commit, but not that */
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->removed_count, 0);
    hs_mls_group_drop(c->alice.group);
    hs_writer_reset(&s.commit);
    assert_ok(person_try_commit(&c->bob, &empty, &s));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_true(hs_mls_group_is_removed(c->alice.group));
}

/* PSK and ReInit as well. */
static void other_types(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER psk = hs_writer(CAP), HS_WRITER reinit = hs_writer(CAP);
    const struct hs_mls_outsider moderator = outsider(c, &moderator_keys, 0);
    const struct hs_mls_proposal_request requests[] = {
        {.type = HS_MLS_PSK, .psk = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("one")}},
        {.type = HS_MLS_REINIT, .reinit = {.group_id = hs_bytes_str("new"), .version = 1, .suite = 3}},
    };
    assert_ok(hs_mls_outsider_propose(&moderator, &requests[0], &psk));
    assert_ok(hs_mls_outsider_propose(&moderator, &requests[1], &reinit));
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&psk), &event));
    assert_bytes(event->proposal.psk.id, hs_bytes_str("one"));
    hs_mls_event_free_at(&event);
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&reinit), &event));
    assert_bytes(event->proposal.reinit.group_id, hs_bytes_str("new"));
    hs_mls_event_free_at(&event);
}

/* Somebody asks to be let in. MLS-9 */
static void newcomers(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    const struct hs_mls_outsider carol = newcomer(c);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_ADD,
                                                    .key_package = hs_writer_bytes(&c->carol.key_package)};
    assert_ok(hs_mls_outsider_propose(&carol, &request, &w));
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&w), &event));
    assert_int_equal(event->author.type, HS_MLS_SENDER_NEW_MEMBER_PROPOSAL);
    assert_bytes(event->sender.identity, hs_bytes_str("carol"));
    person_hear(&c->alice, hs_writer_bytes(&w));
    person_commit(&c->alice, &(struct hs_mls_commit_request){.tree_in_welcome = true}, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_ok(person_try_join(&c->carol, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
    assert_same_epoch(&c->bob, &c->carol);
}

/* What can't be asked for from outside, and by whom it isn't taken. */
static void refusals(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    const struct hs_mls_outsider moderator = outsider(c, &moderator_keys, 0), carol = newcomer(c);
    const struct hs_mls_proposal_request remove = {.type = HS_MLS_REMOVE, .leaf = 1};
    for (int type = 0; type <= HS_MLS_GROUP_CONTEXT_EXTENSIONS + 1; type++) {
        const struct hs_mls_proposal_request request = {
            .type = (enum hs_mls_proposal_type)type, .key_package = hs_writer_bytes(&c->carol.key_package)};
        bool fine = type != 0 && type != HS_MLS_UPDATE && type != HS_MLS_EXTERNAL_INIT &&
                    type <= HS_MLS_GROUP_CONTEXT_EXTENSIONS;
        assert_err(hs_mls_outsider_propose(&moderator, &request, &w), fine ? HS_OK : HS_ERR_INVALID_ARG);
        assert_err(hs_mls_outsider_propose(&carol, &request, &w),
                   type == HS_MLS_ADD ? HS_OK : HS_ERR_INVALID_ARG);
    }
    const struct hs_mls_proposal_request bob = {.type = HS_MLS_ADD,
                                                .key_package = hs_writer_bytes(&c->bob.key_package)};
    assert_err(hs_mls_outsider_propose(&carol, &bob, &w), HS_ERR_INVALID_ARG); /* somebody else's */
    const struct {
        struct hs_mls_outsider who;
        enum hs_err want;
    } rows[] = {
        {outsider(c, &moderator_keys, 1), HS_ERR_BAD_SIGNATURE},
        {outsider(c, &moderator_keys, 2), HS_ERR_NOT_MEMBER},
        {outsider(c, &c->alice.signer, 0), HS_ERR_BAD_SIGNATURE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hs_writer_reset(&w);
        assert_ok(hs_mls_outsider_propose(&rows[i].who, &remove, &w));
        assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event), rows[i].want);
    }
    struct hs_mls_outsider late = moderator;
    late.epoch++;
    hs_writer_reset(&w);
    assert_ok(hs_mls_outsider_propose(&late, &remove, &w));
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event), HS_ERR_MLS_EPOCH);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(external_senders), TEST(removal), TEST(other_types), TEST(newcomers), TEST(refusals),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

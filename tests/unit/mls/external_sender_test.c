/* Proposals from outside (RFC 9420, 12.1.8): by one of external_senders, by one who wants to come in; and the
 * extensions of the GroupContext that speak of them. MLS-9 */
#include "unit/mls/evil.h"

#include "mls/extensions.h"
#include "mls/external.h"

static const uint8_t zeros[32];

static struct hs_mls_outsider moderator(const struct evil *e)
{
    return (struct hs_mls_outsider){
        .signer = &e->moderator,
        .group_id = hs_mls_public_id(e->hub),
        .epoch = hs_mls_public_epoch(e->hub),
    };
}

static struct hs_mls_outsider newcomer(const struct evil *e, const struct person *p)
{
    struct hs_mls_outsider outsider = moderator(e);
    outsider.signer = &p->signer;
    outsider.newcomer = true;
    return outsider;
}

/* Alice commits what waits; all follow. What it did is in her change until then. */
static void alice_commits(struct evil *e, struct sent *s)
{
    assert_ok(person_try_commit(&e->alice, &(struct hs_mls_commit_request){.tree_in_welcome = true}, s));
    struct person *all[] = {&e->bob, &e->carol, &e->dave};
    for (size_t i = 0; i < 3; i++)
        person_follow(all[i], hs_writer_bytes(&s->commit));
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&s->commit), &event));
    assert_ok(hs_mls_public_merge(e->hub, event->staged));
}

/* What it is at bob's: who, and what. */
static void removal(void **state)
{
    struct evil *e = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = writer();
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_mls_peek peek;
    const struct hs_mls_outsider from = moderator(e);
    const struct hs_mls_proposal_request request = {
        .type = HS_MLS_REMOVE, .leaf = 3, .authenticated_data = hs_bytes_str("spam")};
    assert_ok(hs_mls_outsider_propose(&from, &request, &w));
    assert_ok(hs_mls_message_peek(hs_writer_bytes(&w), &peek));
    assert_true(peek.sender_known);
    assert_int_equal(peek.sender.type, HS_MLS_SENDER_EXTERNAL);
    assert_ok(hs_mls_group_process(e->bob.group, hs_writer_bytes(&w), &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_PROPOSAL);
    assert_int_equal(event->author.type, HS_MLS_SENDER_EXTERNAL);
    assert_int_equal(event->author.index, 0);
    assert_int_equal(event->sender.identity.len, 0);
    assert_bytes(event->authenticated_data, hs_bytes_str("spam"));
    assert_int_equal(event->proposal.target.leaf, 3);
    assert_bytes(event->proposal.target.identity, hs_bytes_str("dave"));
    evil_heard(e, hs_writer_bytes(&w));
    alice_commits(e, &s);
    const struct hs_mls_change *change = hs_mls_group_pending_change(e->alice.group);
    assert_int_equal(change->removed_count, 1);
    assert_int_equal(change->removed[0].by.type, HS_MLS_SENDER_EXTERNAL);
    assert_true(hs_mls_group_is_removed(e->dave.group));
    assert_int_equal(hs_mls_public_member_count(e->hub), 3);
}

/* Every type that one from outside may propose waits, and the change says whose it was. */
static void types(void **state)
{
    struct evil *e = *state;
    const struct hs_mls_outsider from = moderator(e);
    const struct hs_mls_extension policy = {.type = ROOM_POLICY, .data = hs_bytes_str("new")};
    const struct hs_mls_proposal_request all[] = {
        {.type = HS_MLS_ADD, .key_package = hs_writer_bytes(&e->erin.key_package)},
        {.type = HS_MLS_PSK, .psk = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("word")}},
        {.type = HS_MLS_REINIT,
         .reinit = {.group_id = hs_bytes_str("n"), .version = HS_MLS_VERSION_10, .suite = EVIL_SUITE}},
        {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS, .extensions = &policy, .extension_count = 1},
    };
    for (size_t i = 0; i < 4; i++) {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        struct hs_writer HS_WRITER w = writer();
        assert_ok(hs_mls_outsider_propose(&from, &all[i], &w));
        assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&w), &event));
        assert_int_equal(event->proposal.type, all[i].type);
        if (all[i].type == HS_MLS_ADD)
            assert_bytes(event->proposal.target.identity, hs_bytes_str("erin"));
        if (all[i].type == HS_MLS_PSK)
            assert_bytes(event->proposal.psk.id, hs_bytes_str("word"));
        if (all[i].type == HS_MLS_REINIT)
            assert_bytes(event->proposal.reinit.group_id, hs_bytes_str("n"));
        if (all[i].type == HS_MLS_GROUP_CONTEXT_EXTENSIONS)
            assert_bytes(event->proposal.extensions, hs_bytes("\xF4\xA1\x03new", 6));
        evil_heard(e, hs_writer_bytes(&w));
    }
    assert_int_equal(hs_mls_public_proposal_count(e->hub), 4);
    struct sent SENT s = sent_new();
    alice_commits(e,
                  &s); /* without the PSK, which she hasn't, and the ReInit, which would have to be alone */
    const struct hs_mls_change *change = hs_mls_group_pending_change(e->alice.group);
    assert_int_equal(change->added_count, 1);
    assert_int_equal(change->added[0].by.type, HS_MLS_SENDER_EXTERNAL);
    assert_int_equal(change->extensions_by.type, HS_MLS_SENDER_EXTERNAL);
    assert_int_equal(change->psk_count, 0);
    assert_false(change->reinit_proposed);
    struct hs_writer HS_WRITER w = writer();
    assert_err(hs_mls_outsider_propose(&from, &(struct hs_mls_proposal_request){.type = HS_MLS_UPDATE}, &w),
               HS_ERR_INVALID_ARG);
}

/* Erin asks to come in, and does. */
static void asks_for_herself(void **state)
{
    struct evil *e = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = writer();
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    const struct hs_mls_outsider from = newcomer(e, &e->erin);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_ADD,
                                                    .key_package = hs_writer_bytes(&e->erin.key_package)};
    assert_ok(hs_mls_outsider_propose(&from, &request, &w));
    assert_ok(hs_mls_group_process(e->bob.group, hs_writer_bytes(&w), &event));
    assert_int_equal(event->author.type, HS_MLS_SENDER_NEW_MEMBER_PROPOSAL);
    assert_bytes(event->sender.identity, hs_bytes_str("erin"));
    assert_bytes(event->proposal.target.signature_key, HS_MLS_VIEW(e->erin.signer.pub));
    evil_heard(e, hs_writer_bytes(&w));
    alice_commits(e, &s);
    assert_int_equal(hs_mls_group_pending_change(e->alice.group)->added[0].by.type,
                     HS_MLS_SENDER_NEW_MEMBER_PROPOSAL);
    assert_ok(hs_mls_group_accept(e->alice.group));
    assert_ok(person_try_join(&e->erin, hs_writer_bytes(&s.welcome), nothing));
    assert_same_epoch(&e->erin, &e->bob);
}

/* Of the next epoch, or after the hub has moved on: another epoch's. */
static void too_late(void **state)
{
    struct evil *e = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = writer();
    const struct hs_mls_outsider from = moderator(e);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_REMOVE, .leaf = 3};
    assert_ok(hs_mls_outsider_propose(&from, &request, &w));
    alice_commits(e, &s);
    evil_refused(e, hs_writer_bytes(&w), HS_ERR_MLS_EPOCH);
}

/* As many external senders as there may be, and one more. MLS-10 */
static void senders_extension(void **state)
{
    (void)state;
    struct hs_mls_external_sender senders[HS_MLS_MAX_EXTERNAL_SENDERS + 1], read;
    for (size_t i = 0; i <= HS_MLS_MAX_EXTERNAL_SENDERS; i++)
        senders[i] = (struct hs_mls_external_sender){
            .signature_key = hs_bytes(zeros, 32),
            .credential_type = i % 2 == 0 ? HS_MLS_BASIC : HS_MLS_X509,
            .identity = i % 2 == 0 ? hs_bytes_str("service") : hs_bytes("\x02\xAB\xCD", 3)};
    struct hs_writer HS_WRITER most = writer(), HS_WRITER list = writer();
    assert_err(hs_mls_external_senders_write(senders, HS_MLS_MAX_EXTERNAL_SENDERS + 1, &most),
               HS_ERR_INVALID_ARG);
    hs_writer_reset(&most);
    assert_ok(hs_mls_external_senders_write(senders, HS_MLS_MAX_EXTERNAL_SENDERS, &most));
    struct hs_bytes data = hs_writer_bytes(&most);
    assert_ok(hs_mls_external_senders_read(data, HS_MLS_MAX_EXTERNAL_SENDERS - 1, &read));
    assert_int_equal(read.credential_type, HS_MLS_X509);
    assert_bytes(read.identity, hs_bytes("\x02\xAB\xCD", 3));
    assert_err(hs_mls_external_senders_read(data, HS_MLS_MAX_EXTERNAL_SENDERS, &read), HS_ERR_NOT_FOUND);
    assert_err(hs_mls_external_senders_read(hs_bytes(data.data, data.len - 1), 0, &read), HS_ERR_MALFORMED);
    hs_mls_write_extension(&list, HS_MLS_EXT_EXTERNAL_SENDERS, data);
    assert_ok(hs_mls_group_extensions_check(hs_writer_bytes(&list)));
    /* one more, by hand */
    struct hs_writer HS_WRITER more = writer(), HS_WRITER content = writer();
    struct hs_reader r = hs_reader(data);
    hs_write_bytes(&content, hs_read_mls_vec(&r));
    hs_write_mls_vec(&content, senders[0].signature_key);
    hs_mls_write_credential(&content, HS_MLS_BASIC, senders[0].identity);
    hs_write_mls_vec(&more, hs_writer_bytes(&content));
    hs_writer_reset(&list);
    hs_mls_write_extension(&list, HS_MLS_EXT_EXTERNAL_SENDERS, hs_writer_bytes(&more));
    assert_err(hs_mls_group_extensions_check(hs_writer_bytes(&list)), HS_ERR_MALFORMED);
}

/* An identity of the largest size, and one byte more. MLS-2, MLS-10 */
static void sender_identity(void **state)
{
    (void)state;
    static uint8_t identity[HS_MLS_MAX_IDENTITY + 1];
    struct hs_writer HS_WRITER w = writer();
    struct hs_mls_external_sender sender = {.signature_key = hs_bytes(zeros, 32),
                                            .credential_type = HS_MLS_BASIC,
                                            .identity = hs_bytes(identity, HS_MLS_MAX_IDENTITY)};
    assert_ok(hs_mls_external_senders_write(&sender, 1, &w));
    sender.identity.len++;
    assert_err(hs_mls_external_senders_write(&sender, 1, &w), HS_ERR_INVALID_ARG);
}

/* As many types as a list may have, and one more. MLS-10 */
static void required_extension(void **state)
{
    (void)state;
    uint16_t types[HS_MLS_MAX_CAPABILITIES + 1] = {0};
    struct hs_mls_required_lists lists;
    struct hs_mls_required required = {.proposals = types, .proposal_count = HS_MLS_MAX_CAPABILITIES};
    struct hs_writer HS_WRITER w = writer(), HS_WRITER more = writer();
    assert_ok(hs_mls_required_write(&required, &w));
    assert_ok(hs_mls_required_read(hs_writer_bytes(&w), &lists));
    assert_int_equal(lists.proposals.len, 2 * HS_MLS_MAX_CAPABILITIES);
    assert_int_equal(lists.extensions.len + lists.credentials.len, 0);
    required.proposal_count++;
    hs_writer_reset(&w);
    assert_err(hs_mls_required_write(&required, &w), HS_ERR_INVALID_ARG);
    hs_write_mls_len(&more, 2 * (HS_MLS_MAX_CAPABILITIES + 1));
    for (size_t i = 0; i <= HS_MLS_MAX_CAPABILITIES; i++)
        hs_write_u16(&more, 1);
    hs_write_u16(&more, 0); /* two empty lists */
    assert_err(hs_mls_required_read(hs_writer_bytes(&more), &lists), HS_ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(removal),
        EVIL_TEST(types),
        EVIL_TEST(asks_for_herself),
        EVIL_TEST(too_late),
        cmocka_unit_test(senders_extension),
        cmocka_unit_test(sender_identity),
        cmocka_unit_test(required_extension),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

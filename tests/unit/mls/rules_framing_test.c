/* RFC 9420, 6 and 12.1.8: who may send what, and the proofs of it. Rules that a sender can break:
 *
 * - 6: another group, another epoch; an application message in the clear
 * - 6.1: a sender whose leaf is blank or past the tree; another's signature; a signature over another
 *   GroupContext, wire format, content
 * - 6.2, members only: a membership tag that is wrong, cut short, empty
 * - 12.1.8: an external sender that isn't listed, with another's key, with an Update or ExternalInit, with a
 *   commit; a newcomer's proposal that isn't an Add, or isn't signed by the Add's leaf, or is a commit; a
 *   newcomer's commit that is a proposal
 */
#include "unit/mls/evil.h"

#include "mls/external.h"

static const uint8_t zeros[32];

static void refused(struct evil *e, const struct evil_sender *sender, const struct hs_mls_proposal *proposal,
                    enum hs_err want)
{
    struct hs_writer HS_WRITER message = writer();
    evil_propose(e, sender, proposal, &message);
    evil_refused(e, hs_writer_bytes(&message), want);
}

static void other_group(struct hs_mls_content *content)
{
    content->group_id = hs_bytes_str("moor");
}

static void past_epoch(struct hs_mls_content *content)
{
    content->epoch--;
}

static void coming_epoch(struct hs_mls_content *content)
{
    content->epoch++;
}

static void application(struct hs_mls_content *content)
{
    content->type = HS_MLS_APPLICATION;
    content->application = hs_bytes_str("in the clear");
}

static void past_the_tree(struct hs_mls_content *content)
{
    content->sender.index = 4;
}

static void far_past_the_tree(struct hs_mls_content *content)
{
    content->sender.index = UINT32_MAX;
}

static void from_another(struct hs_mls_content *content)
{
    content->sender.index = 3;
}

/* 6. MLS-6 */
static void content(void **state)
{
    struct evil *e = *state;
    const struct {
        void (*bend)(struct hs_mls_content *content);
        enum hs_err want;
    } all[] = {
        {other_group, HS_ERR_MLS_GROUP},      {past_epoch, HS_ERR_MLS_EPOCH},
        {coming_epoch, HS_ERR_MLS_EPOCH},     {application, HS_ERR_UNEXPECTED},
        {past_the_tree, HS_ERR_NOT_MEMBER},   {far_past_the_tree, HS_ERR_NOT_MEMBER},
        {from_another, HS_ERR_BAD_SIGNATURE},
    };
    const struct hs_mls_proposal remove = evil_remove(2);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        refused(e, &(struct evil_sender){.person = &e->alice, .bend_content = all[i].bend}, &remove,
                all[i].want);
}

/* Dave is removed, and speaks. */
static void blank_sender(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
    const struct hs_mls_proposal dave = evil_remove(3), carol = evil_remove(2);
    evil_value(&list, &dave);
    evil_commit(e, &(struct evil_commit){.by = &e->carol, .list = hs_writer_bytes(&list)}, &message);
    for (size_t i = 0; i < 2; i++)
        person_follow(i == 0 ? &e->alice : &e->bob, hs_writer_bytes(&message));
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&message), &event));
    assert_ok(hs_mls_public_merge(e->hub, event->staged));
    /* alice lends him the tag that he can't make */
    refused(e,
            &(struct evil_sender){.person = &e->alice,
                                  .signer = &e->dave.signer,
                                  .author = {.type = HS_MLS_SENDER_MEMBER, .index = 3}},
            &carol, HS_ERR_NOT_MEMBER);
}

static void signature_altered(struct hs_mls_authed *authed)
{
    static uint8_t signature[64];
    memcpy(signature, authed->signature.data, sizeof signature);
    signature[63] ^= 1;
    authed->signature = hs_bytes(signature, sizeof signature);
}

static void signature_short(struct hs_mls_authed *authed)
{
    authed->signature.len--;
}

static void signature_empty(struct hs_mls_authed *authed)
{
    authed->signature = nothing;
}

static void epoch_after_signing(struct hs_mls_authed *authed)
{
    authed->content.authenticated_data = hs_bytes_str("added");
}

/* 6.1 */
static void signatures(void **state)
{
    struct evil *e = *state;
    static void (*const all[])(struct hs_mls_authed *) = {
        signature_altered,
        signature_short,
        signature_empty,
        epoch_after_signing,
    };
    const struct hs_mls_proposal remove = evil_remove(2);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        refused(e, &(struct evil_sender){.person = &e->alice, .bend = all[i]}, &remove, HS_ERR_BAD_SIGNATURE);
    refused(e, &(struct evil_sender){.person = &e->alice, .signer = &e->carol.signer}, &remove,
            HS_ERR_BAD_SIGNATURE);
}

/* A signature for the other wire format, and one over another GroupContext, under a tag that is right. 6.1 */
static void signed_in_another_place(void **state)
{
    struct evil *e = *state;
    const struct hs_mls_group *group = e->alice.group;
    const struct hs_bytes context = hs_mls_public_context(group->pub);
    uint8_t other[512];
    assert_true(context.len <= sizeof other);
    memcpy(other, context.data, context.len);
    other[context.len - 1] ^= 1;
    for (int i = 0; i < 3; i++) {
        struct hs_mls_signature sig;
        struct hs_writer HS_WRITER message = writer();
        struct hs_mls_authed authed = {.wire_format = HS_MLS_PUBLIC_MESSAGE};
        authed.content = hs_mls_group_content(group, HS_MLS_PROPOSAL, nothing);
        authed.content.proposal = evil_remove(2);
        assert_ok(
            hs_mls_content_sign(&e->alice.signer, i == 1 ? HS_MLS_PRIVATE_MESSAGE : HS_MLS_PUBLIC_MESSAGE,
                                &authed.content, i == 2 ? hs_bytes(other, context.len) : context, &sig));
        authed.signature = HS_MLS_VIEW(sig);
        assert_ok(hs_mls_group_frame(group, &authed, &message));
        if (i > 0)
            evil_refused(e, hs_writer_bytes(&message), HS_ERR_BAD_SIGNATURE);
        else
            evil_heard(e, hs_writer_bytes(&message));
    }
}

/* 6.2. A hub has no membership key and keeps the proposal; each message is another one, so that it is new to
 * bob. MLS-7 */
static void membership_tags(void **state)
{
    struct evil *e = *state;
    for (size_t i = 0; i < 4; i++) {
        struct hs_mls_event HS_MLS_EVENT *event = NULL, HS_MLS_EVENT *none = NULL;
        struct hs_writer HS_WRITER message = writer(), HS_WRITER bent = writer();
        struct hs_mls_public_message m;
        uint8_t tag[33] = {0};
        const struct hs_mls_proposal remove = evil_remove(2);
        evil_propose(e, &(struct evil_sender){.person = &e->alice}, &remove, &message);
        struct hs_reader r = hs_reader(hs_writer_bytes(&message));
        (void)hs_mls_read_head(&r);
        hs_mls_read_public_message(&r, &m);
        assert_ok(hs_reader_finish(&r));
        memcpy(tag, m.membership_tag.data, 32);
        tag[31] ^= i == 0;
        const size_t lengths[] = {32, 31, 0, 33};
        m.membership_tag = hs_bytes(tag, lengths[i]);
        hs_mls_write_head(&bent, HS_MLS_PUBLIC_MESSAGE);
        hs_mls_write_public_message(&bent, &m);
        const struct hs_id before = person_state(&e->bob);
        assert_err(hs_mls_group_process(e->bob.group, hs_writer_bytes(&bent), &none), HS_ERR_MLS_MEMBERSHIP);
        assert_same_state(&e->bob, before);
        assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&bent), &event));
    }
}

static struct evil_sender outside(const struct hs_mls_signer *signer, enum hs_mls_sender_type type,
                                  uint32_t index)
{
    return (struct evil_sender){.signer = signer, .author = {.type = type, .index = index}};
}

/* 12.1.8. MLS-9 */
static void external_senders(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER leaf = writer();
    const struct evil_sender moderator = outside(&e->moderator, HS_MLS_SENDER_EXTERNAL, 0),
                             next = outside(&e->moderator, HS_MLS_SENDER_EXTERNAL, 1),
                             far = outside(&e->moderator, HS_MLS_SENDER_EXTERNAL, UINT32_MAX),
                             impostor = outside(&e->frank.signer, HS_MLS_SENDER_EXTERNAL, 0);
    const struct hs_mls_proposal remove = evil_remove(2), init = evil_external_init(hs_bytes(zeros, 32)),
                                 update = evil_update(&e->carol, NULL, NULL, &leaf);
    refused(e, &next, &remove, HS_ERR_NOT_MEMBER);
    refused(e, &far, &remove, HS_ERR_NOT_MEMBER);
    refused(e, &impostor, &remove, HS_ERR_BAD_SIGNATURE);
    refused(e, &moderator, &update, HS_ERR_MLS_PROPOSAL);
    refused(e, &moderator, &init, HS_ERR_MLS_PROPOSAL);
}

/* Without the extension nobody is one. */
static void no_external_senders(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
    const struct hs_mls_proposal extensions = evil_extensions(nothing), remove = evil_remove(2);
    const struct evil_sender moderator = outside(&e->moderator, HS_MLS_SENDER_EXTERNAL, 0);
    evil_value(&list, &extensions);
    evil_commit(e, &(struct evil_commit){.by = &e->carol, .list = hs_writer_bytes(&list)}, &message);
    person_follow(&e->bob, hs_writer_bytes(&message));
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&message), &event));
    assert_ok(hs_mls_public_merge(e->hub, event->staged));
    refused(e, &moderator, &remove, HS_ERR_NOT_MEMBER);
}

/* 12.1.8 */
static void new_members(void **state)
{
    struct evil *e = *state;
    const struct evil_sender erin = outside(&e->erin.signer, HS_MLS_SENDER_NEW_MEMBER_PROPOSAL, 0),
                             frank = outside(&e->frank.signer, HS_MLS_SENDER_NEW_MEMBER_PROPOSAL, 0),
                             joiner = outside(&e->erin.signer, HS_MLS_SENDER_NEW_MEMBER_COMMIT, 0);
    const struct hs_mls_proposal add = evil_add(hs_writer_bytes(&e->erin.key_package)),
                                 remove = evil_remove(2), reinit = evil_reinit(),
                                 psk = evil_psk("x", hs_bytes(zeros, 32)),
                                 extensions = evil_extensions(nothing);
    const struct hs_mls_proposal *const others[] = {&remove, &reinit, &psk, &extensions};
    for (size_t i = 0; i < 4; i++)
        refused(e, &erin, others[i], HS_ERR_MLS_PROPOSAL);
    refused(e, &frank, &add, HS_ERR_BAD_SIGNATURE);
    refused(e, &joiner, &add, HS_ERR_MLS_PROPOSAL);
}

static void by_moderator(struct hs_mls_authed *authed)
{
    authed->content.sender = (struct hs_mls_author){.type = HS_MLS_SENDER_EXTERNAL};
}

static void by_proposer(struct hs_mls_authed *authed)
{
    authed->content.sender = (struct hs_mls_author){.type = HS_MLS_SENDER_NEW_MEMBER_PROPOSAL};
}

/* Commits by those who may propose at most; whose signature it is doesn't come to the question. */
static void commits_from_outside(void **state)
{
    struct evil *e = *state;
    evil_commit_refused(e, &(struct evil_commit){.by = &e->alice, .bend_authed = by_moderator},
                        HS_ERR_MLS_COMMIT);
    evil_commit_refused(e, &(struct evil_commit){.by = &e->alice, .bend_authed = by_proposer},
                        HS_ERR_MLS_COMMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(content),
        EVIL_TEST(blank_sender),
        EVIL_TEST(signatures),
        EVIL_TEST(signed_in_another_place),
        EVIL_TEST(membership_tags),
        EVIL_TEST(external_senders),
        EVIL_TEST(no_external_senders),
        EVIL_TEST(new_members),
        EVIL_TEST(commits_from_outside),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}

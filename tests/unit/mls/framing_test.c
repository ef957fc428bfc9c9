/* Framing: what isn't a sender or a content is refused when it is read; what is signed and what is tagged
 * covers every field. */
#include "support/test.h"

#include "crypto/selftest.h"
#include "mls/framing.h"

#include <string.h>

static const struct hs_mls_suite *const suite = &hs_mls_suite_3;

static struct hs_mls_authed commit_by(enum hs_mls_sender_type sender)
{
    return (struct hs_mls_authed){
        .wire_format = HS_MLS_PUBLIC_MESSAGE,
        .content = {.group_id = hs_bytes_str("group"),
                    .epoch = 3,
                    .sender = {.type = sender, .index = 2},
                    .authenticated_data = hs_bytes_str("data"),
                    .type = HS_MLS_COMMIT},
        .signature = hs_bytes_str("signature"),
        .confirmation_tag = hs_bytes_str("tag"),
    };
}

/* Every number that isn't one of the RFC's is malformed, for senders and for contents. */
static void unknown_numbers(void **state)
{
    (void)state;
    enum { SENDER_AT = 1 + 5 + 8 };
    for (unsigned number = 0; number < 256; number++) {
        struct hs_writer HS_WRITER w = hs_writer(1 << 10), HS_WRITER again = hs_writer(1 << 10);
        struct hs_mls_content content;
        const struct hs_mls_authed authed = commit_by(number);
        hs_mls_write_content(&w, &authed.content);
        assert_int_equal(w.data[SENDER_AT], number);
        struct hs_reader r = hs_reader(hs_writer_bytes(&w));
        hs_mls_read_content(&r, &content);
        assert_err(hs_reader_finish(&r), number >= 1 && number <= 4 ? HS_OK : HS_ERR_MALFORMED);
        if (r.err != HS_OK)
            continue;
        hs_mls_write_content(&again, &content);
        assert_bytes(hs_writer_bytes(&again), hs_writer_bytes(&w));
        assert_bytes(content.raw, hs_writer_bytes(&w));
    }
    for (unsigned number = 0; number < 256; number++) {
        struct hs_writer HS_WRITER w = hs_writer(1 << 10);
        struct hs_mls_private_message m = {.group_id = hs_bytes_str("group"), .type = number};
        hs_mls_write_private_message(&w, &m);
        struct hs_reader r = hs_reader(hs_writer_bytes(&w));
        hs_mls_read_private_message(&r, &m);
        assert_err(hs_reader_finish(&r), number >= 1 && number <= 3 ? HS_OK : HS_ERR_MALFORMED);
    }
}

/* Cut anywhere, or with a byte more, a message isn't one. */
static void cut(void **state)
{
    (void)state;
    struct hs_writer HS_WRITER w = hs_writer(1 << 10);
    const struct hs_mls_public_message m = {.authed = commit_by(HS_MLS_SENDER_MEMBER),
                                            .membership_tag = hs_bytes_str("membership")};
    hs_mls_write_public_message(&w, &m);
    hs_write_u8(&w, 0);
    for (size_t len = 0; len <= w.len; len++) {
        struct hs_mls_public_message read;
        struct hs_reader r = hs_reader(hs_bytes(w.data, len));
        hs_mls_read_public_message(&r, &read);
        assert_err(hs_reader_finish(&r), len == w.len - 1 ? HS_OK : HS_ERR_MALFORMED);
    }
}

/* Who signs with the group's context (RFC 9420, 6.1): members, and newcomers who commit. */
static void whose_context(void **state)
{
    (void)state;
    struct hs_mls_signer HS_MLS_SIGNER signer = {0};
    struct hs_mls_signature sig;
    const struct hs_bytes one = hs_bytes_str("context"), other = hs_bytes_str("another");
    assert_ok(hs_mls_signer_random(suite, &signer));
    for (enum hs_mls_sender_type sender = HS_MLS_SENDER_MEMBER; sender <= HS_MLS_SENDER_NEW_MEMBER_COMMIT;
         sender++) {
        struct hs_mls_authed authed = commit_by(sender);
        bool bound = sender == HS_MLS_SENDER_MEMBER || sender == HS_MLS_SENDER_NEW_MEMBER_COMMIT;
        assert_ok(hs_mls_content_sign(&signer, authed.wire_format, &authed.content, one, &sig));
        authed.signature = HS_MLS_VIEW(sig);
        assert_ok(hs_mls_content_verify(suite, HS_MLS_VIEW(signer.pub), &authed, one));
        assert_err(hs_mls_content_verify(suite, HS_MLS_VIEW(signer.pub), &authed, other),
                   bound ? HS_ERR_BAD_SIGNATURE : HS_OK);
    }
}

/* Each changes one field. */
static void change_group(struct hs_mls_authed *a)
{
    a->content.group_id = hs_bytes_str("gruop");
}

static void change_epoch(struct hs_mls_authed *a)
{
    a->content.epoch++;
}

static void change_sender(struct hs_mls_authed *a)
{
    a->content.sender.index++;
}

static void change_data(struct hs_mls_authed *a)
{
    a->content.authenticated_data = hs_bytes_str("dada");
}

static void change_body(struct hs_mls_authed *a)
{
    a->content.commit.proposals = hs_bytes("\0\0\1", 3);
}

static void change_format(struct hs_mls_authed *a)
{
    a->wire_format = HS_MLS_PRIVATE_MESSAGE;
}

static void (*const changes[])(struct hs_mls_authed *) = {change_group, change_epoch, change_sender,
                                                          change_data,  change_body,  change_format};
enum { CHANGES = sizeof changes / sizeof changes[0] };

/* A signature, and a membership tag, cover each of them; the tag covers the signature and the confirmation
 * tag too. As fields and as read, it is the same. */
static void covered(void **state)
{
    (void)state;
    struct hs_mls_signer HS_MLS_SIGNER signer = {0};
    struct hs_mls_signature sig;
    struct hs_mls_hash tag;
    const struct hs_mls_secret key = {.len = 32, .v = {1}};
    const struct hs_bytes context = hs_bytes_str("context");
    struct hs_mls_public_message m = {.authed = commit_by(HS_MLS_SENDER_MEMBER)}, read;
    struct hs_writer HS_WRITER w = hs_writer(1 << 10);
    assert_ok(hs_mls_signer_random(suite, &signer));
    assert_ok(hs_mls_content_sign(&signer, m.authed.wire_format, &m.authed.content, context, &sig));
    m.authed.signature = HS_MLS_VIEW(sig);
    assert_ok(hs_mls_membership_tag(suite, &key, &m.authed, context, &tag));
    m.membership_tag = HS_MLS_VIEW(tag);
    hs_mls_write_public_message(&w, &m);
    struct hs_reader r = hs_reader(hs_writer_bytes(&w));
    hs_mls_read_public_message(&r, &read);
    assert_ok(hs_reader_finish(&r));
    assert_ok(hs_mls_content_verify(suite, HS_MLS_VIEW(signer.pub), &read.authed, context));
    assert_ok(hs_mls_membership_check(suite, &key, &read, context));
    for (size_t i = 0; i < CHANGES; i++) {
        struct hs_mls_public_message changed = m;
        changes[i](&changed.authed);
        assert_err(hs_mls_content_verify(suite, HS_MLS_VIEW(signer.pub), &changed.authed, context),
                   HS_ERR_BAD_SIGNATURE);
        assert_err(hs_mls_membership_check(suite, &key, &changed, context), HS_ERR_MLS_MEMBERSHIP);
    }
    read.authed.confirmation_tag = hs_bytes_str("gat");
    assert_err(hs_mls_membership_check(suite, &key, &read, context), HS_ERR_MLS_MEMBERSHIP);
    read.authed.confirmation_tag = m.authed.confirmation_tag;
    read.authed.signature.len--;
    assert_err(hs_mls_membership_check(suite, &key, &read, context), HS_ERR_MLS_MEMBERSHIP);
    read.authed.signature.len++;
    assert_err(hs_mls_membership_check(suite, &key, &read, hs_bytes_str("another")), HS_ERR_MLS_MEMBERSHIP);
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_numbers),
        cmocka_unit_test(cut),
        cmocka_unit_test(whose_context),
        cmocka_unit_test(covered),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

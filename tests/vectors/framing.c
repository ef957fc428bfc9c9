/* message-protection: given messages are opened, our own are made and opened again. */
#include "framing.h"

#include "mls/framing.h"
#include "mls/private_message.h"
#include "mls/suite.h"

enum { SENDER = 1, DEPTH = 1 }; /* a group of two; the second one sends */

struct keys {
    const struct hs_mls_suite *suite;
    struct hs_writer context;
    struct hs_mls_signer signer;
    struct hs_mls_secret membership, encryption, sender_data;
};

static enum outcome read_keys(const json_t *entry, struct keys *k)
{
    k->suite = vector_suite(entry);
    const struct hs_mls_group_context context = {
        .version = HS_MLS_VERSION_10,
        .suite = k->suite->id,
        .group_id = vector_hex(entry, "group_id"),
        .epoch = vector_number(entry, "epoch"),
        .tree_hash = vector_hex(entry, "tree_hash"),
        .confirmed_transcript_hash = vector_hex(entry, "confirmed_transcript_hash"),
    };
    k->context = hs_writer(1 << 16);
    hs_mls_write_group_context(&k->context, &context);
    CHECK_OK(hs_mls_signer_import(k->suite, vector_hex(entry, "signature_priv"), &k->signer));
    CHECK_BYTES(HS_MLS_VIEW(k->signer.pub), entry, "signature_pub");
    k->membership = vector_secret(entry, "membership_key");
    k->encryption = vector_secret(entry, "encryption_secret");
    k->sender_data = vector_secret(entry, "sender_data_secret");
    return PASSED;
}

/* The content's body as the vectors have it: bare. */
static struct hs_bytes body(const struct hs_mls_content *content, struct hs_writer *w)
{
    if (content->type == HS_MLS_APPLICATION)
        hs_write_bytes(w, content->application);
    else if (content->type == HS_MLS_PROPOSAL)
        hs_mls_write_proposal(w, &content->proposal);
    else
        hs_mls_write_commit(w, &content->commit);
    return hs_writer_bytes(w);
}

static enum outcome open_public(const struct keys *k, struct hs_bytes message, struct hs_bytes want)
{
    struct hs_mls_public_message m;
    struct hs_writer HS_WRITER got = hs_writer(1 << 20);
    struct hs_reader r = hs_reader(message);
    CHECK(hs_mls_read_head(&r) == HS_MLS_PUBLIC_MESSAGE);
    hs_mls_read_public_message(&r, &m);
    CHECK_OK(hs_reader_finish(&r));
    CHECK_OK(hs_mls_membership_check(k->suite, &k->membership, &m, hs_writer_bytes(&k->context)));
    CHECK_OK(
        hs_mls_content_verify(k->suite, HS_MLS_VIEW(k->signer.pub), &m.authed, hs_writer_bytes(&k->context)));
    CHECK(hs_bytes_equal(body(&m.authed.content, &got), want));
    return PASSED;
}

static enum outcome open_private(const struct keys *k, struct hs_bytes message, struct hs_bytes want)
{
    struct hs_mls_private_message m;
    struct hs_mls_sender_data sender;
    struct hs_mls_authed authed;
    struct hs_mls_message_key key;
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_writer HS_WRITER plain = hs_writer(1 << 20), HS_WRITER got = hs_writer(1 << 20);
    struct hs_reader r = hs_reader(message);
    CHECK(hs_mls_read_head(&r) == HS_MLS_PRIVATE_MESSAGE);
    hs_mls_read_private_message(&r, &m);
    CHECK_OK(hs_reader_finish(&r));
    CHECK_OK(hs_mls_sender_open(k->suite, &m, &k->sender_data, &sender));
    CHECK(sender.leaf == SENDER);
    struct hs_mls_secret_tree *tree = hs_mls_secret_tree_new(k->suite, &k->encryption, DEPTH);
    CHECK(tree != NULL);
    enum hs_err err = hs_mls_ratchet_take(
        tree, SENDER, m.type == HS_MLS_APPLICATION ? HS_MLS_RATCHET_APPLICATION : HS_MLS_RATCHET_HANDSHAKE,
        &ratchet);
    if (err == HS_OK)
        err = hs_mls_ratchet_find(ratchet, sender.generation, 32, 2000, &key);
    hs_mls_ratchet_free(ratchet);
    hs_mls_secret_tree_free(tree);
    CHECK_OK(err);
    CHECK_OK(hs_mls_private_open(k->suite, &m, &sender, &key, &plain, &authed));
    CHECK_OK(
        hs_mls_content_verify(k->suite, HS_MLS_VIEW(k->signer.pub), &authed, hs_writer_bytes(&k->context)));
    CHECK(hs_bytes_equal(body(&authed.content, &got), want));
    return PASSED;
}

static enum outcome make_authed(const struct keys *k, const json_t *entry, struct hs_bytes raw,
                                enum hs_mls_content_type type, enum hs_mls_wire_format format,
                                struct hs_mls_signature *sig, struct hs_mls_authed *authed)
{
    static const uint8_t tag[HS_MLS_MAX_HASH] = {7};
    struct hs_reader r = hs_reader(raw);
    *authed = (struct hs_mls_authed){
        .wire_format = format,
        .content = {.group_id = vector_hex(entry, "group_id"),
                    .epoch = vector_number(entry, "epoch"),
                    .sender = {.type = HS_MLS_SENDER_MEMBER, .index = SENDER},
                    .authenticated_data = hs_bytes_str("data"),
                    .type = type},
    };
    if (type == HS_MLS_APPLICATION)
        authed->content.application = hs_read_bytes(&r, raw.len);
    else if (type == HS_MLS_PROPOSAL)
        hs_mls_read_proposal(&r, &authed->content.proposal);
    else
        hs_mls_read_commit(&r, &authed->content.commit);
    CHECK_OK(hs_reader_finish(&r));
    CHECK_OK(hs_mls_content_sign(&k->signer, format, &authed->content, hs_writer_bytes(&k->context), sig));
    authed->signature = HS_MLS_VIEW(*sig);
    authed->confirmation_tag = hs_bytes(tag, type == HS_MLS_COMMIT ? k->suite->hash_len : 0);
    return PASSED;
}

static enum outcome own_public(const struct keys *k, const json_t *entry, struct hs_bytes raw,
                               enum hs_mls_content_type type)
{
    struct hs_mls_signature sig;
    struct hs_mls_hash tag;
    struct hs_mls_public_message m = {0};
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    CHECK(make_authed(k, entry, raw, type, HS_MLS_PUBLIC_MESSAGE, &sig, &m.authed) == PASSED);
    CHECK_OK(hs_mls_membership_tag(k->suite, &k->membership, &m.authed, hs_writer_bytes(&k->context), &tag));
    m.membership_tag = HS_MLS_VIEW(tag);
    hs_mls_write_head(&w, HS_MLS_PUBLIC_MESSAGE);
    hs_mls_write_public_message(&w, &m);
    return open_public(k, hs_writer_bytes(&w), raw);
}

static enum outcome own_private(const struct keys *k, const json_t *entry, struct hs_bytes raw,
                                enum hs_mls_content_type type)
{
    struct hs_mls_signature sig;
    struct hs_mls_authed authed;
    struct hs_mls_message_key key;
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_writer HS_WRITER w = hs_writer(1 << 20);
    CHECK(make_authed(k, entry, raw, type, HS_MLS_PRIVATE_MESSAGE, &sig, &authed) == PASSED);
    struct hs_mls_secret_tree *tree = hs_mls_secret_tree_new(k->suite, &k->encryption, DEPTH);
    CHECK(tree != NULL);
    enum hs_err err = hs_mls_ratchet_take(
        tree, SENDER, type == HS_MLS_APPLICATION ? HS_MLS_RATCHET_APPLICATION : HS_MLS_RATCHET_HANDSHAKE,
        &ratchet);
    if (err == HS_OK)
        err = hs_mls_ratchet_next(ratchet, &key);
    hs_mls_ratchet_free(ratchet);
    hs_mls_secret_tree_free(tree);
    CHECK_OK(err);
    const struct hs_mls_private_seal seal = {
        .suite = k->suite, .authed = &authed, .key = &key, .sender_data = &k->sender_data, .padding = 32};
    CHECK_OK(hs_mls_private_seal(&seal, &w));
    return open_private(k, hs_writer_bytes(&w), raw);
}

static enum outcome run(const json_t *entry, const struct keys *k)
{
    struct hs_bytes proposal = vector_hex(entry, "proposal"), commit = vector_hex(entry, "commit"),
                    application = vector_hex(entry, "application");
    CHECK(open_public(k, vector_hex(entry, "proposal_pub"), proposal) == PASSED);
    CHECK(open_private(k, vector_hex(entry, "proposal_priv"), proposal) == PASSED);
    CHECK(open_public(k, vector_hex(entry, "commit_pub"), commit) == PASSED);
    CHECK(open_private(k, vector_hex(entry, "commit_priv"), commit) == PASSED);
    CHECK(open_private(k, vector_hex(entry, "application_priv"), application) == PASSED);
    CHECK(own_public(k, entry, proposal, HS_MLS_PROPOSAL) == PASSED);
    CHECK(own_private(k, entry, proposal, HS_MLS_PROPOSAL) == PASSED);
    CHECK(own_public(k, entry, commit, HS_MLS_COMMIT) == PASSED);
    CHECK(own_private(k, entry, commit, HS_MLS_COMMIT) == PASSED);
    CHECK(own_private(k, entry, application, HS_MLS_APPLICATION) == PASSED);
    return PASSED;
}

enum outcome message_protection(const json_t *entry)
{
    struct keys k = {0};
    CHECK(read_keys(entry, &k) == PASSED);
    enum outcome outcome = run(entry, &k);
    hs_writer_free(&k.context);
    return outcome;
}

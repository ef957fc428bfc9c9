#include "mls/framing.h"

#include "mls/parts.h"

static bool has_index(const struct hs_mls_author *sender)
{
    return sender->type == HS_MLS_SENDER_MEMBER || sender->type == HS_MLS_SENDER_EXTERNAL;
}

static void read_sender(struct hs_reader *r, struct hs_mls_author *sender)
{
    sender->type = hs_read_u8(r);
    sender->index = has_index(sender) ? hs_read_u32(r) : 0;
    if (sender->type < HS_MLS_SENDER_MEMBER || sender->type > HS_MLS_SENDER_NEW_MEMBER_COMMIT)
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

static void read_body(struct hs_reader *r, struct hs_mls_content *content)
{
    if (content->type == HS_MLS_APPLICATION)
        content->application = hs_read_mls_vec(r);
    else if (content->type == HS_MLS_PROPOSAL)
        hs_mls_read_proposal(r, &content->proposal);
    else if (content->type == HS_MLS_COMMIT)
        hs_mls_read_commit(r, &content->commit);
    else
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

void hs_mls_read_content(struct hs_reader *r, struct hs_mls_content *content)
{
    const uint8_t *start = r->pos;
    content->group_id = hs_read_mls_vec(r);
    content->epoch = hs_read_u64(r);
    read_sender(r, &content->sender);
    content->authenticated_data = hs_read_mls_vec(r);
    content->type = hs_read_u8(r);
    read_body(r, content);
    content->raw = hs_mls_between(r, start);
}

static void write_body(struct hs_writer *w, const struct hs_mls_content *content)
{
    if (content->type == HS_MLS_APPLICATION)
        hs_write_mls_vec(w, content->application);
    else if (content->type == HS_MLS_PROPOSAL)
        hs_mls_write_proposal(w, &content->proposal);
    else
        hs_mls_write_commit(w, &content->commit);
}

void hs_mls_write_content(struct hs_writer *w, const struct hs_mls_content *content)
{
    hs_write_mls_vec(w, content->group_id);
    hs_write_u64(w, content->epoch);
    hs_write_u8(w, (uint8_t)content->sender.type);
    if (has_index(&content->sender))
        hs_write_u32(w, content->sender.index);
    hs_write_mls_vec(w, content->authenticated_data);
    hs_write_u8(w, (uint8_t)content->type);
    write_body(w, content);
}

static void read_auth(struct hs_reader *r, struct hs_mls_authed *authed)
{
    authed->signature = hs_read_mls_vec(r);
    authed->confirmation_tag =
        authed->content.type == HS_MLS_COMMIT ? hs_read_mls_vec(r) : (struct hs_bytes){0};
}

static void write_auth(struct hs_writer *w, const struct hs_mls_authed *authed)
{
    hs_write_mls_vec(w, authed->signature);
    if (authed->content.type == HS_MLS_COMMIT)
        hs_write_mls_vec(w, authed->confirmation_tag);
}

void hs_mls_read_authed(struct hs_reader *r, struct hs_mls_authed *authed)
{
    authed->wire_format = hs_read_u16(r);
    hs_mls_read_content(r, &authed->content);
    read_auth(r, authed);
}

void hs_mls_write_authed(struct hs_writer *w, const struct hs_mls_authed *authed)
{
    hs_write_u16(w, (uint16_t)authed->wire_format);
    hs_mls_write_content(w, &authed->content);
    write_auth(w, authed);
}

static bool signs_context(const struct hs_mls_content *content)
{
    return content->sender.type == HS_MLS_SENDER_MEMBER ||
           content->sender.type == HS_MLS_SENDER_NEW_MEMBER_COMMIT;
}

/* FramedContent without its body. */
static void parts_content(struct hs_mls_parts *parts, const struct hs_mls_content *content)
{
    hs_mls_parts_vec(parts, content->group_id);
    hs_mls_parts_number(parts, content->epoch, 8);
    hs_mls_parts_number(parts, content->sender.type, 1);
    if (has_index(&content->sender))
        hs_mls_parts_number(parts, content->sender.index, 4);
    hs_mls_parts_vec(parts, content->authenticated_data);
    hs_mls_parts_number(parts, content->type, 1);
}

/* FramedContentTBS (RFC 9420, 6.1) in parts; body: an empty writer that must live as long as these. as_read:
 * the content's own bytes, where there are any. */
static enum hs_err parts_tbs(struct hs_mls_parts *parts, struct hs_writer *body,
                             const struct hs_mls_authed *authed, bool as_read, struct hs_bytes context)
{
    const struct hs_mls_content *content = &authed->content;
    hs_mls_parts_begin(parts);
    hs_mls_parts_number(parts, HS_MLS_VERSION_10, 2);
    hs_mls_parts_number(parts, authed->wire_format, 2);
    if (as_read && content->raw.len > 0) {
        hs_mls_parts_add(parts, content->raw);
    } else if (content->type == HS_MLS_APPLICATION) {
        parts_content(parts, content);
        hs_mls_parts_vec(parts, content->application);
    } else {
        write_body(body, content);
        HS_TRY(body->err);
        parts_content(parts, content);
        hs_mls_parts_add(parts, hs_writer_bytes(body));
    }
    if (signs_context(content))
        hs_mls_parts_add(parts, context);
    return parts->err;
}

enum hs_err hs_mls_content_sign(const struct hs_mls_signer *signer, enum hs_mls_wire_format format,
                                const struct hs_mls_content *content, struct hs_bytes context,
                                struct hs_mls_signature *sig)
{
    const struct hs_mls_authed authed = {.wire_format = format, .content = *content};
    struct hs_writer HS_WRITER body = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_parts tbs;
    HS_TRY(parts_tbs(&tbs, &body, &authed, false, context));
    return hs_mls_sign_parts(signer, "FramedContentTBS", tbs.list, tbs.count, sig);
}

enum hs_err hs_mls_content_verify(const struct hs_mls_suite *suite, struct hs_bytes key,
                                  const struct hs_mls_authed *authed, struct hs_bytes context)
{
    struct hs_writer HS_WRITER body = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_parts tbs;
    HS_TRY(parts_tbs(&tbs, &body, authed, true, context));
    return hs_mls_verify_parts(suite, key, "FramedContentTBS", tbs.list, tbs.count, authed->signature);
}

void hs_mls_read_public_message(struct hs_reader *r, struct hs_mls_public_message *m)
{
    m->authed.wire_format = HS_MLS_PUBLIC_MESSAGE;
    hs_mls_read_content(r, &m->authed.content);
    read_auth(r, &m->authed);
    m->membership_tag =
        m->authed.content.sender.type == HS_MLS_SENDER_MEMBER ? hs_read_mls_vec(r) : (struct hs_bytes){0};
}

void hs_mls_write_public_message(struct hs_writer *w, const struct hs_mls_public_message *m)
{
    hs_mls_write_content(w, &m->authed.content);
    write_auth(w, &m->authed);
    if (m->authed.content.sender.type == HS_MLS_SENDER_MEMBER)
        hs_write_mls_vec(w, m->membership_tag);
}

/* FramedContentTBM (RFC 9420, 6.2), and its tag. */
static enum hs_err membership_tag(const struct hs_mls_suite *suite,
                                  const struct hs_mls_secret *membership_key,
                                  const struct hs_mls_authed *authed, bool as_read, struct hs_bytes context,
                                  struct hs_mls_hash *tag)
{
    struct hs_writer HS_WRITER body = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_parts tbm;
    HS_TRY(parts_tbs(&tbm, &body, authed, as_read, context));
    hs_mls_parts_vec(&tbm, authed->signature);
    if (authed->content.type == HS_MLS_COMMIT)
        hs_mls_parts_vec(&tbm, authed->confirmation_tag);
    HS_TRY(tbm.err);
    hs_mls_mac_parts(suite, HS_MLS_VIEW(*membership_key), tbm.list, tbm.count, tag);
    return HS_OK;
}

enum hs_err hs_mls_membership_tag(const struct hs_mls_suite *suite,
                                  const struct hs_mls_secret *membership_key,
                                  const struct hs_mls_authed *authed, struct hs_bytes context,
                                  struct hs_mls_hash *tag)
{
    return membership_tag(suite, membership_key, authed, false, context, tag);
}

enum hs_err hs_mls_membership_check(const struct hs_mls_suite *suite,
                                    const struct hs_mls_secret *membership_key,
                                    const struct hs_mls_public_message *m, struct hs_bytes context)
{
    struct hs_mls_hash want;
    HS_REQUIRE(m->membership_tag.len == suite->hash_len, HS_ERR_MLS_MEMBERSHIP);
    HS_TRY(membership_tag(suite, membership_key, &m->authed, true, context, &want));
    bool right = hs_secret_equal(HS_MLS_VIEW(want), m->membership_tag);
    hs_wipe(&want, sizeof want);
    return right ? HS_OK : HS_ERR_MLS_MEMBERSHIP;
}

void hs_mls_read_private_message(struct hs_reader *r, struct hs_mls_private_message *m)
{
    const uint8_t *start = r->pos;
    m->group_id = hs_read_mls_vec(r);
    m->epoch = hs_read_u64(r);
    m->type = hs_read_u8(r);
    m->sender_aad = hs_mls_between(r, start);
    m->authenticated_data = hs_read_mls_vec(r);
    m->content_aad = hs_mls_between(r, start);
    m->sender_data = hs_read_mls_vec(r);
    m->ciphertext = hs_read_mls_vec(r);
    if (m->type < HS_MLS_APPLICATION || m->type > HS_MLS_COMMIT)
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

void hs_mls_write_private_message(struct hs_writer *w, const struct hs_mls_private_message *m)
{
    hs_write_mls_vec(w, m->group_id);
    hs_write_u64(w, m->epoch);
    hs_write_u8(w, (uint8_t)m->type);
    hs_write_mls_vec(w, m->authenticated_data);
    hs_write_mls_vec(w, m->sender_data);
    hs_write_mls_vec(w, m->ciphertext);
}

enum hs_err hs_mls_proposal_ref(const struct hs_mls_suite *suite, const struct hs_mls_authed *authed,
                                struct hs_mls_hash *ref)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_mls_write_authed(&w, authed);
    HS_TRY(w.err);
    return hs_mls_ref_hash(suite, "MLS 1.0 Proposal Reference", hs_writer_bytes(&w), ref);
}

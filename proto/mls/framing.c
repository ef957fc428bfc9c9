#include "mls/framing.h"

#include "crypto/hash.h"
#include "mls/suite.h"

static void read_sender(struct hs_reader *r, struct hs_mls_content *content)
{
    content->sender_type = hs_read_u8(r);
    content->sender = 0;
    if (content->sender_type == HS_MLS_SENDER_MEMBER || content->sender_type == HS_MLS_SENDER_EXTERNAL)
        content->sender = hs_read_u32(r);
    else if (content->sender_type != HS_MLS_SENDER_NEW_MEMBER_PROPOSAL &&
             content->sender_type != HS_MLS_SENDER_NEW_MEMBER_COMMIT)
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
    read_sender(r, content);
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
    hs_write_u8(w, (uint8_t)content->sender_type);
    if (content->sender_type == HS_MLS_SENDER_MEMBER || content->sender_type == HS_MLS_SENDER_EXTERNAL)
        hs_write_u32(w, content->sender);
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
    return content->sender_type == HS_MLS_SENDER_MEMBER ||
           content->sender_type == HS_MLS_SENDER_NEW_MEMBER_COMMIT;
}

/* FramedContentTBS (RFC 9420, 6.1). */
static void write_tbs(struct hs_writer *w, enum hs_mls_wire_format format,
                      const struct hs_mls_content *content, struct hs_bytes context)
{
    hs_write_u16(w, HS_MLS_VERSION_10);
    hs_write_u16(w, (uint16_t)format);
    hs_mls_write_content(w, content);
    if (signs_context(content))
        hs_write_bytes(w, context);
}

enum hs_err hs_mls_content_sign(const struct hs_signer *signer, enum hs_mls_wire_format format,
                                const struct hs_mls_content *content, struct hs_bytes context,
                                struct hs_sig *sig)
{
    struct hs_writer HS_WRITER tbs = hs_writer(HS_MLS_MAX_MESSAGE);
    write_tbs(&tbs, format, content, context);
    HS_TRY(tbs.err);
    return hs_mls_sign(signer, "FramedContentTBS", hs_writer_bytes(&tbs), sig);
}

enum hs_err hs_mls_content_verify(const struct hs_key *key, const struct hs_mls_authed *authed,
                                  struct hs_bytes context)
{
    struct hs_writer HS_WRITER tbs = hs_writer(HS_MLS_MAX_MESSAGE);
    write_tbs(&tbs, authed->wire_format, &authed->content, context);
    HS_TRY(tbs.err);
    return hs_mls_verify(key, "FramedContentTBS", hs_writer_bytes(&tbs), authed->signature);
}

void hs_mls_read_public_message(struct hs_reader *r, struct hs_mls_public_message *m)
{
    m->authed.wire_format = HS_MLS_PUBLIC_MESSAGE;
    hs_mls_read_content(r, &m->authed.content);
    read_auth(r, &m->authed);
    m->membership_tag =
        m->authed.content.sender_type == HS_MLS_SENDER_MEMBER ? hs_read_mls_vec(r) : (struct hs_bytes){0};
}

void hs_mls_write_public_message(struct hs_writer *w, const struct hs_mls_public_message *m)
{
    hs_mls_write_content(w, &m->authed.content);
    write_auth(w, &m->authed);
    if (m->authed.content.sender_type == HS_MLS_SENDER_MEMBER)
        hs_write_mls_vec(w, m->membership_tag);
}

enum hs_err hs_mls_membership_tag(const struct hs_secret32 *membership_key,
                                  const struct hs_mls_authed *authed, struct hs_bytes context,
                                  uint8_t tag[static 32])
{
    struct hs_writer HS_WRITER tbm = hs_writer(HS_MLS_MAX_MESSAGE);
    write_tbs(&tbm, authed->wire_format, &authed->content, context);
    write_auth(&tbm, authed);
    HS_TRY(tbm.err);
    hs_hmac(HS_VIEW(*membership_key), hs_writer_bytes(&tbm), tag);
    return HS_OK;
}

enum hs_err hs_mls_membership_check(const struct hs_secret32 *membership_key,
                                    const struct hs_mls_public_message *m, struct hs_bytes context)
{
    struct hs_secret32 HS_SECRET want;
    HS_TRY(hs_mls_membership_tag(membership_key, &m->authed, context, want.b));
    return hs_secret_equal(HS_VIEW(want), m->membership_tag) ? HS_OK : HS_ERR_MLS_MEMBERSHIP;
}

void hs_mls_read_private_message(struct hs_reader *r, struct hs_mls_private_message *m)
{
    m->group_id = hs_read_mls_vec(r);
    m->epoch = hs_read_u64(r);
    m->type = hs_read_u8(r);
    m->authenticated_data = hs_read_mls_vec(r);
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

enum hs_err hs_mls_proposal_ref(const struct hs_mls_authed *authed, struct hs_id *ref)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_mls_write_authed(&w, authed);
    HS_TRY(w.err);
    return hs_mls_ref_hash("MLS 1.0 Proposal Reference", hs_writer_bytes(&w), ref);
}

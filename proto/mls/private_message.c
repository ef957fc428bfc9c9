#include "mls/private_message.h"

#include "crypto/aead.h"

#include <sodium.h>

enum { SENDER_DATA_LEN = 4 + 4 + 4 };

/* PrivateContentAAD (RFC 9420, 6.3.1); SenderDataAAD (6.3.2) is its head. */
static void write_sender_aad(struct hs_writer *w, const struct hs_mls_private_message *m)
{
    hs_write_mls_vec(w, m->group_id);
    hs_write_u64(w, m->epoch);
    hs_write_u8(w, (uint8_t)m->type);
}

static void write_content_aad(struct hs_writer *w, const struct hs_mls_private_message *m)
{
    write_sender_aad(w, m);
    hs_write_mls_vec(w, m->authenticated_data);
}

static void guard_nonce(const struct hs_mls_message_key *key, const uint8_t guard[static 4],
                        uint8_t nonce[static 12])
{
    memcpy(nonce, key->nonce, 12);
    for (int i = 0; i < 4; i++)
        nonce[i] ^= guard[i];
}

/* PrivateMessageContent (RFC 9420, 6.3.1). */
static void write_plain(struct hs_writer *w, const struct hs_mls_private_seal *seal)
{
    const struct hs_mls_content *content = &seal->authed->content;
    if (content->type == HS_MLS_APPLICATION)
        hs_write_mls_vec(w, content->application);
    else if (content->type == HS_MLS_PROPOSAL)
        hs_mls_write_proposal(w, &content->proposal);
    else
        hs_mls_write_commit(w, &content->commit);
    hs_write_mls_vec(w, seal->authed->signature);
    if (content->type == HS_MLS_COMMIT)
        hs_write_mls_vec(w, seal->authed->confirmation_tag);
    size_t over = seal->padding > 1 ? w->len % seal->padding : 0;
    uint8_t *zeros = over > 0 ? hs_writer_reserve(w, seal->padding - over) : NULL;
    if (zeros != NULL)
        memset(zeros, 0, seal->padding - over);
}

static enum hs_err seal_content(const struct hs_mls_private_seal *seal,
                                const struct hs_mls_private_message *m, const uint8_t guard[static 4],
                                struct hs_writer *ciphertext)
{
    uint8_t nonce[12];
    struct hs_writer HS_WRITER aad = hs_writer(HS_MLS_MAX_MESSAGE),
                               HS_WRITER plain = hs_writer(HS_MLS_MAX_MESSAGE);
    write_content_aad(&aad, m);
    write_plain(&plain, seal);
    HS_TRY(aad.err);
    HS_TRY(plain.err);
    uint8_t *out = hs_writer_reserve(ciphertext, plain.len + HS_AEAD_TAG_LEN);
    HS_TRY(ciphertext->err);
    guard_nonce(seal->key, guard, nonce);
    hs_aead_seal(seal->key->key.b, nonce, hs_writer_bytes(&aad), hs_writer_bytes(&plain), out);
    return HS_OK;
}

static enum hs_err seal_sender(const struct hs_mls_private_seal *seal, const struct hs_mls_private_message *m,
                               const uint8_t guard[static 4], uint8_t out[static SENDER_DATA_LEN + 16])
{
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key;
    struct hs_writer HS_WRITER aad = hs_writer(HS_MLS_MAX_MESSAGE),
                               HS_WRITER plain = hs_writer(SENDER_DATA_LEN);
    write_sender_aad(&aad, m);
    hs_write_u32(&plain, seal->authed->content.sender);
    hs_write_u32(&plain, seal->key->generation);
    hs_write_bytes(&plain, hs_bytes(guard, 4));
    HS_TRY(aad.err);
    HS_TRY(plain.err);
    HS_TRY(hs_mls_sender_data_key(seal->sender_data, m->ciphertext, &key));
    hs_aead_seal(key.key.b, key.nonce, hs_writer_bytes(&aad), hs_writer_bytes(&plain), out);
    return HS_OK;
}

enum hs_err hs_mls_private_seal(const struct hs_mls_private_seal *seal, struct hs_writer *out)
{
    uint8_t guard[4], sender[SENDER_DATA_LEN + HS_AEAD_TAG_LEN];
    struct hs_writer HS_WRITER ciphertext = hs_writer(HS_MLS_MAX_MESSAGE);
    const struct hs_mls_content *content = &seal->authed->content;
    struct hs_mls_private_message m = {
        .group_id = content->group_id,
        .epoch = content->epoch,
        .type = content->type,
        .authenticated_data = content->authenticated_data,
    };
    randombytes_buf(guard, sizeof guard);
    HS_TRY(seal_content(seal, &m, guard, &ciphertext));
    m.ciphertext = hs_writer_bytes(&ciphertext);
    HS_TRY(seal_sender(seal, &m, guard, sender));
    m.sender_data = hs_bytes(sender, sizeof sender);
    hs_mls_write_head(out, HS_MLS_PRIVATE_MESSAGE);
    hs_mls_write_private_message(out, &m);
    return out->err;
}

enum hs_err hs_mls_sender_open(const struct hs_mls_private_message *m, const struct hs_secret32 *sender_data,
                               struct hs_mls_sender_data *out)
{
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key;
    uint8_t plain[SENDER_DATA_LEN];
    struct hs_writer HS_WRITER aad = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_REQUIRE(m->sender_data.len == SENDER_DATA_LEN + HS_AEAD_TAG_LEN, HS_ERR_DECRYPT);
    write_sender_aad(&aad, m);
    HS_TRY(aad.err);
    HS_TRY(hs_mls_sender_data_key(sender_data, m->ciphertext, &key));
    HS_TRY(hs_aead_open(key.key.b, key.nonce, hs_writer_bytes(&aad), m->sender_data, plain));
    struct hs_reader r = hs_reader(hs_bytes(plain, sizeof plain));
    out->leaf = hs_read_u32(&r);
    out->generation = hs_read_u32(&r);
    hs_read_fixed(&r, out->reuse_guard, sizeof out->reuse_guard);
    return hs_reader_finish(&r);
}

static enum hs_err read_plain(struct hs_bytes plain, struct hs_mls_authed *authed)
{
    struct hs_mls_content *content = &authed->content;
    struct hs_reader r = hs_reader(plain);
    if (content->type == HS_MLS_APPLICATION)
        content->application = hs_read_mls_vec(&r);
    else if (content->type == HS_MLS_PROPOSAL)
        hs_mls_read_proposal(&r, &content->proposal);
    else
        hs_mls_read_commit(&r, &content->commit);
    authed->signature = hs_read_mls_vec(&r);
    authed->confirmation_tag = content->type == HS_MLS_COMMIT ? hs_read_mls_vec(&r) : (struct hs_bytes){0};
    struct hs_bytes padding = hs_read_bytes(&r, hs_reader_left(&r));
    for (size_t i = 0; i < padding.len; i++)
        HS_REQUIRE(padding.data[i] == 0, HS_ERR_MALFORMED);
    return r.err;
}

enum hs_err hs_mls_private_open(const struct hs_mls_private_message *m,
                                const struct hs_mls_sender_data *sender, const struct hs_mls_message_key *key,
                                struct hs_writer *plain, struct hs_mls_authed *authed)
{
    uint8_t nonce[12];
    struct hs_writer HS_WRITER aad = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_REQUIRE(m->ciphertext.len >= HS_AEAD_TAG_LEN, HS_ERR_DECRYPT);
    write_content_aad(&aad, m);
    HS_TRY(aad.err);
    uint8_t *out = hs_writer_reserve(plain, m->ciphertext.len - HS_AEAD_TAG_LEN);
    HS_TRY(plain->err);
    guard_nonce(key, sender->reuse_guard, nonce);
    HS_TRY(hs_aead_open(key->key.b, nonce, hs_writer_bytes(&aad), m->ciphertext, out));
    authed->wire_format = HS_MLS_PRIVATE_MESSAGE;
    authed->content = (struct hs_mls_content){
        .group_id = m->group_id,
        .epoch = m->epoch,
        .sender_type = HS_MLS_SENDER_MEMBER,
        .sender = sender->leaf,
        .authenticated_data = m->authenticated_data,
        .type = m->type,
    };
    return read_plain(hs_writer_bytes(plain), authed);
}

#include "mls/private_message.h"

#include "mls/parts.h"

#include <sodium.h>

enum { SENDER_DATA_LEN = 4 + 4 + 4, SENDER_CIPHERTEXT_LEN = SENDER_DATA_LEN + HS_MLS_TAG_LEN };

static void guard_nonce(const struct hs_mls_message_key *key, const uint8_t guard[static 4],
                        uint8_t nonce[static HS_MLS_NONCE_LEN])
{
    memcpy(nonce, key->nonce, HS_MLS_NONCE_LEN);
    for (int i = 0; i < 4; i++)
        nonce[i] ^= guard[i];
}

/* PrivateMessageContent (RFC 9420, 6.3.1) without its padding; body: an empty writer for handshakes. */
static enum hs_err parts_plain(struct hs_mls_parts *parts, struct hs_writer *body,
                               const struct hs_mls_authed *authed)
{
    const struct hs_mls_content *content = &authed->content;
    hs_mls_parts_begin(parts);
    if (content->type == HS_MLS_APPLICATION) {
        hs_mls_parts_vec(parts, content->application);
    } else {
        if (content->type == HS_MLS_PROPOSAL)
            hs_mls_write_proposal(body, &content->proposal);
        else
            hs_mls_write_commit(body, &content->commit);
        HS_TRY(body->err);
        hs_mls_parts_add(parts, hs_writer_bytes(body));
    }
    hs_mls_parts_vec(parts, authed->signature);
    if (content->type == HS_MLS_COMMIT)
        hs_mls_parts_vec(parts, authed->confirmation_tag);
    return parts->err;
}

/* Where the parts of a message lie in the writer. */
struct layout {
    size_t aad, sender_aad_len, content_aad_len, sender, ciphertext, plain_len;
};

/* All but the two ciphertexts, for which there is room then. The writer grows once: no half-written plaintext
 * is left behind. */
static enum hs_err write_frame(const struct hs_mls_content *content, size_t plain_len, struct hs_writer *out,
                               struct layout *at)
{
    enum { NUMBERS = 64 }; /* more than head, epoch, type and lengths take */
    size_t need = NUMBERS + content->group_id.len + content->authenticated_data.len + SENDER_CIPHERTEXT_LEN +
                  plain_len + HS_MLS_TAG_LEN;
    if (need < out->cap - out->len && hs_writer_reserve(out, need) != NULL)
        out->len -= need;
    hs_mls_write_head(out, HS_MLS_PRIVATE_MESSAGE);
    at->aad = out->len;
    hs_write_mls_vec(out, content->group_id);
    hs_write_u64(out, content->epoch);
    hs_write_u8(out, (uint8_t)content->type);
    at->sender_aad_len = out->len - at->aad;
    hs_write_mls_vec(out, content->authenticated_data);
    at->content_aad_len = out->len - at->aad;
    hs_write_mls_len(out, SENDER_CIPHERTEXT_LEN);
    at->sender = out->len;
    (void)hs_writer_reserve(out, SENDER_CIPHERTEXT_LEN);
    hs_write_mls_len(out, plain_len + HS_MLS_TAG_LEN);
    at->ciphertext = out->len;
    (void)hs_writer_reserve(out, plain_len + HS_MLS_TAG_LEN);
    at->plain_len = plain_len;
    return out->err;
}

static enum hs_err seal_content(const struct hs_mls_private_seal *seal, const struct hs_mls_parts *plain,
                                const uint8_t guard[static 4], uint8_t *message, const struct layout *at)
{
    uint8_t nonce[HS_MLS_NONCE_LEN], *out = message + at->ciphertext;
    size_t done = 0;
    for (size_t i = 0; i < plain->count; done += plain->list[i++].len)
        memcpy(out + done, plain->list[i].data, plain->list[i].len);
    memset(out + done, 0, at->plain_len - done);
    guard_nonce(seal->key, guard, nonce);
    return seal->suite->seal(seal->key->key, nonce, hs_bytes(message + at->aad, at->content_aad_len),
                             hs_bytes(out, at->plain_len), out);
}

static void put_u32(uint8_t *out, uint32_t number)
{
    for (unsigned i = 0; i < 4; i++)
        out[i] = (uint8_t)(number >> (24 - 8 * i));
}

static enum hs_err seal_sender(const struct hs_mls_private_seal *seal, const uint8_t guard[static 4],
                               uint8_t *message, const struct layout *at)
{
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key;
    uint8_t *out = message + at->sender;
    struct hs_bytes ciphertext = hs_bytes(message + at->ciphertext, at->plain_len + HS_MLS_TAG_LEN);
    put_u32(out, seal->authed->content.sender.index);
    put_u32(out + 4, seal->key->generation);
    memcpy(out + 8, guard, 4);
    HS_TRY(hs_mls_sender_data_key(seal->suite, seal->sender_data, ciphertext, &key));
    return seal->suite->seal(key.key, key.nonce, hs_bytes(message + at->aad, at->sender_aad_len),
                             hs_bytes(out, SENDER_DATA_LEN), out);
}

static enum hs_err write_sealed(const struct hs_mls_private_seal *seal, struct hs_writer *out)
{
    uint8_t guard[4];
    struct layout at;
    struct hs_mls_parts plain;
    struct hs_writer HS_WRITER body = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(parts_plain(&plain, &body, seal->authed));
    size_t len = hs_mls_parts_total(&plain), over = seal->padding > 1 ? len % seal->padding : 0;
    HS_TRY(write_frame(&seal->authed->content, over > 0 ? len + seal->padding - over : len, out, &at));
    randombytes_buf(guard, sizeof guard);
    HS_TRY(seal_content(seal, &plain, guard, out->data, &at));
    return seal_sender(seal, guard, out->data, &at);
}

enum hs_err hs_mls_private_seal(const struct hs_mls_private_seal *seal, struct hs_writer *out)
{
    size_t before = out->len;
    enum hs_err err = write_sealed(seal, out);
    if (err != HS_OK) {
        hs_wipe(out->data + before, out->len - before);
        out->len = before;
    }
    return err;
}

enum hs_err hs_mls_sender_open(const struct hs_mls_suite *suite, const struct hs_mls_private_message *m,
                               const struct hs_mls_secret *sender_data, struct hs_mls_sender_data *out)
{
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key;
    uint8_t plain[SENDER_DATA_LEN];
    HS_REQUIRE(m->sender_data.len == SENDER_CIPHERTEXT_LEN, HS_ERR_DECRYPT);
    HS_TRY(hs_mls_sender_data_key(suite, sender_data, m->ciphertext, &key));
    HS_TRY(suite->open(key.key, key.nonce, m->sender_aad, m->sender_data, plain));
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

enum hs_err hs_mls_private_open(const struct hs_mls_suite *suite, const struct hs_mls_private_message *m,
                                const struct hs_mls_sender_data *sender, const struct hs_mls_message_key *key,
                                struct hs_writer *plain, struct hs_mls_authed *authed)
{
    uint8_t nonce[HS_MLS_NONCE_LEN];
    HS_REQUIRE(m->ciphertext.len >= HS_MLS_TAG_LEN, HS_ERR_DECRYPT);
    size_t len = m->ciphertext.len - HS_MLS_TAG_LEN;
    uint8_t *out = hs_writer_reserve(plain, len);
    HS_TRY(plain->err);
    guard_nonce(key, sender->reuse_guard, nonce);
    HS_TRY(suite->open(key->key, nonce, m->content_aad, m->ciphertext, out));
    *authed = (struct hs_mls_authed){
        .wire_format = HS_MLS_PRIVATE_MESSAGE,
        .content = {.group_id = m->group_id,
                    .epoch = m->epoch,
                    .sender = {.type = HS_MLS_SENDER_MEMBER, .index = sender->leaf},
                    .authenticated_data = m->authenticated_data,
                    .type = m->type},
    };
    return read_plain(hs_bytes(out, len), authed);
}

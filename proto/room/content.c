#include "room/content.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "object/hdr.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

#include <sodium.h>

static struct hs_content content_new(struct hs_time now)
{
    struct hs_content content = {.sent = now};
    randombytes_buf(content.salt, sizeof content.salt);
    return content;
}

struct hs_content hs_content_text(struct hs_bytes text, struct hs_time now)
{
    struct hs_content content = content_new(now);
    content.kind = HS_CONTENT_TEXT;
    content.text = text;
    return content;
}

struct hs_content hs_content_deal(const Hanse__SignedObject *deal, Hanse__SignedObject *const *chain,
                                  size_t chain_count, struct hs_bytes fallback, struct hs_time now)
{
    struct hs_content content = content_new(now);
    content.kind = HS_CONTENT_DEAL;
    content.deal = deal;
    content.chain = chain;
    content.chain_count = chain_count;
    content.fallback = fallback;
    return content;
}

struct hs_content hs_content_attachment(const struct hs_attachment *attachment, struct hs_time now)
{
    struct hs_content content = content_new(now);
    content.kind = HS_CONTENT_ATTACHMENT;
    content.attachment = *attachment;
    content.fallback = attachment->name;
    return content;
}

static bool content_is_valid(const struct hs_content *content)
{
    bool has_body = content->kind == HS_CONTENT_TEXT         ? content->text.len > 0
                    : content->kind == HS_CONTENT_DEAL       ? content->deal != NULL
                    : content->kind == HS_CONTENT_ATTACHMENT ? hs_attachment_is_valid(&content->attachment)
                                                             : content->fallback.len > 0;
    return has_body && content->sent.ms >= 0 && hs_text_is_clean(content->fallback) &&
           hs_text_is_clean(content->text);
}

static enum hs_err attachment_set(const struct hs_attachment *a, struct hs_arena *arena,
                                  Hanse__Content *message)
{
    Hanse__Attachment *out = message->attachment = hs_arena_alloc(arena, sizeof *out);
    HS_REQUIRE(out != NULL, HS_ERR_NOMEM);
    hanse__attachment__init(out);
    out->name = hs_arena_str(arena, a->name);
    out->media_type = hs_arena_str(arena, a->media_type);
    HS_REQUIRE(out->name != NULL && out->media_type != NULL, HS_ERR_NOMEM);
    out->size = a->size;
    out->file = hs_pb_data(HS_VIEW(a->file));
    out->key = hs_pb_data(hs_bytes(a->key, sizeof a->key));
    out->header = hs_pb_data(hs_bytes(a->header, sizeof a->header));
    out->blob = hs_pb_data(HS_VIEW(a->blob));
    message->body_case = HANSE__CONTENT__BODY_ATTACHMENT;
    return HS_OK;
}

static enum hs_err attachment_read(const Hanse__Attachment *in, struct hs_attachment *out)
{
    out->name = hs_bytes_str(in->name);
    out->media_type = hs_bytes_str(in->media_type);
    out->size = in->size;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(in->file), &out->file) && HS_FIXED(hs_pb_bytes(in->blob), &out->blob),
               HS_ERR_MALFORMED);
    HS_REQUIRE(hs_bytes_to_fixed(hs_pb_bytes(in->key), out->key, sizeof out->key) &&
                   hs_bytes_to_fixed(hs_pb_bytes(in->header), out->header, sizeof out->header),
               HS_ERR_MALFORMED);
    return HS_OK;
}

/* The body's message in the arena. protobuf-c's structs have no const; a message that is packed is only read.
 */
static enum hs_err body_set(const struct hs_content *content, struct hs_arena *arena, Hanse__Content *message)
{
    if (content->kind == HS_CONTENT_TEXT) {
        message->text = hs_arena_alloc(arena, sizeof *message->text);
        HS_REQUIRE(message->text != NULL, HS_ERR_NOMEM);
        hanse__text__init(message->text);
        message->text->text = hs_arena_str(arena, content->text);
        HS_REQUIRE(message->text->text != NULL, HS_ERR_NOMEM);
        message->body_case = HANSE__CONTENT__BODY_TEXT;
    }
    if (content->kind == HS_CONTENT_DEAL) {
        message->deal = hs_arena_alloc(arena, sizeof *message->deal);
        HS_REQUIRE(message->deal != NULL, HS_ERR_NOMEM);
        hanse__deal__init(message->deal);
        message->deal->object = (Hanse__SignedObject *)(uintptr_t)content->deal;
        message->deal->chain = (Hanse__SignedObject **)(uintptr_t)content->chain;
        message->deal->n_chain = content->chain_count;
        message->body_case = HANSE__CONTENT__BODY_DEAL;
    }
    return content->kind == HS_CONTENT_ATTACHMENT ? attachment_set(&content->attachment, arena, message)
                                                  : HS_OK;
}

enum hs_err hs_content_build(const struct hs_content *content, struct hs_writer *out)
{
    HS_REQUIRE(content->text.len <= HS_CONTENT_MAX && content->fallback.len <= HS_CONTENT_MAX,
               HS_ERR_TOO_LARGE);
    HS_REQUIRE(content_is_valid(content), HS_ERR_INVALID_ARG);
    HS_REQUIRE(content->chain_count <= HS_CONTENT_CHAIN_MAX, HS_ERR_INVALID_ARG);
    struct hs_arena HS_ARENA arena = hs_arena(4 * HS_CONTENT_MAX);
    Hanse__Content message = HANSE__CONTENT__INIT;
    message.salt = hs_pb_data(hs_bytes(content->salt, sizeof content->salt));
    message.sent_ms = content->sent.ms;
    message.in_reply_to = hs_pb_data(content->is_reply ? HS_VIEW(content->in_reply_to) : hs_bytes(NULL, 0));
    message.fallback = hs_arena_str(&arena, content->fallback);
    HS_REQUIRE(message.fallback != NULL, HS_ERR_NOMEM);
    HS_TRY(body_set(content, &arena, &message));

    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    HS_TRY(HS_PACK(&message, &w));
    hs_write_bytes(out, hs_writer_bytes(&w));
    return out->err;
}

static enum hs_err body_read(const Hanse__Content *message, struct hs_content *out)
{
    if (message->body_case == HANSE__CONTENT__BODY_TEXT) {
        out->kind = HS_CONTENT_TEXT;
        out->text = hs_bytes_str(message->text->text);
    } else if (message->body_case == HANSE__CONTENT__BODY_DEAL) {
        HS_REQUIRE(message->deal->n_chain <= HS_CONTENT_CHAIN_MAX, HS_ERR_TOO_LARGE);
        out->kind = HS_CONTENT_DEAL;
        out->deal = message->deal->object;
        out->chain = message->deal->chain;
        out->chain_count = message->deal->n_chain;
    } else if (message->body_case == HANSE__CONTENT__BODY_ATTACHMENT) {
        out->kind = HS_CONTENT_ATTACHMENT;
        HS_TRY(attachment_read(message->attachment, &out->attachment));
    }
    HS_REQUIRE(content_is_valid(out), HS_ERR_MALFORMED);
    return HS_OK;
}

enum hs_err hs_content_parse(struct hs_bytes bytes, struct hs_arena *arena, struct hs_content *out)
{
    *out = (struct hs_content){0};
    HS_REQUIRE(bytes.len <= HS_CONTENT_MAX, HS_ERR_TOO_LARGE);
    Hanse__Content *message = NULL;
    /* a later version's body must still show its fallback here */
    HS_TRY(HS_UNPACK(hanse__content, bytes, HS_LENIENT, arena, &message));
    struct hs_content content = {.sent = {message->sent_ms}, .fallback = hs_bytes_str(message->fallback)};
    HS_REQUIRE(hs_bytes_to_fixed(hs_pb_bytes(message->salt), content.salt, sizeof content.salt),
               HS_ERR_MALFORMED);
    content.is_reply = message->in_reply_to.len > 0;
    if (content.is_reply)
        HS_REQUIRE(HS_FIXED(hs_pb_bytes(message->in_reply_to), &content.in_reply_to), HS_ERR_MALFORMED);
    HS_TRY(body_read(message, &content));
    *out = content;
    return HS_OK;
}

struct hs_id hs_content_id(const struct hs_id *room, const struct hs_key *sender, struct hs_bytes content)
{
    static const char label[] = "hanse-content-v1";
    struct hs_sha256 h;
    hs_sha256_init(&h);
    hs_sha256_update(&h, hs_bytes(label, sizeof label)); /* with its closing zero, as hs_hash_labelled() */
    hs_sha256_update(&h, HS_VIEW(*room));
    hs_sha256_update(&h, HS_VIEW(*sender));
    hs_sha256_update(&h, content);
    return hs_sha256_final(&h);
}

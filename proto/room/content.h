/* What a post holds once it is decrypted, and what goes along in clear in MLS authenticated data. */
#ifndef HS_ROOM_CONTENT_H
#define HS_ROOM_CONTENT_H

#include "base/arena.h"
#include "base/writer.h"
#include "room/attachment.h"
#include "schema/object.pb-c.h"
#include "wire/limits.h"

enum { HS_CONTENT_SALT_LEN = 16, HS_CONTENT_CHAIN_MAX = 16 };

enum hs_content_kind {
    HS_CONTENT_OTHER = 0, /* a body that this version doesn't know: show the fallback */
    HS_CONTENT_TEXT = 1,
    HS_CONTENT_DEAL = 2,
    HS_CONTENT_ATTACHMENT = 3,
};

struct hs_content {
    uint8_t salt[HS_CONTENT_SALT_LEN]; /* random: equal texts don't get equal ids */
    struct hs_time sent;               /* by the sender's clock: shown, never decided by */
    bool is_reply;
    struct hs_id in_reply_to; /* content id */
    struct hs_bytes fallback; /* clean text, may be empty */
    enum hs_content_kind kind;
    struct hs_bytes text;              /* TEXT: clean, 1 byte at least; a Markdown subset */
    const Hanse__SignedObject *deal;   /* DEAL: not verified here */
    Hanse__SignedObject *const *chain; /* DEAL: what proves its signer */
    size_t chain_count;
    struct hs_attachment attachment; /* ATTACHMENT */
};

/* A new text or deal with a random salt; fallback of a deal: what other clients show. */
struct hs_content hs_content_text(struct hs_bytes text, struct hs_time now);
struct hs_content hs_content_deal(const Hanse__SignedObject *deal, Hanse__SignedObject *const *chain,
                                  size_t chain_count, struct hs_bytes fallback, struct hs_time now);

/* A new attachment; its name is the fallback. */
struct hs_content hs_content_attachment(const struct hs_attachment *attachment, struct hs_time now);

/* Appends the bytes of a content. INVALID_ARG for empty or unclean text, no body, a negative time or too long
 * a chain; TOO_LARGE past HS_CONTENT_MAX; NOMEM. */
enum hs_err hs_content_build(const struct hs_content *content, struct hs_writer *out);

/* Into the arena. MALFORMED for a salt, time, reply or text that doesn't fit, or for neither a known body nor
 * a fallback; TOO_LARGE past HS_CONTENT_MAX or too long a chain; NOMEM. *out is zeros after an error. */
enum hs_err hs_content_parse(struct hs_bytes bytes, struct hs_arena *arena, struct hs_content *out);

/* SHA-256("hanse-content-v1" || 0x00 || room || sender's persona || content bytes): receivers keep each once.
 */
struct hs_id hs_content_id(const struct hs_id *room, const struct hs_key *sender, struct hs_bytes content);

#endif

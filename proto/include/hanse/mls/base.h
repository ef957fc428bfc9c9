/* libhanse-mls: what all of it shares: texts of errors, bytes, limits.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_BASE_H
#define HANSE_MLS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <hanse/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The sentence for err, and its name without prefix ("MLS_EPOCH"). Static, never NULL. */
HANSE_API const char *hanse_mls_strerror(enum hanse_err err);
HANSE_API const char *hanse_mls_errname(enum hanse_err err);

/* The version of the library, "major.minor.patch". */
HANSE_API const char *hanse_mls_version(void);

/* ---- Bytes ---- */

/* A view: borrowed, never freed. data may be NULL where len is 0. */
struct hanse_mls_bytes {
    const uint8_t *data;
    size_t len;
};

/* Bytes that the library made and the caller owns. */
struct hanse_mls_buf {
    uint8_t *data;
    size_t len;
};

/* Wipes, frees and empties; an empty one is fine. */
HANSE_API void hanse_mls_buf_free(struct hanse_mls_buf *buf);

/* A hash, a tag, a reference: len depends on the suite. */
struct hanse_mls_hash {
    uint8_t len, v[64];
};

static inline struct hanse_mls_bytes hanse_mls_bytes(const void *data, size_t len)
{
    struct hanse_mls_bytes view = {(const uint8_t *)data, len};
    return view;
}

static inline struct hanse_mls_bytes hanse_mls_text(const char *text)
{
    return hanse_mls_bytes(text, strlen(text));
}

static inline struct hanse_mls_bytes hanse_mls_view(const struct hanse_mls_buf *buf)
{
    return hanse_mls_bytes(buf->data, buf->len);
}

static inline struct hanse_mls_bytes hanse_mls_hash_view(const struct hanse_mls_hash *hash)
{
    return hanse_mls_bytes(hash->v, hash->len);
}

/* For public bytes only: not in constant time. */
static inline bool hanse_mls_bytes_equal(struct hanse_mls_bytes a, struct hanse_mls_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* ---- Limits: what is larger is refused ---- */

enum {
    HANSE_MLS_MAX_LEAVES = 1 << 17,
    HANSE_MLS_MAX_MESSAGE = 96 << 20,
    HANSE_MLS_MAX_APPLICATION = 1 << 20, /* content of one application message */
    HANSE_MLS_MAX_IDENTITY = 16 << 10,   /* a credential */
    HANSE_MLS_MAX_GROUP_ID = 255,
    HANSE_MLS_MAX_EXTENSIONS = 64,    /* in one list */
    HANSE_MLS_MAX_CAPABILITIES = 256, /* types in one list */
    HANSE_MLS_MAX_WAITING = 1024,     /* proposals that wait for a commit */
    HANSE_MLS_MAX_OUT_OF_ORDER = 1024,
    HANSE_MLS_MAX_FORWARD = 100000,
    HANSE_MLS_MAX_PAST_EPOCHS = 64,
    HANSE_MLS_MAX_PADDING = 64 << 10,
    HANSE_MLS_MAX_PSKS = 256, /* of one commit or Welcome */
    HANSE_MLS_MAX_EXTERNAL_SENDERS = 64
};

#ifdef __cplusplus
}
#endif

#endif

/* Byte views and the fixed-size things of the protocol, by value. */
#ifndef HS_BASE_BYTES_H
#define HS_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed view: never freed through it; data may be NULL only where len is 0. */
struct hs_bytes {
    const uint8_t *data;
    size_t len;
};

enum { HS_HASH_LEN = 32, HS_KEY_LEN = 32, HS_SIG_LEN = 64, HS_NONCE_LEN = 16 };

/* A SHA-256 output: object ids, room ids, chain hashes. */
struct hs_id {
    uint8_t b[HS_HASH_LEN];
};

/* A public key: Ed25519 or X25519, as the field's name says. */
struct hs_key {
    uint8_t b[HS_KEY_LEN];
};

/* An Ed25519 signature. */
struct hs_sig {
    uint8_t b[HS_SIG_LEN];
};

/* Unix time in milliseconds, UTC. Wrapped so that no other clock can be mixed in. */
struct hs_time {
    int64_t ms;
};

static inline struct hs_bytes hs_bytes(const void *data, size_t len)
{
    return (struct hs_bytes){.data = data, .len = len};
}

/* The bytes of a C string, without its NUL. */
static inline struct hs_bytes hs_bytes_str(const char *text)
{
    return hs_bytes(text, strlen(text));
}

/* Views of fixed-size things; x is an lvalue with a member array b. */
#define HS_VIEW(x) hs_bytes((x).b, sizeof(x).b)

/* Not constant-time: for public bytes only. */
static inline bool hs_bytes_equal(struct hs_bytes a, struct hs_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool hs_id_equal(const struct hs_id *a, const struct hs_id *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

static inline bool hs_key_equal(const struct hs_key *a, const struct hs_key *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* Copies the view into a fixed-size thing; false, and zeros, where the length differs. */
static inline bool hs_bytes_to_fixed(struct hs_bytes in, uint8_t *out, size_t out_len)
{
    memset(out, 0, out_len);
    if (in.len != out_len)
        return false;
    memcpy(out, in.data, out_len);
    return true;
}
#define HS_FIXED(in, x) hs_bytes_to_fixed((in), (x)->b, sizeof(x)->b)

#endif

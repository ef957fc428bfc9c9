/* Keys and ids as text, in constant time (they may be secret): hex and base64url without padding. */
#ifndef HS_BASE_TEXT_H
#define HS_BASE_TEXT_H

#include "base/bytes.h"
#include "base/err.h"

/* Sizes with the closing NUL. */
#define HS_HEX_SIZE(len)    (2 * (len) + 1)
#define HS_BASE64_SIZE(len) (((len)*4 + 2) / 3 + 1)

/* out has HS_HEX_SIZE(in.len) bytes; returns out. */
char *hs_hex(struct hs_bytes in, char *out);

/* out has out_len bytes and is filled whole, else MALFORMED. */
enum hs_err hs_unhex(const char *text, uint8_t *out, size_t out_len);

/* out has HS_BASE64_SIZE(in.len) bytes; returns out. */
char *hs_base64(struct hs_bytes in, char *out);

/* At most out_size bytes into out, their number into out_len. MALFORMED, or TOO_LARGE. */
enum hs_err hs_unbase64(struct hs_bytes text, uint8_t *out, size_t out_size, size_t *out_len);

/* The first 8 hex digits of an id or key: for people's eyes, never for a decision. */
struct hs_short {
    char text[9];
};
struct hs_short hs_short(struct hs_bytes id);

/* True for well-formed UTF-8 without NUL and without other C0 controls than tab and newline. */
bool hs_text_is_clean(struct hs_bytes text);

#endif

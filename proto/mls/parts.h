/* Bytes that are hashed, authenticated or signed one after another without being joined up: a list of views,
 * with room of its own for numbers and lengths. Views must live as long as the list, which must not move. */
#ifndef HS_MLS_PARTS_H
#define HS_MLS_PARTS_H

#include "base/bytes.h"
#include "base/err.h"

enum { HS_MLS_PARTS_MAX = 24, HS_MLS_PARTS_SCRATCH = 96 };

struct hs_mls_parts {
    struct hs_bytes list[HS_MLS_PARTS_MAX];
    size_t count, used;
    enum hs_err err; /* sticky: TOO_LARGE for a vector past 2^30 bytes (RFC 9420, 2.1.2) */
    uint8_t scratch[HS_MLS_PARTS_SCRATCH];
};

void hs_mls_parts_begin(struct hs_mls_parts *parts);

/* More parts, or numbers, than a list has room for are a bug and end the program. */
void hs_mls_parts_add(struct hs_mls_parts *parts, struct hs_bytes bytes);
void hs_mls_parts_list(struct hs_mls_parts *parts, const struct hs_bytes *list, size_t count);

/* Big-endian, of 1 to 8 bytes. */
void hs_mls_parts_number(struct hs_mls_parts *parts, uint64_t number, unsigned bytes);

/* The length of a vector, and a vector (RFC 9420, 2.1.2). */
void hs_mls_parts_len(struct hs_mls_parts *parts, size_t len);
void hs_mls_parts_vec(struct hs_mls_parts *parts, struct hs_bytes bytes);

size_t hs_mls_parts_total(const struct hs_mls_parts *parts);

#endif

/* Reading foreign bytes: a cursor with a sticky error. After the first failure every read gives zeros and
 * empty views, so a parser reads its fields straight down and asks once, at the end. */
#ifndef HS_BASE_READER_H
#define HS_BASE_READER_H

#include "base/bytes.h"
#include "base/err.h"

struct hs_reader {
    const uint8_t *pos, *end;
    enum hs_err err;
};

struct hs_reader hs_reader(struct hs_bytes in);

/* Big-endian integers (TLS presentation language). */
uint8_t hs_read_u8(struct hs_reader *r);
uint16_t hs_read_u16(struct hs_reader *r);
uint32_t hs_read_u32(struct hs_reader *r);
uint64_t hs_read_u64(struct hs_reader *r);

/* The next len bytes, borrowed. */
struct hs_bytes hs_read_bytes(struct hs_reader *r, size_t len);

/* Fixed-size copy; zeros after a failure. */
void hs_read_fixed(struct hs_reader *r, uint8_t *out, size_t len);

/* MLS variable-size vector header (RFC 9420, 2.1.2): 1, 2 or 4 bytes, minimal encoding demanded. */
uint32_t hs_read_mls_len(struct hs_reader *r);

/* opaque field<V>, borrowed. */
struct hs_bytes hs_read_mls_vec(struct hs_reader *r);

/* A vector's content as a reader of its own; the parent stands behind it. */
struct hs_reader hs_read_mls_sub(struct hs_reader *r);

/* Protobuf base-128 varint of at most 64 bits; overlong encodings fail. */
uint64_t hs_read_pb_varint(struct hs_reader *r);

size_t hs_reader_left(const struct hs_reader *r);

/* Marks the reader failed, keeping the first error. */
void hs_reader_fail(struct hs_reader *r, enum hs_err err);

/* The sticky error; MALFORMED where bytes are left over. */
enum hs_err hs_reader_finish(const struct hs_reader *r);

#endif

/* Building bytes: a growing buffer with a cap and a sticky error, wiped when it is freed.
 * struct hs_writer HS_WRITER w = hs_writer(cap); frees itself; hs_writer_bytes() borrows the content. */
#ifndef HS_BASE_WRITER_H
#define HS_BASE_WRITER_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

struct hs_writer {
    uint8_t *data;
    size_t len, size, cap;
    enum hs_err err;
};

#define HS_WRITER HS_AUTO(hs_writer_free)

/* An empty writer that refuses to grow past cap bytes (TOO_LARGE). */
struct hs_writer hs_writer(size_t cap);

void hs_write_u8(struct hs_writer *w, uint8_t value);
void hs_write_u16(struct hs_writer *w, uint16_t value);
void hs_write_u32(struct hs_writer *w, uint32_t value);
void hs_write_u64(struct hs_writer *w, uint64_t value);
void hs_write_bytes(struct hs_writer *w, struct hs_bytes bytes);

/* opaque field<V> (RFC 9420, 2.1.2). */
void hs_write_mls_vec(struct hs_writer *w, struct hs_bytes bytes);
void hs_write_mls_len(struct hs_writer *w, size_t len);

/* A vector whose content is written between the two calls: mark = open(w); ...; close(w, mark). */
size_t hs_writer_open(struct hs_writer *w);
void hs_writer_close(struct hs_writer *w, size_t mark);

/* Protobuf base-128 varint. */
void hs_write_pb_varint(struct hs_writer *w, uint64_t value);

/* Room for len more bytes at the end, to be filled by the caller; NULL after a failure. */
uint8_t *hs_writer_reserve(struct hs_writer *w, size_t len);

/* Drops the first len bytes. */
void hs_writer_drop(struct hs_writer *w, size_t len);

/* Keeps the memory, forgets (and wipes) the content and the error. */
void hs_writer_reset(struct hs_writer *w);

void hs_writer_fail(struct hs_writer *w, enum hs_err err);

/* The content, borrowed until the next write or free. */
struct hs_bytes hs_writer_bytes(const struct hs_writer *w);

/* Takes the memory out: the caller frees it with free(). Leaves the writer empty. */
uint8_t *hs_writer_steal(struct hs_writer *w, size_t *len);

void hs_writer_free(struct hs_writer *w);

#endif

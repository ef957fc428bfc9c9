/* The header that every payload begins with: who states it, for whom, when, until when, after what. */
#ifndef HS_OBJECT_HDR_H
#define HS_OBJECT_HDR_H

#include "base/arena.h"
#include "schema/object.pb-c.h"

/* How far the clocks of two honest machines may differ. */
enum { HS_CLOCK_SKEW_MS = 60000 };

/* What a new header says besides its issuer. */
struct hs_hdr_spec {
    struct hs_bytes audience; /* 32 bytes, or empty = anyone */
    struct hs_bytes prev;     /* 32 bytes, or empty */
    struct hs_time not_after; /* 0 = no end */
};

/* A header in the arena. nonce: 16 bytes, or NULL for random ones. INVALID_ARG where a length or time breaks
 * hs_hdr_check(), NOMEM. */
enum hs_err hs_hdr_new(struct hs_arena *arena, const struct hs_key *issuer, struct hs_time now,
                       const struct hs_hdr_spec *spec, const uint8_t *nonce, Hanse__Hdr **out);

/* MALFORMED unless the header is there, issuer_key has 32 bytes, nonce 16, audience and prev 0 or 32, and no
 * time is negative. */
enum hs_err hs_hdr_check(const Hanse__Hdr *hdr);

/* The header of any payload of the table; NULL where it is absent. Borrowed. */
const Hanse__Hdr *hs_hdr_of(const ProtobufCMessage *payload);

/* The issuer of a checked header. */
struct hs_key hs_hdr_issuer(const Hanse__Hdr *hdr);

static inline struct hs_time hs_hdr_created(const Hanse__Hdr *hdr)
{
    return (struct hs_time){hdr->created_ms};
}

/* True where the header's audience is exactly these 32 bytes. */
bool hs_hdr_is_for(const Hanse__Hdr *hdr, const struct hs_key *audience);

/* A window of time is half-open: not_before <= now < not_after (0 = no end); created may lie ahead of now by
 * the clock skew. NOT_YET or EXPIRED. */
enum hs_err hs_window_check(struct hs_time created, struct hs_time not_before, struct hs_time not_after,
                            struct hs_time now);

/* The same for a header, with the payload's own not_before (0 = none). */
enum hs_err hs_hdr_window(const Hanse__Hdr *hdr, int64_t not_before_ms, struct hs_time now);

/* A borrowed view of a protobuf bytes field. */
static inline struct hs_bytes hs_pb_bytes(ProtobufCBinaryData data)
{
    return hs_bytes(data.data, data.len);
}

/* A bytes field that borrows the view; the message is only read through it. */
static inline ProtobufCBinaryData hs_pb_data(struct hs_bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.len, .data = (uint8_t *)(uintptr_t)bytes.data};
}

#endif

/* The kinds of signed objects: each one's type string, schema and size. */
#ifndef HS_OBJECT_KINDS_H
#define HS_OBJECT_KINDS_H

#include "base/bytes.h"
#include "wire/limits.h"
#include "wire/prewalk.h"

/* Sizes of payloads. A whole object is its payload and at most HS_OBJECT_OVERHEAD more: the type string and
 * two signatures with their framing. */
enum {
    HS_OBJECT_OVERHEAD = 288,
    HS_PAYLOAD_MAX = HS_OBJECT_MAX - HS_OBJECT_OVERHEAD,
    /* fixed-size fields and a text or two */
    HS_PAYLOAD_SMALL = 4096,
    /* the whole descriptor, with its one signature and its type of 47 characters, fits HS_DESCRIPTOR_MAX */
    HS_PAYLOAD_DESCRIPTOR = HS_DESCRIPTOR_MAX - 160,
    /* 200 lines at the widest amounts and the longest note; the event that embeds the order stays under
       HS_PAYLOAD_MAX */
    HS_PAYLOAD_ORDER = 23552,
    /* a file, never a frame: 200 offers, 16 coupons and their definitions, the order's events and the chain
     */
    HS_PAYLOAD_EXPORT = 524288,
    HS_SIGNATURES_MAX = 2
};

enum hs_kind {
    HS_KIND_NONE = 0,
#define KIND(name, object, message, max_payload, signatures, strictness) HS_KIND_##name,
#include "object/kinds.def"
#undef KIND
    HS_KIND_COUNT
};

struct hs_kind_info {
    const char *type;                          /* "application/vnd.hanse.<object>.v1+protobuf" */
    const ProtobufCMessageDescriptor *payload; /* its first field is Hdr hdr = 1 */
    size_t max_payload;                        /* bytes */
    size_t signatures;                         /* exactly so many */
    enum hs_strictness strictness;             /* of the payload's unpacking */
};

/* Static; kind is one of the table, HS_KIND_NONE is a bug of the caller. */
const struct hs_kind_info *hs_kind_info(enum hs_kind kind);

/* HS_KIND_NONE for a type that isn't in the table. */
enum hs_kind hs_kind_of(struct hs_bytes type);

#endif

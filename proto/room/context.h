/* The MLS authenticated data of commits, proposals and posts: what the sender knew of the log, and whom a
 * commit admits. */
#ifndef HS_ROOM_CONTEXT_H
#define HS_ROOM_CONTEXT_H

#include "base/arena.h"
#include "base/writer.h"
#include "schema/object.pb-c.h"
#include "wire/limits.h"

enum { HS_CONTEXT_MAX = 16384 };

struct hs_message_context {
    bool has_head;             /* the sender knows a record of the log */
    uint64_t head_seq;         /* the newest one */
    struct hs_id head_hash;    /* its chain hash */
    const struct hs_id *joins; /* body hashes of the JOIN records that a commit admits, each once */
    size_t join_count;         /* at most HS_JOIN_BATCH_MAX */
    const Hanse__SignedObject *signed_head; /* a Head that the hub signed, unchecked; NULL: none */
};

/* Appends the bytes. INVALID_ARG for a JOIN named twice, TOO_LARGE for too many; NOMEM. */
enum hs_err hs_message_context_pack(const struct hs_message_context *context, struct hs_writer *out);

/* Into the arena; empty bytes are an empty context. MALFORMED (also for a JOIN named twice), TOO_LARGE,
 * NOMEM. *out is zeros after an error. */
enum hs_err hs_message_context_parse(struct hs_bytes bytes, struct hs_arena *arena,
                                     struct hs_message_context *out);

#endif

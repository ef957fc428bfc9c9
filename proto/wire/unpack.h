/* Protobuf messages in and out: the only way to protobuf-c. */
#ifndef HS_WIRE_UNPACK_H
#define HS_WIRE_UNPACK_H

#include "base/arena.h"
#include "base/writer.h"
#include "wire/prewalk.h"

/* What unpacking len bytes may take of an arena: 8 times the bytes, and a constant. Lists of amounts, the
 * densest honest content, take about 9 times their bytes: that fits, up to the longest frame. */
enum { HS_UNPACK_FACTOR = 8, HS_UNPACK_BASE = 65536 };
size_t hs_unpack_budget(size_t len);

/* Pre-walks and unpacks a message of that type. It lives in the arena until hs_arena_free(); never call
 * protobuf-c's free function on it. Takes at most hs_unpack_budget(bytes.len) of the arena, even where the
 * arena's own cap is higher. The errors of hs_prewalk(); MALFORMED where a required field (proto2) is
 * missing; TOO_LARGE past the budget or the arena's cap (it is the bytes that want too much); NOMEM
 * without memory. *out is NULL after an error. */
enum hs_err hs_unpack(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                      enum hs_strictness strictness, struct hs_arena *arena, ProtobufCMessage **out);

/* The same, typed: Hanse__Frame *frame; HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame). Doesn't
 * compile where the message's name and the pointer's type differ. */
#define HS_UNPACK(name, bytes, strictness, arena, out)                                                       \
    hs_unpack(&name##__descriptor, (bytes), (strictness), (arena),                                           \
              ((void)(0 ? name##__init(*(out)) : (void)0), (ProtobufCMessage **)(out)))

/* Appends the message. TOO_LARGE past the writer's cap, NOMEM; the writer's error is sticky. */
enum hs_err hs_pack(const ProtobufCMessage *message, struct hs_writer *out);
#define HS_PACK(message, out) hs_pack(&(message)->base, (out))

/* OK where unpacking and packing again gives the same bytes: fields in order, no defaults spelled out, one
 * encoding of everything. MALFORMED where it doesn't; the errors of hs_unpack(). */
enum hs_err hs_pack_check(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                          enum hs_strictness strictness);

#endif

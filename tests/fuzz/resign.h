/* Altered objects with good signatures. Mutations break every signature, and what lies behind the check would
 * never be reached: so each signature by one of the cast (cast.h) is made anew, from the innermost object
 * outwards. */
#ifndef TESTS_FUZZ_RESIGN_H
#define TESTS_FUZZ_RESIGN_H

#include "base/arena.h"

#include <protobuf-c/protobuf-c.h>

/* The message's bytes with all objects in it signed anew, in the arena; the bytes as they are where they are
 * no such message. */
struct hs_bytes fuzz_resign(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                            struct hs_arena *arena);

#endif

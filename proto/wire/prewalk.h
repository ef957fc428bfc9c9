/* The check of protobuf bytes before protobuf-c sees them. protobuf-c merges duplicates in quadratic time,
 * recurses without bound and takes many times the input's size; the pre-walk refuses what would make it do
 * so, with a stack of its own and without allocating.
 *
 * Accepted is what every standard encoder makes of a schema; refused with MALFORMED is:
 * - a field number of 0 or past 2^29-1, groups, unknown wire types, a wire type that isn't the field's;
 * - a varint that is overlong, or a value outside the field's type (a bool of 2, a uint32 past 2^32-1);
 * - a length past the enclosing message;
 * - a singular field twice, or two members of one oneof;
 * - a string that isn't clean (hs_text_is_clean());
 * - more than HS_UNKNOWN_MAX unknown fields in one message;
 * and with TOO_LARGE: nesting past HS_NESTING_MAX, more than HS_REPEATED_MAX values of one repeated field
 * (packed ones counted one by one), more than HS_VALUES_MAX values in all. */
#ifndef HS_WIRE_PREWALK_H
#define HS_WIRE_PREWALK_H

#include "base/bytes.h"
#include "base/err.h"

#include <protobuf-c/protobuf-c.h>

enum hs_strictness {
    HS_LENIENT = 0,    /* unknown fields and enum values pass: a frame from a newer version */
    HS_STRICT = 1,     /* both are refused with UNSUPPORTED: an object whose every field must be understood */
    HS_KNOWN_ENUMS = 2 /* unknown enum values are refused with UNSUPPORTED, unknown fields pass */
};

/* The errors are listed above; also INVALID_ARG where a message type has more fields than the walk can count.
 */
enum hs_err hs_prewalk(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                       enum hs_strictness strictness);

/* The first value of a field of bytes, messages or text, in a message that passed the pre-walk; data NULL
 * where there is none. It takes no memory: what a lack of which must not change is read with it. */
struct hs_bytes hs_prewalked_field(struct hs_bytes message, unsigned number);

#endif

/* Values of protobuf's scalar types on the wire: which wire type they have, and which varints they can be. */
#ifndef HS_WIRE_SCALAR_H
#define HS_WIRE_SCALAR_H

#include "base/reader.h"

#include <protobuf-c/protobuf-c.h>

/* The wire type of one value of a field of that type. */
unsigned hs_scalar_wire_type(ProtobufCType type);

/* True for the types whose repeated values may stand packed in one length-prefixed field. */
bool hs_scalar_is_packable(ProtobufCType type);

/* Reads past one value of that packable type; fails the reader where the value lies outside the type, or,
 * with known_enums (UNSUPPORTED), where the enum doesn't name it. */
void hs_scalar_skip(struct hs_reader *r, const ProtobufCFieldDescriptor *field, bool known_enums);

#endif

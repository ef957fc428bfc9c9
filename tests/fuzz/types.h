/* All message types of the schema by number, for targets and the corpus. */
#ifndef TESTS_FUZZ_TYPES_H
#define TESTS_FUZZ_TYPES_H

#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

/* choice is taken modulo the number of types. */
const ProtobufCMessageDescriptor *fuzz_type(uint8_t choice);

/* The choice that stands for the type. */
uint8_t fuzz_type_choice(const ProtobufCMessageDescriptor *type);

#endif

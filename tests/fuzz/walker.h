/* The pre-walk's rules a second time, for the fuzz target prewalk: recursive, slow, and written from the
 * header's list alone. */
#ifndef TESTS_FUZZ_WALKER_H
#define TESTS_FUZZ_WALKER_H

#include "base/bytes.h"
#include "wire/prewalk.h"

/* Should hs_prewalk() pass this? */
bool walker_passes(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                   enum hs_strictness strictness);

#endif

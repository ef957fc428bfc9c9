/* The sizes of the protocol as constants HS_...: see limits.def for each one's reason. */
#ifndef HS_WIRE_LIMITS_H
#define HS_WIRE_LIMITS_H

enum hs_limit {
#define LIMIT(name, value, reason) HS_##name = value,
#include "wire/limits.def"
#undef LIMIT
};

#endif

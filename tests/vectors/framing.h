#ifndef TESTS_VECTORS_FRAMING_H
#define TESTS_VECTORS_FRAMING_H

#include "vector.h"

enum outcome message_protection(const json_t *entry);

#endif

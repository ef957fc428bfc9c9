#ifndef TESTS_VECTORS_TREEKEM_H
#define TESTS_VECTORS_TREEKEM_H

#include "vector.h"

enum outcome treekem(const json_t *entry);

#endif

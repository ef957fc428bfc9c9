/* uthash, where memory that runs out is an error like any other: an entry that found no place isn't in the
 * table, and HS_IS_HASHED is false for it. */
#ifndef HS_CORE_HASH_H
#define HS_CORE_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define HS_IS_HASHED(hh, entry) ((entry)->hh.tbl != NULL)

#endif

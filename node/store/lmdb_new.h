/* The making of a store's data file: it is there completely or not at all, whenever the power fails. */
#ifndef HS_STORE_LMDB_NEW_H
#define HS_STORE_LMDB_NEW_H

#include "base/err.h"

#include <stddef.h>

/* Makes dir/data.mdb, an empty environment of that map size, where there is none: under another name first,
 * which is changed once the bytes are synced. The name is durable with the directory's next sync. What an
 * attempt before has left is removed. INVALID_ARG for a path that is too long, NOMEM, STORE_FULL, STORE. */
enum hs_err hs_lmdb_new(const char *dir, size_t map_size);

#endif

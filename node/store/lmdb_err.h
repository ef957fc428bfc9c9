/* LMDB's and the system's numbers as ours. */
#ifndef HS_STORE_LMDB_ERR_H
#define HS_STORE_LMDB_ERR_H

#include "base/err.h"

#include <errno.h>
#include <lmdb.h>

static inline enum hs_err hs_lmdb_err(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return HS_OK;
    case MDB_NOTFOUND:
        return HS_ERR_NOT_FOUND;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
        return HS_ERR_STORE_FULL;
    case ENOMEM:
        return HS_ERR_NOMEM;
    default:
        return HS_ERR_STORE;
    }
}

#endif

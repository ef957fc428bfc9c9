#include "store/lmdb_new.h"

#include "store/lmdb_err.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MODE = 0600 };

/* LMDB writes the first two pages of a file without a sync, and takes no file in which they aren't whole. */
static enum hs_err make(const char *path, size_t map_size)
{
    MDB_env *env = NULL;
    HS_TRY(hs_lmdb_err(mdb_env_create(&env)));
    enum hs_err err = hs_lmdb_err(mdb_env_set_mapsize(env, map_size));
    if (err == HS_OK)
        err = hs_lmdb_err(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK, FILE_MODE));
    if (err == HS_OK)
        err = hs_lmdb_err(mdb_env_sync(env, 1));
    mdb_env_close(env);
    return err;
}

static enum hs_err join(const char *dir, const char *name, char out[static PATH_MAX])
{
    int len = snprintf(out, PATH_MAX, "%s/%s", dir, name);
    return len > 0 && len < PATH_MAX ? HS_OK : HS_ERR_INVALID_ARG;
}

enum hs_err hs_lmdb_new(const char *dir, size_t map_size)
{
    char path[PATH_MAX], fresh[PATH_MAX];
    struct stat info;
    HS_TRY(join(dir, "data.mdb", path));
    HS_TRY(join(dir, "new.mdb", fresh));
    HS_REQUIRE(unlink(fresh) == 0 || errno == ENOENT, HS_ERR_STORE);
    if (lstat(path, &info) == 0)
        return HS_OK;
    HS_REQUIRE(errno == ENOENT, HS_ERR_STORE);
    HS_TRY(make(fresh, map_size));
    return rename(fresh, path) == 0 ? HS_OK : HS_ERR_STORE;
}

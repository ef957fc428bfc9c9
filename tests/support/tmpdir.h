/* A directory of a test's own, removed with all that is in it. */
#ifndef TESTS_SUPPORT_TMPDIR_H
#define TESTS_SUPPORT_TMPDIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline int tmpdir_setup(void **state)
{
    char *dir = strdup("/tmp/hanse-test-XXXXXX");
    *state = dir;
    return dir != NULL && mkdtemp(dir) != NULL ? 0 : -1;
}

static inline int tmpdir_remove(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline int tmpdir_teardown(void **state)
{
    nftw(*state, tmpdir_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return 0;
}

static inline const char *tmpdir_path(void **state, const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", (const char *)*state, name);
    return out;
}

#endif

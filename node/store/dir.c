#include "store/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { DIR_MODE = 0700, LOCK_MODE = 0600, PATH_SIZE = 4096 };

bool hs_dir_is_remote(unsigned long magic)
{
    static const unsigned long remote[] = {
        0x6969,     /* NFS */
        0x517B,     /* SMB */
        0xFF534D42, /* CIFS */
        0xFE534D42, /* SMB2 */
        0x5346414F, /* AFS */
        0x00C36400, /* Ceph */
        0x01021997, /* 9P */
    };
    for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
        if ((magic & 0xFFFFFFFF) == remote[i])
            return true;
    return false;
}

static enum hs_err check_local(int dir_fd)
{
    struct statfs info;
    HS_REQUIRE(fstatfs(dir_fd, &info) == 0, HS_ERR_IO);
    return hs_dir_is_remote((unsigned long)info.f_type) ? HS_ERR_UNSUPPORTED : HS_OK;
}

static enum hs_err lock_in(int dir_fd, int *lock_fd)
{
    int fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOCK_MODE);
    HS_REQUIRE(fd >= 0, HS_ERR_IO);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum hs_err err = errno == EWOULDBLOCK ? HS_ERR_LOCKED : HS_ERR_IO;
        close(fd);
        return err;
    }
    *lock_fd = fd;
    return HS_OK;
}

/* It may have been made by a process that died before it came to this; a parent that can't be read, or isn't
 * to be written, was here long before us. */
enum hs_err hs_dir_sync_parent(int dir_fd)
{
    int fd = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? HS_OK : HS_ERR_IO;
    bool synced = fsync(fd) == 0 || errno == EROFS || errno == EINVAL;
    close(fd);
    return synced ? HS_OK : HS_ERR_IO;
}

enum hs_err hs_dir_lock(const char *dir, int *lock_fd)
{
    HS_REQUIRE(mkdir(dir, DIR_MODE) == 0 || errno == EEXIST, HS_ERR_IO);
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    HS_REQUIRE(dir_fd >= 0, HS_ERR_IO);
    enum hs_err err = check_local(dir_fd);
    if (err == HS_OK)
        err = hs_dir_sync_parent(dir_fd);
    if (err == HS_OK)
        err = lock_in(dir_fd, lock_fd);
    close(dir_fd);
    return err;
}

enum hs_err hs_dir_sync(const char *dir)
{
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    HS_REQUIRE(dir_fd >= 0, HS_ERR_IO);
    int rc = fsync(dir_fd);
    close(dir_fd);
    return rc == 0 ? HS_OK : HS_ERR_IO;
}

size_t hs_dir_free_bytes(const char *dir)
{
    struct statvfs info;
    if (statvfs(dir, &info) != 0)
        return SIZE_MAX;
    return (size_t)info.f_bavail * info.f_frsize;
}

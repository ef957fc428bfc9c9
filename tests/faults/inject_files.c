/* Files that can't be opened, read, written, synced or named. What goes through the C library's own streams
 * fails at the stream. */
#include "inject_ask.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
    FAIL_WITH(INJECT_OPEN, EMFILE)
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define MODE_OF(flags)                                                                                       \
    mode_t mode = 0;                                                                                         \
    if (((flags) & (O_CREAT | O_TMPFILE)) != 0) {                                                            \
        va_list args;                                                                                        \
        va_start(args, flags);                                                                               \
        mode = va_arg(args, mode_t);                                                                         \
        va_end(args);                                                                                        \
    }

EXPORT int open(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(AT_FDCWD, path, flags, mode);
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(dir, path, flags, mode);
}

EXPORT int openat64(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(dir, path, flags, mode);
}

EXPORT int __open_2(const char *path, int flags);
EXPORT int __open_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}

EXPORT int __open64_2(const char *path, int flags);
EXPORT int __open64_2(const char *path, int flags)
{
    return open_at(AT_FDCWD, path, flags, 0);
}

EXPORT int __openat_2(int dir, const char *path, int flags);
EXPORT int __openat_2(int dir, const char *path, int flags)
{
    return open_at(dir, path, flags, 0);
}

EXPORT int close(int fd)
{
    int rc = (int)syscall(SYS_close, fd);
    if (rc != 0 && errno == EBADF && fd >= 0 && inject_table() != NULL)
        atomic_fetch_add(&inject_table()->bad_closes, 1);
    return rc;
}

/* ---- bytes ---- */

#define FILE_FAILS(fd)                                                                                       \
    if (inject_is_file(fd)) {                                                                                \
        FAIL_WITH(INJECT_FILE_WRITE, EIO)                                                                    \
        FAIL_WITH(INJECT_FILE_FULL, ENOSPC)                                                                  \
    }

EXPORT ssize_t pread(int fd, void *bytes, size_t len, off_t at)
{
    FAIL_WITH(INJECT_FILE_READ, EIO)
    return syscall(SYS_pread64, fd, bytes, len, at);
}

EXPORT ssize_t pread64(int fd, void *bytes, size_t len, off_t at)
{
    FAIL_WITH(INJECT_FILE_READ, EIO)
    return syscall(SYS_pread64, fd, bytes, len, at);
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    FILE_FAILS(fd)
    return syscall(SYS_pwrite64, fd, bytes, len, at);
}

EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    FILE_FAILS(fd)
    return syscall(SYS_pwritev, fd, parts, count, at, 0);
}

EXPORT int ftruncate(int fd, off_t size)
{
    FILE_FAILS(fd)
    return (int)syscall(SYS_ftruncate, fd, size);
}

static void take_time(void)
{
    unsigned ms = inject_table() != NULL ? atomic_load(&inject_table()->sync_ms) : 0;
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    if (ms > 0)
        nanosleep(&time, NULL);
}

EXPORT int fsync(int fd)
{
    take_time();
    FAIL_WITH(INJECT_SYNC, EIO)
    return (int)syscall(SYS_fsync, fd);
}

EXPORT int fdatasync(int fd)
{
    take_time();
    FAIL_WITH(INJECT_SYNC, EIO)
    return (int)syscall(SYS_fdatasync, fd);
}

EXPORT int msync(void *at, size_t len, int flags)
{
    take_time();
    FAIL_WITH(INJECT_SYNC, EIO)
    return (int)syscall(SYS_msync, at, len, flags);
}

/* ---- names ---- */

EXPORT int rename(const char *from, const char *to)
{
    FAIL_WITH(INJECT_NAME, EIO)
    return (int)syscall(SYS_rename, from, to);
}

EXPORT int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    FAIL_WITH(INJECT_NAME, EIO)
    return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

EXPORT int link(const char *from, const char *to)
{
    FAIL_WITH(INJECT_NAME, EIO)
    return (int)syscall(SYS_link, from, to);
}

EXPORT int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    FAIL_WITH(INJECT_NAME, EIO)
    return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

EXPORT int unlink(const char *path)
{
    FAIL_WITH(INJECT_NAME, EIO)
    return (int)syscall(SYS_unlink, path);
}

EXPORT int unlinkat(int dir, const char *path, int flags)
{
    FAIL_WITH(INJECT_NAME, EIO)
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    FAIL_WITH(INJECT_NAME, EIO)
    return (int)syscall(SYS_mkdir, path, mode);
}

EXPORT int mkdirat(int dir, const char *path, mode_t mode)
{
    FAIL_WITH(INJECT_NAME, EIO)
    return (int)syscall(SYS_mkdirat, dir, path, mode);
}

/* ---- streams ---- */

enum { STREAM_ERROR = 0x20 /* what ferror() looks at in the flags of a stream of this C library */ };

EXPORT FILE *fopen(const char *path, const char *mode)
{
    static FILE *(*real)(const char *, const char *);
    if (inject_fails(INJECT_OPEN)) {
        errno = EMFILE;
        return NULL;
    }
    if (real == NULL)
        inject_next("fopen", &real);
    return real(path, mode);
}

static bool stream_fails(FILE *file)
{
    if (__fwritable(file) == 0 || !inject_is_file(fileno(file)))
        return false;
    bool full = inject_fails(INJECT_FILE_FULL);
    if (!full && !inject_fails(INJECT_FILE_WRITE))
        return false;
    errno = full ? ENOSPC : EIO;
    file->_flags |= STREAM_ERROR;
    return true;
}

EXPORT size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file)
{
    static size_t (*real)(const void *, size_t, size_t, FILE *);
    if (real == NULL)
        inject_next("fwrite", &real);
    return stream_fails(file) ? 0 : real(bytes, size, count, file);
}

EXPORT size_t fread(void *bytes, size_t size, size_t count, FILE *file)
{
    static size_t (*real)(void *, size_t, size_t, FILE *);
    if (real == NULL)
        inject_next("fread", &real);
    if (!inject_fails(INJECT_FILE_READ))
        return real(bytes, size, count, file);
    errno = EIO;
    file->_flags |= STREAM_ERROR;
    return 0;
}

EXPORT int fflush(FILE *file)
{
    static int (*real)(FILE *);
    if (real == NULL)
        inject_next("fflush", &real);
    return file != NULL && stream_fails(file) ? EOF : real(file);
}

/* It is closed all the same: what it still had to write is lost. */
EXPORT int fclose(FILE *file)
{
    static int (*real)(FILE *);
    if (real == NULL)
        inject_next("fclose", &real);
    bool lost = stream_fails(file);
    int error = errno, rc = real(file);
    if (!lost)
        return rc;
    errno = error;
    return EOF;
}

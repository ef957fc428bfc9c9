/* Preloaded into a daemon: makes the calls fail that the table names. No other library is needed for it: the
 * calls themselves go to the kernel, memory comes from the C library's own names. */
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static struct inject *table;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(INJECT_FILE);
    int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map =
        (void *)syscall(SYS_mmap, NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)0);
    syscall(SYS_close, fd);
    if (map != MAP_FAILED)
        table = map;
}

static bool fails(enum inject_call call)
{
    if (table == NULL || atomic_load(&table->call) != call)
        return false;
    long in = atomic_fetch_sub(&table->in, 1);
    bool now = in == 1 || (in < 1 && atomic_load(&table->on) != 0);
    if (call == INJECT_INTERRUPT && in % 2 == 0)
        now = false; /* nobody is interrupted for ever: whoever only tries again would never end */
    if (now)
        atomic_fetch_add(&table->hits, 1);
    return now;
}

#define FAIL_WITH(call, error)                                                                               \
    if (fails(call)) {                                                                                       \
        errno = (error);                                                                                     \
        return -1;                                                                                           \
    }

static bool is_socket(int fd)
{
    struct stat info;
    int saved = errno;
    bool socket = fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
    errno = saved;
    return socket;
}

static bool is_file(int fd)
{
    struct stat info;
    int saved = errno;
    bool file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    errno = saved;
    return file && fd > 2; /* not the log */
}

/* ---- memory ---- */

EXPORT void *malloc(size_t size)
{
    if (fails(INJECT_MALLOC)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    if (fails(INJECT_MALLOC)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
    if (fails(INJECT_MALLOC)) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(old, size);
}

EXPORT void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (fd >= 0 && fails(INJECT_MMAP)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}

/* ---- files ---- */

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

EXPORT int openat(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_at(dir, path, flags, mode);
}

#define FILE_FAILS(fd)                                                                                       \
    if (is_file(fd)) {                                                                                       \
        FAIL_WITH(INJECT_FILE_WRITE, EIO)                                                                    \
        FAIL_WITH(INJECT_FILE_FULL, ENOSPC)                                                                  \
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

EXPORT int fsync(int fd)
{
    FAIL_WITH(INJECT_SYNC, EIO)
    return (int)syscall(SYS_fsync, fd);
}

EXPORT int fdatasync(int fd)
{
    FAIL_WITH(INJECT_SYNC, EIO)
    return (int)syscall(SYS_fdatasync, fd);
}

EXPORT int msync(void *at, size_t len, int flags)
{
    FAIL_WITH(INJECT_SYNC, EIO)
    return (int)syscall(SYS_msync, at, len, flags);
}

/* ---- sockets ---- */

EXPORT ssize_t read(int fd, void *bytes, size_t len)
{
    if (is_socket(fd)) {
        FAIL_WITH(INJECT_READ, ECONNRESET)
        FAIL_WITH(INJECT_INTERRUPT, EINTR)
    }
    return syscall(SYS_read, fd, bytes, len);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t len)
{
    FILE_FAILS(fd)
    if (is_socket(fd)) {
        FAIL_WITH(INJECT_WRITE, EPIPE)
        FAIL_WITH(INJECT_INTERRUPT, EINTR)
        if (len > 1 && fails(INJECT_SHORT))
            len = 1;
    }
    return syscall(SYS_write, fd, bytes, len);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
    FILE_FAILS(fd)
    if (is_socket(fd)) {
        FAIL_WITH(INJECT_WRITE, EPIPE)
        FAIL_WITH(INJECT_INTERRUPT, EINTR)
        if (count > 0 && parts[0].iov_len > 0 && fails(INJECT_SHORT))
            return syscall(SYS_write, fd, parts[0].iov_base, 1);
    }
    return syscall(SYS_writev, fd, parts, count);
}

EXPORT int accept4(int fd, __SOCKADDR_ARG address, socklen_t *len, int flags)
{
    FAIL_WITH(INJECT_ACCEPT, EMFILE)
    return (int)syscall(SYS_accept4, fd, address.__sockaddr__, len, flags);
}

EXPORT int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t len)
{
    FAIL_WITH(INJECT_CONNECT, ENETUNREACH)
    return (int)syscall(SYS_connect, fd, address.__sockaddr__, len);
}

EXPORT int epoll_create1(int flags)
{
    FAIL_WITH(INJECT_WATCH, ENOMEM)
    return (int)syscall(SYS_epoll_create1, flags);
}

EXPORT int epoll_ctl(int fd, int what, int watched, struct epoll_event *event)
{
    FAIL_WITH(INJECT_WATCH, ENOMEM)
    return (int)syscall(SYS_epoll_ctl, fd, what, watched, event);
}

EXPORT int eventfd(unsigned count, int flags)
{
    FAIL_WITH(INJECT_WATCH, ENOMEM)
    return (int)syscall(SYS_eventfd2, count, flags);
}

EXPORT ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
    FAIL_WITH(INJECT_RANDOM, EIO)
    return syscall(SYS_getrandom, bytes, len, flags);
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
    FAIL_WITH(INJECT_INTERRUPT, EINTR)
    return (int)syscall(SYS_epoll_wait, fd, events, count, timeout);
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout, const sigset_t *set)
{
    FAIL_WITH(INJECT_INTERRUPT, EINTR)
    return (int)syscall(SYS_epoll_pwait, fd, events, count, timeout, set, 8);
}

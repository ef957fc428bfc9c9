/* Preloaded into a daemon: notes every change of the files under JOURNAL_FOLDER, with its bytes, in
 * JOURNAL_FILE. A write is noted before it is made, a sync after it has succeeded: so whatever the journal
 * says to be durable at some point is. Entries are single appends, and those of several processes keep their
 * order.
 *
 * One thread writes a file at a time (the node's commit thread writes its store), so a sync covers what was
 * noted before it. */
#include "journal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FILES_MAX = 4096, PARTS_MAX = 64 };

static int journal = -1;
static char folder[PATH_MAX];
static uint32_t node;

/* Descriptors of files (or folders) under the folder. */
static struct {
    bool known, is_dir, synced; /* synced: every write is durable when it returns */
    ino_t inode;
    char path[JOURNAL_PATH];
} files[FILES_MAX];

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "journal: %s: %s\n", what, strerror(errno));
    abort();
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(JOURNAL_FILE), *under = getenv(JOURNAL_FOLDER), *number = getenv(JOURNAL_NODE);
    if (path == NULL || under == NULL || realpath(under, folder) == NULL)
        return;
    node = number != NULL ? (uint32_t)atoi(number) : 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    journal = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 900); /* out of the way of what programs inherit */
    if (fd < 0 || journal < 0)
        fail("no journal");
    syscall(SYS_close, fd);
}

static void note(struct journal_entry *entry, const struct iovec *parts, int count)
{
    struct iovec all[PARTS_MAX + 1] = {{.iov_base = entry, .iov_len = sizeof *entry}};
    if (count > PARTS_MAX)
        fail("too many parts");
    entry->magic = JOURNAL_MAGIC;
    entry->node = node;
    size_t total = sizeof *entry;
    for (int i = 0; i < count; i++) {
        all[i + 1] = parts[i];
        total += parts[i].iov_len;
    }
    entry->len = (uint32_t)(total - sizeof *entry);
    if (syscall(SYS_writev, journal, all, count + 1) != (long)total)
        fail("the journal can't be written");
}

static void note_path(enum journal_kind kind, ino_t file, const char *path)
{
    struct journal_entry entry = {.kind = kind, .file = file};
    struct iovec part = {.iov_base = (void *)(uintptr_t)path, .iov_len = strlen(path)};
    note(&entry, &part, 1);
}

/* The path that dir and path are together; false where dir isn't one of ours. */
static bool join(int dir, const char *path, char *out, size_t size)
{
    if (journal < 0)
        return false;
    if (path[0] == '/' || dir == AT_FDCWD)
        return snprintf(out, size, "%s", path) < (int)size;
    return dir >= 0 && dir < FILES_MAX && files[dir].known &&
           snprintf(out, size, "%s/%s/%s", folder, files[dir].path, path) < (int)size;
}

/* path relative to the folder; false where it isn't in there. */
static bool inside(int dir, const char *path, char *out)
{
    char full[2 * PATH_MAX], parent[PATH_MAX];
    int saved = errno;
    if (!join(dir, path, full, sizeof full))
        return false;
    for (size_t len = strlen(full); len > 1 && full[len - 1] == '/';)
        full[--len] = '\0';
    char *slash = strrchr(full, '/');
    const char *name = slash != NULL ? slash + 1 : full;
    if (strcmp(name, "..") == 0 && realpath(full, parent) != NULL) { /* a folder's own name is wanted */
        snprintf(full, sizeof full, "%s", parent);
        slash = strrchr(full, '/');
        name = slash + 1;
    }
    if (slash != NULL)
        *slash = '\0';
    bool good = realpath(slash == NULL ? "." : full[0] == '\0' ? "/" : full, parent) != NULL;
    errno = saved;
    size_t len = strlen(folder);
    if (!good || strncmp(parent, folder, len) != 0 || (parent[len] != '\0' && parent[len] != '/'))
        return false;
    const char *rest = parent[len] == '/' ? parent + len + 1 : "";
    return snprintf(out, JOURNAL_PATH, "%s%s%s", rest, rest[0] != '\0' ? "/" : "", name) < JOURNAL_PATH;
}

/* The folder itself, or something in it. */
static bool inside_or_at(int dir, const char *path, char *out)
{
    char full[2 * PATH_MAX], real[PATH_MAX];
    int saved = errno;
    bool at = join(dir, path, full, sizeof full) && realpath(full, real) != NULL && strcmp(real, folder) == 0;
    errno = saved;
    if (at)
        out[0] = '\0';
    return at || inside(dir, path, out);
}

static int opened(int fd, const char *path, int flags, bool fresh)
{
    struct stat info;
    int saved = errno;
    if (fd < 0 || fd >= FILES_MAX || fstat(fd, &info) != 0)
        return fd;
    files[fd].known = true;
    files[fd].is_dir = S_ISDIR(info.st_mode);
    files[fd].synced = (flags & (O_DSYNC | O_SYNC)) != 0;
    files[fd].inode = info.st_ino;
    snprintf(files[fd].path, sizeof files[fd].path, "%s", path);
    if (fresh)
        note_path(JOURNAL_CREATE, info.st_ino, path);
    errno = saved;
    return fd;
}

static int open_in(int dir, const char *path, int flags, mode_t mode)
{
    char in[JOURNAL_PATH];
    struct stat info;
    bool ours = inside_or_at(dir, path, in);
    bool fresh = ours && (flags & O_CREAT) != 0 && fstatat(dir, path, &info, AT_SYMLINK_NOFOLLOW) != 0;
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    if (ours && fd >= 0 && (flags & O_TRUNC) != 0 && !fresh)
        fail("O_TRUNC of a file that is there isn't known here");
    if (fd >= 0 && fd < FILES_MAX)
        files[fd].known = false;
    return ours ? opened(fd, in, flags, fresh) : fd;
}

/* A descriptor of ours; it may have been closed and used again without a word. */
static bool is_ours(int fd)
{
    struct stat info;
    int saved = errno;
    bool ours = journal >= 0 && fd >= 0 && fd < FILES_MAX && files[fd].known && fstat(fd, &info) == 0 &&
                info.st_ino == files[fd].inode;
    errno = saved;
    return ours;
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t at, bool moves)
{
    struct journal_entry entry = {.kind = JOURNAL_WRITE, .file = files[fd].inode, .offset = (uint64_t)at};
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    note(&entry, parts, count);
    ssize_t done =
        moves ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, at, 0);
    if (done != (ssize_t)total)
        fail("a short write"); /* no disk of a test is full */
    if (files[fd].synced) {
        struct journal_entry written = {
            .kind = JOURNAL_WRITTEN, .file = files[fd].inode, .offset = (uint64_t)at, .number = total};
        note(&written, NULL, 0);
    }
    return done;
}

static off_t position(int fd)
{
    struct stat info;
    if ((syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND) != 0 && fstat(fd, &info) == 0)
        return info.st_size;
    return syscall(SYS_lseek, fd, 0, SEEK_CUR);
}

static int synced(int fd, long number)
{
    int rc = (int)syscall(number, fd);
    if (rc != 0 || !is_ours(fd))
        return rc;
    if (files[fd].is_dir) {
        note_path(JOURNAL_SYNC_DIR, 0, files[fd].path);
    } else {
        struct journal_entry entry = {.kind = JOURNAL_SYNC, .file = files[fd].inode};
        note(&entry, NULL, 0);
    }
    return rc;
}

/* ---- what programs call ---- */

#define EXPORT __attribute__((visibility("default")))

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
    return open_in(AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_in(AT_FDCWD, path, flags, mode);
}

EXPORT int openat(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_in(dir, path, flags, mode);
}

EXPORT int openat64(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags)
    return open_in(dir, path, flags, mode);
}

int __open_2(const char *path, int flags);
EXPORT int __open_2(const char *path, int flags)
{
    return open_in(AT_FDCWD, path, flags, 0);
}

int __open64_2(const char *path, int flags);
EXPORT int __open64_2(const char *path, int flags)
{
    return open_in(AT_FDCWD, path, flags, 0);
}

EXPORT int close(int fd)
{
    if (fd >= 0 && fd < FILES_MAX)
        files[fd].known = false;
    return (int)syscall(SYS_close, fd);
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    return is_ours(fd) ? write_parts(fd, &part, 1, at, false) : syscall(SYS_pwrite64, fd, bytes, len, at);
}

EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t len, off_t at)
{
    return pwrite(fd, bytes, len, at);
}

EXPORT ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    return is_ours(fd) ? write_parts(fd, parts, count, at, false)
                       : syscall(SYS_pwritev, fd, parts, count, at, 0);
}

EXPORT ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
    return pwritev(fd, parts, count, at);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t len)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    return is_ours(fd) ? write_parts(fd, &part, 1, position(fd), true) : syscall(SYS_write, fd, bytes, len);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return is_ours(fd) ? write_parts(fd, parts, count, position(fd), true)
                       : syscall(SYS_writev, fd, parts, count);
}

EXPORT int ftruncate(int fd, off_t size)
{
    if (is_ours(fd)) {
        struct journal_entry entry = {
            .kind = JOURNAL_TRUNCATE, .file = files[fd].inode, .offset = (uint64_t)size};
        note(&entry, NULL, 0);
    }
    return (int)syscall(SYS_ftruncate, fd, size);
}

EXPORT int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

EXPORT int fsync(int fd)
{
    return synced(fd, SYS_fsync);
}

EXPORT int fdatasync(int fd)
{
    return synced(fd, SYS_fdatasync);
}

static int mkdir_in(int dir, const char *path, mode_t mode)
{
    char in[JOURNAL_PATH];
    bool ours = inside(dir, path, in);
    int rc = (int)syscall(SYS_mkdirat, dir, path, mode);
    if (rc == 0 && ours)
        note_path(JOURNAL_MKDIR, 0, in);
    return rc;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    return mkdir_in(AT_FDCWD, path, mode);
}

EXPORT int mkdirat(int dir, const char *path, mode_t mode)
{
    return mkdir_in(dir, path, mode);
}

static int rename_in(int from_dir, const char *from, int to_dir, const char *to)
{
    char both[2 * JOURNAL_PATH], target[JOURNAL_PATH];
    if (!inside(from_dir, from, both) || !inside(to_dir, to, target))
        return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
    struct journal_entry entry = {.kind = JOURNAL_RENAME};
    struct iovec parts[] = {{.iov_base = both, .iov_len = strlen(both) + 1},
                            {.iov_base = target, .iov_len = strlen(target)}};
    note(&entry, parts, 2);
    return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

EXPORT int rename(const char *from, const char *to)
{
    return rename_in(AT_FDCWD, from, AT_FDCWD, to);
}

EXPORT int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return rename_in(from_dir, from, to_dir, to);
}

static int unlink_in(int dir, const char *path, int flags)
{
    char in[JOURNAL_PATH];
    if (inside(dir, path, in))
        note_path(JOURNAL_UNLINK, 0, in);
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

EXPORT int unlink(const char *path)
{
    return unlink_in(AT_FDCWD, path, 0);
}

EXPORT int unlinkat(int dir, const char *path, int flags)
{
    return unlink_in(dir, path, flags);
}

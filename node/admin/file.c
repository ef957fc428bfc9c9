#include "admin/file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_LINE = 65 };

enum hs_err hs_path_join(const char *dir, const char *name, char out[static HS_PATH_SIZE])
{
    int len = name[0] == '/' ? snprintf(out, HS_PATH_SIZE, "%s", name)
                             : snprintf(out, HS_PATH_SIZE, "%s/%s", dir, name);
    return len >= 0 && len < HS_PATH_SIZE ? HS_OK : HS_ERR_INVALID_ARG;
}

static bool write_all(int fd, struct hs_bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t done = write(fd, bytes.data, bytes.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes = hs_bytes(bytes.data + done, bytes.len - (size_t)done);
    }
    return fsync(fd) == 0;
}

/* The name is durable only with its directory. */
static bool sync_parent(const char *path)
{
    char copy[HS_PATH_SIZE];
    if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
        return false;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool synced = fsync(fd) == 0;
    close(fd);
    return synced;
}

enum hs_err hs_file_write_new(const char *path, struct hs_bytes bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == EEXIST ? HS_ERR_CONFLICT : HS_ERR_IO;
    bool written = write_all(fd, bytes);
    written = close(fd) == 0 && written;
    if (written && sync_parent(path))
        return HS_OK;
    unlink(path);
    return HS_ERR_IO;
}

enum hs_err hs_file_replace(const char *path, struct hs_bytes bytes)
{
    char fresh[HS_PATH_SIZE];
    HS_REQUIRE(snprintf(fresh, sizeof fresh, "%s.new", path) < (int)sizeof fresh, HS_ERR_INVALID_ARG);
    (void)unlink(fresh);
    HS_TRY(hs_file_write_new(fresh, bytes));
    return hs_file_rename(fresh, path);
}

enum hs_err hs_file_rename(const char *from, const char *to)
{
    return rename(from, to) == 0 && sync_parent(to) ? HS_OK : HS_ERR_IO;
}

static enum hs_err read_whole(int fd, size_t max, struct hs_arena *arena, struct hs_bytes *out)
{
    uint8_t *buffer = hs_arena_alloc(arena, max + 1);
    size_t len = 0;
    HS_REQUIRE(buffer != NULL, HS_ERR_NOMEM);
    while (len <= max) {
        ssize_t got = read(fd, buffer + len, max + 1 - len);
        if (got < 0 && errno == EINTR)
            continue;
        HS_REQUIRE(got >= 0, HS_ERR_IO);
        if (got == 0) {
            *out = hs_bytes(buffer, len);
            return HS_OK;
        }
        len += (size_t)got;
    }
    return HS_ERR_TOO_LARGE;
}

static bool is_private(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
           (info.st_mode & 077) == 0;
}

static enum hs_err read_file(const char *path, bool private, size_t max, struct hs_arena *arena,
                             struct hs_bytes *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | (private ? O_NOFOLLOW | O_NONBLOCK : 0));
    if (fd < 0 && errno == ENOENT)
        return HS_ERR_NOT_FOUND;
    if (fd < 0)
        return errno == EACCES || errno == ELOOP ? HS_ERR_DENIED : HS_ERR_IO;
    enum hs_err err = private && !is_private(fd) ? HS_ERR_DENIED : read_whole(fd, max, arena, out);
    close(fd);
    return err;
}

enum hs_err hs_file_read(const char *path, size_t max, struct hs_arena *arena, struct hs_bytes *out)
{
    return read_file(path, false, max, arena, out);
}

enum hs_err hs_file_read_private(const char *path, size_t max, struct hs_arena *arena, struct hs_bytes *out)
{
    return read_file(path, true, max, arena, out);
}

enum hs_err hs_key_file_write_new(const char *path, const struct hs_secret32 *key)
{
    char line[KEY_LINE + 1];
    hs_hex(HS_VIEW(*key), line);
    line[KEY_LINE - 1] = '\n';
    enum hs_err err = hs_file_write_new(path, hs_bytes(line, KEY_LINE));
    hs_wipe(line, sizeof line);
    return err;
}

enum hs_err hs_key_file_read(const char *path, struct hs_secret32 *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(256); /* wiped with its content */
    struct hs_bytes line;
    char text[KEY_LINE];
    HS_TRY(hs_file_read_private(path, KEY_LINE, &arena, &line));
    HS_REQUIRE(line.len >= KEY_LINE - 1 && (line.len < KEY_LINE || line.data[KEY_LINE - 1] == '\n'),
               HS_ERR_MALFORMED);
    memcpy(text, line.data, KEY_LINE - 1);
    text[KEY_LINE - 1] = '\0';
    enum hs_err err = hs_unhex(text, out->b, sizeof out->b);
    hs_wipe(text, sizeof text);
    return err;
}

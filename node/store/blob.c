#include "store/blob.h"

#include "room/blob.h"
#include "store/dir.h"
#include "wire/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIR_MODE = 0700, FILE_MODE = 0600, NAME_SIZE = 128, PATH_SIZE = 4096, FOLDERS = 256, WHOSE = 16 };

struct hs_blob_files {
    int dir;
    size_t reserve;
    char path[PATH_SIZE];
};

struct name {
    char folder[3], file[NAME_SIZE], part[NAME_SIZE];
};

static void hex(char *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static struct name file_name(const struct hs_id *hash)
{
    struct name name = {0};
    char h[2 * HS_HASH_LEN + 1];
    hex(h, hash->b, HS_HASH_LEN);
    hex(name.folder, hash->b, 1);
    (void)snprintf(name.file, sizeof name.file, "%s/%s", name.folder, h);
    return name;
}

/* Rooms' ids and keys are chosen by those who have them: a hash of both is nobody else's. */
static struct name name_of(const struct hs_blob_part *part)
{
    struct name name = file_name(&part->hash);
    struct hs_sha256 state;
    char whose[2 * WHOSE + 1];
    hs_sha256_init(&state);
    hs_sha256_update(&state, HS_VIEW(part->room));
    hs_sha256_update(&state, HS_VIEW(part->from));
    struct hs_id id = hs_sha256_final(&state);
    hex(whose, id.b, WHOSE);
    (void)snprintf(name.part, sizeof name.part, "%.67s-%s.part", name.file, whose);
    return name;
}

enum hs_err hs_blob_files_open(const char *dir, size_t reserve, struct hs_blob_files **out)
{
    struct hs_blob_files *files = calloc(1, sizeof *files);
    HS_REQUIRE(files != NULL, HS_ERR_NOMEM);
    files->reserve = reserve;
    (void)snprintf(files->path, sizeof files->path, "%s", dir);
    bool made = mkdir(dir, DIR_MODE) == 0 || errno == EEXIST;
    files->dir = made ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (files->dir < 0 || hs_dir_sync_parent(files->dir) != HS_OK) {
        hs_blob_files_close(files);
        return HS_ERR_IO;
    }
    *out = files;
    return HS_OK;
}

void hs_blob_files_close(struct hs_blob_files *files)
{
    if (files == NULL)
        return;
    if (files->dir >= 0)
        close(files->dir);
    free(files);
}

static enum hs_err disk_error(void)
{
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? HS_ERR_STORE_FULL : HS_ERR_IO;
}

static enum hs_err sync_dir(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    HS_REQUIRE(fd >= 0, HS_ERR_IO);
    int rc = fsync(fd);
    close(fd);
    return rc == 0 ? HS_OK : HS_ERR_IO;
}

enum hs_err hs_blob_files_sync(struct hs_blob_files *files)
{
    for (unsigned i = 0; i < FOLDERS; i++) {
        char name[3];
        struct stat info;
        (void)snprintf(name, sizeof name, "%02x", i);
        if (fstatat(files->dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
            HS_TRY(sync_dir(files->dir, name));
    }
    return fsync(files->dir) == 0 ? HS_OK : HS_ERR_IO;
}

/* What a sync has failed for may be lost, though the system still shows it, and the next sync would say that
 * all is well. So none of it counts any more. */
static void throw_away(const struct hs_blob_files *files, const char *name)
{
    (void)unlinkat(files->dir, name, 0);
}

/* The length of a file; false where there is none. */
static bool length_of(const struct hs_blob_files *files, const char *name, uint64_t *len)
{
    struct stat info;
    if (fstatat(files->dir, name, &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
        return false;
    *len = (uint64_t)info.st_size;
    return true;
}

enum hs_err hs_blob_part_have(struct hs_blob_files *files, const struct hs_blob_part *part, uint64_t *have)
{
    struct name name = name_of(part);
    *have = 0;
    if (length_of(files, name.part, have)) {
        if (*have < part->size || part->size == 0)
            *have -= *have % HS_BLOB_CHUNK; /* a piece that came in half counts for nothing */
        return HS_OK;
    }
    if (!part->known)
        (void)length_of(files, name.file, have);
    return HS_OK;
}

static enum hs_err open_part(const struct hs_blob_files *files, const struct name *name, int *fd)
{
    HS_REQUIRE(mkdirat(files->dir, name->folder, DIR_MODE) == 0 || errno == EEXIST, disk_error());
    *fd = openat(files->dir, name->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    return *fd >= 0 ? HS_OK : disk_error();
}

static enum hs_err write_all(int fd, struct hs_bytes bytes, uint64_t offset)
{
    while (bytes.len > 0) {
        ssize_t n = pwrite(fd, bytes.data, bytes.len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        HS_REQUIRE(n > 0, disk_error());
        bytes = hs_bytes(bytes.data + n, bytes.len - (size_t)n);
        offset += (uint64_t)n;
    }
    return HS_OK;
}

enum hs_err hs_blob_part_append(struct hs_blob_files *files, const struct hs_blob_part *part, uint64_t offset,
                                struct hs_bytes bytes, uint64_t *have)
{
    struct name name = name_of(part);
    int fd;
    HS_TRY(hs_blob_part_have(files, part, have));
    if (offset != *have || bytes.len == 0 || offset + bytes.len > part->size)
        return HS_OK;
    HS_REQUIRE(hs_dir_free_bytes(files->path) >= files->reserve + bytes.len, HS_ERR_STORE_FULL);
    HS_TRY(open_part(files, &name, &fd));
    enum hs_err err = write_all(fd, bytes, offset);
    if (err == HS_OK)
        *have = offset + bytes.len;
    else if (ftruncate(fd, (off_t)offset) != 0)
        err = HS_ERR_IO;
    close(fd);
    return err;
}

enum hs_err hs_blob_part_sync(struct hs_blob_files *files, const struct hs_blob_part *part)
{
    struct name name = name_of(part);
    int fd = openat(files->dir, name.part, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? HS_OK : HS_ERR_IO;
    int rc = fdatasync(fd);
    close(fd);
    if (rc == 0)
        return HS_OK;
    throw_away(files, name.part);
    return HS_ERR_IO;
}

static enum hs_err hash_file(int fd, struct hs_id *out)
{
    static _Thread_local uint8_t buffer[1 << 16];
    struct hs_sha256 state;
    hs_blob_hash_init(&state);
    for (off_t at = 0;;) {
        ssize_t n = pread(fd, buffer, sizeof buffer, at);
        if (n < 0 && errno == EINTR)
            continue;
        HS_REQUIRE(n >= 0, HS_ERR_IO);
        if (n == 0)
            break;
        hs_sha256_update(&state, hs_bytes(buffer, (size_t)n));
        at += n;
    }
    *out = hs_sha256_final(&state);
    return HS_OK;
}

/* The part is what its name says, and durable; else it is thrown away, but where it only can't be read, and
 * where it has its name already and others refer to that: they were told that it is durable before. */
static enum hs_err check_part(const struct hs_blob_files *files, const char *name,
                              const struct hs_blob_part *part, bool kept)
{
    struct hs_id is;
    int fd = openat(files->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    HS_REQUIRE(fd >= 0, HS_ERR_IO);
    enum hs_err err = hash_file(fd, &is);
    bool other = err == HS_OK && !hs_id_equal(&is, &part->hash);
    bool synced = err != HS_OK || other || fsync(fd) == 0;
    close(fd);
    if (other || (!synced && !kept))
        throw_away(files, name);
    HS_TRY(err);
    HS_REQUIRE(!other, HS_ERR_BLOB_HASH);
    return synced ? HS_OK : HS_ERR_IO;
}

/* The file's name is durable, with its folder's. Where it isn't, and nobody else refers to the file yet, it
 * is put again. */
static enum hs_err sync_name(const struct hs_blob_files *files, const struct name *name, bool known)
{
    if (sync_dir(files->dir, name->folder) == HS_OK && fsync(files->dir) == 0)
        return HS_OK;
    if (!known)
        throw_away(files, name->file);
    return HS_ERR_IO;
}

enum hs_err hs_blob_part_finish(struct hs_blob_files *files, const struct hs_blob_part *part)
{
    struct name name = name_of(part);
    uint64_t len;
    bool named = !length_of(files, name.part, &len); /* by a process that died then */
    HS_TRY(check_part(files, named ? name.file : name.part, part, named && part->known));
    if (!named)
        HS_REQUIRE(renameat(files->dir, name.part, files->dir, name.file) == 0, disk_error());
    return sync_name(files, &name, part->known);
}

enum hs_err hs_blob_file_read(struct hs_blob_files *files, const struct hs_id *hash, uint64_t offset,
                              uint8_t *out, size_t len)
{
    struct name name = file_name(hash);
    int fd = openat(files->dir, name.file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    HS_REQUIRE(fd >= 0, errno == ENOENT ? HS_ERR_NOT_FOUND : HS_ERR_IO);
    enum hs_err err = HS_OK;
    while (len > 0 && err == HS_OK) {
        ssize_t n = pread(fd, out, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            err = n == 0 ? HS_ERR_NOT_FOUND : HS_ERR_IO;
            break;
        }
        out += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    close(fd);
    return err;
}

enum hs_err hs_blob_file_check(struct hs_blob_files *files, const struct hs_id *hash, uint64_t size)
{
    struct name name = file_name(hash);
    struct hs_id is;
    uint64_t len;
    HS_REQUIRE(length_of(files, name.file, &len), HS_ERR_NOT_FOUND);
    HS_REQUIRE(len == size, HS_ERR_BLOB_HASH);
    int fd = openat(files->dir, name.file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    HS_REQUIRE(fd >= 0, HS_ERR_IO);
    enum hs_err err = hash_file(fd, &is);
    close(fd);
    HS_TRY(err);
    return hs_id_equal(&is, hash) ? HS_OK : HS_ERR_BLOB_HASH;
}

/* From where the part ends: one that was broken off goes on. */
static enum hs_err copy_rest(struct hs_blob_files *from, struct hs_blob_files *to,
                             const struct hs_blob_part *part)
{
    static _Thread_local uint8_t buffer[HS_BLOB_CHUNK];
    uint64_t have;
    HS_TRY(hs_blob_part_have(to, part, &have));
    while (have < part->size) {
        uint64_t at = have, left = part->size - have;
        size_t len = left < sizeof buffer ? (size_t)left : sizeof buffer;
        HS_TRY(hs_blob_file_read(from, &part->hash, at, buffer, len));
        HS_TRY(hs_blob_part_append(to, part, at, hs_bytes(buffer, len), &have));
        HS_REQUIRE(have == at + len, HS_ERR_IO);
    }
    return HS_OK;
}

enum hs_err hs_blob_file_carry(struct hs_blob_files *from, struct hs_blob_files *to, const struct hs_id *hash,
                               uint64_t size, bool *had)
{
    struct hs_blob_part part = {.hash = *hash, .room = *hash, .size = size};
    struct name name = name_of(&part);
    uint64_t len;
    *had = length_of(to, name.file, &len) && len == size;
    if (*had)
        return HS_OK;
    HS_TRY(hs_blob_file_check(from, hash, size));
    HS_REQUIRE(mkdirat(to->dir, name.folder, DIR_MODE) == 0 || errno == EEXIST, disk_error());
    (void)unlinkat(to->dir, name.file, 0); /* of another size: it isn't what its name says */
    if (linkat(from->dir, name.file, to->dir, name.file, 0) == 0) {
        (void)unlinkat(to->dir, name.part, 0); /* of a copy that was broken off */
        return sync_name(to, &name, false);
    }
    HS_TRY(copy_rest(from, to, &part));
    return hs_blob_part_finish(to, &part);
}

static enum hs_err delete_name(const struct hs_blob_files *files, const char *name)
{
    return unlinkat(files->dir, name, 0) == 0 || errno == ENOENT ? HS_OK : HS_ERR_IO;
}

enum hs_err hs_blob_file_delete_now(struct hs_blob_files *files, const struct hs_id *hash)
{
    struct name name = file_name(hash);
    return delete_name(files, name.file);
}

enum hs_err hs_blob_part_delete(struct hs_blob_files *files, const struct hs_blob_part *part)
{
    struct name name = name_of(part);
    return delete_name(files, name.part);
}

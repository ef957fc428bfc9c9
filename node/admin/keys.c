#include "admin/keys.h"

#include "base/text.h"
#include "crypto/dh.h"
#include "object/object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4200, FIRST_INCARNATION = 1 };

void hs_node_keys_wipe(struct hs_node_keys *keys)
{
    hs_signer_wipe(&keys->signer);
    hs_secret32_wipe(&keys->transport);
}

static const char *path_of(char out[static PATH_SIZE], const char *dir, const char *name)
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", dir, name);
    return out;
}

enum hs_err hs_private_file_write(const char *path, struct hs_bytes bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    HS_REQUIRE(fd >= 0, HS_ERR_IO);
    bool good = write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len && fsync(fd) == 0;
    return close(fd) == 0 && good ? HS_OK : HS_ERR_IO;
}

/* At most size bytes of a file that nobody else may read, where it holds a secret. */
static enum hs_err read_file(const char *path, bool secret, uint8_t *out, size_t size, size_t *len)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    HS_REQUIRE(fd >= 0, errno == ENOENT ? HS_ERR_NOT_FOUND : HS_ERR_IO);
    bool open_to_others = fstat(fd, &info) != 0 || (secret && (info.st_mode & 077) != 0);
    ssize_t got = open_to_others ? -1 : read(fd, out, size);
    (void)close(fd);
    HS_REQUIRE(!open_to_others, HS_ERR_DENIED);
    HS_REQUIRE(got >= 0, HS_ERR_IO);
    *len = (size_t)got;
    return HS_OK;
}

/* A secret of 32 bytes is kept as 64 hex digits: it can be copied to paper. */
static enum hs_err write_secret(const char *dir, const char *name, const struct hs_secret32 *secret)
{
    char path[PATH_SIZE], text[HS_HEX_SIZE(32) + 1];
    hs_hex(HS_VIEW(*secret), text);
    text[64] = '\n';
    enum hs_err err = hs_private_file_write(path_of(path, dir, name), hs_bytes(text, 65));
    hs_wipe(text, sizeof text);
    return err;
}

static enum hs_err read_secret(const char *dir, const char *name, struct hs_secret32 *secret)
{
    char path[PATH_SIZE], text[HS_HEX_SIZE(32) + 8];
    size_t len;
    enum hs_err err = read_file(path_of(path, dir, name), true, (uint8_t *)text, sizeof text - 1, &len);
    if (err == HS_OK) {
        while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
            len--;
        text[len] = '\0';
        err = hs_unhex(text, secret->b, sizeof secret->b);
    }
    hs_wipe(text, sizeof text);
    return err;
}

static enum hs_err write_signer(const char *dir, const char *name, struct hs_signer *signer)
{
    struct hs_secret32 HS_SECRET seed;
    hs_signer_random(signer);
    hs_signer_seed(signer, &seed);
    return write_secret(dir, name, &seed);
}

static enum hs_err read_signer(const char *dir, const char *name, struct hs_signer *signer)
{
    struct hs_secret32 HS_SECRET seed;
    HS_TRY(read_secret(dir, name, &seed));
    hs_signer_init(signer, &seed);
    return HS_OK;
}

static enum hs_err write_rest(const char *dir, const Hanse__SignedObject *descriptor, struct hs_arena *arena)
{
    char path[PATH_SIZE], number[24];
    struct hs_bytes bytes;
    HS_TRY(hs_object_pack(descriptor, arena, &bytes));
    HS_TRY(hs_private_file_write(path_of(path, dir, "descriptor"), bytes));
    int len = snprintf(number, sizeof number, "%d\n", FIRST_INCARNATION);
    return hs_private_file_write(path_of(path, dir, "incarnation"), hs_bytes(number, (size_t)len));
}

enum hs_err hs_node_keys_make(const char *dir, const struct hs_descriptor *facts, struct hs_time now,
                              struct hs_signer *root, struct hs_arena *arena,
                              Hanse__SignedObject **descriptor)
{
    struct hs_descriptor d = *facts;
    struct hs_signer HS_SIGNER signer;
    struct hs_secret32 HS_SECRET transport;
    HS_REQUIRE(mkdir(dir, 0700) == 0 || errno == EEXIST, HS_ERR_IO);
    hs_dh_keypair(&transport, &d.transport_key);
    HS_TRY(write_signer(dir, "root.key", root));
    HS_TRY(write_signer(dir, "node.key", &signer));
    HS_TRY(write_secret(dir, "transport.key", &transport));
    d.signing_key = signer.pub;
    d.sequence = 1;
    HS_TRY(hs_descriptor_build(root, &d, now, arena, descriptor));
    return write_rest(dir, *descriptor, arena);
}

static enum hs_err read_descriptor(const char *dir, struct hs_arena *arena, struct hs_node_keys *out)
{
    char path[PATH_SIZE];
    uint8_t bytes[HS_DESCRIPTOR_MAX];
    size_t len;
    Hanse__SignedObject *object;
    HS_TRY(read_file(path_of(path, dir, "descriptor"), false, bytes, sizeof bytes, &len));
    out->descriptor = hs_arena_copy(arena, hs_bytes(bytes, len));
    HS_REQUIRE(out->descriptor.data != NULL, HS_ERR_MALFORMED);
    HS_TRY(hs_object_unpack(out->descriptor, arena, &object));
    return hs_descriptor_open(object, NULL, &out->facts);
}

static enum hs_err read_incarnation(const char *dir, uint64_t *out)
{
    char path[PATH_SIZE], text[24] = {0}, *end;
    size_t len;
    HS_TRY(read_file(path_of(path, dir, "incarnation"), false, (uint8_t *)text, sizeof text - 1, &len));
    *out = strtoull(text, &end, 10);
    return end != text && *out > 0 ? HS_OK : HS_ERR_MALFORMED;
}

enum hs_err hs_node_keys_load(const char *dir, struct hs_time now, struct hs_arena *arena,
                              struct hs_node_keys *out, const char **what)
{
    *out = (struct hs_node_keys){0};
    *what = "node.key";
    HS_TRY(read_signer(dir, "node.key", &out->signer));
    *what = "transport.key";
    HS_TRY(read_secret(dir, "transport.key", &out->transport));
    hs_dh_public(&out->transport, &out->transport_pub);
    *what = "incarnation";
    HS_TRY(read_incarnation(dir, &out->incarnation));
    *what = "descriptor";
    HS_TRY(read_descriptor(dir, arena, out));
    HS_REQUIRE(hs_key_equal(&out->facts.signing_key, &out->signer.pub) &&
                   hs_key_equal(&out->facts.transport_key, &out->transport_pub),
               HS_ERR_BAD_CHAIN);
    return hs_descriptor_check_time(&out->facts, now);
}

enum hs_err hs_root_key_load(const char *dir, struct hs_signer *root)
{
    return read_signer(dir, "root.key", root);
}

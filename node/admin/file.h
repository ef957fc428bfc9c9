/* Files of the node's directory: small, whole, private. */
#ifndef HS_ADMIN_FILE_H
#define HS_ADMIN_FILE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

enum { HS_PATH_SIZE = 4096 };

/* dir/name, or name alone where it is absolute. INVALID_ARG where it is too long. */
enum hs_err hs_path_join(const char *dir, const char *name, char out[static HS_PATH_SIZE]);

/* A new file (0600), durable when this returns. CONFLICT where there is one of that name, IO. */
enum hs_err hs_file_write_new(const char *path, struct hs_bytes bytes);

/* A file that is there gets other content: after this, or after a crash, it has the old or the new one,
 * whole. IO, INVALID_ARG for too long a name. */
enum hs_err hs_file_replace(const char *path, struct hs_bytes bytes);

/* One file takes the other one's place, durably. IO. */
enum hs_err hs_file_rename(const char *from, const char *to);

/* The whole file into the arena, at most max bytes. NOT_FOUND, TOO_LARGE, NOMEM, IO. */
enum hs_err hs_file_read(const char *path, size_t max, struct hs_arena *arena, struct hs_bytes *out);

/* The same for what only its owner may read: DENIED where it isn't this user's own regular file, or the group
 * or others have any right to it. */
enum hs_err hs_file_read_private(const char *path, size_t max, struct hs_arena *arena, struct hs_bytes *out);

/* A key: 64 hex digits and a newline. MALFORMED for other content; errors as above. */
enum hs_err hs_key_file_write_new(const char *path, const struct hs_secret32 *key);
enum hs_err hs_key_file_read(const char *path, struct hs_secret32 *out);

#endif

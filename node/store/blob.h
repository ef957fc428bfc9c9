/* Blobs as files: blobs/xx/<hash> beside the store, xx being the first byte. One that is being put is
 * blobs/xx/<hash>-<whose>.part, by the room and who brings it: pieces are appended and synced, and when all
 * of it is there its hash is checked and it gets its name. So a file with a blob's name is whole, and a
 * part's length is what of it is durable.
 *
 * Everything here may be called from any thread, for one part from one at a time. */
#ifndef HS_STORE_BLOB_H
#define HS_STORE_BLOB_H

#include "base/bytes.h"
#include "base/err.h"

struct hs_blob_files;

/* Makes dir (0700) where it is missing. reserve: bytes of the disk that must stay free. IO, NOMEM. */
enum hs_err hs_blob_files_open(const char *dir, size_t reserve, struct hs_blob_files **out);
void hs_blob_files_close(struct hs_blob_files *files);

/* Every name that is there is durable: also those that somebody gave who died before it was. IO. */
enum hs_err hs_blob_files_sync(struct hs_blob_files *files);

/* A blob that comes for a room. known: a file with its name is there because another room has it, and doesn't
 * count. */
struct hs_blob_part {
    struct hs_id hash, room;
    struct hs_key from; /* who brings it: nobody else adds to that part */
    uint64_t size;
    bool known;
};

/* How much of it is durable: all of it where the process died between its name and its record. */
enum hs_err hs_blob_part_have(struct hs_blob_files *files, const struct hs_blob_part *part, uint64_t *have);

/* Appends the bytes where the part ends at offset; have moves on. Not durable before hs_blob_part_sync().
 * STORE_FULL where the disk has no space for them: the part is as before; IO. Where it can't be synced the
 * part is gone, and begins anew: of what a disk didn't take once, nobody can say later that it has it. */
enum hs_err hs_blob_part_append(struct hs_blob_files *files, const struct hs_blob_part *part, uint64_t offset,
                                struct hs_bytes bytes, uint64_t *have);
enum hs_err hs_blob_part_sync(struct hs_blob_files *files, const struct hs_blob_part *part);

/* All of it is there: checks the hash, and gives it its name, durably. BLOB_HASH where it is another: the
 * part is gone. Again is fine. IO, and where it was for a sync, the part is gone, too. */
enum hs_err hs_blob_part_finish(struct hs_blob_files *files, const struct hs_blob_part *part);

/* Fills out with the bytes at offset. NOT_FOUND where there is no such file, or it is shorter; IO. */
enum hs_err hs_blob_file_read(struct hs_blob_files *files, const struct hs_id *hash, uint64_t offset,
                              uint8_t *out, size_t len);

/* The file is there, of that size, and what its name says. NOT_FOUND, BLOB_HASH, IO. */
enum hs_err hs_blob_file_check(struct hs_blob_files *files, const struct hs_id *hash, uint64_t size);

/* Puts the file of one directory into another one: as a link where they share a disk (a file with a blob's
 * name is never written again), else as a copy, which gets its name once all of it is durable and is what
 * that says. One of the right size that is there already stays, had says so (and hs_blob_files_sync() is
 * needed for its name). NOT_FOUND, BLOB_HASH where the first one is another; STORE_FULL, IO. */
enum hs_err hs_blob_file_carry(struct hs_blob_files *from, struct hs_blob_files *to, const struct hs_id *hash,
                               uint64_t size, bool *had);

/* Deletes a file, or a part; a missing one is fine. IO. */
enum hs_err hs_blob_file_delete_now(struct hs_blob_files *files, const struct hs_id *hash);
enum hs_err hs_blob_part_delete(struct hs_blob_files *files, const struct hs_blob_part *part);

#endif

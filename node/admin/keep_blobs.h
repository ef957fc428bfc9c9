/* Attachments in backups: a directory of files named by their hashes, beside the export. */
#ifndef HS_ADMIN_KEEP_BLOBS_H
#define HS_ADMIN_KEEP_BLOBS_H

#include "admin/file.h"
#include "store/lmdb_kv.h"

/* What became of the blobs that a store says to be files. */
struct hs_keep_blobs {
    uint64_t files, bytes; /* all of them */
    uint64_t had;          /* were there already */
    uint64_t missing;      /* neither there nor where they should come from */
    uint64_t bad;          /* not what their names say */
};

/* A store's own: "blobs" in its directory. */
enum hs_err hs_keep_blobs_dir(const char *store, char out[static HS_PATH_SIZE]);

/* The one of a backup: as it was named, or the backup's name and ".blobs". */
enum hs_err hs_keep_blobs_beside(const char *named, const char *backup, char out[static HS_PATH_SIZE]);

/* Puts every blob that the store says to be a file from one directory into the other one, which is made where
 * there is something to put. Each is done whole or not at all, and what is there already stays: a run that
 * was broken off goes on where it was. Missing and bad ones are counted and passed over. STORE_FULL, IO,
 * STORE, NOMEM. Adds to out. */
enum hs_err hs_keep_blobs_carry(struct hs_lmdb *store, const char *from, const char *to,
                                struct hs_keep_blobs *out);

/* Looks at all of them in dir, and calls problem for each that isn't as it should be. Errors as above. */
enum hs_err hs_keep_blobs_check(struct hs_lmdb *store, const char *dir, struct hs_keep_blobs *out,
                                void (*problem)(void *arg, const char *text), void *arg);

#endif

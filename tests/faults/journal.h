/* The journal of what processes do to the files under one folder, in the order in which they did it.
 * journal.c, preloaded into a daemon, writes it; replay.c makes of it what a disk may hold after the power
 * failed. */
#ifndef TESTS_FAULTS_JOURNAL_H
#define TESTS_FAULTS_JOURNAL_H

#include <stdint.h>

/* In the environment of a process that is recorded: the journal's file, the folder, the number of its node.
 */
#define JOURNAL_FILE   "HANSE_JOURNAL"
#define JOURNAL_FOLDER "HANSE_JOURNAL_FOLDER"
#define JOURNAL_NODE   "HANSE_JOURNAL_NODE"

enum { JOURNAL_MAGIC = 0x4a4f5552, JOURNAL_PATH = 256 };

enum journal_kind {
    JOURNAL_WRITE = 1, /* file, offset, payload: is being written; durable with the file's next SYNC */
    JOURNAL_WRITTEN,  /* file, offset, length in number: the last such WRITE is durable by itself (O_DSYNC) */
    JOURNAL_TRUNCATE, /* file, offset: the new size */
    JOURNAL_SYNC,     /* file: was synced */
    JOURNAL_CREATE,   /* file, payload: path; it is new and empty */
    JOURNAL_MKDIR,    /* payload: path */
    JOURNAL_RENAME,   /* payload: old path, NUL, new path */
    JOURNAL_UNLINK,   /* payload: path */
    JOURNAL_SYNC_DIR, /* payload: path; the names in it were synced */
    JOURNAL_ACKED,    /* payload: 32 bytes; number: bit 0 queued, bit 1 an attachment; the client was promised
                       * this by node */
    JOURNAL_REFUSED,  /* payload: 32 bytes; what was promised has found another end */
};

/* One entry; len bytes of payload follow. Paths are relative to the folder. */
struct journal_entry {
    uint32_t magic, kind;
    uint32_t node, len;
    uint64_t file; /* inode */
    uint64_t offset, number;
};

#endif

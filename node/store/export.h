/* An export: a node's records in the order of its journal, and what else can't be made from them, in one file
 * that is checked from end to end. Backups are exports; a data file is never copied, nor one from elsewhere
 * opened.
 *
 *   file   = "hanse-export-v1\n" frame...
 *   frame  = kind u8 | length u32 | payload
 *   'H'    layout u64 | incarnation u64 | time u64 | root 32 | descriptor     first
 *   'G'    key length u8 | key | value                                        registers
 *   'B'    key length u8 | key | value                                        bytes of blobs
 *   'R'    stream u8 | id 32 | seq u64 | there u8 | record                    in their order
 *   'J'    number u64             the next record has that one in the journal, behind some that are gone
 *   'C'    SHA-256 of all bytes of the file before this frame                 at least every 4 MiB
 *   'E'    counts of 'G', 'B', 'R', each u64 | SHA-256 as above | signature   last
 *
 * The signature is the node's, by the key that the descriptor names, over "hanse-export-v1" 00 | counts |
 * SHA-256. Registers are read before the records, so that none of them speaks of a record that isn't there.
 */
#ifndef HS_STORE_EXPORT_H
#define HS_STORE_EXPORT_H

#include "crypto/sign.h"
#include "store/lmdb_kv.h"

#include <stdio.h>

enum {
    HS_EXPORT_FRAME_MAX = 8 << 20, /* a record of a room with all that belongs to it stays far below */
    HS_EXPORT_CHECK = 4 << 20,     /* bytes between two sums */
    HS_EXPORT_SLICE = 256,         /* entries that are read in one transaction: some milliseconds */
};

struct hs_export_facts {
    uint64_t layout, incarnation;
    struct hs_time made;
    uint64_t registers, blobs, records;
    const char *why; /* of a refused file: a sentence */
};

struct hs_export {
    struct hs_key root;
    const struct hs_signer *signer; /* of the descriptor */
    struct hs_bytes descriptor;     /* SignedObject */
    uint64_t incarnation;
    struct hs_time now;
    /* Called now and then, with how many records are done of how many; may be NULL. */
    void (*progress)(void *arg, uint64_t done, uint64_t all);
    void *arg;
};

/* Everything that was durable in the store when this began, and may be a little more of cursors. The store
 * may be written meanwhile. UNSUPPORTED for another layout, IO where the file can't be written, STORE, NOMEM.
 */
enum hs_err hs_export_write(const struct hs_export *e, struct hs_lmdb *store, FILE *out,
                            struct hs_export_facts *facts);

/* Reads the file through: whole, unaltered, this root's. With a problem: MALFORMED, WRONG_PEER (another
 * root's), UNSUPPORTED (another layout), BAD_SIGNATURE..., IO; facts->why says it. */
enum hs_err hs_import_check(FILE *in, const struct hs_key *root, struct hs_export_facts *facts);

/* The same once more, and makes the store, which must be empty, from it: where it fails, the store is to be
 * thrown away. incarnation: since this restoring; 0 leaves the store as it was exported. Errors as above, of
 * hs_replay_record(), and of the store. */
enum hs_err hs_import_load(FILE *in, const struct hs_export *e, struct hs_lmdb *store, uint64_t incarnation,
                           struct hs_export_facts *facts);

#endif

/* Frames of an export, written and read with the running sum over all bytes (export.h). */
#ifndef HS_STORE_EXPORT_FRAME_H
#define HS_STORE_EXPORT_FRAME_H

#include "base/writer.h"
#include "crypto/hash.h"
#include "store/export.h"

#define HS_EXPORT_MAGIC "hanse-export-v1\n"

enum hs_export_kind {
    HS_EXPORT_HEADER = 'H',
    HS_EXPORT_REGISTER = 'G',
    HS_EXPORT_BLOB = 'B',
    HS_EXPORT_RECORD = 'R',
    HS_EXPORT_JOURNAL = 'J',
    HS_EXPORT_SUM = 'C',
    HS_EXPORT_END = 'E',
};

struct hs_export_file {
    FILE *file;
    struct hs_sha256 sum;
    size_t unchecked; /* bytes since the last sum */
    struct hs_writer payload;
    enum hs_export_kind kind; /* of the frame that was read */
    struct hs_id before;      /* the sum of what stands before it */
    const char *why;
};

/* The magic is written or read. Free with hs_export_file_free(), which doesn't close. */
enum hs_err hs_export_file_write(FILE *file, struct hs_export_file *out);
enum hs_err hs_export_file_read(FILE *file, struct hs_export_file *out);
void hs_export_file_free(struct hs_export_file *f);

/* The frame whose payload was put into f->payload goes out; a sum behind it where one is due. IO, NOMEM,
 * TOO_LARGE. */
enum hs_err hs_export_put(struct hs_export_file *f, enum hs_export_kind kind);

/* The next frame, whose payload is then in f->payload; sums are checked in passing. MALFORMED, IO, NOMEM,
 * with f->why. */
enum hs_err hs_export_get(struct hs_export_file *f);

/* The sum of all bytes so far. */
struct hs_id hs_export_sum(const struct hs_export_file *f);

/* The last frame: counts and sum, signed. */
enum hs_err hs_export_put_end(struct hs_export_file *f, const struct hs_export_facts *facts,
                              const struct hs_signer *signer);

/* The last frame, which was just read. MALFORMED where the counts
 * are others, BAD_SIGNATURE, IO; with f->why. */
enum hs_err hs_export_check_end(struct hs_export_file *f, const struct hs_export_facts *facts,
                                const struct hs_key *signing_key);

#endif

/* BLOB effects of the core as jobs for whatever thread: what is to be done, and what is said of it then. */
#ifndef HS_STORE_BLOB_JOB_H
#define HS_STORE_BLOB_JOB_H

#include "base/writer.h"
#include "core/core.h"
#include "store/blob.h"

struct hs_blob_job {
    struct hs_blob_job *next; /* of the same part, in their order */
    struct hs_effect effect;  /* its bytes are data */
    uint8_t *data;            /* of a WRITE; a READ fills it */
    size_t len;
    enum hs_err err;
    uint64_t have;
    bool complete;
};

/* A copy of the effect and its bytes; NULL without memory. */
struct hs_blob_job *hs_blob_job_new(const struct hs_effect *effect);
void hs_blob_jobs_free(struct hs_blob_job *jobs);

/* Carries out a list: WRITEs of one part, which are synced together, READs, or one DELETE. */
void hs_blob_jobs_do(struct hs_blob_files *files, struct hs_blob_job *jobs);

/* True where the core is to be told; input then borrows from the job. Else the job's session gets a frame. */
bool hs_blob_job_input(const struct hs_blob_job *job, struct hs_core_input *input);
enum hs_err hs_blob_job_frame(const struct hs_blob_job *job, struct hs_writer *frame);

#endif

#include "store/blob_job.h"

#include "object/hdr.h"
#include "schema/link.pb-c.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdlib.h>

struct hs_blob_job *hs_blob_job_new(const struct hs_effect *effect)
{
    struct hs_blob_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    job->effect = *effect;
    job->effect.bytes = (struct hs_bytes){0};
    if (effect->bytes.len == 0)
        return job;
    job->data = malloc(effect->bytes.len);
    if (job->data == NULL) {
        free(job);
        return NULL;
    }
    memcpy(job->data, effect->bytes.data, effect->bytes.len);
    job->len = effect->bytes.len;
    return job;
}

void hs_blob_jobs_free(struct hs_blob_job *jobs)
{
    while (jobs != NULL) {
        struct hs_blob_job *next = jobs->next;
        free(jobs->data);
        free(jobs);
        jobs = next;
    }
}

static enum hs_err write_parts(struct hs_blob_files *files, const struct hs_blob_part *part,
                               struct hs_blob_job *jobs, uint64_t *have)
{
    bool wrote = false;
    HS_TRY(hs_blob_part_have(files, part, have));
    for (struct hs_blob_job *job = jobs; job != NULL; job = job->next) {
        uint64_t before = *have;
        HS_TRY(hs_blob_part_append(files, part, job->effect.offset, hs_bytes(job->data, job->len), have));
        wrote = wrote || *have != before;
    }
    if (wrote && *have < part->size)
        return hs_blob_part_sync(files, part);
    return HS_OK;
}

static struct hs_blob_part part_of(const struct hs_effect *e)
{
    return (struct hs_blob_part){
        .hash = e->blob, .room = e->blob_room, .from = e->blob_from, .size = e->size, .known = e->known};
}

static void do_writes(struct hs_blob_files *files, struct hs_blob_job *jobs)
{
    const struct hs_effect *e = &jobs->effect;
    const struct hs_blob_part part = part_of(e);
    uint64_t have = 0;
    enum hs_err err = write_parts(files, &part, jobs, &have);
    bool complete = err == HS_OK && have == part.size && part.size > 0;
    if (complete)
        err = hs_blob_part_finish(files, &part);
    for (struct hs_blob_job *job = jobs; job != NULL; job = job->next) {
        job->err = err;
        job->have = have;
        job->complete = complete && err == HS_OK;
    }
}

static void do_read(struct hs_blob_files *files, struct hs_blob_job *job)
{
    const struct hs_effect *e = &job->effect;
    uint64_t left = e->size > e->offset ? e->size - e->offset : 0;
    job->len = left < HS_BLOB_CHUNK ? (size_t)left : HS_BLOB_CHUNK;
    job->data = malloc(job->len + 1);
    job->err =
        job->data != NULL ? hs_blob_file_read(files, &e->blob, e->offset, job->data, job->len) : HS_ERR_NOMEM;
}

static void do_delete(struct hs_blob_files *files, struct hs_blob_job *job)
{
    const struct hs_blob_part part = part_of(&job->effect);
    job->err =
        part.size == 0 ? hs_blob_part_delete(files, &part) : hs_blob_file_delete_now(files, &part.hash);
}

void hs_blob_jobs_do(struct hs_blob_files *files, struct hs_blob_job *jobs)
{
    const struct hs_effect *e = &jobs->effect;
    if (e->kind == HS_EFFECT_BLOB_WRITE)
        do_writes(files, jobs);
    else if (e->kind == HS_EFFECT_BLOB_READ)
        for (struct hs_blob_job *job = jobs; job != NULL; job = job->next)
            do_read(files, job);
    else
        do_delete(files, jobs);
}

bool hs_blob_job_input(const struct hs_blob_job *job, struct hs_core_input *input)
{
    const struct hs_effect *e = &job->effect;
    if (e->session != 0 && !job->complete && !e->asked)
        return false;
    *input = (struct hs_core_input){
        .kind = HS_INPUT_BLOB,
        .session = e->session,
        .done = e->kind,
        .id = e->id,
        .offset = e->offset,
        .size = e->size,
        .blob = e->blob,
        .blob_room = e->blob_room,
        .blob_from = e->blob_from,
        .err = job->err,
        .have = job->have,
        .complete = job->complete,
    };
    if (e->kind == HS_EFFECT_BLOB_READ && job->err == HS_OK)
        input->bytes = hs_bytes(job->data, job->len);
    return true;
}

enum hs_err hs_blob_job_frame(const struct hs_blob_job *job, struct hs_writer *out)
{
    const struct hs_effect *e = &job->effect;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Error error = HANSE__ERROR__INIT;
    Hanse__Chunk chunk = HANSE__CHUNK__INIT;
    Hanse__BlobStatus status = HANSE__BLOB_STATUS__INIT;
    frame.id = e->id;
    if (job->err != HS_OK) {
        error.code = hs_err_to_wire(job->err);
        error.message = (char *)(uintptr_t)hs_err_text(hs_err_from_wire(error.code));
        error.retry_after_ms = hs_err_again_ms(job->err);
        frame.error = &error;
        frame.body_case = HANSE__FRAME__BODY_ERROR;
    } else if (e->kind == HS_EFFECT_BLOB_READ) {
        chunk.hash = hs_pb_data(HS_VIEW(e->blob));
        chunk.offset = e->offset;
        chunk.size = e->size;
        chunk.data = hs_pb_data(hs_bytes(job->data, job->len));
        frame.chunk = &chunk;
        frame.body_case = HANSE__FRAME__BODY_CHUNK;
    } else {
        status.hash = hs_pb_data(HS_VIEW(e->blob));
        status.have = job->have;
        frame.blob_status = &status;
        frame.body_case = HANSE__FRAME__BODY_BLOB_STATUS;
    }
    return HS_PACK(&frame, out);
}

/* BLOB effects on libuv's work pool: parts one at a time, what came meanwhile together, reads of a session in
 * their order.
 */
#include "net/state.h"
#include "store/blob_job.h"

#include <stdlib.h>

enum {
    WORKS = 64, /* at once, waiting ones included: a quarter of a megabyte of reads a thread and more */
    PART_WAITING = 32, /* pieces of one part that wait: four windows */
};

struct hs_blob_work {
    uv_work_t request;
    struct hs_net *net;
    struct hs_blob_job *jobs;    /* being done */
    struct hs_blob_job *waiting; /* of the same part */
    size_t waiting_count;
    TAILQ_ENTRY(hs_blob_work) entry;
};

static void tell(struct hs_net *net, const struct hs_blob_job *job)
{
    struct hs_core_input input;
    struct hs_conn *conn = job->effect.session != 0 ? hs_conn_find(net, job->effect.session) : NULL;
    struct hs_writer HS_WRITER frame = hs_writer(HS_FRAME_MAX);
    if (hs_blob_job_input(job, &input))
        hs_net_tell(net, &input);
    else if (conn != NULL && hs_blob_job_frame(job, &frame) == HS_OK)
        hs_conn_send(conn, hs_writer_bytes(&frame));
    if (job->err != HS_OK)
        hs_net_log(net, HS_NET_WARN, "event=blob-failed error=%s", hs_err_name(job->err));
}

static void work(uv_work_t *request)
{
    struct hs_blob_work *w = request->data;
    hs_blob_jobs_do(w->net->config.blobs, w->jobs);
}

static void done(uv_work_t *request, int status)
{
    struct hs_blob_work *w = request->data;
    struct hs_net *net = w->net;
    (void)status;
    for (const struct hs_blob_job *job = w->jobs; job != NULL; job = job->next)
        tell(net, job);
    hs_blob_jobs_free(w->jobs);
    w->jobs = w->waiting;
    w->waiting = NULL;
    w->waiting_count = 0;
    if (w->jobs != NULL && uv_queue_work(&net->loop, &w->request, work, done) == 0)
        return;
    hs_blob_jobs_free(w->jobs);
    TAILQ_REMOVE(&net->blob_works, w, entry);
    net->blob_work_count--;
    free(w);
}

/* WRITEs of one part, and READs of one session: each gets its answers in order. */
static bool same_line(const struct hs_effect *a, const struct hs_effect *b)
{
    if (a->kind != b->kind || !hs_id_equal(&a->blob, &b->blob) ||
        !hs_id_equal(&a->blob_room, &b->blob_room) || !hs_key_equal(&a->blob_from, &b->blob_from) ||
        a->size != b->size)
        return false;
    return a->kind == HS_EFFECT_BLOB_WRITE || (a->kind == HS_EFFECT_BLOB_READ && a->session == b->session);
}

static void refuse(struct hs_net *net, struct hs_blob_job *job, enum hs_err err)
{
    job->err = err;
    tell(net, job);
    hs_blob_jobs_free(job);
}

/* Behind those of the same part that wait already; false where none is under way. */
static bool queue_up(struct hs_net *net, struct hs_blob_job *job)
{
    struct hs_blob_work *w;
    TAILQ_FOREACH(w, &net->blob_works, entry)
    if (same_line(&w->jobs->effect, &job->effect))
        break;
    if (w == NULL)
        return false;
    if (w->waiting_count >= PART_WAITING) {
        refuse(net, job, HS_ERR_BUSY);
        return true;
    }
    struct hs_blob_job **end = &w->waiting;
    while (*end != NULL)
        end = &(*end)->next;
    *end = job;
    w->waiting_count++;
    return true;
}

static void begin(struct hs_net *net, struct hs_blob_job *job)
{
    struct hs_blob_work *w = net->blob_work_count < WORKS ? calloc(1, sizeof *w) : NULL;
    if (w == NULL) {
        refuse(net, job, HS_ERR_BUSY);
        return;
    }
    w->request.data = w;
    w->net = net;
    w->jobs = job;
    if (uv_queue_work(&net->loop, &w->request, work, done) != 0) {
        free(w);
        refuse(net, job, HS_ERR_BUSY);
        return;
    }
    TAILQ_INSERT_TAIL(&net->blob_works, w, entry);
    net->blob_work_count++;
}

void hs_blobs_carry_out(struct hs_net *net, const struct hs_effect *effect)
{
    struct hs_blob_job *job = hs_blob_job_new(effect);
    if (job == NULL)
        return; /* without an answer: the session's own time limit ends it */
    if (net->config.blobs == NULL)
        refuse(net, job, HS_ERR_UNSUPPORTED);
    else if (!queue_up(net, job))
        begin(net, job);
}

#include "discover/wake.h"

#include "core/federation/url.h"
#include "discover/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <uv.h>

struct job {
    struct hs_woken woken;
    struct hs_request request;
    char url[HS_URL_MAX + 1];
    TAILQ_ENTRY(job) entry;
};

TAILQ_HEAD(jobs, job);

struct hs_wake_post {
    struct hs_wake_config config;
    CURLM *multi;
    uv_thread_t thread;
    bool started;
    struct jobs running; /* of the thread alone */
    size_t running_count;
    uv_mutex_t lock; /* guards what follows */
    struct jobs waiting, done;
    size_t count; /* of all jobs */
    bool stop;
};

/* The next that waits, while fewer than may be are under way; NULL where there is none. */
static struct job *next_waiting(struct hs_wake_post *p, bool *stop)
{
    uv_mutex_lock(&p->lock);
    struct job *job = p->running_count < HS_WAKE_PARALLEL ? TAILQ_FIRST(&p->waiting) : NULL;
    if (job != NULL)
        TAILQ_REMOVE(&p->waiting, job, entry);
    *stop = p->stop;
    uv_mutex_unlock(&p->lock);
    return job;
}

static void finish(struct hs_wake_post *p, struct job *job)
{
    uv_mutex_lock(&p->lock);
    TAILQ_INSERT_TAIL(&p->done, job, entry);
    uv_mutex_unlock(&p->lock);
    p->config.wake(p->config.arg);
}

static void begin(struct hs_wake_post *p, struct job *job)
{
    job->request = (struct hs_request){
        .url = job->url, .post = true, .private_too = p->config.private_too, .http = p->config.http};
    job->woken.err = hs_request_begin(&job->request);
    if (job->woken.err == HS_OK && curl_multi_add_handle(p->multi, job->request.easy) == CURLM_OK) {
        TAILQ_INSERT_TAIL(&p->running, job, entry);
        p->running_count++;
        return;
    }
    if (job->woken.err == HS_OK) {
        curl_easy_cleanup(job->request.easy);
        job->woken.err = HS_ERR_NOMEM;
    }
    finish(p, job);
}

/* Takes a job that is under way back, with what became of it. */
static void end(struct hs_wake_post *p, struct job *job, CURLcode code)
{
    long status = 0;
    curl_multi_remove_handle(p->multi, job->request.easy);
    job->woken.err = hs_request_end(&job->request, code, &status);
    job->woken.status = status > 0 && status < 1000 ? (unsigned)status : 0;
    TAILQ_REMOVE(&p->running, job, entry);
    p->running_count--;
}

static struct job *job_of(struct hs_wake_post *p, const CURL *easy)
{
    struct job *job;
    TAILQ_FOREACH(job, &p->running, entry)
    if (job->request.easy == easy)
        break;
    return job;
}

static void take_finished(struct hs_wake_post *p)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(p->multi, &left)) != NULL) {
        struct job *job = message->msg == CURLMSG_DONE ? job_of(p, message->easy_handle) : NULL;
        if (job == NULL)
            continue;
        end(p, job, message->data.result);
        finish(p, job);
    }
}

static void work(void *arg)
{
    struct hs_wake_post *p = arg;
    bool stop = false;
    int running;
    while (!stop) {
        struct job *job;
        while ((job = next_waiting(p, &stop)) != NULL)
            begin(p, job);
        if (stop)
            break;
        (void)curl_multi_perform(p->multi, &running);
        take_finished(p);
        (void)curl_multi_poll(p->multi, NULL, 0, 1000, NULL);
    }
    while (!TAILQ_EMPTY(&p->running)) {
        struct job *job = TAILQ_FIRST(&p->running);
        end(p, job, CURLE_ABORTED_BY_CALLBACK);
        free(job);
    }
}

enum hs_err hs_wake_post_new(const struct hs_wake_config *config, struct hs_wake_post **out)
{
    HS_REQUIRE(curl_global_init(CURL_GLOBAL_DEFAULT) == 0, HS_ERR_NOMEM);
    struct hs_wake_post *p = calloc(1, sizeof *p);
    HS_REQUIRE(p != NULL, HS_ERR_NOMEM);
    p->config = *config;
    TAILQ_INIT(&p->running);
    TAILQ_INIT(&p->waiting);
    TAILQ_INIT(&p->done);
    p->multi = curl_multi_init();
    if (p->multi == NULL || uv_mutex_init(&p->lock) != 0) {
        curl_multi_cleanup(p->multi);
        free(p);
        return HS_ERR_NOMEM;
    }
    curl_multi_setopt(p->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)HS_WAKE_PER_HOST);
    p->started = uv_thread_create(&p->thread, work, p) == 0;
    if (!p->started) {
        hs_wake_post_free(p);
        return HS_ERR_BUSY;
    }
    *out = p;
    return HS_OK;
}

enum hs_err hs_wake_post_start(struct hs_wake_post *p, const struct hs_key *device, const char *url)
{
    HS_REQUIRE(hs_url_is_valid(hs_bytes_str(url), p->config.http), HS_ERR_INVALID_ARG);
    struct job *job = calloc(1, sizeof *job);
    HS_REQUIRE(job != NULL, HS_ERR_NOMEM);
    job->woken.device = *device;
    (void)snprintf(job->url, sizeof job->url, "%s", url);
    uv_mutex_lock(&p->lock);
    bool room = p->count < HS_WAKE_QUEUE;
    if (room) {
        TAILQ_INSERT_TAIL(&p->waiting, job, entry);
        p->count++;
    }
    uv_mutex_unlock(&p->lock);
    if (!room) {
        free(job);
        return HS_ERR_BUSY;
    }
    curl_multi_wakeup(p->multi);
    return HS_OK;
}

static bool take(struct hs_wake_post *p, struct jobs *from, struct hs_woken *out)
{
    uv_mutex_lock(&p->lock);
    struct job *job = TAILQ_FIRST(from);
    if (job != NULL) {
        TAILQ_REMOVE(from, job, entry);
        p->count--;
    }
    uv_mutex_unlock(&p->lock);
    if (job == NULL)
        return false;
    if (out != NULL)
        *out = job->woken;
    free(job);
    return true;
}

bool hs_wake_post_take(struct hs_wake_post *p, struct hs_woken *out)
{
    return take(p, &p->done, out);
}

void hs_wake_post_free(struct hs_wake_post *p)
{
    if (p == NULL)
        return;
    uv_mutex_lock(&p->lock);
    p->stop = true;
    uv_mutex_unlock(&p->lock);
    if (p->started) {
        curl_multi_wakeup(p->multi);
        uv_thread_join(&p->thread);
    }
    while (take(p, &p->waiting, NULL) || take(p, &p->done, NULL))
        continue;
    curl_multi_cleanup(p->multi);
    uv_mutex_destroy(&p->lock);
    free(p);
}

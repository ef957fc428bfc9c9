#include "discover/discover.h"

#include "core/federation/url.h"
#include "discover/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uv.h>

struct job {
    struct hs_discovered found;
    TAILQ_ENTRY(job) entry;
};

TAILQ_HEAD(jobs, job);

struct hs_discover {
    struct hs_discover_config config;
    bool http;
    uv_thread_t threads[HS_DISCOVER_THREADS];
    size_t thread_count;
    uv_mutex_t lock; /* guards what follows */
    uv_cond_t changed;
    struct jobs waiting, done;
    size_t count; /* of all jobs, also those under way */
    atomic_bool stop;
};

static const char http_prefix[] = "http://";

static bool is_http(const char *url)
{
    return strncmp(url, http_prefix, sizeof http_prefix - 1) == 0;
}

static bool make_url(const char *template, const char *domain, char out[static HS_URL_MAX + 1])
{
    const char *place = strstr(template, "%s");
    int len = snprintf(out, HS_URL_MAX + 1, "%.*s%s%s", place != NULL ? (int)(place - template) : 0, template,
                       domain, place != NULL ? place + 2 : "");
    return place != NULL && len > 0 && len <= HS_URL_MAX;
}

bool hs_discover_url_is_valid(const char *url)
{
    char made[HS_URL_MAX + 1];
    const char *percent = strchr(url, '%');
    return percent != NULL && percent[1] == 's' && strchr(percent + 1, '%') == NULL &&
           strlen(url) + HS_DOMAIN_MAX <= HS_URL_MAX && make_url(url, "a.example", made) &&
           hs_url_is_valid(hs_bytes_str(made), is_http(url));
}

static enum hs_err fetch(const struct hs_discover *d, struct hs_discovered *found)
{
    char url[HS_URL_MAX + 1];
    struct hs_request request = {.url = url, .private_too = d->config.private_too, .http = d->http};
    long status = 0;
    HS_REQUIRE(make_url(d->config.url, found->domain, url), HS_ERR_INVALID_ARG);
    HS_TRY(hs_request_begin(&request));
    HS_TRY(hs_request_end(&request, hs_request_perform(&request, &d->stop), &status));
    HS_REQUIRE(status == 200, HS_ERR_NOT_FOUND);
    HS_REQUIRE(request.len <= sizeof found->descriptor, HS_ERR_TOO_LARGE);
    memcpy(found->descriptor, request.body, request.len);
    found->descriptor_len = request.len;
    return HS_OK;
}

static struct job *next_job(struct hs_discover *d)
{
    uv_mutex_lock(&d->lock);
    while (TAILQ_EMPTY(&d->waiting) && !d->stop)
        uv_cond_wait(&d->changed, &d->lock);
    struct job *job = d->stop ? NULL : TAILQ_FIRST(&d->waiting);
    if (job != NULL)
        TAILQ_REMOVE(&d->waiting, job, entry);
    uv_mutex_unlock(&d->lock);
    return job;
}

static void work(void *arg)
{
    struct hs_discover *d = arg;
    struct job *job;
    while ((job = next_job(d)) != NULL) {
        job->found.fetched = fetch(d, &job->found);
        if (hs_resolve(d->config.dns, job->found.domain, &d->stop, &job->found.resolved) != HS_OK)
            job->found.resolved.count = 0; /* many domains have none */
        uv_mutex_lock(&d->lock);
        TAILQ_INSERT_TAIL(&d->done, job, entry);
        uv_mutex_unlock(&d->lock);
        d->config.wake(d->config.arg);
    }
}

enum hs_err hs_discover_new(const struct hs_discover_config *config, struct hs_discover **out)
{
    HS_REQUIRE(curl_global_init(CURL_GLOBAL_DEFAULT) == 0, HS_ERR_NOMEM);
    struct hs_discover *d = calloc(1, sizeof *d);
    HS_REQUIRE(d != NULL, HS_ERR_NOMEM);
    d->config = *config;
    if (d->config.url == NULL)
        d->config.url = HS_WELL_KNOWN_URL;
    d->http = is_http(d->config.url);
    TAILQ_INIT(&d->waiting);
    TAILQ_INIT(&d->done);
    if (!hs_discover_url_is_valid(d->config.url) || uv_mutex_init(&d->lock) != 0) {
        free(d);
        return HS_ERR_INVALID_ARG;
    }
    HS_ASSERT(uv_cond_init(&d->changed) == 0);
    while (d->thread_count < HS_DISCOVER_THREADS &&
           uv_thread_create(&d->threads[d->thread_count], work, d) == 0)
        d->thread_count++;
    if (d->thread_count == 0) {
        hs_discover_free(d);
        return HS_ERR_BUSY;
    }
    *out = d;
    return HS_OK;
}

enum hs_err hs_discover_ask(struct hs_discover *d, const struct hs_key *root, const char *domain)
{
    HS_REQUIRE(hs_domain_is_valid(hs_bytes_str(domain)), HS_ERR_INVALID_ARG);
    struct job *job = calloc(1, sizeof *job);
    HS_REQUIRE(job != NULL, HS_ERR_NOMEM);
    job->found.root = *root;
    (void)snprintf(job->found.domain, sizeof job->found.domain, "%s", domain);
    uv_mutex_lock(&d->lock);
    bool room = d->count < HS_DISCOVER_QUEUE;
    if (room) {
        TAILQ_INSERT_TAIL(&d->waiting, job, entry);
        d->count++;
        uv_cond_signal(&d->changed);
    }
    uv_mutex_unlock(&d->lock);
    if (!room)
        free(job);
    return room ? HS_OK : HS_ERR_BUSY;
}

static bool take(struct hs_discover *d, struct jobs *from, struct hs_discovered *out)
{
    uv_mutex_lock(&d->lock);
    struct job *job = TAILQ_FIRST(from);
    if (job != NULL) {
        TAILQ_REMOVE(from, job, entry);
        d->count--;
    }
    uv_mutex_unlock(&d->lock);
    if (job == NULL)
        return false;
    if (out != NULL)
        *out = job->found;
    free(job);
    return true;
}

bool hs_discover_take(struct hs_discover *d, struct hs_discovered *out)
{
    return take(d, &d->done, out);
}

void hs_discover_free(struct hs_discover *d)
{
    if (d == NULL)
        return;
    uv_mutex_lock(&d->lock);
    d->stop = true;
    uv_cond_broadcast(&d->changed);
    uv_mutex_unlock(&d->lock);
    for (size_t i = 0; i < d->thread_count; i++)
        uv_thread_join(&d->threads[i]);
    while (take(d, &d->waiting, NULL) || take(d, &d->done, NULL))
        continue;
    uv_cond_destroy(&d->changed);
    uv_mutex_destroy(&d->lock);
    free(d);
}

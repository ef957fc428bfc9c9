#include "net/crew.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

enum {
    CHUNK = 8 /* parts taken at once: their counter isn't fought for, and whoever is late leaves little to
                 wait for */
};

struct hs_crew {
    unsigned helpers;
    uv_mutex_t lock; /* guards what follows */
    uv_cond_t begun, ended;
    unsigned long jobs; /* so far */
    unsigned at_work;   /* helpers */
    bool open;          /* whoever wakes now still finds work */
    bool over;
    /* of the job; written while nobody is at work */
    void (*part)(void *arg, size_t i);
    void *arg;
    size_t count;
    atomic_size_t next;
    uv_thread_t threads[];
};

/* Parts as long as there are any. */
static void work(struct hs_crew *crew)
{
    size_t from;
    while ((from = atomic_fetch_add(&crew->next, CHUNK)) < crew->count) {
        size_t to = crew->count - from < CHUNK ? crew->count : from + CHUNK;
        for (size_t i = from; i < to; i++)
            crew->part(crew->arg, i);
    }
}

static void help(void *arg)
{
    struct hs_crew *crew = arg;
    unsigned long seen = 0;
    uv_mutex_lock(&crew->lock);
    while (!crew->over) {
        if (!crew->open || crew->jobs == seen) {
            uv_cond_wait(&crew->begun, &crew->lock);
            continue;
        }
        seen = crew->jobs;
        crew->at_work++;
        uv_mutex_unlock(&crew->lock);
        work(crew);
        uv_mutex_lock(&crew->lock);
        if (--crew->at_work == 0)
            uv_cond_signal(&crew->ended);
    }
    uv_mutex_unlock(&crew->lock);
}

void hs_crew_run(struct hs_crew *crew, void (*part)(void *arg, size_t i), void *arg, size_t count)
{
    uv_mutex_lock(&crew->lock);
    crew->part = part;
    crew->arg = arg;
    crew->count = count;
    atomic_store(&crew->next, 0);
    crew->jobs++;
    crew->open = true;
    if (crew->helpers > 0)
        uv_cond_broadcast(&crew->begun);
    uv_mutex_unlock(&crew->lock);
    work(crew);
    uv_mutex_lock(&crew->lock);
    crew->open = false; /* who comes too late isn't waited for */
    while (crew->at_work > 0)
        uv_cond_wait(&crew->ended, &crew->lock);
    uv_mutex_unlock(&crew->lock);
}

enum hs_err hs_crew_new(unsigned helpers, struct hs_crew **out)
{
    struct hs_crew *crew = calloc(1, sizeof *crew + helpers * sizeof crew->threads[0]);
    HS_REQUIRE(crew != NULL, HS_ERR_NOMEM);
    HS_ASSERT(uv_mutex_init(&crew->lock) == 0 && uv_cond_init(&crew->begun) == 0 &&
              uv_cond_init(&crew->ended) == 0);
    while (crew->helpers < helpers && uv_thread_create(&crew->threads[crew->helpers], help, crew) == 0)
        crew->helpers++;
    *out = crew;
    return HS_OK;
}

void hs_crew_free(struct hs_crew *crew)
{
    if (crew == NULL)
        return;
    uv_mutex_lock(&crew->lock);
    crew->over = true;
    uv_cond_broadcast(&crew->begun);
    uv_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->helpers; i++)
        uv_thread_join(&crew->threads[i]);
    uv_cond_destroy(&crew->ended);
    uv_cond_destroy(&crew->begun);
    uv_mutex_destroy(&crew->lock);
    free(crew);
}

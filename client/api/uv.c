/* The library's loop on libuv: the socket as a poll handle, the deadline as a timer. */
#include "api/handle.h"

#include <stdlib.h>
#include <uv.h>

enum { AGAIN_MS = 100 /* a socket that couldn't be waited for */ };

/* Lives until both of its handles are closed, which may be after the handle of the library. */
struct hs_uv_driver {
    struct hanse *h;
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_prepare_t prepare; /* whatever the application called since: it is looked at before the loop sleeps */
    unsigned open;        /* of these two */
    uv_poll_t *poll;      /* of fd; libuv wants a new one for each socket */
    int fd;
    bool running;
    void (*wake)(struct hanse *h, enum hanse_err err, void *context);
    void *context;
};

static void turn(struct hs_uv_driver *d);

static void poll_closed(uv_handle_t *handle)
{
    free(handle);
}

static void closed(uv_handle_t *handle)
{
    struct hs_uv_driver *d = handle->data;
    if (--d->open == 0)
        free(d);
}

static void poll_drop(struct hs_uv_driver *d)
{
    if (d->poll == NULL)
        return;
    uv_poll_stop(d->poll);
    uv_close((uv_handle_t *)d->poll, poll_closed);
    d->poll = NULL;
    d->fd = -1;
}

/* After an error of this machine the handle can only be closed. */
static void stop(struct hs_uv_driver *d)
{
    poll_drop(d);
    uv_timer_stop(&d->timer);
    uv_prepare_stop(&d->prepare);
}

static void on_timer(uv_timer_t *timer)
{
    turn(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    turn(poll->data);
}

static int to_uv(unsigned events)
{
    return ((events & HANSE_POLL_IN) != 0 ? UV_READABLE : 0) |
           ((events & HANSE_POLL_OUT) != 0 ? UV_WRITABLE : 0);
}

static void timer_set(struct hs_uv_driver *d, int ms)
{
    uv_timer_start(&d->timer, on_timer, (uint64_t)ms, 0);
}

/* False: libuv has nothing left to wait with. */
static bool poll_make(struct hs_uv_driver *d, int fd)
{
    d->poll = calloc(1, sizeof *d->poll);
    if (d->poll == NULL)
        return false;
    if (uv_poll_init(d->loop, d->poll, fd) != 0) {
        free(d->poll);
        d->poll = NULL;
        return false;
    }
    d->poll->data = d;
    d->fd = fd;
    return true;
}

/* Waits for what the library waits for now. A socket that can't be waited for is looked at again soon. */
static void watch(struct hs_uv_driver *d)
{
    int fd = hanse_fd(d->h), ms = hanse_timeout_ms(d->h);
    if (fd != d->fd)
        poll_drop(d);
    if (fd >= 0 && d->poll == NULL && !poll_make(d, fd) && (ms < 0 || ms > AGAIN_MS))
        ms = AGAIN_MS;
    if (d->poll != NULL)
        uv_poll_start(d->poll, to_uv(hanse_poll_events(d->h)), on_poll);
    if (ms >= 0)
        timer_set(d, ms);
    else
        uv_timer_stop(&d->timer);
}

static void on_prepare(uv_prepare_t *prepare)
{
    watch(prepare->data);
}

/* The loop ends, or doesn't begin, where nothing is active in it: it would never come to look. */
void hs_uv_called(struct hanse *h)
{
    int ms = h->uv != NULL && h->broken == HS_OK ? hanse_timeout_ms(h) : -1;
    if (ms >= 0)
        timer_set(h->uv, ms);
}

static void turn(struct hs_uv_driver *d)
{
    int before = d->fd;
    enum hanse_err err = hanse_step(d->h);
    if (before >= 0 && hanse_fd(d->h) != before)
        poll_drop(d);
    if (err != HANSE_OK || hs_sync_has_event(d->h->sync))
        d->wake(d->h, err, d->context);
    if (d->running && err != HANSE_OK)
        stop(d);
}

enum hanse_err hanse_uv_start(struct hanse *h, struct uv_loop_s *loop,
                              void (*wake)(struct hanse *h, enum hanse_err err, void *context), void *context)
{
    if (h->uv != NULL)
        return HANSE_ERR_INVALID_STATE;
    struct hs_uv_driver *d = calloc(1, sizeof *d);
    if (d == NULL)
        return HANSE_ERR_NOMEM;
    *d = (struct hs_uv_driver){
        .h = h, .loop = loop, .fd = -1, .running = true, .wake = wake, .context = context};
    if (uv_timer_init(loop, &d->timer) != 0) {
        free(d);
        return HANSE_ERR_NOMEM;
    }
    (void)uv_prepare_init(loop, &d->prepare); /* these two can't fail */
    (void)uv_prepare_start(&d->prepare, on_prepare);
    uv_unref((uv_handle_t *)&d->prepare); /* it keeps no loop alive */
    d->timer.data = d->prepare.data = d;
    d->open = 2;
    h->uv = d;
    watch(d);
    return HANSE_OK;
}

void hanse_uv_stop(struct hanse *h)
{
    struct hs_uv_driver *d = h->uv;
    if (d == NULL)
        return;
    h->uv = NULL;
    d->running = false;
    poll_drop(d);
    uv_timer_stop(&d->timer);
    uv_close((uv_handle_t *)&d->timer, closed);
    uv_close((uv_handle_t *)&d->prepare, closed);
}

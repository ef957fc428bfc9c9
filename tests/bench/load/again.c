/* Requests that aren't answered yet. What the node refuses for the moment is asked again when it says
 * (DELIVERY-58): a part of this program may be faster than a device may ask. */
#include "load.h"

#include <stdlib.h>

enum { TICK_MS = 5, AGAIN_MS = 2000 /* where nothing is said */, NS_PER_MS = 1000000 };

struct load_request {
    TAILQ_ENTRY(load_request) entry, later;
    struct load_device *device;
    uint64_t id, due_ns; /* due_ns: 0 while it is under way */
    size_t len;
    uint8_t bytes[];
};

TAILQ_HEAD(requests, load_request);
static struct requests refused = TAILQ_HEAD_INITIALIZER(refused); /* by nobody's order: they are few */
static uv_timer_t timer;
size_t load_asked_again;

void load_requests_init(struct load_device *device)
{
    TAILQ_INIT(&device->requests);
}

static void drop(struct load_request *r)
{
    TAILQ_REMOVE(&r->device->requests, r, entry);
    if (r->due_ns > 0)
        TAILQ_REMOVE(&refused, r, later);
    free(r);
}

void load_requests_drop(struct load_device *device)
{
    while (!TAILQ_EMPTY(&device->requests))
        drop(TAILQ_FIRST(&device->requests));
}

void load_request_keep(struct load_device *device, uint64_t id, struct hs_bytes frame)
{
    struct load_request *r = malloc(sizeof *r + frame.len);
    if (r == NULL)
        load_fail("no memory");
    *r = (struct load_request){.device = device, .id = id, .len = frame.len};
    memcpy(r->bytes, frame.data, frame.len);
    TAILQ_INSERT_TAIL(&device->requests, r, entry);
}

static struct load_request *find(struct load_device *device, uint64_t id)
{
    struct load_request *r = TAILQ_FIRST(&device->requests);
    while (r != NULL && r->id != id)
        r = TAILQ_NEXT(r, entry);
    if (r == NULL)
        load_fail("an answer to what nobody asked");
    return r;
}

void load_request_done(struct load_device *device, uint64_t id)
{
    drop(find(device, id));
}

static void on_timer(uv_timer_t *handle)
{
    struct load_request *r = TAILQ_FIRST(&refused), *next;
    uint64_t now = uv_hrtime();
    for (; r != NULL; r = next) {
        next = TAILQ_NEXT(r, later);
        if (r->due_ns > now)
            continue;
        TAILQ_REMOVE(&refused, r, later);
        r->due_ns = 0;
        load_send_bytes(r->device, hs_bytes(r->bytes, r->len));
    }
    if (TAILQ_EMPTY(&refused))
        uv_timer_stop(handle);
}

void load_request_again(struct load_device *device, uint64_t id, uint32_t after_ms)
{
    struct load_request *r = find(device, id);
    if (timer.loop == NULL)
        uv_timer_init(load_loop(), &timer);
    load_asked_again++;
    r->due_ns = uv_hrtime() + (uint64_t)(after_ms > 0 ? after_ms : AGAIN_MS) * NS_PER_MS;
    TAILQ_INSERT_TAIL(&refused, r, later);
    uv_timer_start(&timer, on_timer, TICK_MS, TICK_MS);
}

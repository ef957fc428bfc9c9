/* A device of somebody's under faults, while its node is well: it opens its store, posts, and is told. A post
 * that it has taken comes through, once, whatever it died of; one that it refused for lack of memory never
 * does. CLIENT-5, CLIENT-6, DELIVERY-60 */
#include "sweep.h"
#include "sweep_node.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ACT_MS = 1000, CHECK_MS = 40000, TURN_MS = 50 };

static char text[FLEET_TEXT];
static enum hanse_err taken; /* by hanse_post() */
static bool told_done;       /* it is in the room, the device was told */

static void nothing(void) {}

static void found(void)
{
    sweep_node_make();
    sweep_node_run();
}

static void begin(void)
{
    snprintf(text, sizeof text, "c %d %lld", (int)getpid(),
             (long long)fault_now_ms()); /* numbers come again */
    taken = HANSE_ERR_CLOSED;
    told_done = false;
}

static enum hanse_err open_device(struct hanse **out)
{
    const struct member *m = sweep_member();
    enum hanse_err err = hanse_open(m->dir, m->key, 0, out);
    if (err == HANSE_OK)
        hanse_stay_online(*out, true);
    return err;
}

static void wait_for_it(struct hanse *h)
{
    unsigned wanted = hanse_poll_events(h);
    struct pollfd fd = {.fd = hanse_fd(h),
                        .events = (short)(((wanted & HANSE_POLL_IN) != 0 ? POLLIN : 0) |
                                          ((wanted & HANSE_POLL_OUT) != 0 ? POLLOUT : 0))};
    int timeout = hanse_timeout_ms(h);
    sweep_spare(true);
    poll(&fd, 1, timeout >= 0 && timeout < TURN_MS ? timeout : TURN_MS);
    sweep_spare(false);
}

/* Steps until op is done, one fails, or the time is up. */
static enum hanse_err run(struct hanse *h, uint64_t op, int64_t end)
{
    while (fault_now_ms() < end) {
        struct hanse_event event;
        enum hanse_err err = hanse_step(h);
        if (err != HANSE_OK)
            return err;
        for (hanse_next_event(h, &event); event.kind != HANSE_EVENT_NONE; hanse_next_event(h, &event))
            if (event.kind == HANSE_EVENT_DONE && event.op == op) {
                told_done = event.err == HANSE_OK;
                return event.err;
            }
        wait_for_it(h);
    }
    return HANSE_ERR_TIMEOUT;
}

static enum hs_err act(void)
{
    struct hanse *h = NULL;
    uint64_t op;
    enum hanse_err err = open_device(&h);
    if (err != HANSE_OK)
        return (enum hs_err)err;
    taken = hanse_post(h, sweep_room(), text, &op);
    err = taken == HANSE_OK ? run(h, op, fault_now_ms() + (sweep_call() == INJECT_NONE ? CHECK_MS : ACT_MS))
                            : taken;
    hanse_close(h);
    return (enum hs_err)err;
}

static unsigned seen(struct hanse *h)
{
    struct hanse_message message;
    unsigned n = 0;
    for (uint64_t at = 0; hanse_message_next(h, sweep_room(), at, &message) == HANSE_OK; at = message.seq + 1)
        n += strcmp(message.text, text) == 0 ? 1 : 0;
    return n;
}

static void check(enum hs_err told)
{
    struct hanse *h;
    int64_t end = fault_now_ms() + CHECK_MS;
    enum hanse_err err = open_device(&h);
    FAULT_CHECK(err == HANSE_OK, "its store doesn't open afterwards: %s", hanse_err_name(err));
    while (fault_now_ms() < end && (hanse_has_pending(h) || (taken == HANSE_OK && seen(h) == 0))) {
        err = run(h, 0, fault_now_ms() + TURN_MS);
        FAULT_CHECK(err == HANSE_ERR_TIMEOUT, "it can't go on afterwards: %s", hanse_err_name(err));
    }
    unsigned n = seen(h);
    FAULT_CHECK(told != HS_OK || told_done, "done without being told");
    FAULT_CHECK(n == 1 || (n == 0 && taken != HANSE_OK), "the post was taken with %s and is there %u times",
                hanse_err_name(taken), n);
    FAULT_CHECK(n == 0 || taken != HANSE_ERR_NOMEM, "a post that was refused is there");
    hanse_close(h);
}

const struct sweep_scene sweep_client = {
    .name = "client",
    .calls = 1u << INJECT_MALLOC | 1u << INJECT_FILE_WRITE | 1u << INJECT_FILE_FULL | 1u << INJECT_SYNC |
             1u << INJECT_OPEN | 1u << INJECT_MMAP | 1u << INJECT_READ | 1u << INJECT_WRITE |
             1u << INJECT_SHORT | 1u << INJECT_CONNECT | 1u << INJECT_INTERRUPT | 1u << INJECT_FILE_READ |
             1u << INJECT_NAME | 1u << INJECT_SOCKET,
    .found = found,
    .begin = begin,
    .act = act,
    .check = check,
    .end = nothing,
    .alone = true};

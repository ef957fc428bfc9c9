/* Wakes on their way: empty POSTs to URLs that devices have left, many at once, on one thread. None is waited
 * for longer than a request may take, and what doesn't fit into the queue is dropped: the device is woken
 * when the next thing comes. */
#ifndef HS_DISCOVER_WAKE_H
#define HS_DISCOVER_WAKE_H

#include "base/bytes.h"
#include "base/err.h"

enum {
    HS_WAKE_QUEUE = 4096,  /* wakes that wait or run */
    HS_WAKE_PARALLEL = 12, /* of them at once: each may have a thread of libcurl's for its name */
    HS_WAKE_PER_HOST =
        16, /* of these to one host: the biggest gateways take far more, a small one isn't flooded */
};

struct hs_wake_post;

struct hs_wake_config {
    bool http, private_too;  /* as in request.h */
    void (*wake)(void *arg); /* from the thread: there is something to take */
    void *arg;
};

struct hs_woken {
    struct hs_key device;
    enum hs_err err;
    unsigned status; /* of HTTP; 0 without an answer */
};

/* NOMEM, BUSY without a thread. */
enum hs_err hs_wake_post_new(const struct hs_wake_config *config, struct hs_wake_post **out);

/* The url is copied. BUSY where the queue is full, NOMEM, INVALID_ARG for a url that may not be asked. */
enum hs_err hs_wake_post_start(struct hs_wake_post *p, const struct hs_key *device, const char *url);

/* The next outcome; false where there is none. */
bool hs_wake_post_take(struct hs_wake_post *p, struct hs_woken *out);

/* Ends what is under way, at once. NULL is fine. */
void hs_wake_post_free(struct hs_wake_post *p);

#endif

/* A few pages over HTTP/1.1: metrics, a well-known file, a landing page. One thread of its own, GET and HEAD
 * only, no bodies, one request a connection. What is shown is made anew for each request by a function that
 * may be called from that thread at any time. TLS is a reverse proxy's affair. */
#ifndef HS_HTTP_HTTP_H
#define HS_HTTP_HTTP_H

#include "base/err.h"
#include "base/writer.h"

enum {
    HS_HTTP_PAGES = 32,          /* of one server */
    HS_HTTP_CONNECTIONS = 64,    /* at once: a scraper and a proxy need a handful; more are closed unheard */
    HS_HTTP_IDLE_S = 5,          /* without a byte */
    HS_HTTP_LIFE_MS = 10 * 1000, /* in all, once connections are scarce: one byte now and then keeps nobody */
    HS_HTTP_MEMORY = 8 * 1024,   /* of one connection: request line and headers have to fit */
    HS_HTTP_BODY_MAX = 1024 * 1024, /* of an answer */
};

struct hs_http;

struct hs_http_page {
    const char *path; /* exactly that, without a query: "/metrics" */
    const char *type; /* Content-Type */
    /* Writes the whole body. An error is answered 503 where it may pass (hs_err_is_transient()), NOT_FOUND
     * 404, anything else 500, each without a text. Called from the server's thread. */
    enum hs_err (*render)(void *arg, struct hs_writer *out);
    void *arg;
};

/* listen: "address:port", numeric; port 0 takes a free one. The pages are copied, their strings borrowed.
 * INVALID_ARG for a bad address or too many pages, IO where it can't be bound, NOMEM. */
enum hs_err hs_http_start(const char *listen, const struct hs_http_page *pages, size_t count,
                          struct hs_http **out);

/* Where it listens, with the real port. Valid as long as http. */
const char *hs_http_address(const struct hs_http *http);

/* Ends connections and thread; no page is asked afterwards. NULL is fine. */
void hs_http_stop(struct hs_http *http);

#endif

/* One HTTP request to a place that others have named: verified TLS, no redirects, a small answer, a few
 * seconds, and (unless it is allowed) no address that isn't the public internet's. */
#ifndef HS_DISCOVER_REQUEST_H
#define HS_DISCOVER_REQUEST_H

#include "base/bytes.h"
#include "base/err.h"

#include <curl/curl.h>
#include <stdatomic.h>

enum {
    HS_REQUEST_BODY_MAX = 4096, /* of an answer: a descriptor has at most a quarter of that */
    HS_REQUEST_MS = 5000,       /* in all, the names' lookup included */
};

struct hs_request {
    const char *url;   /* borrowed while it runs */
    bool post;         /* an empty POST; else a GET */
    bool private_too;  /* addresses of this machine and of private networks are fine */
    bool http;         /* http is fine, too */
    bool refused, big; /* what it failed for */
    uint8_t body[HS_REQUEST_BODY_MAX];
    size_t len;
    CURL *easy;
};

/* Makes the handle, for curl_easy_perform() or a multi handle; its private pointer is request. NOMEM,
 * INVALID_ARG for the URL. */
enum hs_err hs_request_begin(struct hs_request *request);

/* Runs it until its end, or until *stop is true: at most a tenth of a second longer. */
CURLcode hs_request_perform(struct hs_request *request, const atomic_bool *stop);

/* What became of it: OK with the status of the answer, whatever that is; DENIED for an address that isn't
 * public, TOO_LARGE, TIMEOUT, UNREACHABLE. Frees the handle. */
enum hs_err hs_request_end(struct hs_request *request, CURLcode code, long *status);

#endif

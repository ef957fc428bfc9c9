/* Finding nodes by their domains: what https://DOMAIN/.well-known/hanse shows, and where DNS says that the
 * node is. Two threads, a short queue; what they find is taken from one thread. Nothing here judges what was
 * found: the core does, against the root that it has pinned. */
#ifndef HS_DISCOVER_DISCOVER_H
#define HS_DISCOVER_DISCOVER_H

#include "discover/resolve.h"
#include "identity/descriptor.h"

enum {
    HS_DISCOVER_QUEUE = 64,  /* questions that wait or run: the core asks again for what is dropped */
    HS_DISCOVER_THREADS = 2, /* each may wait ten seconds for one domain */
};

/* Where a node's descriptor is found at its domain; the domain comes in the place of %s. */
#define HS_WELL_KNOWN_URL  "https://%s/.well-known/hanse"
#define HS_WELL_KNOWN_PATH "/.well-known/hanse"
#define HS_WELL_KNOWN_TYPE "application/vnd.hanse.node-descriptor.v1+protobuf"

struct hs_discover;

struct hs_discover_config {
    const char *url;         /* NULL: HS_WELL_KNOWN_URL; one that begins with http: http is fine. Borrowed */
    const char *dns;         /* as in hs_resolve(). Borrowed */
    bool private_too;        /* addresses of this machine and of private networks are fine */
    void (*wake)(void *arg); /* from a thread of its own: there is something to take */
    void *arg;
};

struct hs_discovered {
    struct hs_key root; /* as it was asked for */
    char domain[HS_DOMAIN_MAX + 1];
    enum hs_err fetched; /* OK: the bytes below are what the domain shows, unchecked */
    uint8_t descriptor[HS_DESCRIPTOR_MAX];
    size_t descriptor_len;
    struct hs_resolved resolved;
};

/* True for a template with one %s and no other percent sign, which gives a URL that may be asked for. */
bool hs_discover_url_is_valid(const char *url);

/* NOMEM, BUSY without threads, INVALID_ARG for the url. */
enum hs_err hs_discover_new(const struct hs_discover_config *config, struct hs_discover **out);

/* Looks for the node of domain. BUSY where too many are being looked for. */
enum hs_err hs_discover_ask(struct hs_discover *d, const struct hs_key *root, const char *domain);

/* The next result; false where there is none. */
bool hs_discover_take(struct hs_discover *d, struct hs_discovered *out);

/* Waits for what is under way: some seconds at most. NULL is fine. */
void hs_discover_free(struct hs_discover *d);

#endif

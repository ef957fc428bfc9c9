/* Where a domain's node is, as DNS says it: SRV records of _hanse._tcp, and the addresses of their targets.
 * DNS gives addresses, never keys. */
#ifndef HS_DISCOVER_RESOLVE_H
#define HS_DISCOVER_RESOLVE_H

#include "core/core.h"

#include <stdatomic.h>

enum { HS_RESOLVE_MS = 5000 }; /* in all */

struct hs_resolved {
    char addresses[HS_DIAL_ADDRESSES][HS_ADDRESS_SIZE]; /* numeric, with the port; the preferred first */
    size_t count;
};

/* Blocks, until *stop is true at most. dns: "address:port" of the server to ask; NULL: the system's.
 * NOT_FOUND where there are none, TIMEOUT, UNREACHABLE, NOMEM, INVALID_ARG for dns. */
enum hs_err hs_resolve(const char *dns, const char *domain, const atomic_bool *stop, struct hs_resolved *out);

#endif

/* A crew: threads that do one job of many like parts together with the thread that asks for it. */
#ifndef HS_NET_CREW_H
#define HS_NET_CREW_H

#include "base/err.h"

#include <stddef.h>

struct hs_crew;

/* With so many threads besides the caller's; none is fine, and so are fewer where the system gives no more.
 * NOMEM. */
enum hs_err hs_crew_new(unsigned helpers, struct hs_crew **out);

/* Calls part(arg, i) once for each i below count, several at a time and in any order, and returns when all
 * have returned. What they did is seen by the caller then. From one thread at a time; a part asks for no
 * further job. */
void hs_crew_run(struct hs_crew *crew, void (*part)(void *arg, size_t i), void *arg, size_t count);

/* NULL is fine. */
void hs_crew_free(struct hs_crew *crew);

#endif

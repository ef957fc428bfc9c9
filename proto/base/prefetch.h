/* Memory that is read soon: it comes into the cache while something else is done. */
#ifndef HS_BASE_PREFETCH_H
#define HS_BASE_PREFETCH_H

#include <stddef.h>

enum { HS_CACHE_LINE = 64 /* bytes; where lines are longer some are asked for twice, which costs nothing */ };

/* Changes nothing, and reads nothing: data may be anything, also freed. */
static inline void hs_prefetch(const void *data, size_t len)
{
    for (size_t at = 0; at < len; at += HS_CACHE_LINE)
        __builtin_prefetch((const char *)data + at);
}

#endif

/* The clock, for the commands and the daemon; nothing below node/net has one. */
#ifndef HS_ADMIN_NOW_H
#define HS_ADMIN_NOW_H

#include "base/bytes.h"

#include <time.h>

#define HS_DAY_MS INT64_C(86400000)

static inline struct hs_time hs_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (struct hs_time){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

#endif

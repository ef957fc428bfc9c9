/* What the service manager is told: sd_notify's protocol, datagrams to the socket that NOTIFY_SOCKET names. A
 * library for twenty lines would be one more to trust. Where nobody listens, nothing happens. */
#ifndef HS_ADMIN_NOTIFY_H
#define HS_ADMIN_NOTIFY_H

#include "net/net.h"

#include <uv.h>

struct hs_notify {
    struct hs_net *net;
    uint64_t rounds; /* as of the last look */
    uv_timer_t timer;
};

/* "READY=1\nSTATUS=..." */
void hs_notify_tell(const char *state);

/* Pings as often as WATCHDOG_USEC asks for, twice in that time, as long as the commit thread goes on: it
 * carries out a round a second even where there is nothing to do. Runs on the net's loop. */
void hs_notify_watch(struct hs_notify *notify, struct hs_net *net);

/* Milliseconds between two looks; 0 where no pings are wanted. pid: WATCHDOG_PID, usec: WATCHDOG_USEC, or
 * NULL. */
uint64_t hs_notify_interval(const char *pid, const char *usec, long own_pid);

/* True, and counted, where rounds have been carried out since the last look. */
bool hs_notify_progress(struct hs_notify *notify, uint64_t rounds);

#endif

#include "admin/notify.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { US_PER_MS = 1000, LOOKS = 2 };

void hs_notify_tell(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path != NULL ? strlen(path) : 0;
    if (len < 2 || len >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') /* an abstract name */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    close(fd);
}

uint64_t hs_notify_interval(const char *pid, const char *usec, long own_pid)
{
    if (usec == NULL || (pid != NULL && strtol(pid, NULL, 10) != own_pid))
        return 0;
    uint64_t ms = strtoull(usec, NULL, 10) / US_PER_MS;
    return ms / LOOKS;
}

bool hs_notify_progress(struct hs_notify *notify, uint64_t rounds)
{
    bool progress = rounds != notify->rounds;
    notify->rounds = rounds;
    return progress;
}

static void on_look(uv_timer_t *timer)
{
    struct hs_notify *notify = timer->data;
    struct hs_net_stats stats;
    hs_net_stats(notify->net, &stats);
    if (hs_notify_progress(notify, stats.commit.rounds))
        hs_notify_tell("WATCHDOG=1");
}

void hs_notify_watch(struct hs_notify *notify, struct hs_net *net)
{
    uint64_t interval = hs_notify_interval(getenv("WATCHDOG_PID"), getenv("WATCHDOG_USEC"), getpid());
    notify->net = net;
    if (interval == 0)
        return;
    uv_timer_init(hs_net_loop(net), &notify->timer);
    notify->timer.data = notify;
    uv_timer_start(&notify->timer, on_look, interval, interval);
}

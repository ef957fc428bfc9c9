#include "weather.h"

#include "fault.h"
#include "support/rng.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS_MAX = 512, CHUNK = 16384, QUEUE_MAX = 1 << 20, IDLE_MS = 20 };

struct piece {
    STAILQ_ENTRY(piece) entry;
    int64_t due;
    size_t len, sent;
    uint8_t bytes[];
};

/* One direction of a connection. */
struct way {
    STAILQ_HEAD(, piece) queue;
    size_t queued;
    int64_t last_due;
    bool ended, shut;
};

struct pair {
    struct weather_link *link;
    int fds[WEATHER_WAYS]; /* the side that WEATHER_TO_NODE comes from, and the node's */
    struct way ways[WEATHER_WAYS];
    bool open;
};

static struct pair pairs[PAIRS_MAX];
static struct rng rng;

static struct sockaddr_in address_of(const char *text)
{
    struct sockaddr_in out = {.sin_family = AF_INET};
    char host[64];
    const char *colon = strrchr(text, ':');
    FAULT_CHECK(colon != NULL, "no address: %s", text);
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    FAULT_CHECK(inet_pton(AF_INET, host, &out.sin_addr) == 1, "no address: %s", text);
    out.sin_port = htons((uint16_t)atoi(colon + 1));
    return out;
}

static void pair_close(struct pair *p)
{
    static const struct linger hard = {.l_onoff = 1};
    bool by_reset = rng_below(&rng, 2) == 0;
    for (int i = 0; i < WEATHER_WAYS; i++) {
        if (by_reset)
            setsockopt(p->fds[i], SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(p->fds[i]);
        for (struct piece *one; (one = STAILQ_FIRST(&p->ways[i].queue)) != NULL; free(one))
            STAILQ_REMOVE_HEAD(&p->ways[i].queue, entry);
    }
    p->open = false;
}

static void pair_open(struct weather_link *link, int fd)
{
    static const int yes = 1;
    struct sockaddr_in to = address_of(link->target);
    struct pair *p = pairs;
    while (p < pairs + PAIRS_MAX && p->open)
        p++;
    int node = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (atomic_load(&link->shut) || p == pairs + PAIRS_MAX || node < 0 ||
        connect(node, (struct sockaddr *)&to, sizeof to) != 0) { /* on this machine it takes no time */
        close(fd);
        close(node);
        return;
    }
    *p = (struct pair){.link = link, .fds = {fd, node}, .open = true};
    for (int i = 0; i < WEATHER_WAYS; i++) {
        STAILQ_INIT(&p->ways[i].queue);
        setsockopt(p->fds[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        fcntl(p->fds[i], F_SETFL, O_NONBLOCK);
    }
    atomic_fetch_add(&link->connections, 1);
}

/* What came is cut into pieces, each on its way for a while of its own. */
static void take(struct pair *p, int way, const uint8_t *bytes, size_t len, int64_t now)
{
    struct way *w = &p->ways[way];
    size_t most = atomic_load(&p->link->piece);
    unsigned delay = atomic_load(&p->link->delay_ms);
    while (len > 0) {
        size_t part = most == 0 || len < most ? len : 1 + rng_below(&rng, most);
        struct piece *one = malloc(sizeof *one + part);
        FAULT_CHECK(one != NULL, "no memory");
        int64_t due = now + (int64_t)rng_below(&rng, delay + 1);
        *one = (struct piece){.due = due > w->last_due ? due : w->last_due, .len = part};
        w->last_due = one->due;
        memcpy(one->bytes, bytes, part);
        STAILQ_INSERT_TAIL(&w->queue, one, entry);
        w->queued += part;
        bytes += part;
        len -= part;
    }
}

static void way_read(struct pair *p, int way, int64_t now)
{
    uint8_t bytes[CHUNK];
    ssize_t got = read(p->fds[way], bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0) {
        pair_close(p);
        return;
    }
    p->ways[way].ended = got == 0;
    atomic_fetch_add(&p->link->bytes, (unsigned long)got);
    take(p, way, bytes, (size_t)got, now);
}

/* What is due goes on. */
static void way_write(struct pair *p, int way, int64_t now)
{
    struct way *w = &p->ways[way];
    struct piece *one;
    while ((one = STAILQ_FIRST(&w->queue)) != NULL && one->due <= now && !atomic_load(&p->link->hold[way])) {
        ssize_t done = send(p->fds[1 - way], one->bytes + one->sent, one->len - one->sent, MSG_NOSIGNAL);
        if (done < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (done < 0 || rng_below(&rng, 10000) < atomic_load(&p->link->breaks)) {
            pair_close(p);
            return;
        }
        one->sent += (size_t)done;
        if (one->sent < one->len)
            return;
        STAILQ_REMOVE_HEAD(&w->queue, entry);
        w->queued -= one->len;
        free(one);
    }
    if (w->ended && !w->shut && one == NULL && !atomic_load(&p->link->hold[way])) {
        w->shut = true;
        shutdown(p->fds[1 - way], SHUT_WR);
    }
    if (p->ways[0].shut && p->ways[1].shut)
        pair_close(p);
}

static int listen_at(const char *text)
{
    static const int yes = 1;
    struct sockaddr_in at = address_of(text);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    FAULT_CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 128) == 0,
                "can't listen at %s", text);
    return fd;
}

/* Which sockets are asked for what, and for how long. */
static int wait_for(const int *listeners, size_t count, struct pollfd *fds, int64_t now)
{
    int64_t timeout = IDLE_MS;
    nfds_t n = 0;
    for (size_t i = 0; i < count; i++)
        fds[n++] = (struct pollfd){.fd = listeners[i], .events = POLLIN};
    for (size_t i = 0; i < PAIRS_MAX; i++)
        for (int way = 0; way < WEATHER_WAYS; way++) {
            const struct pair *p = &pairs[i];
            const struct way *in = &p->ways[way], *out = &p->ways[1 - way];
            const struct piece *first = p->open ? STAILQ_FIRST(&in->queue) : NULL;
            if (first != NULL && !atomic_load(&p->link->hold[way]) && first->due - now < timeout)
                timeout = first->due > now ? first->due - now : 0;
            const struct piece *back = p->open ? STAILQ_FIRST(&out->queue) : NULL;
            bool writes = back != NULL && back->due <= now && !atomic_load(&p->link->hold[1 - way]);
            fds[n++] = (struct pollfd){.fd = p->open ? p->fds[way] : -1,
                                       .events = (short)((!in->ended && in->queued < QUEUE_MAX ? POLLIN : 0) |
                                                         (writes ? POLLOUT : 0))};
        }
    return poll(fds, n, (int)timeout);
}

static void cut(struct weather_link *links, size_t count, unsigned *seen)
{
    for (size_t i = 0; i < count; i++) {
        unsigned cuts = atomic_load(&links[i].cuts);
        for (size_t k = 0; cuts != seen[i] && k < PAIRS_MAX; k++)
            if (pairs[k].open && pairs[k].link == &links[i])
                pair_close(&pairs[k]);
        seen[i] = cuts;
    }
}

static _Noreturn void blow(struct weather_link *links, const int *listeners, size_t count)
{
    static struct pollfd fds[WEATHER_LINKS + WEATHER_WAYS * PAIRS_MAX];
    unsigned seen[WEATHER_LINKS] = {0};
    for (;;) {
        int64_t now = fault_now_ms();
        wait_for(listeners, count, fds, now);
        now = fault_now_ms();
        cut(links, count, seen);
        for (size_t i = 0; i < PAIRS_MAX; i++)
            for (int way = 0; way < WEATHER_WAYS; way++) {
                const struct pollfd *at = &fds[count + WEATHER_WAYS * i + (size_t)way];
                if (pairs[i].open && at->fd == pairs[i].fds[way] && (at->revents & ~POLLOUT) != 0)
                    way_read(&pairs[i], way, now);
                if (pairs[i].open)
                    way_write(&pairs[i], way, now);
            }
        for (size_t i = 0; i < count; i++)
            for (int fd; (fds[i].revents & POLLIN) != 0 &&
                         (fd = accept4(listeners[i], NULL, NULL, SOCK_CLOEXEC)) >= 0;)
                pair_open(&links[i], fd);
    }
}

struct weather_link *weather_new(void)
{
    struct weather_link *links =
        mmap(NULL, WEATHER_LINKS * sizeof *links, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FAULT_CHECK(links != MAP_FAILED, "no memory");
    return links;
}

void weather_start(struct weather_link *links, size_t count, uint64_t seed)
{
    int listeners[WEATHER_LINKS];
    pid_t parent = getpid();
    for (size_t i = 0; i < count; i++)
        listeners[i] = listen_at(links[i].listen);
    pid_t pid = fork();
    FAULT_CHECK(pid >= 0, "fork failed");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        signal(SIGPIPE, SIG_IGN);
        rng = (struct rng){seed};
        blow(links, listeners, count);
    }
    for (size_t i = 0; i < count; i++)
        close(listeners[i]);
}

void weather_calm(struct weather_link *link)
{
    atomic_store(&link->delay_ms, 0);
    atomic_store(&link->piece, 0);
    atomic_store(&link->breaks, 0);
    atomic_store(&link->hold[WEATHER_TO_NODE], false);
    atomic_store(&link->hold[WEATHER_FROM_NODE], false);
    atomic_store(&link->shut, false);
}

#include "discover/resolve.h"

#include "identity/descriptor.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TRIES = 2, TRY_MS = 1500, TARGETS = HS_DIAL_ADDRESSES };

struct target {
    char host[HS_DOMAIN_MAX + 1];
    unsigned priority, weight, port;
};

struct lookup {
    ares_channel channel;
    struct target targets[TARGETS];
    size_t count;
    size_t next; /* whose addresses are asked for */
    int status;
    bool done;
    struct hs_resolved *out;
    const atomic_bool *stop;
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* In its place by priority, and by weight among those of the same: RFC 2782 draws lots there, but a node
 * dials one after another anyway, and what it does is to be repeatable. */
static void add_target(struct lookup *l, const struct ares_srv_reply *srv)
{
    struct target t = {.priority = srv->priority, .weight = srv->weight, .port = srv->port};
    size_t at = l->count;
    if (!hs_domain_is_valid(hs_bytes_str(srv->host)) || srv->port == 0)
        return;
    (void)snprintf(t.host, sizeof t.host, "%s", srv->host);
    while (at > 0 && (l->targets[at - 1].priority > t.priority ||
                      (l->targets[at - 1].priority == t.priority && l->targets[at - 1].weight < t.weight)))
        at--;
    if (at >= TARGETS)
        return;
    size_t last = l->count < TARGETS ? l->count : TARGETS - 1;
    memmove(&l->targets[at + 1], &l->targets[at], (last - at) * sizeof t);
    l->targets[at] = t;
    l->count = last + 1;
}

static void on_srv(void *arg, int status, int timeouts, unsigned char *answer, int len)
{
    struct lookup *l = arg;
    struct ares_srv_reply *list = NULL;
    (void)timeouts;
    if (status == ARES_SUCCESS)
        status = ares_parse_srv_reply(answer, len, &list);
    for (const struct ares_srv_reply *srv = list; srv != NULL; srv = srv->next)
        add_target(l, srv);
    if (list != NULL)
        ares_free_data(list);
    l->status = status;
    l->done = true;
}

static void add_address(struct lookup *l, const struct sockaddr *address, unsigned port)
{
    char text[INET6_ADDRSTRLEN] = "";
    bool v6 = address->sa_family == AF_INET6;
    if (l->out->count == HS_DIAL_ADDRESSES)
        return;
    if (v6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, text,
                  sizeof text);
    else
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, text, sizeof text);
    (void)snprintf(l->out->addresses[l->out->count++], HS_ADDRESS_SIZE, v6 ? "[%s]:%u" : "%s:%u", text, port);
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *found)
{
    struct lookup *l = arg;
    (void)timeouts;
    if (status == ARES_SUCCESS)
        for (const struct ares_addrinfo_node *node = found->nodes; node != NULL; node = node->ai_next)
            if (node->ai_family == AF_INET || node->ai_family == AF_INET6)
                add_address(l, node->ai_addr, l->targets[l->next].port);
    if (found != NULL)
        ares_freeaddrinfo(found);
    l->done = true;
}

/* Until the question that was asked is answered, or the time is up. Not select(): a node has more files open.
 */
static void wait_for_answer(struct lookup *l, int64_t until)
{
    while (!l->done) {
        ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
        struct pollfd fds[ARES_GETSOCK_MAXNUM];
        nfds_t count = 0;
        int bits = ares_getsock(l->channel, sockets, ARES_GETSOCK_MAXNUM);
        for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
            bool reads = ARES_GETSOCK_READABLE(bits, i) != 0, writes = ARES_GETSOCK_WRITABLE(bits, i) != 0;
            if (reads || writes)
                fds[count++] = (struct pollfd){
                    .fd = sockets[i], .events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0))};
        }
        int64_t left = until - now_ms();
        if (left <= 0 || count == 0 || atomic_load(l->stop)) {
            ares_cancel(l->channel); /* answers all that is open */
            l->done = true;
            return;
        }
        (void)poll(fds, count, left < 100 ? (int)left : 100);
        for (nfds_t i = 0; i < count; i++)
            ares_process_fd(l->channel,
                            (fds[i].revents & (POLLIN | POLLERR | POLLHUP)) ? fds[i].fd : ARES_SOCKET_BAD,
                            (fds[i].revents & POLLOUT) ? fds[i].fd : ARES_SOCKET_BAD);
        ares_process_fd(l->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* its own timeouts */
    }
}

static enum hs_err ask(struct lookup *l, const char *domain)
{
    char name[HS_DOMAIN_MAX + 16];
    int64_t until = now_ms() + HS_RESOLVE_MS;
    struct ares_addrinfo_hints hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT};
    (void)snprintf(name, sizeof name, "_hanse._tcp.%s", domain);
    ares_query(l->channel, name, ns_c_in, ns_t_srv, on_srv, l);
    wait_for_answer(l, until);
    if (l->status == ARES_ENOTFOUND || l->status == ARES_ENODATA)
        return HS_ERR_NOT_FOUND;
    HS_REQUIRE(l->status == ARES_SUCCESS, now_ms() >= until ? HS_ERR_TIMEOUT : HS_ERR_UNREACHABLE);
    for (; l->next < l->count && now_ms() < until; l->next++) {
        l->done = false;
        ares_getaddrinfo(l->channel, l->targets[l->next].host, NULL, &hints, on_addresses, l);
        wait_for_answer(l, until);
    }
    return l->out->count > 0 ? HS_OK : HS_ERR_NOT_FOUND;
}

enum hs_err hs_resolve(const char *dns, const char *domain, const atomic_bool *stop, struct hs_resolved *out)
{
    struct ares_options options = {.timeout = TRY_MS, .tries = TRIES};
    struct lookup l = {.status = ARES_ETIMEOUT, .out = out, .stop = stop};
    *out = (struct hs_resolved){0};
    HS_REQUIRE(hs_domain_is_valid(hs_bytes_str(domain)), HS_ERR_INVALID_ARG);
    HS_REQUIRE(ares_init_options(&l.channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) == ARES_SUCCESS,
               HS_ERR_NOMEM);
    enum hs_err err = HS_OK;
    if (dns != NULL && ares_set_servers_ports_csv(l.channel, dns) != ARES_SUCCESS)
        err = HS_ERR_INVALID_ARG;
    if (err == HS_OK)
        err = ask(&l, domain);
    ares_destroy(l.channel);
    return err;
}

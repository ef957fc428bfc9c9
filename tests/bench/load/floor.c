/* What the bare system takes for a fan-out on this machine: a process that reads a sealed post, writes it to
 * a file and syncs that, and then seals and writes it to so many sockets, one after another; this one reads
 * and opens them. No protocol, no store, no group. */
#include "load.h"

#include "link/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POST = 300, SEALED = POST + HS_NOISE_TAG_LEN, EVENTS = 1024, NS_PER_S = 1000000000 };

/* One connection, as either side has it. */
struct wire {
    int fd;
    struct hs_channel channel;
};

struct floor {
    struct wire *near, *far, up_near, up_far; /* down to the members, and up from the poster */
    size_t count;
};

static void check(bool holds, const char *doing)
{
    if (!holds)
        load_fail("floor: %s: %s", doing, strerror(errno));
}

static void channel_make(struct hs_channel *near, struct hs_channel *far)
{
    struct hs_cipherstate cipher;
    struct hs_secret32 HS_SECRET key = {0};
    hs_cipherstate_init(&cipher, &key);
    hs_channel_init(near, &cipher);
    hs_channel_init(far, &cipher);
}

static void wire_make(int listener, struct wire *near, struct wire *far)
{
    struct sockaddr_in at;
    socklen_t len = sizeof at;
    near->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(near->fd >= 0 && getsockname(listener, (struct sockaddr *)&at, &len) == 0 &&
              connect(near->fd, (struct sockaddr *)&at, len) == 0,
          "connect");
    load_socket_set(near->fd);
    far->fd = accept(listener, NULL, NULL);
    check(far->fd >= 0, "accept");
    load_socket_set(far->fd);
    channel_make(&near->channel, &far->channel);
}

static void floor_make(struct floor *f, size_t count)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(listener >= 0 && bind(listener, (struct sockaddr *)&at, sizeof at) == 0 &&
              listen(listener, 16) == 0,
          "listen");
    *f = (struct floor){
        .near = calloc(count, sizeof *f->near), .far = calloc(count, sizeof *f->far), .count = count};
    check(f->near != NULL && f->far != NULL, "memory");
    for (size_t i = 0; i < count; i++)
        wire_make(listener, &f->near[i], &f->far[i]);
    wire_make(listener, &f->up_near, &f->up_far);
    close(listener);
}

static void floor_free(struct floor *f)
{
    for (size_t i = 0; i < f->count; i++)
        close(f->near[i].fd);
    close(f->up_near.fd);
    free(f->near);
    free(f->far);
}

/* The other process: until the poster goes. */
static _Noreturn void serve(struct floor *f)
{
    uint8_t sealed[SEALED], post[POST];
    char name[300];
    (void)snprintf(name, sizeof name, "%s/hanse-floor-XXXXXX", load_options.dir);
    int file = mkstemp(name);
    unlink(name);
    while (recv(f->up_far.fd, sealed, sizeof sealed, MSG_WAITALL) == SEALED) {
        LOAD_OK(hs_channel_open(&f->up_far.channel, hs_bytes(sealed, SEALED), post));
        check(write(file, post, POST) == POST && fdatasync(file) == 0, "sync");
        for (size_t i = 0; i < f->count; i++) {
            LOAD_OK(hs_channel_seal(&f->far[i].channel, hs_bytes(post, POST), sealed));
            check(write(f->far[i].fd, sealed, SEALED) == SEALED, "write");
        }
    }
    _exit(0);
}

static pid_t start(struct floor *f)
{
    pid_t pid = fork();
    check(pid >= 0, "fork");
    if (pid == 0) {
        for (size_t i = 0; i < f->count; i++)
            close(f->near[i].fd);
        close(f->up_near.fd);
        load_cores_like_node();
        serve(f);
    }
    for (size_t i = 0; i < f->count; i++)
        close(f->far[i].fd);
    close(f->up_far.fd);
    return pid;
}

static void take(struct wire *wire, uint64_t sent_ns, struct load_floor *out)
{
    uint8_t sealed[SEALED], post[POST];
    uint64_t read_ns, arrived_ns;
    ssize_t got = load_socket_read(wire->fd, sealed, sizeof sealed, &read_ns, &arrived_ns);
    check(got == SEALED, "read");
    LOAD_OK(hs_channel_open(&wire->channel, hs_bytes(sealed, SEALED), post));
    load_times_add(&out->times, read_ns - sent_ns, 1);
    load_times_add(&out->arrivals, arrived_ns - sent_ns, 1);
}

/* One post, until everybody has it. */
static void post(struct floor *f, int poll, struct load_floor *out)
{
    struct epoll_event events[EVENTS];
    uint8_t text[POST] = {0}, sealed[SEALED];
    uint64_t sent_ns = uv_hrtime();
    LOAD_OK(hs_channel_seal(&f->up_near.channel, hs_bytes(text, POST), sealed));
    check(write(f->up_near.fd, sealed, SEALED) == SEALED, "write");
    for (size_t left = f->count; left > 0;) {
        int n = epoll_wait(poll, events, EVENTS, -1);
        check(n > 0, "wait");
        for (int i = 0; i < n; i++)
            take(events[i].data.ptr, sent_ns, out);
        left -= (size_t)n;
    }
}

void load_floor(size_t members, double posts_per_second, double seconds, struct load_floor *out)
{
    struct floor f;
    int status, poll = epoll_create1(EPOLL_CLOEXEC);
    *out = (struct load_floor){0};
    floor_make(&f, members);
    pid_t pid = start(&f);
    for (size_t i = 0; i < members; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &f.near[i]};
        check(epoll_ctl(poll, EPOLL_CTL_ADD, f.near[i].fd, &event) == 0, "poll");
    }
    uint64_t begin = uv_hrtime();
    for (size_t i = 0; (double)i < posts_per_second * seconds; i++) {
        uint64_t due = begin + (uint64_t)((double)i / posts_per_second * NS_PER_S), now = uv_hrtime();
        if (now < due)
            usleep((unsigned)((due - now) / 1000));
        post(&f, poll, out);
    }
    close(poll);
    floor_free(&f);
    check(waitpid(pid, &status, 0) == pid && status == 0, "the other process");
}

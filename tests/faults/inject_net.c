/* Sockets that can't be had, break or take little, waiting that fails, threads that can't be made. */
#include "inject_ask.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_FAILS                                                                                           \
    FAIL_WITH(INJECT_READ, ECONNRESET)                                                                       \
    FAIL_WITH(INJECT_INTERRUPT, EINTR)

#define WRITE_FAILS                                                                                          \
    FAIL_WITH(INJECT_WRITE, EPIPE)                                                                           \
    FAIL_WITH(INJECT_INTERRUPT, EINTR)

#define FILE_FAILS                                                                                           \
    FAIL_WITH(INJECT_FILE_WRITE, EIO)                                                                        \
    FAIL_WITH(INJECT_FILE_FULL, ENOSPC)

EXPORT ssize_t read(int fd, void *bytes, size_t len)
{
    if (inject_is_socket(fd)) {
        READ_FAILS
    } else if (inject_is_file(fd)) {
        FAIL_WITH(INJECT_FILE_READ, EIO)
    }
    return syscall(SYS_read, fd, bytes, len);
}

EXPORT ssize_t write(int fd, const void *bytes, size_t len)
{
    if (inject_is_file(fd)) {
        FILE_FAILS
    } else if (inject_is_socket(fd)) {
        WRITE_FAILS
        if (len > 1 && inject_fails(INJECT_SHORT))
            len = 1;
    }
    return syscall(SYS_write, fd, bytes, len);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (inject_is_file(fd)) {
        FILE_FAILS
    } else if (inject_is_socket(fd)) {
        WRITE_FAILS
        if (count > 0 && parts[0].iov_len > 0 && inject_fails(INJECT_SHORT))
            return syscall(SYS_write, fd, parts[0].iov_base, 1);
    }
    return syscall(SYS_writev, fd, parts, count);
}

EXPORT ssize_t recvfrom(int fd, void *bytes, size_t len, int flags, __SOCKADDR_ARG from, socklen_t *from_len)
{
    READ_FAILS
    return syscall(SYS_recvfrom, fd, bytes, len, flags, from.__sockaddr__, from_len);
}

EXPORT ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
    READ_FAILS
    return syscall(SYS_recvfrom, fd, bytes, len, flags, NULL, NULL);
}

EXPORT ssize_t sendto(int fd, const void *bytes, size_t len, int flags, __CONST_SOCKADDR_ARG to,
                      socklen_t to_len)
{
    WRITE_FAILS
    if (len > 1 && inject_fails(INJECT_SHORT))
        len = 1;
    return syscall(SYS_sendto, fd, bytes, len, flags, to.__sockaddr__, to_len);
}

EXPORT ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    WRITE_FAILS
    if (len > 1 && inject_fails(INJECT_SHORT))
        len = 1;
    return syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    WRITE_FAILS
    return syscall(SYS_sendmsg, fd, message, flags);
}

EXPORT int accept4(int fd, __SOCKADDR_ARG address, socklen_t *len, int flags)
{
    FAIL_WITH(INJECT_ACCEPT, EMFILE)
    return (int)syscall(SYS_accept4, fd, address.__sockaddr__, len, flags);
}

/* So that copies of what stands at one address are all at addresses of their own. */
static const void *own_address(const void *address, socklen_t len, struct sockaddr_in *own)
{
    unsigned host = inject_table() != NULL ? atomic_load(&inject_table()->host) : 0;
    if (host == 0 || len != sizeof *own)
        return address;
    memcpy(own, address, sizeof *own);
    if (own->sin_family != AF_INET || ntohl(own->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
        return address;
    own->sin_addr.s_addr = host;
    return own;
}

EXPORT int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t len)
{
    struct sockaddr_in own;
    FAIL_WITH(INJECT_CONNECT, ENETUNREACH)
    return (int)syscall(SYS_connect, fd, own_address(address.__sockaddr__, len, &own), len);
}

EXPORT int socket(int domain, int type, int protocol)
{
    FAIL_WITH(INJECT_SOCKET, EMFILE)
    return (int)syscall(SYS_socket, domain, type, protocol);
}

EXPORT int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t len)
{
    struct sockaddr_in own;
    FAIL_WITH(INJECT_SOCKET, EADDRINUSE)
    return (int)syscall(SYS_bind, fd, own_address(address.__sockaddr__, len, &own), len);
}

EXPORT int listen(int fd, int backlog)
{
    FAIL_WITH(INJECT_SOCKET, EADDRINUSE)
    return (int)syscall(SYS_listen, fd, backlog);
}

EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
    FAIL_WITH(INJECT_SOCKET, EMFILE)
    return (int)syscall(SYS_socketpair, domain, type, protocol, fds);
}

EXPORT int pipe2(int fds[2], int flags)
{
    FAIL_WITH(INJECT_SOCKET, EMFILE)
    return (int)syscall(SYS_pipe2, fds, flags);
}

/* ---- waiting ---- */

EXPORT int epoll_create1(int flags)
{
    FAIL_WITH(INJECT_WATCH, ENOMEM)
    return (int)syscall(SYS_epoll_create1, flags);
}

EXPORT int epoll_ctl(int fd, int what, int watched, struct epoll_event *event)
{
    FAIL_WITH(INJECT_WATCH, ENOMEM)
    return (int)syscall(SYS_epoll_ctl, fd, what, watched, event);
}

EXPORT int eventfd(unsigned count, int flags)
{
    FAIL_WITH(INJECT_WATCH, ENOMEM)
    return (int)syscall(SYS_eventfd2, count, flags);
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
    FAIL_WITH(INJECT_INTERRUPT, EINTR)
    return (int)syscall(SYS_epoll_wait, fd, events, count, timeout);
}

EXPORT int epoll_pwait(int fd, struct epoll_event *events, int count, int timeout, const sigset_t *set)
{
    FAIL_WITH(INJECT_INTERRUPT, EINTR)
    return (int)syscall(SYS_epoll_pwait, fd, events, count, timeout, set, 8);
}

EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    FAIL_WITH(INJECT_INTERRUPT, EINTR)
    FAIL_WITH(INJECT_WATCH, ENOMEM)
    return (int)syscall(SYS_poll, fds, count, timeout);
}

EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size);
EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size)
{
    if (size / sizeof *fds < count)
        abort();
    return poll(fds, count, timeout);
}

/* ---- others ---- */

EXPORT ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
    FAIL_WITH(INJECT_RANDOM, EIO)
    return syscall(SYS_getrandom, bytes, len, flags);
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (inject_fails(INJECT_THREAD))
        return EAGAIN;
    if (real == NULL)
        inject_next("pthread_create", &real);
    return real(thread, attributes, run, arg);
}

#include "sweep_ask.h"

#include "fault.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_SIZE = 65536, BACKLOG = 64, DNS_SIZE = 512, HEAD = 12 };

/* ---- who asks ---- */

static int dial(const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    char host[32];
    unsigned short port;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FAULT_CHECK(fd >= 0 && sscanf(address, "%31[0-9.]:%hu", host, &port) == 2 &&
                    inet_pton(AF_INET, host, &to.sin_addr) == 1,
                "%s can't be asked", address);
    to.sin_port = htons(port);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    close(fd);
    return -1;
}

static enum hs_err hear(int fd, char out[static ANSWER_SIZE], int patience_ms)
{
    size_t len = 0;
    int64_t end = fault_now_ms() + patience_ms;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left = end - fault_now_ms();
        if (left <= 0 || poll(&ready, 1, (int)left) != 1)
            return HS_ERR_TIMEOUT;
        ssize_t got = read(fd, out + len, ANSWER_SIZE - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    out[len] = '\0';
    return HS_OK;
}

static enum hs_err judge(const char *answer, const char *text)
{
    const char *length = strstr(answer, "Content-Length: "), *body = strstr(answer, "\r\n\r\n");
    if (body == NULL || length == NULL || length > body)
        return HS_ERR_CLOSED;
    if (strtoul(length + strlen("Content-Length: "), NULL, 10) != strlen(body + 4))
        return HS_ERR_CLOSED;
    if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0)
        return HS_ERR_DENIED;
    return strstr(body + 4, text) != NULL ? HS_OK : HS_ERR_INVALID_STATE;
}

enum hs_err sweep_get(const char *address, const char *path, const char *text, int patience_ms)
{
    static char answer[ANSWER_SIZE];
    char request[256];
    int fd = dial(address);
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    enum hs_err err = fd < 0 ? HS_ERR_UNREACHABLE : HS_OK;
    if (err == HS_OK && send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
        err = HS_ERR_CLOSED;
    if (err == HS_OK)
        err = hear(fd, answer, patience_ms);
    if (fd >= 0)
        close(fd);
    return err == HS_OK ? judge(answer, text) : err;
}

enum hs_err sweep_ask_operator(const char *dir, int patience_ms)
{
    static const char request[] = "{\"command\":\"status\"}\n";
    static char answer[ANSWER_SIZE];
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(to.sun_path, sizeof to.sun_path, "%s/control.sock", dir);
    FAULT_CHECK(fd >= 0, "nothing to ask with");
    enum hs_err err = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? HS_OK : HS_ERR_UNREACHABLE;
    if (err == HS_OK && send(fd, request, sizeof request - 1, MSG_NOSIGNAL) != sizeof request - 1)
        err = HS_ERR_CLOSED;
    if (err == HS_OK)
        err = hear(fd, answer, patience_ms);
    close(fd);
    if (err != HS_OK)
        return err;
    if (answer[0] == '\0' || answer[strlen(answer) - 1] != '\n')
        return HS_ERR_CLOSED;
    return strstr(answer, "\"ok\":true") != NULL ? HS_OK : HS_ERR_DENIED;
}

/* ---- who answers ---- */

static int bound(int type, char address[static 64])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    FAULT_CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
                    getsockname(fd, (struct sockaddr *)&at, &len) == 0,
                "nothing to answer at");
    snprintf(address, 64, "127.0.0.1:%u", ntohs(at.sin_port));
    return fd;
}

/* The resource record of a question's name: type, class IN, a minute, and its bytes. */
static size_t put_record(uint8_t *out, uint8_t type, const uint8_t *data, size_t len)
{
    const uint8_t head[] = {0xc0, HEAD, 0, type, 0, 1, 0, 0, 0, 60, 0, (uint8_t)len};
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, data, len);
    return sizeof head + len;
}

static void answer_dns(int fd)
{
    static const uint8_t srv[] = {0,   0,   0,   0,   7700 >> 8, 7700 & 0xff, 4,   'n', 'o',
                                  'd', 'e', 5,   't', 'h',       'e',         'r', 'e', 7,
                                  'e', 'x', 'a', 'm', 'p',       'l',         'e', 0};
    static const uint8_t host[] = {127, 0, 0, 9};
    uint8_t packet[DNS_SIZE + 128];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    ssize_t got = recvfrom(fd, packet, DNS_SIZE, 0, (struct sockaddr *)&from, &from_len);
    if (got < HEAD + 6)
        return;
    size_t end = HEAD;
    while (end < (size_t)got && packet[end] != 0)
        end += 1u + packet[end];
    end += 5; /* behind the question's type and class */
    if (end > (size_t)got)
        return;
    uint8_t type = packet[end - 3];
    bool known = type == 33 || type == 1;
    const uint8_t flags[] = {0x84, 0, 0, 1, 0, known ? 1 : 0, 0, 0, 0, 0};
    memcpy(packet + 2, flags, sizeof flags);
    if (type == 33)
        end += put_record(packet + end, 33, srv, sizeof srv);
    else if (type == 1)
        end += put_record(packet + end, 1, host, sizeof host);
    (void)!sendto(fd, packet, end, 0, (struct sockaddr *)&from, from_len);
}

static void answer_http(int listener)
{
    char request[2048];
    int fd = accept(listener, NULL, NULL);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ssize_t got = fd >= 0 && poll(&ready, 1, 2000) == 1 ? read(fd, request, sizeof request - 1) : 0;
    if (got > 0) {
        char answer[256];
        request[got] = '\0';
        const char *host = strstr(request, " http://"), *line = strchr(request, '\r');
        bool proxy = host != NULL && line != NULL && host < line; /* nobody is to ask through us */
        const char *text = proxy ? "a proxy's" : request[0] == 'P' ? "" : SWEEP_PAGE;
        int len = snprintf(answer, sizeof answer,
                           "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                           text[0] == '\0' ? "204 No Content" : "200 OK", strlen(text), text);
        (void)!send(fd, answer, (size_t)len, MSG_NOSIGNAL);
    }
    if (fd >= 0)
        close(fd);
}

void sweep_answers_start(struct sweep_answers *out)
{
    int dns = bound(SOCK_DGRAM, out->dns), http = bound(SOCK_STREAM, out->http);
    FAULT_CHECK(listen(http, BACKLOG) == 0, "nothing to answer at");
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    FAULT_CHECK(pid >= 0, "fork failed");
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (struct pollfd fds[] = {{.fd = dns, .events = POLLIN}, {.fd = http, .events = POLLIN}};
             getppid() == parent;) {
            if (poll(fds, 2, 1000) <= 0)
                continue;
            if (fds[0].revents != 0)
                answer_dns(dns);
            if (fds[1].revents != 0)
                answer_http(http);
        }
        _exit(0);
    }
    close(dns);
    close(http);
}

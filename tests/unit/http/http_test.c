/* The HTTP server with real sockets. NODE-53, NODE-54 */
#include "support/test.h"

#include "http/http.h"
#include "net/address.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ANSWER_SIZE = 4096, PATIENCE_MS = 10000 };

static const char body_text[] = "hanse_sessions 3\n";

static enum hs_err render_text(void *arg, struct hs_writer *out)
{
    (void)arg;
    hs_write_bytes(out, hs_bytes_str(body_text));
    return HS_OK;
}

static enum hs_err render_error(void *arg, struct hs_writer *out)
{
    hs_write_bytes(out, hs_bytes_str("half of it"));
    return *(enum hs_err *)arg;
}

static enum hs_err render_too_much(void *arg, struct hs_writer *out)
{
    (void)arg;
    (void)hs_writer_reserve(out, HS_HTTP_BODY_MAX + 1);
    return HS_OK;
}

static enum hs_err render_most(void *arg, struct hs_writer *out)
{
    (void)arg;
    uint8_t *most = hs_writer_reserve(out, HS_HTTP_BODY_MAX);
    memset(most, 'x', HS_HTTP_BODY_MAX);
    return HS_OK;
}

static enum hs_err busy = HS_ERR_BUSY, missing = HS_ERR_NOT_FOUND, broken = HS_ERR_INVALID_STATE;

static const struct hs_http_page pages[] = {
    {"/metrics", "text/plain; version=0.0.4", render_text, NULL},
    {"/busy", "text/plain", render_error, &busy},
    {"/missing", "text/plain", render_error, &missing},
    {"/broken", "text/plain", render_error, &broken},
    {"/too-much", "text/plain", render_too_much, NULL},
    {"/most", "text/plain", render_most, NULL},
};

static int dial(const struct hs_http *http)
{
    struct sockaddr_storage address;
    assert_ok(hs_address_parse(hs_http_address(http), &address));
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(
        connect(fd, (struct sockaddr *)&address,
                address.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)),
        0);
    return fd;
}

/* What comes until the end of the stream, cut at size; false where it doesn't end in time. */
static bool hear(int fd, char *out, size_t size, size_t *total)
{
    *total = 0;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        char part[65536];
        if (poll(&ready, 1, PATIENCE_MS) != 1)
            return false;
        ssize_t got = read(fd, part, sizeof part);
        if (got <= 0)
            break;
        if (*total + 1 < size) {
            size_t space = size - 1 - *total, take = (size_t)got < space ? (size_t)got : space;
            memcpy(out + *total, part, take);
            out[*total + take] = '\0';
        }
        *total += (size_t)got;
    }
    if (*total == 0)
        out[0] = '\0';
    return true;
}

static void ask(const struct hs_http *http, const char *request, char out[static ANSWER_SIZE])
{
    size_t total;
    int fd = dial(http);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    assert_true(hear(fd, out, ANSWER_SIZE, &total));
    close(fd);
}

static int status_of(const char *answer)
{
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}

static int setup(void **state)
{
    struct hs_http *http = NULL;
    assert_ok(hs_http_start("127.0.0.1:0", pages, sizeof pages / sizeof *pages, &http));
    *state = http;
    return 0;
}

static int teardown(void **state)
{
    hs_http_stop(*state);
    return 0;
}

static void a_page_is_shown(void **state)
{
    char answer[ANSWER_SIZE];
    ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer);
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "\r\n\r\nhanse_sessions 3\n"));
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4\r\n"));
    assert_non_null(strstr(answer, "X-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(answer, "Content-Security-Policy: default-src 'none';"));
    assert_non_null(strstr(answer, "Cache-Control: no-store\r\n"));
    assert_non_null(strstr(answer, "Referrer-Policy: no-referrer\r\n"));
    assert_non_null(strstr(answer, "Connection: close\r\n"));
    ask(*state, "GET /metrics?x=/busy HTTP/1.1\r\nHost: x\r\n\r\n", answer);
    assert_int_equal(status_of(answer), 200);
}

static void head_has_no_body(void **state)
{
    char answer[ANSWER_SIZE], length[64];
    ask(*state, "HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer);
    snprintf(length, sizeof length, "Content-Length: %zu\r\n", sizeof body_text - 1);
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, length));
    assert_null(strstr(answer, body_text));
}

static void other_requests_are_refused(void **state)
{
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404},
        {"GET /metrics/ HTTP/1.1\r\nHost: x\r\n\r\n", 404},
        {"GET //metrics HTTP/1.1\r\nHost: x\r\n\r\n", 404},
        {"GET /../metrics HTTP/1.1\r\nHost: x\r\n\r\n", 404},
        {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n", 405},
        {"PUT /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 405},
        {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 405},
        {"get /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405},
        {"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n", 503},
        {"GET /missing HTTP/1.1\r\nHost: x\r\n\r\n", 404},
        {"GET /broken HTTP/1.1\r\nHost: x\r\n\r\n", 500},
        {"GET /too-much HTTP/1.1\r\nHost: x\r\n\r\n", 500},
    };
    char answer[ANSWER_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ask(*state, rows[i].request, answer);
        if (status_of(answer) != rows[i].status)
            fail_msg("%s -> %d, expected %d", rows[i].request, status_of(answer), rows[i].status);
        assert_null(strstr(answer, "half of it"));
        if (rows[i].status == 405)
            assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
    }
}

/* A request's headers fit, or are refused; an answer of the most that is allowed arrives whole. */
static void sizes_are_bounded(void **state)
{
    static char request[2 * HS_HTTP_MEMORY], answer[ANSWER_SIZE];
    size_t total;
    for (int fits = 0; fits < 2; fits++) {
        int len = snprintf(request, sizeof request, "GET /metrics HTTP/1.1\r\nHost: x\r\nX: %0*d\r\n\r\n",
                           fits ? HS_HTTP_MEMORY / 2 : HS_HTTP_MEMORY, 0);
        int fd = dial(*state);
        assert_int_equal(write(fd, request, (size_t)len), len);
        assert_true(hear(fd, answer, sizeof answer, &total));
        close(fd);
        if (fits)
            assert_int_equal(status_of(answer), 200);
        else
            assert_int_not_equal(status_of(answer), 200);
    }
    int fd = dial(*state);
    assert_true(write(fd, "GET /most HTTP/1.0\r\n\r\n", 22) == 22);
    assert_true(hear(fd, answer, sizeof answer, &total));
    close(fd);
    assert_in_range(total, HS_HTTP_BODY_MAX + 100, HS_HTTP_BODY_MAX + 2000);
}

/* Past the limit a connection is closed unheard; those that are there go on. */
static void connections_are_bounded(void **state)
{
    char answer[ANSWER_SIZE];
    size_t total;
    int fds[HS_HTTP_CONNECTIONS];
    for (size_t i = 0; i < HS_HTTP_CONNECTIONS; i++) {
        fds[i] = dial(*state);
        assert_int_equal(write(fds[i], "GET /metr", 9), 9); /* taken in order, so all are before the next */
    }
    int one_more = dial(*state);
    assert_true(hear(one_more, answer, sizeof answer, &total));
    assert_int_equal(total, 0);
    close(one_more);
    for (size_t i = 0; i < HS_HTTP_CONNECTIONS; i++) {
        static const char rest[] = "ics HTTP/1.1\r\nHost: x\r\n\r\n";
        assert_int_equal(write(fds[i], rest, sizeof rest - 1), sizeof rest - 1);
        assert_true(hear(fds[i], answer, sizeof answer, &total));
        assert_int_equal(status_of(answer), 200);
        close(fds[i]);
    }
    ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer);
    assert_int_equal(status_of(answer), 200);
}

static void listens_where_it_is_told(void **state)
{
    struct hs_http *http = NULL;
    char answer[ANSWER_SIZE];
    assert_err(hs_http_start("localhost:80", pages, 1, &http), HS_ERR_INVALID_ARG);
    assert_err(hs_http_start("127.0.0.1", pages, 1, &http), HS_ERR_INVALID_ARG);
    assert_err(hs_http_start("127.0.0.1:0", pages, HS_HTTP_PAGES + 1, &http), HS_ERR_INVALID_ARG);
    assert_err(hs_http_start(hs_http_address(*state), pages, 1, &http), HS_ERR_IO);
    if (hs_http_start("[::1]:0", pages, 1, &http) == HS_OK) { /* where the machine has IPv6 */
        ask(http, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", answer);
        assert_int_equal(status_of(answer), 200);
        hs_http_stop(http);
    }
    hs_http_stop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_page_is_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(head_has_no_body, setup, teardown),
        cmocka_unit_test_setup_teardown(other_requests_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(connections_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(listens_where_it_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

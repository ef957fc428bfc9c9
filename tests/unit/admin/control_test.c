/* The operator's socket, with a stand-in for the core that says back what it is asked. NODE-55, NODE-56 */
#include "net/bench.h"

#include "admin/ask.h"
#include "admin/control.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

struct scene {
    struct bench bench;
    struct hs_control *control;
    struct hs_control_node node;
    uint64_t later; /* who is to be answered by finish_later() */
    uv_async_t finish;
};

static struct scene *scene; /* one at a time: for callbacks of the loop */

static enum hs_err ask_status(const struct hs_control_call *call, struct hs_arena *arena,
                              Hanse__State__AdminRequest *out)
{
    (void)call;
    out->status = hs_arena_alloc(arena, sizeof *out->status);
    hanse__state__admin_ask_status__init(out->status);
    out->body_case = HANSE__STATE__ADMIN_REQUEST__BODY_STATUS;
    return HS_OK;
}

static enum hs_err answer_echo(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    json_object_set(call->answer, "text", json_object_get(call->request, "text"));
    json_object_set_new(call->answer, "core", json_boolean(facts != NULL && facts->status != NULL));
    return HS_OK;
}

static enum hs_err answer_no(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    (void)facts;
    if (json_is_true(json_object_get(call->request, "why")))
        hs_control_say(call, "for this reason");
    return HS_ERR_DENIED;
}

static enum hs_err answer_later(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    (void)facts;
    call->later = true;
    scene->later = call->asker;
    uv_async_send(&scene->finish);
    return HS_OK;
}

static enum hs_err answer_much(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    (void)facts;
    static char text[1 << 20];
    memset(text, 'x', sizeof text - 1);
    json_object_set_new(call->answer, "text", json_string(text));
    return HS_OK;
}

static void finish_later(uv_async_t *async)
{
    (void)async;
    hs_control_finish(scene->control, scene->later + HS_CONTROL_CALLERS, HS_OK, json_object(), NULL);
    hs_control_finish(scene->control, scene->later, HS_OK, json_pack("{s:s}", "text", "at last"), NULL);
    hs_control_finish(scene->control, scene->later, HS_ERR_BUSY, NULL, "twice");
}

static const struct hs_control_command commands[] = {
    {"echo", ask_status, answer_echo}, {"local", NULL, answer_echo}, {"no", NULL, answer_no},
    {"later", NULL, answer_later},     {"much", NULL, answer_much},
};

static void before_run(struct bench *b)
{
    scene->node.net = b->net;
    assert_int_equal(uv_async_init(hs_net_loop(b->net), &scene->finish, finish_later), 0);
    assert_ok(hs_control_listen(scene->control));
}

static int setup(void **state)
{
    scene = calloc(1, sizeof *scene);
    bench_init(&scene->bench);
    assert_ok(hs_control_new(scene->bench.dir, commands, sizeof commands / sizeof *commands, &scene->node,
                             &scene->control));
    scene->bench.admin = hs_control_answered;
    scene->bench.admin_arg = scene->control;
    scene->bench.before_run = before_run;
    bench_start(&scene->bench);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_stop(&scene->bench);
    hs_control_free(scene->control);
    bench_free(&scene->bench);
    free(scene);
    return 0;
}

static enum hs_err ask(const char *text, json_t **answer)
{
    json_t *request = json_loads(text, 0, NULL);
    enum hs_err err = hs_ask(scene->bench.dir, request, answer);
    json_decref(request);
    return err;
}

static int dial(void)
{
    struct sockaddr_un address;
    assert_ok(hs_control_address(scene->bench.dir, &address));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* The error of the answer to these bytes; "" where it closes without one. */
static const char *error_of(const void *bytes, size_t len)
{
    static char line[2 * HS_CONTROL_REQUEST_MAX];
    size_t got = 0;
    int fd = dial();
    assert_true(send(fd, bytes, len, MSG_NOSIGNAL) > 0);
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        ssize_t part = read(fd, line + got, sizeof line - 1 - got);
        if (part <= 0)
            break;
        got += (size_t)part;
    }
    close(fd);
    line[got] = '\0';
    static char error[64];
    json_t *answer = json_loads(line, 0, NULL);
    assert_true(got == 0 || (answer != NULL && line[got - 1] == '\n'));
    snprintf(error, sizeof error, "%s", hs_ask_text(answer, "error"));
    if (got > 0)
        assert_int_equal(hs_ask_flag(answer, "ok"), error[0] == '\0');
    json_decref(answer);
    return error;
}

static void questions_are_answered(void **state)
{
    (void)state;
    json_t *answer = NULL;
    assert_ok(ask("{\"command\":\"echo\",\"text\":\"Grüße\"}", &answer));
    assert_true(hs_ask_flag(answer, "ok"));
    assert_true(hs_ask_flag(answer, "core"));
    assert_string_equal(hs_ask_text(answer, "text"), "Grüße");
    json_decref(answer);
    assert_ok(ask("{\"command\":\"local\",\"text\":\"x\"}", &answer));
    assert_false(hs_ask_flag(answer, "core"));
    json_decref(answer);
    assert_ok(ask("{\"command\":\"much\"}", &answer));
    assert_int_equal(strlen(hs_ask_text(answer, "text")), (1 << 20) - 1);
    json_decref(answer);
    assert_ok(ask("{\"command\":\"later\"}", &answer));
    assert_string_equal(hs_ask_text(answer, "text"), "at last");
    json_decref(answer);
    assert_ok(ask("{\"command\":\"no\",\"why\":true}", &answer));
    assert_false(hs_ask_flag(answer, "ok"));
    assert_string_equal(hs_ask_text(answer, "text"), "for this reason");
    json_decref(answer);
}

static void other_requests_are_refused(void **state)
{
    static const struct {
        const char *line, *error;
    } rows[] = {
        {"{\"command\":\"no\"}\n", "DENIED"},
        {"{\"command\":\"other\"}\n", "UNSUPPORTED"},
        {"{\"command\":7}\n", "UNSUPPORTED"},
        {"{}\n", "UNSUPPORTED"},
        {"[]\n", "MALFORMED"},
        {"\n", "MALFORMED"},
        {"{\"command\":\"echo\"\n", "MALFORMED"},
        {"{\"command\":\"local\",\"command\":1}\n", "MALFORMED"},
        {"\xff\xfe\n", "MALFORMED"},
        {"{\"command\":\"local\"}\n{\"command\":\"no\"}\n", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(error_of(rows[i].line, strlen(rows[i].line)), rows[i].error);
}

/* A request at the limit is read; one byte more is too large. */
static void requests_are_bounded(void **state)
{
    static const char head[] = "{\"command\":\"local\",\"text\":\"", tail[] = "\"}";
    char line[HS_CONTROL_REQUEST_MAX + 2];
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        size_t len = HS_CONTROL_REQUEST_MAX + extra;
        memset(line, 'x', sizeof line);
        memcpy(line, head, sizeof head - 1);
        memcpy(line + len - (sizeof tail - 1), tail, sizeof tail - 1);
        line[len] = '\n';
        assert_string_equal(error_of(line, len + 1), extra == 0 ? "" : "TOO_LARGE");
    }
}

/* Those who say nothing hold every place; whoever comes waits until one of them is gone. */
static void places_are_bounded(void **state)
{
    (void)state;
    int fds[HS_CONTROL_CALLERS];
    json_t *answer = NULL;
    for (size_t i = 0; i < HS_CONTROL_CALLERS; i++)
        fds[i] = dial();
    int waits = dial();
    static const char line[] = "{\"command\":\"local\"}\n";
    assert_int_equal(send(waits, line, sizeof line - 1, MSG_NOSIGNAL), sizeof line - 1);
    struct pollfd ready = {.fd = waits, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 100), 0);
    close(fds[0]);
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    close(waits);
    for (size_t i = 1; i < HS_CONTROL_CALLERS; i++)
        close(fds[i]);
    assert_ok(ask("{\"command\":\"local\"}", &answer));
    json_decref(answer);
}

/* A caller that is gone before its answer does no harm; nor does the end of the node. */
static void callers_may_go(void **state)
{
    (void)state;
    json_t *answer = NULL;
    static const char line[] = "{\"command\":\"echo\"}\n";
    for (int i = 0; i < 100; i++) {
        int fd = dial();
        assert_int_equal(send(fd, line, sizeof line - 1, MSG_NOSIGNAL), sizeof line - 1);
        close(fd);
    }
    assert_ok(ask("{\"command\":\"echo\"}", &answer));
    json_decref(answer);
    int fd = dial();
    assert_int_equal(send(fd, line, 5, MSG_NOSIGNAL), 5);
    bench_stop(&scene->bench);
    close(fd);
    assert_err(ask("{\"command\":\"echo\"}", &answer), HS_ERR_UNREACHABLE);
}

static void the_socket_is_private(void **state)
{
    (void)state;
    struct sockaddr_un address;
    struct stat info;
    char longer[200];
    assert_ok(hs_control_address(scene->bench.dir, &address));
    assert_int_equal(stat(address.sun_path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_true(S_ISSOCK(info.st_mode));
    memset(longer, 'x', sizeof longer);
    longer[sizeof address.sun_path - sizeof "/control.sock"] = '\0';
    assert_ok(hs_control_address(longer, &address));
    longer[sizeof address.sun_path - sizeof "/control.sock"] = 'x';
    longer[sizeof address.sun_path - sizeof "/control.sock" + 1] = '\0';
    assert_err(hs_control_address(longer, &address), HS_ERR_INVALID_ARG);
}

/* Another user is hung up on, where this test may become one. */
static void other_users_are_not_heard(void **state)
{
    (void)state;
    struct sockaddr_un address;
    if (geteuid() != 0)
        skip();
    assert_ok(hs_control_address(scene->bench.dir, &address));
    assert_int_equal(chmod(scene->bench.dir, 0755), 0);
    assert_int_equal(chmod(address.sun_path, 0666), 0);
    assert_int_equal(seteuid(65534), 0);
    int fd = dial();
    assert_int_equal(seteuid(0), 0);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char byte;
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_true(read(fd, &byte, 1) <= 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(questions_are_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(other_requests_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(requests_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(places_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(callers_may_go, setup, teardown),
        cmocka_unit_test_setup_teardown(the_socket_is_private, setup, teardown),
        cmocka_unit_test_setup_teardown(other_users_are_not_heard, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

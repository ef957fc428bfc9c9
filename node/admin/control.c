#include "admin/control.h"

#include "admin/json.h"

#include "wire/unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { SWEEP_MS = 500, FACTS_CAP = 64 * 1024 * 1024, BACKLOG = 16 };

enum caller_state {
    CALLER_FREE,
    CALLER_ASKING,  /* its line isn't whole yet */
    CALLER_WAITING, /* for the answer */
    CALLER_TAKING,  /* the answer is being written */
    CALLER_CLOSING,
};

struct caller {
    uv_pipe_t pipe;
    uv_write_t write;
    enum caller_state state;
    uint64_t since; /* of this state */
    struct hs_control *control;
    const struct hs_control_command *command;
    struct hs_control_call call;
    char why[HS_CONFIG_WHY]; /* the sentence for an error; empty: the error's own */
    size_t len;
    char line[HS_CONTROL_REQUEST_MAX + 1];
    char *answer;
};

struct hs_control {
    const struct hs_control_command *commands;
    size_t count;
    struct hs_control_node *node;
    struct sockaddr_un address;
    uv_pipe_t listener;
    uv_timer_t sweep;
    uint64_t asked;
    bool waiting; /* a connection, for a place */
    bool deaf;    /* the listener is closed, until the next sweep */
    struct caller callers[HS_CONTROL_CALLERS];
};

static void set_state(struct caller *caller, enum caller_state state)
{
    caller->state = state;
    caller->since = uv_now(caller->pipe.loop);
}

static void caller_release(struct caller *caller)
{
    json_decref(caller->call.request);
    json_decref(caller->call.answer);
    free(caller->answer);
    caller->call = (struct hs_control_call){0};
    caller->answer = NULL;
    caller->state = CALLER_FREE;
}

static void take_waiting(struct hs_control *control);

static void on_closed(uv_handle_t *handle)
{
    struct caller *caller = handle->data;
    caller_release(caller);
    if (caller->control->waiting)
        take_waiting(caller->control);
}

static void caller_close(struct caller *caller)
{
    if (caller->state == CALLER_CLOSING || uv_is_closing((uv_handle_t *)&caller->pipe))
        return;
    set_state(caller, CALLER_CLOSING);
    uv_close((uv_handle_t *)&caller->pipe, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    caller_close(request->handle->data);
}

/* Says answer, or why there is none, and hangs up. */
static void caller_tell(struct caller *caller, enum hs_err err, json_t *answer)
{
    if (err == HS_OK && hs_json_is_scarce())
        err = HS_ERR_NOMEM; /* rows are missing, or letters */
    json_t *told = err == HS_OK ? json_incref(answer) : json_object();
    (void)json_object_set_new(told, "ok", json_boolean(err == HS_OK));
    if (err != HS_OK) {
        (void)json_object_set_new(told, "error", json_string(hs_err_name(err)));
        (void)json_object_set_new(told, "text",
                                  json_string(caller->why[0] != '\0' ? caller->why : hs_err_text(err)));
    }
    caller->answer = json_dumps(told, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(told);
    size_t len = caller->answer != NULL ? strlen(caller->answer) : 0;
    if (len == 0) {
        caller_close(caller);
        return;
    }
    caller->answer[len] = '\n'; /* in the place of its NUL */
    uv_buf_t buf = uv_buf_init(caller->answer, (unsigned)len + 1);
    set_state(caller, CALLER_TAKING);
    if (uv_write(&caller->write, (uv_stream_t *)&caller->pipe, &buf, 1, on_written) != 0)
        caller_close(caller);
}

static void caller_answer(struct caller *caller, const Hanse__State__AdminAnswer *facts)
{
    hs_json_begin();
    enum hs_err err = caller->command->answer(&caller->call, facts);
    if (!caller->call.later || err != HS_OK)
        caller_tell(caller, err, caller->call.answer);
}

static const struct hs_control_command *find_command(const struct hs_control *control, const char *name)
{
    for (size_t i = 0; name != NULL && i < control->count; i++)
        if (strcmp(control->commands[i].name, name) == 0)
            return &control->commands[i];
    return NULL;
}

/* Asks the core, or answers at once where it has nothing to do with it. */
static enum hs_err caller_ask(struct caller *caller)
{
    struct hs_control *control = caller->control;
    struct hs_arena HS_ARENA arena = hs_arena(HS_CONTROL_REQUEST_MAX);
    struct hs_writer HS_WRITER packed = hs_writer(HS_CONTROL_REQUEST_MAX);
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    struct hs_control_call *call = &caller->call;
    json_error_t ignored;
    call->request = json_loadb(caller->line, caller->len, JSON_REJECT_DUPLICATES, &ignored);
    call->answer = json_object();
    HS_REQUIRE(call->answer != NULL && !hs_json_is_scarce(), HS_ERR_NOMEM);
    HS_REQUIRE(json_is_object(call->request), HS_ERR_MALFORMED);
    caller->command = find_command(control, json_string_value(json_object_get(call->request, "command")));
    HS_REQUIRE(caller->command != NULL, HS_ERR_UNSUPPORTED);
    if (caller->command->ask == NULL) {
        caller_answer(caller, NULL);
        return HS_OK;
    }
    HS_TRY(caller->command->ask(call, &arena, &request));
    HS_TRY(hs_pack(&request.base, &packed));
    hs_net_ask(control->node->net, call->asker, hs_writer_bytes(&packed));
    return HS_OK;
}

static void on_line(struct caller *caller)
{
    struct hs_control *control = caller->control;
    size_t slot = (size_t)(caller - control->callers);
    uv_read_stop((uv_stream_t *)&caller->pipe);
    set_state(caller, CALLER_WAITING);
    caller->call = (struct hs_control_call){
        .control = control, .node = control->node, .asker = ++control->asked * HS_CONTROL_CALLERS + slot};
    hs_json_begin();
    enum hs_err err = caller_ask(caller);
    if (err != HS_OK)
        caller_tell(caller, err, NULL);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct caller *caller = handle->data;
    (void)suggested;
    *buf = uv_buf_init(caller->line + caller->len, (unsigned)(sizeof caller->line - caller->len));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct caller *caller = stream->data;
    if (got < 0) {
        caller_close(caller);
        return;
    }
    const char *end = memchr(buf->base, '\n', (size_t)got);
    caller->len += end != NULL ? (size_t)(end - buf->base) : (size_t)got;
    if (end != NULL && caller->len <= HS_CONTROL_REQUEST_MAX) {
        on_line(caller);
    } else if (caller->len > HS_CONTROL_REQUEST_MAX) {
        uv_read_stop(stream);
        caller_tell(caller, HS_ERR_TOO_LARGE, NULL);
    }
}

/* The same user, or root: the mode of the socket says so too, but not every system heeds it. */
static bool is_allowed(uv_pipe_t *pipe)
{
    uv_os_fd_t fd;
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    return uv_fileno((uv_handle_t *)pipe, &fd) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* Takes the connection that waits, where there is a place for it. */
static void take_waiting(struct hs_control *control)
{
    struct caller *caller = control->callers;
    while (caller < control->callers + HS_CONTROL_CALLERS - 1 && caller->state != CALLER_FREE)
        caller++;
    control->waiting = caller->state != CALLER_FREE;
    if (control->waiting)
        return; /* libuv keeps it, and hears no more until it is taken */
    memset(caller, 0, sizeof *caller);
    caller->control = control;
    uv_pipe_init(control->listener.loop, &caller->pipe, 0);
    caller->pipe.data = caller;
    set_state(caller, CALLER_ASKING);
    if (uv_accept((uv_stream_t *)&control->listener, (uv_stream_t *)&caller->pipe) != 0 ||
        !is_allowed(&caller->pipe) || uv_read_start((uv_stream_t *)&caller->pipe, on_alloc, on_read) != 0)
        caller_close(caller);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct hs_control *control = handle->data;
    control->deaf = true;
    control->waiting = false;
}

/* A failure is for lack of descriptors, say, and libuv would ask the system again and again, at a node that
 * then does nothing else. So nobody is listened to until the next sweep. */
static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0)
        take_waiting(listener->data);
    else if (!uv_is_closing((uv_handle_t *)listener))
        uv_close((uv_handle_t *)listener, on_listener_closed);
}

static enum hs_err open_listener(struct hs_control *control)
{
    const char *path = control->address.sun_path;
    uv_pipe_init(hs_net_loop(control->node->net), &control->listener, 0);
    control->listener.data = control;
    control->deaf = false;
    (void)unlink(path);
    HS_REQUIRE(uv_pipe_bind(&control->listener, path) == 0, HS_ERR_IO);
    HS_REQUIRE(chmod(path, 0600) == 0, HS_ERR_IO);
    return uv_listen((uv_stream_t *)&control->listener, BACKLOG, on_connection) == 0 ? HS_OK : HS_ERR_IO;
}

/* Nobody may hold a place for long, and nobody waits for ever. */
static void on_sweep(uv_timer_t *timer)
{
    struct hs_control *control = timer->data;
    uint64_t now = uv_now(timer->loop);
    if (control->deaf && open_listener(control) != HS_OK)
        uv_close((uv_handle_t *)&control->listener, on_listener_closed);
    for (size_t i = 0; i < HS_CONTROL_CALLERS; i++) {
        struct caller *caller = &control->callers[i];
        uint64_t age = now - caller->since;
        if ((caller->state == CALLER_ASKING && age >= HS_CONTROL_REQUEST_MS) ||
            (caller->state == CALLER_TAKING && age >= HS_CONTROL_WRITE_MS))
            caller_close(caller);
        else if (caller->state == CALLER_WAITING && !caller->call.later && age >= HS_CONTROL_ANSWER_MS)
            caller_tell(caller, HS_ERR_TIMEOUT, NULL);
    }
}

/* Whoever asked so, and still waits. */
static struct caller *caller_of(struct hs_control *control, uint64_t asker)
{
    struct caller *caller = &control->callers[asker % HS_CONTROL_CALLERS];
    return caller->state == CALLER_WAITING && caller->call.asker == asker ? caller : NULL;
}

void hs_control_say(struct hs_control_call *call, const char *why)
{
    struct caller *caller = caller_of(call->control, call->asker);
    if (caller != NULL)
        snprintf(caller->why, sizeof caller->why, "%s", why);
}

void hs_control_answered(void *arg, uint64_t asker, enum hs_err err, struct hs_bytes answer)
{
    struct hs_arena HS_ARENA arena = hs_arena(FACTS_CAP);
    struct caller *caller = caller_of(arg, asker);
    Hanse__State__AdminAnswer *facts = NULL;
    if (caller == NULL)
        return;
    if (err == HS_OK)
        err = HS_UNPACK(hanse__state__admin_answer, answer, HS_LENIENT, &arena, &facts);
    if (err == HS_OK)
        caller_answer(caller, facts);
    else
        caller_tell(caller, err, NULL);
}

void hs_control_finish(struct hs_control *control, uint64_t asker, enum hs_err err, json_t *answer,
                       const char *why)
{
    struct caller *caller = caller_of(control, asker);
    if (caller != NULL && why != NULL)
        snprintf(caller->why, sizeof caller->why, "%s", why);
    if (caller != NULL)
        caller_tell(caller, err, answer);
    json_decref(answer);
}

enum hs_err hs_control_address(const char *dir, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = snprintf(out->sun_path, sizeof out->sun_path, "%s/control.sock", dir);
    return len > 0 && len < (int)sizeof out->sun_path ? HS_OK : HS_ERR_INVALID_ARG;
}

enum hs_err hs_control_new(const char *dir, const struct hs_control_command *commands, size_t count,
                           struct hs_control_node *node, struct hs_control **out)
{
    struct hs_control *control = calloc(1, sizeof *control);
    HS_REQUIRE(control != NULL, HS_ERR_NOMEM);
    control->commands = commands;
    control->count = count;
    control->node = node;
    if (hs_control_address(dir, &control->address) != HS_OK)
        control->address.sun_path[0] = '\0';
    *out = control;
    return HS_OK;
}

enum hs_err hs_control_listen(struct hs_control *control)
{
    HS_REQUIRE(control->address.sun_path[0] != '\0', HS_ERR_INVALID_ARG);
    uv_timer_init(hs_net_loop(control->node->net), &control->sweep);
    control->sweep.data = control;
    HS_TRY(open_listener(control));
    uv_timer_start(&control->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    return HS_OK;
}

void hs_control_free(struct hs_control *control)
{
    if (control == NULL)
        return;
    for (size_t i = 0; i < HS_CONTROL_CALLERS; i++)
        caller_release(&control->callers[i]);
    free(control);
}

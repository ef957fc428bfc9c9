/* One connection: uv_tcp <-> hs_link. The only place where bytes meet sockets. */
#include "net/state.h"

#include <stdlib.h>

/* Every change of a connection's state goes through here. */
static void set_state(struct hs_conn *conn, enum conn_state state)
{
    conn->state = state;
    conn->since = uv_now(&conn->net->loop);
}

static bool place_find(struct hs_net *net, size_t *place)
{
    for (size_t i = 0; i < net->places; i++) {
        *place = (net->free_place + i) % net->places;
        if (net->conns[*place] == NULL) {
            net->free_place = (*place + 1) % net->places;
            return true;
        }
    }
    return false;
}

struct hs_conn *hs_conn_new(struct hs_net *net, bool outbound)
{
    size_t place;
    struct hs_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL || !place_find(net, &place) || uv_tcp_init(&net->loop, &conn->tcp) != 0) {
        free(conn);
        return NULL;
    }
    conn->net = net;
    conn->outbound = outbound;
    conn->session = ++net->next_number * net->places + place;
    conn->tcp.data = conn;
    conn->progress = uv_now(&net->loop);
    set_state(conn, CONN_NEW);
    net->conns[place] = conn;
    net->open++;
    net->accepted += !outbound;
    return conn;
}

struct hs_conn *hs_conn_find(struct hs_net *net, uint64_t session)
{
    struct hs_conn *conn = net->conns[session % net->places];
    return conn != NULL && conn->session == session ? conn : NULL;
}

static void on_closed(uv_handle_t *handle)
{
    struct hs_conn *conn = handle->data;
    struct hs_net *net = conn->net;
    net->conns[conn->session % net->places] = NULL;
    net->open--;
    net->accepted -= !conn->outbound;
    net->strange_queued -= conn->strange_queued;
    hs_link_free(&conn->link);
    free(conn);
    hs_net_check_stopped(net);
}

static void stalled_leave(struct hs_conn *conn)
{
    if (conn->stalled != NULL)
        TAILQ_REMOVE(conn->stalled, conn, stalled_entry);
    conn->stalled = NULL;
}

static void unlist(struct hs_conn *conn)
{
    if (conn->due)
        TAILQ_REMOVE(&conn->net->due, conn, due_entry);
    conn->due = false;
    stalled_leave(conn);
    hs_turns_leave(conn);
}

void hs_conn_close(struct hs_conn *conn, enum hs_err why)
{
    if (conn->state == CONN_CLOSING)
        return;
    struct hs_net *net = conn->net;
    struct hs_dial *dial = conn->dial;
    bool known = conn->state == CONN_OPEN || conn->state == CONN_LINGERING;
    conn->dial = NULL;
    set_state(conn, CONN_CLOSING);
    unlist(conn);
    if (conn->link != NULL)
        hs_link_close(conn->link);
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
    if (known) {
        struct hs_core_input closed = {.kind = HS_INPUT_CLOSED, .session = conn->session};
        hs_net_tell(net, &closed);
    }
    if (known || conn->outbound)
        hs_net_log(net, HS_NET_DEBUG, "event=gone session=%llu error=%s", (unsigned long long)conn->session,
                   hs_err_name(why));
    if (dial != NULL)
        hs_dial_attempt_failed(dial);
}

void hs_conn_due(struct hs_conn *conn)
{
    if (conn->due || conn->state == CONN_CLOSING)
        return;
    conn->due = true;
    TAILQ_INSERT_TAIL(&conn->net->due, conn, due_entry);
}

static void tell_room(struct hs_conn *conn)
{
    struct hs_core_input room = {.kind = HS_INPUT_ROOM, .session = conn->session, .budget = HS_QUEUE_HIGH};
    conn->sent = 0;
    hs_net_tell(conn->net, &room);
}

void hs_conn_send(struct hs_conn *conn, struct hs_bytes frame)
{
    if (conn->state != CONN_OPEN)
        return;
    enum hs_err err = hs_link_send(conn->link, frame);
    (void)hs_conn_sent(conn, frame.len, err);
}

bool hs_conn_sent(struct hs_conn *conn, size_t len, enum hs_err err)
{
    if (err == HS_OK) {
        conn->sent += len;
        hs_conn_due(conn);
        return true;
    }
    /* BUSY: a reader so slow that its queue is full. Anything else is a bug or the end of memory. */
    hs_net_log(conn->net, err == HS_ERR_BUSY ? HS_NET_INFO : HS_NET_WARN,
               "event=unsendable session=%llu error=%s", (unsigned long long)conn->session, hs_err_name(err));
    hs_conn_close(conn, err);
    return false;
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)request;
    (void)status; /* the end of the other side, or the sweep, closes it */
}

/* Everything is written. */
static void drained(struct hs_conn *conn)
{
    if (conn->state == CONN_LINGERING && !conn->shut) {
        conn->shut = true;
        if (uv_shutdown(&conn->request.shutdown, (uv_stream_t *)&conn->tcp, on_shutdown) != 0)
            hs_conn_close(conn, HS_ERR_CLOSED);
        return;
    }
    /* Half a budget is enough to keep the line busy meanwhile, and spares the commit thread most of these. */
    if (conn->state == CONN_OPEN && conn->sent >= HS_QUEUE_HIGH / 2)
        tell_room(conn);
}

static void on_written(uv_write_t *request, int status)
{
    struct hs_conn *conn = request->handle->data;
    conn->writing = false;
    if (conn->state == CONN_CLOSING)
        return;
    if (status != 0) {
        hs_conn_close(conn, HS_ERR_CLOSED);
        return;
    }
    conn->progress = uv_now(&conn->net->loop);
    size_t written = hs_link_output(conn->link).len;
    conn->net->bytes_out += written;
    hs_link_output_done(conn->link, written);
    hs_conn_due(conn);
}

/* Writes what can be written without waiting; false where the connection is closed by it. */
static bool write_some(struct hs_conn *conn, struct hs_bytes out)
{
    uv_buf_t buf = uv_buf_init((char *)out.data, (unsigned)out.len);
    int done = uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
    if (done < 0 && done != UV_EAGAIN) {
        hs_conn_close(conn, HS_ERR_CLOSED);
        return false;
    }
    if (done > 0) {
        hs_link_output_done(conn->link, (size_t)done);
        conn->net->bytes_out += (size_t)done;
        conn->progress = uv_now(&conn->net->loop);
    }
    size_t left = out.len - (size_t)(done > 0 ? done : 0);
    if (left == 0)
        return true;
    buf = uv_buf_init((char *)out.data + (out.len - left), (unsigned)left);
    conn->writing = true;
    conn->left = left;
    if (uv_write(&conn->request.write, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) == 0)
        return true;
    conn->writing = false;
    hs_conn_close(conn, HS_ERR_CLOSED);
    return false;
}

void hs_conn_flush(struct hs_conn *conn)
{
    conn->due = false;
    TAILQ_REMOVE(&conn->net->due, conn, due_entry);
    while (!conn->writing && !conn->held && hs_link_queued(conn->link) > 0) {
        struct hs_bytes out = hs_link_output(conn->link);
        if (out.len == 0) {
            hs_conn_close(conn, HS_ERR_NOMEM); /* it couldn't be sealed */
            return;
        }
        if (!write_some(conn, out))
            return;
    }
    if (hs_link_queued(conn->link) == 0)
        drained(conn);
    if (conn->stalled != NULL)
        hs_conn_resume(conn);
}

/* A handshake came to its end: from here on the core knows the session. */
static void opened(struct hs_conn *conn, const struct hs_link_event *event)
{
    struct hs_core_input open = {.kind = HS_INPUT_OPEN,
                                 .session = conn->session,
                                 .remote_static = event->remote,
                                 .outbound = conn->outbound};
    memcpy(open.handshake_hash, event->hash, sizeof open.handshake_hash);
    set_state(conn, CONN_OPEN);
    if (conn->dial != NULL)
        hs_dial_done(conn, &open);
    else
        hs_net_tell(conn->net, &open);
    tell_room(conn);
}

static void frame(struct hs_conn *conn, struct hs_bytes bytes)
{
    struct hs_core_input input = {.kind = HS_INPUT_FRAME, .session = conn->session, .bytes = bytes};
    enum hs_err err = hs_commit_push(conn->net->commit, &input);
    if (err != HS_OK) {
        hs_conn_close(conn, err);
        return;
    }
    hs_turns_asks(conn);
    conn->frames_queued++;
    conn->bytes_queued += bytes.len;
}

static void handle(struct hs_conn *conn, const struct hs_link_event *event)
{
    switch (event->kind) {
    case HS_LINK_NONE:
        return;
    case HS_LINK_DESCRIPTOR:
        hs_dial_descriptor(conn, event->bytes);
        return;
    case HS_LINK_READY:
        opened(conn, event);
        return;
    case HS_LINK_FRAME:
        frame(conn, event->bytes);
        return;
    }
}

/* Whether another frame may go to the commit thread: not too many of this connection are there, it takes its
 * answers, and there is room at all. */
static bool may_pull(const struct hs_conn *conn)
{
    return conn->frames_queued < conn->net->config.limits.frames_queued &&
           conn->bytes_queued < HS_NET_BYTES_QUEUED && hs_link_queued(conn->link) <= HS_QUEUE_HIGH &&
           (hs_link_unread(conn->link) == 0 || hs_turns_may_ask(conn)) &&
           hs_commit_has_room(conn->net->commit);
}

/* Hands on what the last input holds. False where it must wait, or the connection is gone. */
static bool pull(struct hs_conn *conn)
{
    while (conn->state == CONN_OPENING || conn->state == CONN_OPEN) {
        struct hs_link_event event;
        if (!may_pull(conn))
            return false;
        enum hs_err err = hs_link_next(conn->link, &event);
        if (err != HS_OK) {
            hs_conn_close(conn, err);
            return false;
        }
        if (event.kind == HS_LINK_NONE) {
            if (hs_link_queued(conn->link) > 0)
                hs_conn_due(conn);
            return true;
        }
        handle(conn, &event);
    }
    return false;
}

static void stall(struct hs_conn *conn)
{
    if (conn->stalled != NULL || (conn->state != CONN_OPENING && conn->state != CONN_OPEN))
        return;
    conn->stalled = hs_turns_is_known(conn) ? &conn->net->stalled : &conn->net->strangers;
    TAILQ_INSERT_TAIL(conn->stalled, conn, stalled_entry);
    uv_read_stop((uv_stream_t *)&conn->tcp);
    hs_conn_due(conn); /* its answers go out meanwhile */
}

/* One buffer serves all: libuv asks for it and fills it within one call. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct hs_net *net = ((struct hs_conn *)handle->data)->net;
    (void)suggested;
    *buf = uv_buf_init((char *)net->read_buffer, sizeof net->read_buffer);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct hs_conn *conn = stream->data;
    if (got < 0) {
        hs_conn_close(conn, HS_ERR_CLOSED);
        return;
    }
    if (got == 0 || conn->state == CONN_LINGERING)
        return;
    conn->net->bytes_in += (size_t)got;
    enum hs_err err = hs_link_input(conn->link, hs_bytes(buf->base, (size_t)got));
    if (err != HS_OK)
        hs_conn_close(conn, err);
    else if (conn->state == CONN_OPENING && !conn->outbound)
        hs_turns_wait(conn);
    else if (!pull(conn))
        stall(conn);
}

/* What came is handed on; read on where all of it was. */
static void pull_on(struct hs_conn *conn)
{
    if (!pull(conn))
        stall(conn);
    else if (uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0)
        hs_conn_close(conn, HS_ERR_IO);
}

void hs_conn_take_turn(struct hs_conn *conn)
{
    pull_on(conn);
}

void hs_conn_begin(struct hs_conn *conn, struct hs_link *link)
{
    conn->link = link;
    set_state(conn, CONN_OPENING);
    uv_tcp_nodelay(&conn->tcp, 1);
    uv_tcp_keepalive(&conn->tcp, 1, HS_NET_KEEPALIVE_S);
    if (uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0)
        hs_conn_close(conn, HS_ERR_IO);
    else
        hs_conn_due(conn);
}

void hs_conn_resume(struct hs_conn *conn)
{
    if (conn->net->stopping || !may_pull(conn))
        return;
    stalled_leave(conn);
    pull_on(conn);
}

void hs_conn_linger(struct hs_conn *conn)
{
    if (conn->state != CONN_OPEN)
        return;
    stalled_leave(conn);
    set_state(conn, CONN_LINGERING);
    int rc = uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
    if (rc != 0 && rc != UV_EALREADY)
        hs_conn_close(conn, HS_ERR_IO);
    hs_conn_due(conn);
}

void hs_conn_stop_reading(struct hs_conn *conn)
{
    if (conn->state != CONN_CLOSING && conn->state != CONN_NEW)
        uv_read_stop((uv_stream_t *)&conn->tcp);
}

/* A queue of which nothing was taken for long. */
static bool is_stuck(struct hs_conn *conn, uint64_t now)
{
    if (!conn->writing)
        return false;
    size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp);
    if (left != conn->left) {
        conn->left = left;
        conn->progress = now;
    }
    return now - conn->progress > conn->net->config.limits.stall_ms;
}

void hs_conn_sweep(struct hs_conn *conn, uint64_t now)
{
    const struct hs_net_limits *limits = &conn->net->config.limits;
    uint64_t age = now - conn->since;
    bool late = false;
    if (conn->state == CONN_NEW)
        late = age > HS_NET_DIAL_MS;
    else if (conn->state == CONN_OPENING)
        late = !conn->waiting && hs_link_tick(conn->link, (struct hs_time){(int64_t)now}) != HS_OK;
    else if (conn->state == CONN_OPEN)
        late = !conn->authenticated && age > limits->unauthenticated_ms;
    else if (conn->state == CONN_LINGERING)
        late = age > limits->linger_ms;
    if (late || (conn->state != CONN_CLOSING && is_stuck(conn, now)))
        hs_conn_close(conn, HS_ERR_TIMEOUT);
}

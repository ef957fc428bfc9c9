/* The loop: starts and stops everything, and keeps time. */
#include "net/state.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LOG_LINE = 512 };

void hs_net_log(struct hs_net *net, enum hs_net_level level, const char *format, ...)
{
    char line[LOG_LINE];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    net->config.log(level, line);
}

void hs_net_tell(struct hs_net *net, const struct hs_core_input *input)
{
    enum hs_err err = hs_commit_push(net->commit, input);
    HS_ASSERT(err == HS_OK || (err == HS_ERR_INVALID_STATE && net->stopping));
}

static struct hs_time wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct hs_time){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

static void log_stats(struct hs_net *net)
{
    struct hs_commit_stats s = hs_commit_stats(net->commit);
    hs_net_log(
        net, HS_NET_INFO,
        "event=stats connections=%zu sessions=%llu rooms=%llu records=%llu deliveries=%llu requests=%llu "
        "refused=%llu turned_away=%llu rounds=%llu inputs=%llu dropped=%llu store_bytes=%llu full=%d",
        net->open, (unsigned long long)s.core.sessions, (unsigned long long)s.core.rooms,
        (unsigned long long)s.core.records, (unsigned long long)s.core.deliveries,
        (unsigned long long)s.core.requests, (unsigned long long)s.core.refused,
        (unsigned long long)net->refused, (unsigned long long)s.rounds, (unsigned long long)s.inputs,
        (unsigned long long)s.dropped, (unsigned long long)s.store.used_bytes, s.full);
    net->last_stats = uv_now(&net->loop);
}

/* Everything that became due in this turn goes out before the loop waits again: one sealed write a
 * connection. */
static void before_wait(uv_prepare_t *handle)
{
    struct hs_net *net = handle->data;
    struct hs_conn *conn;
    hs_turns_take(net);
    while ((conn = TAILQ_FIRST(&net->due)) != NULL)
        hs_conn_flush(conn);
}

static void share_stats(struct hs_net *net)
{
    uv_mutex_lock(&net->shared_lock);
    net->shared = (struct hs_net_stats){.connections = net->open,
                                        .turned_away = net->refused,
                                        .turns = net->turns,
                                        .bytes_in = net->bytes_in,
                                        .bytes_out = net->bytes_out,
                                        .sealed_ahead = net->sealed_ahead};
    uv_mutex_unlock(&net->shared_lock);
}

void hs_net_stats(struct hs_net *net, struct hs_net_stats *out)
{
    uv_mutex_lock(&net->shared_lock);
    *out = net->shared;
    uv_mutex_unlock(&net->shared_lock);
    out->commit = hs_commit_stats(net->commit);
}

static void on_sweep(uv_timer_t *timer)
{
    struct hs_net *net = timer->data;
    uint64_t now = uv_now(&net->loop);
    share_stats(net);
    for (size_t i = 0; i < net->places; i++)
        if (net->conns[i] != NULL)
            hs_conn_sweep(net->conns[i], now);
    if (now - net->last_stats >= HS_NET_STATS_MS)
        log_stats(net);
    hs_listen_sweep(net);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void hs_net_check_stopped(struct hs_net *net)
{
    if (!net->stopping || !net->drained || net->ended)
        return;
    if (net->open > 0 || net->dial_count > 0 || net->listener_open)
        return;
    net->ended = true;
    uv_walk(&net->loop, close_handle, NULL);
}

static void on_stop_timer(uv_timer_t *timer)
{
    struct hs_net *net = timer->data;
    for (size_t i = 0; i < net->places; i++)
        if (net->conns[i] != NULL)
            hs_conn_close(net->conns[i], HS_ERR_CLOSED);
}

/* The commit thread is through: the last answers go out, then the connections close. */
static void say_goodbye(struct hs_net *net)
{
    net->drained = true;
    for (size_t i = 0; i < net->places; i++)
        if (net->conns[i] != NULL)
            hs_conn_linger(net->conns[i]);
    uv_timer_start(&net->stop_timer, on_stop_timer, HS_NET_STOP_MS, 0);
    hs_net_check_stopped(net);
}

static void on_wake(uv_async_t *async)
{
    struct hs_net *net = async->data;
    hs_rounds_take(net);
    if (net->stopping && !net->drained && hs_commit_is_done(net->commit))
        say_goodbye(net);
}

static void begin_stop(struct hs_net *net)
{
    if (net->stopping)
        return;
    hs_net_log(net, HS_NET_INFO, "event=stopping");
    if (net->config.stopping != NULL)
        net->config.stopping(net->config.reload_arg);
    net->stopping = true;
    hs_listen_stop(net);
    hs_dial_stop_all(net);
    for (size_t i = 0; i < net->places; i++) {
        struct hs_conn *conn = net->conns[i];
        if (conn == NULL)
            continue;
        if (conn->state == CONN_OPEN)
            hs_conn_stop_reading(conn);
        else if (conn->state != CONN_LINGERING)
            hs_conn_close(conn, HS_ERR_CLOSED);
    }
    if (net->commit != NULL)
        hs_commit_finish(net->commit);
    else
        say_goodbye(net);
}

static void on_stop(uv_async_t *async)
{
    begin_stop(async->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct hs_net *net = handle->data;
    if (number != SIGHUP)
        begin_stop(net);
    else if (!net->stopping && net->config.reload != NULL)
        net->config.reload(net->config.reload_arg);
}

/* From the commit thread. */
static void wake(void *arg)
{
    uv_async_send(&((struct hs_net *)arg)->wake);
}

static enum hs_err start_signals(struct hs_net *net)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < 3; i++) {
        HS_REQUIRE(uv_signal_init(&net->loop, &net->signals[i]) == 0, HS_ERR_IO);
        net->signals[i].data = net;
        HS_REQUIRE(uv_signal_start(&net->signals[i], on_signal, numbers[i]) == 0, HS_ERR_IO);
    }
    return HS_OK;
}

static enum hs_err start(struct hs_net *net)
{
    struct hs_commit_config commit = {.core = net->config.core,
                                      .store = net->config.store,
                                      .wake = wake,
                                      .arg = net,
                                      .show_from = HS_NET_FANOUT_MIN,
                                      .failed = net->config.failed,
                                      .now = wall_clock};
    HS_TRY(hs_listen_start(net));
    net->most_connections = net->config.limits.connections;
    HS_TRY(hs_fanout_new(net->config.limits.helpers, &net->fanout));
    HS_TRY(hs_commit_start(&commit, &net->commit));
    if (net->config.signals)
        HS_TRY(start_signals(net));
    uv_prepare_start(&net->before_wait, before_wait);
    uv_timer_start(&net->sweep, on_sweep, HS_NET_SWEEP_MS, HS_NET_SWEEP_MS);
    net->last_stats = uv_now(&net->loop);
    return HS_OK;
}

static enum hs_err make_loop(struct hs_net *net)
{
    HS_REQUIRE(uv_loop_init(&net->loop) == 0, HS_ERR_IO);
    if (uv_async_init(&net->loop, &net->wake, on_wake) != 0) {
        uv_loop_close(&net->loop);
        return HS_ERR_IO;
    }
    net->loop.data = net;
    HS_ASSERT(hs_turns_init(net) == HS_OK);
    HS_ASSERT(uv_mutex_init(&net->shared_lock) == 0);
    HS_ASSERT(uv_async_init(&net->loop, &net->stop, on_stop) == 0);
    HS_ASSERT(uv_prepare_init(&net->loop, &net->before_wait) == 0);
    HS_ASSERT(uv_timer_init(&net->loop, &net->sweep) == 0);
    HS_ASSERT(uv_timer_init(&net->loop, &net->stop_timer) == 0);
    net->wake.data = net->stop.data = net->before_wait.data = net->sweep.data = net->stop_timer.data = net;
    return HS_OK;
}

static void release(struct hs_net *net)
{
    hs_fanout_free(net->fanout);
    hs_buckets_free(net->buckets);
    free(net->conns);
    hs_wipe(net, sizeof *net);
    free(net);
}

static enum hs_err fill(struct hs_net *net, const struct hs_net_config *config)
{
    HS_REQUIRE(config->descriptor.len <= sizeof net->descriptor, HS_ERR_TOO_LARGE);
    net->config = *config;
    net->transport = *config->transport;
    if (config->descriptor.len > 0)
        memcpy(net->descriptor, config->descriptor.data, config->descriptor.len);
    net->descriptor_len = config->descriptor.len;
    net->places = config->limits.connections + HS_NET_OUTBOUND + HS_NET_SPARE_PLACES;
    net->conns = calloc(net->places, sizeof *net->conns);
    net->buckets = hs_buckets_new(config->limits.address_rate, config->limits.address_burst);
    TAILQ_INIT(&net->due);
    TAILQ_INIT(&net->stalled);
    TAILQ_INIT(&net->strangers);
    TAILQ_INIT(&net->dials);
    TAILQ_INIT(&net->blob_works);
    return net->conns != NULL && net->buckets != NULL ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_net_new(const struct hs_net_config *config, struct hs_net **out)
{
    struct hs_net *net = calloc(1, sizeof *net);
    HS_REQUIRE(net != NULL, HS_ERR_NOMEM);
    enum hs_err err = fill(net, config);
    if (err == HS_OK)
        err = make_loop(net);
    if (err != HS_OK) {
        release(net);
        return err;
    }
    err = start(net);
    if (err != HS_OK) {
        hs_net_free(net);
        return err;
    }
    *out = net;
    return HS_OK;
}

const char *hs_net_address(const struct hs_net *net)
{
    return net->address;
}

struct uv_loop_s *hs_net_loop(struct hs_net *net)
{
    return &net->loop;
}

void hs_net_ask(struct hs_net *net, uint64_t asker, struct hs_bytes request)
{
    struct hs_core_input input = {.kind = HS_INPUT_ADMIN, .session = asker, .bytes = request};
    hs_net_tell(net, &input);
}

bool hs_net_set_limits(struct hs_net *net, const struct hs_net_limits *limits)
{
    bool fits = limits->connections <= net->most_connections;
    if (fits)
        net->config.limits.connections = limits->connections;
    hs_buckets_set(net->buckets, limits->address_rate, limits->address_burst);
    return fits;
}

void hs_net_run(struct hs_net *net)
{
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of the write */
    while (uv_run(&net->loop, UV_RUN_DEFAULT) != 0)
        continue;
    if (net->commit != NULL)
        log_stats(net);
}

void hs_net_tell_core(struct hs_net *net, enum hs_core_input_kind kind, struct hs_bytes bytes)
{
    struct hs_core_input input = {.kind = kind, .bytes = bytes};
    enum hs_err err = net->stopping ? HS_OK : hs_commit_push(net->commit, &input);
    if (err != HS_OK)
        hs_net_log(net, HS_NET_WARN, "event=input-dropped kind=%d error=%s", (int)kind, hs_err_name(err));
}

enum hs_err hs_net_set_descriptor(struct hs_net *net, struct hs_bytes descriptor)
{
    HS_REQUIRE(descriptor.len <= sizeof net->descriptor, HS_ERR_TOO_LARGE);
    memcpy(net->descriptor, descriptor.data, descriptor.len);
    net->descriptor_len = descriptor.len;
    hs_net_tell_core(net, HS_INPUT_DESCRIPTOR, descriptor);
    return HS_OK;
}

void hs_net_stop(struct hs_net *net)
{
    uv_async_send(&net->stop);
}

void hs_net_free(struct hs_net *net)
{
    if (net == NULL)
        return;
    if (!net->ended) {
        begin_stop(net);
        while (uv_run(&net->loop, UV_RUN_DEFAULT) != 0)
            continue;
    }
    hs_commit_free(net->commit);
    HS_ASSERT(uv_loop_close(&net->loop) == 0);
    uv_mutex_destroy(&net->shared_lock);
    release(net);
}

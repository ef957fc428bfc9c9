/* A TCP relay for whole-system tests: one direction can be held back, everything can be cut, counted and
 * recorded.
 *
 *   relay --listen 127.0.0.1:0 --to HOST:PORT --control SOCKET
 *
 * prints "ready port=N". On the UNIX socket SOCKET, a line a command, a line an answer ("ok ...", "error
 * ..."): hold c2s | hold s2c   that direction's bytes are taken, but kept (up to HELD_MAX a connection)
 *   release               what was kept goes on, and nothing is held any more
 *   cut                   closes every connection
 *   stats                 c2s=BYTES s2c=BYTES held_c2s=BYTES held_s2c=BYTES connections=N (forwarded, kept)
 *   record FILE           appends from now on all bytes that come, of both directions; "record off" ends it
 * Ends by SIGTERM or SIGINT. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>
#include <uv.h>

enum {
    CHUNK = 65536,
    HELD_MAX = 16 << 20, /* of one direction of a connection: then its source isn't read */
    QUEUE_MAX = 1 << 20, /* written but not taken: the same */
    LINE_MAX_ = 4096,
    BACKLOG = 128
};

enum { C2S, S2C, WAYS };
static const char *const way_names[WAYS] = {"c2s", "s2c"};

struct pair;

/* One direction of a connection. */
struct way {
    struct pair *pair;
    int which;
    uint8_t *held;
    size_t held_len;
    bool ended; /* its source has no more */
    bool shut;  /* and the other side was told */
    bool paused;
};

struct pair {
    uv_tcp_t ends[WAYS]; /* C2S: the client's, which is the source of c2s */
    struct way ways[WAYS];
    uv_connect_t connect;
    uv_shutdown_t shutdowns[WAYS];
    unsigned open; /* handles not yet closed */
    bool closing;
    LIST_ENTRY(pair) entry;
};

struct write {
    uv_write_t request;
    struct way *way;
    uint8_t bytes[];
};

struct control {
    uv_pipe_t pipe;
    char line[LINE_MAX_];
    size_t len;
};

static uv_loop_t *loop;
static uv_tcp_t listener;
static uv_pipe_t control_listener;
static uv_signal_t signals[2];
static struct sockaddr_storage target;
static LIST_HEAD(, pair) pairs = LIST_HEAD_INITIALIZER(pairs);
static size_t pair_count;
static bool holding[WAYS];
static uint64_t forwarded[WAYS];
static int record_fd = -1;
static uint8_t read_buffer[CHUNK];

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "relay: %s\n", what);
    exit(1);
}

static void check(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "relay: %s: %s\n", what, uv_strerror(rc));
        exit(1);
    }
}

static uv_stream_t *source_of(struct way *way)
{
    return (uv_stream_t *)&way->pair->ends[way->which];
}

static uv_stream_t *sink_of(struct way *way)
{
    return (uv_stream_t *)&way->pair->ends[!way->which];
}

static void on_closed(uv_handle_t *handle)
{
    struct pair *pair = handle->data;
    if (--pair->open > 0)
        return;
    for (int i = 0; i < WAYS; i++)
        free(pair->ways[i].held);
    free(pair);
}

static void pair_close(struct pair *pair)
{
    if (pair->closing)
        return;
    pair->closing = true;
    LIST_REMOVE(pair, entry);
    pair_count--;
    for (int i = 0; i < WAYS; i++)
        uv_close((uv_handle_t *)&pair->ends[i], on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init((char *)read_buffer, sizeof read_buffer);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf);

/* Reads the source again where what it sends has a place. */
static void way_settle(struct way *way)
{
    if (way->pair->closing || way->ended)
        return;
    bool full = way->held_len >= HELD_MAX || uv_stream_get_write_queue_size(sink_of(way)) > QUEUE_MAX;
    if (full == way->paused)
        return;
    way->paused = full;
    if (full)
        uv_read_stop(source_of(way));
    else
        check(uv_read_start(source_of(way), on_alloc, on_read), "read");
}

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct way *way = write->way;
    free(write);
    if (status < 0)
        pair_close(way->pair);
    else
        way_settle(way);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct pair *pair = ((struct way *)request->data)->pair;
    if (status < 0 || (pair->ways[C2S].shut && pair->ways[S2C].shut))
        pair_close(pair);
}

/* Hands the end on, once everything before it is on its way. */
static void way_end(struct way *way)
{
    if (!way->ended || way->shut || way->held_len > 0 || holding[way->which] || way->pair->closing)
        return;
    way->shut = true;
    way->pair->shutdowns[way->which].data = way;
    if (uv_shutdown(&way->pair->shutdowns[way->which], sink_of(way), on_shutdown) < 0)
        pair_close(way->pair);
}

static void way_forward(struct way *way, const uint8_t *bytes, size_t len)
{
    struct write *write = malloc(sizeof *write + len);
    if (write == NULL)
        die("out of memory");
    write->way = way;
    memcpy(write->bytes, bytes, len);
    uv_buf_t buf = uv_buf_init((char *)write->bytes, (unsigned)len);
    forwarded[way->which] += len;
    if (uv_write(&write->request, sink_of(way), &buf, 1, on_written) < 0) {
        free(write);
        pair_close(way->pair);
    }
}

static void way_keep(struct way *way, const uint8_t *bytes, size_t len)
{
    uint8_t *grown = realloc(way->held, way->held_len + len);
    if (grown == NULL)
        die("out of memory");
    way->held = grown;
    memcpy(way->held + way->held_len, bytes, len);
    way->held_len += len;
}

static void record(const uint8_t *bytes, size_t len)
{
    if (record_fd < 0)
        return;
    while (len > 0) {
        ssize_t done = write(record_fd, bytes, len);
        if (done <= 0)
            die("the record can't be written");
        bytes += done;
        len -= (size_t)done;
    }
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct pair *pair = stream->data;
    struct way *way = &pair->ways[stream == (uv_stream_t *)&pair->ends[C2S] ? C2S : S2C];
    if (got == UV_EOF) {
        way->ended = true;
        way_end(way);
        return;
    }
    if (got < 0) {
        pair_close(pair);
        return;
    }
    record((const uint8_t *)buf->base, (size_t)got);
    if (holding[way->which])
        way_keep(way, (const uint8_t *)buf->base, (size_t)got);
    else
        way_forward(way, (const uint8_t *)buf->base, (size_t)got);
    way_settle(way);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct pair *pair = request->data;
    if (status < 0 || pair->closing) {
        pair_close(pair);
        return;
    }
    for (int i = 0; i < WAYS; i++) {
        uv_tcp_nodelay(&pair->ends[i], 1);
        check(uv_read_start((uv_stream_t *)&pair->ends[i], on_alloc, on_read), "read");
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct pair *pair = calloc(1, sizeof *pair);
    if (status < 0 || pair == NULL) {
        free(pair);
        return;
    }
    for (int i = 0; i < WAYS; i++) {
        check(uv_tcp_init(loop, &pair->ends[i]), "socket");
        pair->ends[i].data = pair;
        pair->ways[i] = (struct way){.pair = pair, .which = i};
    }
    pair->open = WAYS;
    pair->connect.data = pair;
    LIST_INSERT_HEAD(&pairs, pair, entry);
    pair_count++;
    if (uv_accept(stream, (uv_stream_t *)&pair->ends[C2S]) < 0 ||
        uv_tcp_connect(&pair->connect, &pair->ends[S2C], (const struct sockaddr *)&target, on_connected) < 0)
        pair_close(pair);
}

static void release(void)
{
    struct pair *pair, *next;
    holding[C2S] = holding[S2C] = false;
    for (pair = LIST_FIRST(&pairs); pair != NULL; pair = next) {
        next = LIST_NEXT(pair, entry);
        for (int i = 0; i < WAYS && !pair->closing; i++) {
            struct way *way = &pair->ways[i];
            if (way->held_len > 0)
                way_forward(way, way->held, way->held_len);
            free(way->held);
            way->held = NULL;
            way->held_len = 0;
            way_settle(way);
            way_end(way);
        }
    }
}

static void cut(void)
{
    while (!LIST_EMPTY(&pairs))
        pair_close(LIST_FIRST(&pairs));
}

static void stats(char *answer, size_t size)
{
    size_t held[WAYS] = {0};
    struct pair *pair;
    LIST_FOREACH(pair, &pairs, entry)
    {
        for (int i = 0; i < WAYS; i++)
            held[i] += pair->ways[i].held_len;
    }
    snprintf(answer, size, "c2s=%llu s2c=%llu held_c2s=%zu held_s2c=%zu connections=%zu",
             (unsigned long long)forwarded[C2S], (unsigned long long)forwarded[S2C], held[C2S], held[S2C],
             pair_count);
}

static const char *start_record(const char *path)
{
    if (record_fd >= 0)
        close(record_fd);
    record_fd = -1;
    if (strcmp(path, "off") == 0)
        return "ok";
    record_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return record_fd >= 0 ? "ok" : "error: that file can't be opened";
}

static void obey(const char *line, char *answer, size_t size)
{
    const char *said = "error: unknown command";
    for (int i = 0; i < WAYS; i++)
        if (strncmp(line, "hold ", 5) == 0 && strcmp(line + 5, way_names[i]) == 0) {
            holding[i] = true;
            said = "ok";
        }
    if (strcmp(line, "release") == 0) {
        release();
        said = "ok";
    } else if (strcmp(line, "cut") == 0) {
        cut();
        said = "ok";
    } else if (strncmp(line, "record ", 7) == 0) {
        said = start_record(line + 7);
    } else if (strcmp(line, "stats") == 0) {
        stats(answer, size);
        return;
    }
    snprintf(answer, size, "%s", said);
}

static void on_control_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_answered(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static void answer_with(struct control *control, const char *text)
{
    size_t len = strlen(text);
    struct write *write = malloc(sizeof *write + len + 1);
    if (write == NULL)
        die("out of memory");
    memcpy(write->bytes, text, len);
    write->bytes[len] = '\n';
    uv_buf_t buf = uv_buf_init((char *)write->bytes, (unsigned)len + 1);
    if (uv_write(&write->request, (uv_stream_t *)&control->pipe, &buf, 1, on_answered) < 0)
        free(write);
}

static void on_control_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct control *control = handle->data;
    (void)suggested;
    *buf = uv_buf_init(control->line + control->len, (unsigned)(sizeof control->line - 1 - control->len));
}

static void on_control_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct control *control = stream->data;
    (void)buf;
    if (got < 0) {
        uv_close((uv_handle_t *)stream, on_control_closed);
        return;
    }
    control->len += (size_t)got;
    control->line[control->len] = '\0';
    for (char *end; (end = strchr(control->line, '\n')) != NULL;) {
        char answer[256];
        *end = '\0';
        obey(control->line, answer, sizeof answer);
        answer_with(control, answer);
        control->len -= (size_t)(end + 1 - control->line);
        memmove(control->line, end + 1, control->len + 1);
    }
}

static void on_control_connection(uv_stream_t *stream, int status)
{
    struct control *control = calloc(1, sizeof *control);
    if (status < 0 || control == NULL) {
        free(control);
        return;
    }
    check(uv_pipe_init(loop, &control->pipe, 0), "control");
    control->pipe.data = control;
    if (uv_accept(stream, (uv_stream_t *)&control->pipe) < 0 ||
        uv_read_start((uv_stream_t *)&control->pipe, on_control_alloc, on_control_read) < 0)
        uv_close((uv_handle_t *)&control->pipe, on_control_closed);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    uv_stop(loop);
}

/* "host:port", where names are looked up too. */
static void parse_address(const char *text, struct sockaddr_storage *out)
{
    char host[256];
    const char *colon = strrchr(text, ':');
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        die("addresses are HOST:PORT");
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        die("no such address");
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
}

static void start(const char *listen_at, const char *control_path)
{
    struct sockaddr_storage at;
    int len = sizeof at;
    parse_address(listen_at, &at);
    check(uv_tcp_init(loop, &listener), "socket");
    check(uv_tcp_bind(&listener, (struct sockaddr *)&at, 0), "bind");
    check(uv_listen((uv_stream_t *)&listener, BACKLOG, on_connection), "listen");
    check(uv_tcp_getsockname(&listener, (struct sockaddr *)&at, &len), "name");
    unlink(control_path);
    check(uv_pipe_init(loop, &control_listener, 0), "control");
    check(uv_pipe_bind(&control_listener, control_path), "control");
    check(uv_listen((uv_stream_t *)&control_listener, BACKLOG, on_control_connection), "control");
    static const int numbers[] = {SIGTERM, SIGINT};
    for (int i = 0; i < 2; i++) {
        check(uv_signal_init(loop, &signals[i]), "signal");
        check(uv_signal_start(&signals[i], on_signal, numbers[i]), "signal");
    }
    printf("ready port=%u\n", ntohs(((struct sockaddr_in *)&at)->sin_port));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"to", required_argument, NULL, 't'},
                                            {"control", required_argument, NULL, 'c'},
                                            {0}};
    const char *listen_at = NULL, *to = NULL, *control_path = NULL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'l')
            listen_at = optarg;
        else if (option == 't')
            to = optarg;
        else if (option == 'c')
            control_path = optarg;
        else
            return 2;
    }
    if (listen_at == NULL || to == NULL || control_path == NULL) {
        fputs("relay --listen HOST:PORT --to HOST:PORT --control SOCKET\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    loop = uv_default_loop();
    parse_address(to, &target);
    start(listen_at, control_path);
    uv_run(loop, UV_RUN_DEFAULT);
    unlink(control_path);
    return 0;
}

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

void cli_catch_signals(void)
{
    struct sigaction action = {0};
    action.sa_handler = on_signal;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

bool cli_stopped(void)
{
    return stopped != 0;
}

int64_t cli_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads exactly the key, from a file that nobody else may read. */
static bool read_key(const char *path, uint8_t key[HANSE_KEY_LEN])
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool good =
        fstat(fd, &info) == 0 && (info.st_mode & 077) == 0 && read(fd, key, HANSE_KEY_LEN) == HANSE_KEY_LEN;
    (void)close(fd);
    return good;
}

static bool make_key(const char *path, uint8_t key[HANSE_KEY_LEN])
{
    if (getrandom(key, HANSE_KEY_LEN, 0) != HANSE_KEY_LEN)
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool good = write(fd, key, HANSE_KEY_LEN) == HANSE_KEY_LEN && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

/* The key of $HANSE_KEY_FILE, or of DIR/key, which is made with a new store and never beside an old one. */
static bool load_key(const struct cli *c, uint8_t key[HANSE_KEY_LEN])
{
    char path[4200], store[4200];
    const char *given = getenv("HANSE_KEY_FILE");
    if (given != NULL)
        return read_key(given, key);
    if (mkdir(c->dir, 0700) != 0 && errno != EEXIST)
        return false;
    (void)snprintf(path, sizeof path, "%s/key", c->dir);
    (void)snprintf(store, sizeof store, "%s/data.mdb", c->dir);
    return access(path, F_OK) == 0 || access(store, F_OK) == 0 ? read_key(path, key) : make_key(path, key);
}

int cli_open(struct cli *c)
{
    uint8_t key[HANSE_KEY_LEN];
    if (!load_key(c, key)) {
        const char *given = getenv("HANSE_KEY_FILE");
        fprintf(
            stderr,
            "hanse: the key of 32 bytes is missing, or others can read it: %s%s; put it back (chmod 600)\n",
            given != NULL ? given : c->dir, given != NULL ? "" : "/key");
        return cli_fail(c, given != NULL ? given : c->dir, HANSE_ERR_SEAL);
    }
    enum hanse_err err = hanse_open(c->dir, key, (unsigned)c->timeout_s * 1000, &c->h);
    explicit_bzero(key, sizeof key);
    return err == HANSE_OK ? EXIT_DONE : cli_fail(c, c->dir, err);
}

void cli_close(struct cli *c)
{
    hanse_close(c->h);
    c->h = NULL;
}

enum hanse_err cli_poll(struct cli *c, int fd, int ms, bool *fd_ready)
{
    struct pollfd fds[2] = {{.fd = hanse_fd(c->h)}, {.fd = fd, .events = POLLIN}};
    int timeout = hanse_timeout_ms(c->h);
    unsigned wanted = hanse_poll_events(c->h);
    fds[0].events = (short)(((wanted & HANSE_POLL_IN) != 0 ? POLLIN : 0) |
                            ((wanted & HANSE_POLL_OUT) != 0 ? POLLOUT : 0));
    if (timeout < 0 || (ms >= 0 && ms < timeout))
        timeout = ms;
    int ready = poll(fds, 2, timeout);
    if (fd_ready != NULL)
        *fd_ready = ready > 0 && fds[1].revents != 0;
    return hanse_step(c->h);
}

/* One line that is written over, and gone at the end; on a terminal only. */
static void show_progress(const struct hanse_event *event)
{
    if (event->kind != HANSE_EVENT_PROGRESS || isatty(STDERR_FILENO) != 1)
        return;
    if (event->seq < event->known)
        fprintf(stderr, "\r\033[Kcatching up: %llu of %llu", (unsigned long long)event->seq,
                (unsigned long long)event->known);
    else
        fputs("\r\033[K", stderr);
}

enum hanse_err cli_run(struct cli *c, int seconds, on_event *wanted, void *context)
{
    int64_t end = cli_now_ms() + (int64_t)seconds * 1000;
    for (;;) {
        struct hanse_event event;
        for (hanse_next_event(c->h, &event); event.kind != HANSE_EVENT_NONE; hanse_next_event(c->h, &event)) {
            show_progress(&event);
            if (wanted(context, &event))
                return HANSE_OK;
        }
        if (wanted(context, &event)) /* with NONE: what is wanted may have come without an event */
            return HANSE_OK;
        int64_t left = end - cli_now_ms();
        if (cli_stopped())
            return HANSE_ERR_CLOSED;
        if (seconds >= 0 && left <= 0)
            return HANSE_ERR_TIMEOUT;
        enum hanse_err err = cli_poll(c, -1, seconds < 0 || left > 1000 ? 1000 : (int)left, NULL);
        if (err != HANSE_OK)
            return err;
    }
}

struct waiting {
    uint64_t op;
    struct outcome *out;
    enum hanse_err offline;
    const char *text;
};

static bool is_done(void *context, const struct hanse_event *event)
{
    struct waiting *w = context;
    if (event->kind == HANSE_EVENT_OFFLINE)
        w->offline = event->err;
    if (event->kind == HANSE_EVENT_ONLINE)
        w->offline = HANSE_OK;
    if (event->kind == HANSE_EVENT_WAITING && event->op == w->op && !w->out->waits) {
        w->out->waits = true;
        if (w->text != NULL)
            fprintf(stderr, "%s\n", w->text);
    }
    if (event->kind != HANSE_EVENT_DONE || event->op != w->op)
        return false;
    w->out->err = event->err;
    w->out->id = event->id;
    w->out->room = event->room;
    w->out->seq = event->seq;
    (void)snprintf(w->out->text, sizeof w->out->text, "%s", event->text);
    return true;
}

enum hanse_err cli_wait(struct cli *c, uint64_t op, struct outcome *out)
{
    return cli_wait_saying(c, op, NULL, out);
}

enum hanse_err cli_wait_saying(struct cli *c, uint64_t op, const char *text, struct outcome *out)
{
    struct waiting waiting = {.op = op, .out = out, .text = text};
    *out = (struct outcome){0};
    enum hanse_err err = cli_run(c, c->timeout_s, is_done, &waiting);
    if (err == HANSE_ERR_TIMEOUT && waiting.offline != HANSE_OK)
        return waiting.offline; /* why it took so long says more */
    return err != HANSE_OK ? err : out->err;
}

struct catching_up {
    bool caught_up;
    enum hanse_err offline;
};

static bool is_caught_up(void *context, const struct hanse_event *event)
{
    struct catching_up *at = context;
    if (event->kind == HANSE_EVENT_OFFLINE)
        at->offline = event->err;
    at->caught_up = at->caught_up || event->kind == HANSE_EVENT_CAUGHT_UP;
    return at->caught_up;
}

enum hanse_err cli_catch_up(struct cli *c, int seconds)
{
    struct catching_up at = {0};
    hanse_stay_online(c->h, true);
    enum hanse_err err = cli_run(c, seconds, is_caught_up, &at);
    if (err == HANSE_ERR_TIMEOUT && !at.caught_up && at.offline != HANSE_OK)
        return at.offline;
    return err;
}

int cli_open_fresh(struct cli *c)
{
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = cli_catch_up(c, c->timeout_s);
    if (err != HANSE_OK)
        fprintf(stderr, "hanse: not up to date: %s [%s]\n", hanse_err_text(err), hanse_err_name(err));
    return EXIT_DONE;
}

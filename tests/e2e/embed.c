/* A program with libhanse in it that sleeps as long as the library lets it: embed DIR. Once it has everything
 * and nothing is left to do, it calls something, and the library wants its next step at once. */
#include <hanse/hanse.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { IDLE_MS = 5000 /* nothing but the session's own questions is due then */, LIMIT_S = 30 };

static void check(const char *what, enum hanse_err err)
{
    if (err == HANSE_OK)
        return;
    fprintf(stderr, "embed: %s: %s\n", what, hanse_err_name(err));
    exit(1);
}

static void turn(struct hanse *h)
{
    struct pollfd fd = {.fd = hanse_fd(h), .events = POLLIN};
    if ((hanse_poll_events(h) & HANSE_POLL_OUT) != 0)
        fd.events |= POLLOUT;
    (void)poll(&fd, 1, hanse_timeout_ms(h));
    check("step", hanse_step(h));
}

static enum hanse_event_kind next(struct hanse *h)
{
    struct hanse_event event;
    hanse_next_event(h, &event);
    return event.kind;
}

int main(int argc, char **argv)
{
    char path[4200];
    uint8_t key[HANSE_KEY_LEN];
    uint64_t op;
    struct hanse *h;
    bool caught_up = false;
    (void)snprintf(path, sizeof path, "%s/key", argc == 2 ? argv[1] : "");
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(key, 1, sizeof key, file) != sizeof key)
        return 2;
    (void)fclose(file);
    (void)alarm(LIMIT_S);
    check("open", hanse_open(argv[1], key, 1000, &h));
    hanse_stay_online(h, true);
    while (!caught_up || hanse_timeout_ms(h) < IDLE_MS) {
        enum hanse_event_kind kind = next(h);
        caught_up = caught_up || kind == HANSE_EVENT_CAUGHT_UP;
        if (kind == HANSE_EVENT_NONE)
            turn(h);
    }
    check("ping", hanse_ping(h, &op));
    if (hanse_timeout_ms(h) != 0) {
        fprintf(stderr, "embed: it would sleep for %d ms first\n", hanse_timeout_ms(h));
        return 1;
    }
    for (enum hanse_event_kind kind = next(h); kind != HANSE_EVENT_DONE; kind = next(h))
        if (kind == HANSE_EVENT_NONE)
            turn(h);
    hanse_close(h);
    return 0;
}

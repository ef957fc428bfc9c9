/* A guest who answers each message with its own text, COUNT times: echo DIR KEYFILE LINK COUNT
 * Build it with: cc echo.c $(pkg-config --cflags --libs hanse) */
#include <hanse/hanse.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(const char *what, enum hanse_err err)
{
    if (err != HANSE_OK) {
        fprintf(stderr, "echo: %s: %s [%s]\n", what, hanse_err_text(err), hanse_err_name(err));
        exit(1);
    }
}

/* The library never waits: this is the whole of a loop. */
static void turn(struct hanse *h)
{
    struct pollfd fd;
    unsigned wanted = hanse_poll_events(h);
    fd.fd = hanse_fd(h);
    fd.events = (short)((wanted & HANSE_POLL_IN ? POLLIN : 0) | (wanted & HANSE_POLL_OUT ? POLLOUT : 0));
    poll(&fd, fd.fd >= 0, hanse_timeout_ms(h));
    check("step", hanse_step(h));
}

/* Answers a text of somebody else; true where it was one. The view is copied: the post is the next call. */
static int answer(struct hanse *h, const struct hanse_event *event)
{
    struct hanse_message message;
    char text[HANSE_TEXT_MAX + 1];
    uint64_t op;
    check("message", hanse_message_get(h, &event->room, event->seq, &message));
    if (message.own || message.kind != HANSE_MESSAGE_TEXT)
        return 0;
    snprintf(text, sizeof text, "%s", message.text);
    check("post", hanse_post(h, &event->room, text, &op));
    return 1;
}

int main(int argc, char **argv)
{
    struct hanse *h;
    uint8_t key[HANSE_KEY_LEN];
    uint64_t op;
    FILE *file = argc == 5 ? fopen(argv[2], "rb") : NULL;
    int left = argc == 5 ? atoi(argv[4]) : 0;
    if (file == NULL || fread(key, 1, sizeof key, file) != sizeof key) {
        fprintf(stderr, "echo DIR KEYFILE LINK COUNT (libhanse %s)\n", hanse_version());
        return 2;
    }
    fclose(file);
    check("open", hanse_open(argv[1], key, 0, &h));
    check("name", hanse_identity_create(h, "Echo"));
    check("join", hanse_join(h, argv[3], &op));
    hanse_stay_online(h, true);
    while (left > 0 || hanse_has_pending(h)) {
        struct hanse_event event;
        hanse_next_event(h, &event);
        if (event.kind == HANSE_EVENT_NONE)
            turn(h);
        else if (event.kind == HANSE_EVENT_DONE)
            check("done", event.err);
        else if (event.kind == HANSE_EVENT_MESSAGE && left > 0)
            left -= answer(h, &event);
    }
    hanse_close(h);
    return 0;
}

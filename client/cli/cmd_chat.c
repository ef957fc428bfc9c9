/* Being online: chat in one room, or serve all of them without a word. */
#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = HANSE_TEXT_MAX + 2, BACKLOG = 10 };

struct chat {
    struct cli *c;
    struct hanse_room room;
    bool has_room, quiet, input_open;
    char line[LINE_MAX_BYTES];
    size_t len;
};

static void say(const struct cli *c, const char *kind, const struct hanse_event *event, const char *text)
{
    if (c->json)
        json_line(json_pack("{s:s, s:o, s:s}", "event", kind, "room", json_id(&event->room), "text", text));
    else
        printf("%s* %s%s%s%s\n", colour(DIM), kind, text[0] != '\0' ? ": " : "", text, colour(PLAIN));
    (void)fflush(stdout);
}

static void show_event(struct chat *chat, const struct hanse_event *event)
{
    struct hanse_message m;
    struct cli *c = chat->c;
    bool here = !chat->has_room || memcmp(&event->room, &chat->room.id, sizeof event->room) == 0;
    switch (event->kind) {
    case HANSE_EVENT_MESSAGE:
    case HANSE_EVENT_GAP:
        if (here && !chat->quiet && hanse_message_get(c->h, &event->room, event->seq, &m) == HANSE_OK)
            message_print(c, &m);
        break;
    case HANSE_EVENT_TYPING:
        if (here && !c->json && isatty(STDOUT_FILENO))
            printf("%s%s is typing%s\r", colour(DIM), event->text,
                   colour(PLAIN)); /* the next line covers it */
        (void)fflush(stdout);
        break;
    case HANSE_EVENT_ONLINE:
        say(c, "online", event, "");
        break;
    case HANSE_EVENT_OFFLINE:
        say(c, "offline", event, hanse_err_text(event->err));
        break;
    case HANSE_EVENT_JOINED:
        say(c, "joined", event, event->text);
        break;
    case HANSE_EVENT_REMOVED:
        say(c, "removed", event, "you were removed from this room");
        break;
    case HANSE_EVENT_POST_FAILED:
    case HANSE_EVENT_FROZEN:
        say(c, event->kind == HANSE_EVENT_FROZEN ? "frozen" : "not sent", event, hanse_err_text(event->err));
        break;
    default:
        break;
    }
}

static void post_line(struct chat *chat)
{
    uint64_t op;
    chat->line[chat->len] = '\0';
    chat->len = 0;
    if (chat->line[0] == '\0')
        return;
    enum hanse_err err = hanse_post(chat->c->h, &chat->room.id, chat->line, &op);
    if (err != HANSE_OK)
        (void)cli_fail(chat->c, "not sent", err);
}

/* What was typed: each line is a post. */
static void read_input(struct chat *chat)
{
    char bytes[4096];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0)
        chat->input_open = false;
    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] == '\n')
            post_line(chat);
        else if (chat->len < HANSE_TEXT_MAX)
            chat->line[chat->len++] = bytes[i];
    }
    if (got == 0 && chat->len > 0)
        post_line(chat);
}

/* Until a signal, or until the input has ended and everything typed is in the log. */
static enum hanse_err converse(struct chat *chat, bool until_eof)
{
    while (!cli_stopped()) {
        struct hanse_event event;
        bool typed = false;
        for (hanse_next_event(chat->c->h, &event); event.kind != HANSE_EVENT_NONE;
             hanse_next_event(chat->c->h, &event))
            show_event(chat, &event);
        if (until_eof && !chat->input_open && !hanse_has_pending(chat->c->h))
            break;
        enum hanse_err err = cli_poll(chat->c, chat->input_open ? STDIN_FILENO : -1, 1000, &typed);
        if (err != HANSE_OK)
            return err;
        if (typed)
            read_input(chat);
    }
    return HANSE_OK;
}

static void show_backlog(struct chat *chat)
{
    struct hanse_message m;
    uint64_t from = chat->room.next_seq > BACKLOG ? chat->room.next_seq - BACKLOG : 0;
    for (enum hanse_err err = hanse_message_next(chat->c->h, &chat->room.id, from, &m); err == HANSE_OK;
         err = hanse_message_next(chat->c->h, &chat->room.id, m.seq + 1, &m))
        message_print(chat->c, &m);
}

static int run_chat(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"until-eof", no_argument, NULL, 'e'}, {"quiet", no_argument, NULL, 'q'}, {NULL, 0, NULL, 0}};
    static struct chat chat;
    bool until_eof = false;
    chat = (struct chat){.c = c, .has_room = true, .input_open = true};
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        until_eof = until_eof || o == 'e';
        chat.quiet = chat.quiet || o == 'q';
        if (o == '?')
            return cli_usage(&cmd_chat, "see its options");
    }
    if (optind + 1 != argc)
        return cli_usage(&cmd_chat, "name one room");
    cli_catch_signals();
    int code = open_room(c, argv[optind], &chat.room);
    if (code != EXIT_DONE)
        return code;
    if (!chat.quiet && !c->json)
        printf("%s%s%s: %u members, hub %s. Type a line to send it; Ctrl-C leaves.\n", colour(BOLD),
               chat.room.name, colour(PLAIN), (unsigned)chat.room.members, chat.room.hub);
    if (!chat.quiet)
        show_backlog(&chat);
    hanse_stay_online(c->h, true);
    enum hanse_err err = converse(&chat, until_eof);
    return err == HANSE_OK ? EXIT_DONE : cli_fail(c, "chat", err);
}

const struct command cmd_chat = {
    .name = "chat",
    .summary = "talk in a room; stays online and lets joiners in",
    .run = run_chat,
    .help = "usage: hanse chat ROOM [--quiet] [--until-eof]\n\n"
            "  --quiet      show no messages\n"
            "  --until-eof  end when the input has ended and all of it is in the room's log\n\n"
            "A moderator's running chat lets in whoever comes with a good invite.\n\n"
            "example:\n"
            "  hanse chat 'Rosa VIP'\n",
};

static int run_serve(struct cli *c, int argc, char **argv)
{
    static struct chat chat;
    (void)argv;
    chat = (struct chat){.c = c};
    if (argc != 1)
        return cli_usage(&cmd_serve, "it takes no arguments");
    cli_catch_signals();
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    hanse_stay_online(c->h, true);
    enum hanse_err err = converse(&chat, false);
    return err == HANSE_OK ? EXIT_DONE : cli_fail(c, "serve", err);
}

const struct command cmd_serve = {
    .name = "serve",
    .summary = "stay online in all rooms, let joiners in, print what happens",
    .run = run_serve,
    .help = "usage: hanse serve\n\n"
            "Ends at SIGTERM or Ctrl-C. With --json, one event a line.\n\n"
            "example:\n"
            "  hanse --dir moderator --json serve\n",
};

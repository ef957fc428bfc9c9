/* One message, the log, and catching up. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENDS_MAX = 10000 };

/* Posts that are under way; all of them are waited for. */
struct sending {
    uint64_t *ops;
    size_t count, done, failed;
    uint64_t last_seq;
    enum hanse_err err;
};

static bool count_done(void *context, const struct hanse_event *event)
{
    struct sending *s = context;
    for (size_t i = 0; event->kind == HANSE_EVENT_DONE && i < s->count; i++) {
        if (s->ops[i] != event->op)
            continue;
        s->ops[i] = 0;
        s->done++;
        if (event->err == HANSE_OK && event->seq > s->last_seq)
            s->last_seq = event->seq;
        if (event->err != HANSE_OK) {
            s->failed++;
            s->err = event->err;
        }
        break;
    }
    return s->done == s->count;
}

static enum hanse_err post(struct cli *c, struct sending *s, const struct hanse_id *room, const char *text)
{
    if (s->count == SENDS_MAX)
        return HANSE_ERR_BUSY;
    enum hanse_err err = hanse_post(c->h, room, text, &s->ops[s->count]);
    s->count += err == HANSE_OK ? 1 : 0;
    return err;
}

/* Each line of stdin is a message. */
static enum hanse_err post_lines(struct cli *c, struct sending *s, const struct hanse_id *room)
{
    static char line[HANSE_TEXT_MAX + 2];
    enum hanse_err err = HANSE_OK;
    while (err == HANSE_OK && fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\0')
            err = post(c, s, room, line);
    }
    return err;
}

static int run_send(struct cli *c, int argc, char **argv)
{
    static uint64_t ops[SENDS_MAX];
    struct sending s = {.ops = ops};
    struct hanse_room room;
    if (argc == 4 && strcmp(argv[2], "--file") == 0)
        return file_send(c, argv[1], argv[3]);
    if (argc != 3 || argv[2][0] == '\0')
        return cli_usage(&cmd_send, "name a room and say something");
    if (strlen(argv[2]) > HANSE_TEXT_MAX)
        return cli_usage(&cmd_send, "a message has at most %d bytes; send it in parts", HANSE_TEXT_MAX);
    int code = open_room(c, argv[1], &room);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err =
        strcmp(argv[2], "-") == 0 ? post_lines(c, &s, &room.id) : post(c, &s, &room.id, argv[2]);
    if (err == HANSE_OK && s.count > 0)
        err = cli_run(c, c->timeout_s, count_done, &s);
    if (err == HANSE_OK)
        err = s.err;
    if (err != HANSE_OK)
        return cli_fail_kept(c, "send", err);
    if (c->json)
        json_line(json_pack("{s:o, s:i, s:I}", "room", json_id(&room.id), "sent", (int)s.count, "seq",
                            (json_int_t)s.last_seq));
    else
        printf("In the room's log as number %llu.\n", (unsigned long long)s.last_seq);
    return EXIT_DONE;
}

const struct command cmd_send = {
    .name = "send",
    .summary = "send a message and wait until it is in the room's log",
    .run = run_send,
    .help = "usage: hanse send ROOM TEXT\n"
            "       hanse send ROOM --file PATH\n\n"
            "TEXT - reads stdin, each line a message of its own.\n"
            "A message that can't be sent now is kept and goes out the next time hanse is online.\n"
            "A file is encrypted here; after a break the same command goes on where it was.\n\n"
            "examples:\n"
            "  hanse send 'Rosa VIP' 'Is the lipstick back?'\n"
            "  hanse send 'Rosa VIP' --file lipstick.jpg\n",
};

enum { SETTLE_S = 3 }; /* what is under way is through by then, but for joins that wait for a moderator */

static bool is_settled(void *context, const struct hanse_event *event)
{
    (void)event;
    return !hanse_has_pending(((struct cli *)context)->h);
}

static enum hanse_err settle(struct cli *c, int seconds)
{
    enum hanse_err err = cli_run(c, seconds, is_settled, c);
    return err == HANSE_ERR_TIMEOUT ? HANSE_OK : err;
}

/* A room in which one isn't a member yet is what a person asks about next. */
static void show_synced(struct cli *c, bool pending)
{
    struct hanse_room room;
    printf("Everything is here%s.\n", pending ? "; something of yours still waits for an answer" : "");
    for (enum hanse_err err = hanse_room_next(c->h, NULL, &room); err == HANSE_OK;
         err = hanse_room_next(c->h, &room.id, &room))
        if (room.state == HANSE_ROOM_WAITING)
            printf("%s still waits for a moderator to let you in.\n", room.name);
        else if (room.waits)
            printf("%s waits for its node, %s.\n", room.name, room.hub);
}

static int run_sync(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"wait", required_argument, NULL, 'w'}, {NULL, 0, NULL, 0}};
    long long seconds = 0;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL))
        if (o != 'w' || !number_parse(optarg, 0, 86400, &seconds))
            return cli_usage(&cmd_sync, "--wait wants seconds from 0 to 86400");
    if (optind != argc)
        return cli_usage(&cmd_sync, "'%s' isn't expected", argv[optind]);
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = cli_catch_up(c, c->timeout_s);
    if (err == HANSE_OK)
        err = settle(c, seconds > 0 ? (int)seconds : SETTLE_S);
    if (err != HANSE_OK)
        return cli_fail(c, "sync", err);
    bool pending = hanse_has_pending(c->h);
    if (c->json)
        json_line(json_pack("{s:b, s:b}", "caught_up", 1, "pending", pending));
    else
        show_synced(c, pending);
    return EXIT_DONE;
}

const struct command cmd_sync = {
    .name = "sync",
    .summary = "fetch what is new, send what waits",
    .run = run_sync,
    .help = "usage: hanse sync [--wait S]\n\n"
            "  --wait S   stay online up to S seconds longer while something of yours is under way\n\n"
            "example:\n"
            "  hanse sync\n",
};

struct log_options {
    uint64_t since;
    bool follow, count, offline;
};

static bool show_new(void *context, const struct hanse_event *event)
{
    struct {
        struct cli *c;
        struct hanse_id room;
    } *at = context;
    struct hanse_message m;
    if (event->kind == HANSE_EVENT_MESSAGE && memcmp(&event->room, &at->room, sizeof at->room) == 0 &&
        hanse_message_get(at->c->h, &event->room, event->seq, &m) == HANSE_OK)
        message_print(at->c, &m);
    return false;
}

static int show_log(struct cli *c, const struct hanse_room *room, const struct log_options *o)
{
    struct hanse_message m;
    size_t texts = 0;
    json_t *all = json_array();
    for (enum hanse_err err = hanse_message_next(c->h, &room->id, o->since, &m); err == HANSE_OK;
         err = hanse_message_next(c->h, &room->id, m.seq + 1, &m)) {
        texts += m.kind == HANSE_MESSAGE_TEXT ? 1 : 0;
        if (o->count)
            continue;
        if (c->json && !o->follow)
            (void)json_array_append_new(all, json_message(&m));
        else
            message_print(c, &m);
    }
    if (o->count && c->json)
        json_line(json_pack("{s:I}", "texts", (json_int_t)texts));
    else if (o->count)
        printf("%zu\n", texts);
    else if (c->json && !o->follow) {
        json_line(all);
        all = NULL;
    }
    json_decref(all);
    return EXIT_DONE;
}

static int run_log(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"since", required_argument, NULL, 's'},
                                            {"follow", no_argument, NULL, 'f'},
                                            {"count", no_argument, NULL, 'c'},
                                            {"offline", no_argument, NULL, 'o'},
                                            {NULL, 0, NULL, 0}};
    struct log_options o = {0};
    struct hanse_room room;
    long long since = 0;
    for (int i = getopt_long(argc, argv, "", options, NULL); i != -1;
         i = getopt_long(argc, argv, "", options, NULL)) {
        o.follow = o.follow || i == 'f';
        o.count = o.count || i == 'c';
        o.offline = o.offline || i == 'o';
        if (i == '?' || (i == 's' && !number_parse(optarg, 0, INT64_MAX, &since)))
            return cli_usage(&cmd_log,
                             i == 's' ? "--since wants the number of a message" : "see its options");
    }
    o.since = (uint64_t)since;
    if (optind + 1 != argc)
        return cli_usage(&cmd_log, "name one room");
    cli_catch_signals();
    int code = o.offline ? cli_open(c) : cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, argv[optind], &room);
    if (code != EXIT_DONE)
        return code;
    code = show_log(c, &room, &o);
    struct {
        struct cli *c;
        struct hanse_id room;
    } at = {c, room.id};
    if (o.follow)
        (void)cli_run(c, -1, show_new, &at);
    return code;
}

const struct command cmd_log = {
    .name = "log",
    .summary = "what was said in a room",
    .run = run_log,
    .help = "usage: hanse log ROOM [--since SEQ] [--follow] [--count] [--offline]\n\n"
            "  --since SEQ  from this number of the room's log on\n"
            "  --follow     go on with what comes, until Ctrl-C\n"
            "  --count      only how many text messages there are\n"
            "  --offline    only what is on this device already\n\n"
            "example:\n"
            "  hanse log 'Rosa VIP' --since 120\n",
};

/* Moving to another home node. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct move {
    struct cli *c;
    uint64_t op;
    struct hanse_id *waiting; /* rooms whose hubs can't be told just now, each of them once */
    size_t waiting_count;
    enum hanse_err offline, err;
    bool done, of_room; /* a room's hub refused, or the new node did */
};

static bool is_told_of(const struct move *m, const struct hanse_id *room)
{
    for (size_t i = 0; i < m->waiting_count; i++)
        if (memcmp(&m->waiting[i], room, sizeof *room) == 0)
            return true;
    return false;
}

/* Without memory for it, the command waits until its time is over. */
static void told_of(struct move *m, const struct hanse_id *room)
{
    if (is_told_of(m, room))
        return;
    struct hanse_id *more = realloc(m->waiting, (m->waiting_count + 1) * sizeof *more);
    if (more == NULL)
        return;
    m->waiting = more;
    m->waiting[m->waiting_count++] = *room;
}

/* The new home has the account, and whatever is left waits for a hub: a room that was told of and is served
 * by now doesn't stand for one that nobody has asked for yet. */
static bool only_hubs_are_left(const struct move *m)
{
    struct hanse_identity me;
    struct hanse_room room;
    bool left = false;
    if (m->waiting_count == 0 || hanse_identity(m->c->h, &me) != HANSE_OK || !me.has_account)
        return false;
    for (enum hanse_err err = hanse_room_next(m->c->h, NULL, &room); err == HANSE_OK;
         err = hanse_room_next(m->c->h, &room.id, &room)) {
        if (room.waits && !is_told_of(m, &room.id))
            return false;
        left |= room.waits;
    }
    return left; /* where none is, the operation ends */
}

static bool is_over(void *context, const struct hanse_event *event)
{
    static const struct hanse_id none;
    struct move *m = context;
    switch (event->kind) {
    case HANSE_EVENT_OFFLINE:
        m->offline = event->err;
        break;
    case HANSE_EVENT_ONLINE:
        m->offline = HANSE_OK;
        break;
    case HANSE_EVENT_WAITING:
        if (event->op == m->op)
            told_of(m, &event->room);
        break;
    case HANSE_EVENT_DONE:
        if (event->op != m->op)
            break;
        m->err = event->err;
        m->of_room = memcmp(&event->id, &none, sizeof none) != 0;
        m->done = true;
        break;
    default:
        break;
    }
    return m->done || (event->kind == HANSE_EVENT_NONE && only_hubs_are_left(m));
}

/* The rooms that wait, and what can be done. */
static void list_waiting(const struct cli *c)
{
    struct hanse_room room;
    printf("These wait until their node is told, and takes it:\n");
    for (enum hanse_err err = hanse_room_next(c->h, NULL, &room); err == HANSE_OK;
         err = hanse_room_next(c->h, &room.id, &room))
        if (room.waits)
            printf("  %s%-24s%s hub %s%s%s\n", colour(BOLD), room.name, colour(PLAIN), room.hub,
                   room.frozen != HANSE_OK ? ": " : "",
                   room.frozen != HANSE_OK ? hanse_err_text(room.frozen) : "");
    printf(
        "They follow by themselves, with hanse sync or whatever is online next; what you say there until then"
        " stays on\nthis device and goes out afterwards. Nothing keeps you from moving on to another "
        "node.\n");
}

static int show_waiting(const struct cli *c)
{
    struct hanse_identity me;
    struct hanse_room room;
    enum hanse_err err = hanse_identity(c->h, &me);
    if (err != HANSE_OK)
        return cli_fail(c, "move-home", err);
    if (!c->json) {
        printf("%sMoved,%s but for some rooms: %s is your home now.\n", colour(YELLOW), colour(PLAIN),
               me.home);
        list_waiting(c);
        return EXIT_WAITING;
    }
    json_t *all = json_array();
    for (err = hanse_room_next(c->h, NULL, &room); err == HANSE_OK;
         err = hanse_room_next(c->h, &room.id, &room))
        if (room.waits)
            (void)json_array_append_new(all, json_id(&room.id));
    json_line(json_pack("{s:s, s:o}", "home", me.home, "waits", all));
    return EXIT_WAITING;
}

/* The new node hasn't said yes or no. */
static int show_unconfirmed(const struct cli *c, enum hanse_err err)
{
    int code = cli_fail_kept(c, "move-home", err);
    if (!c->json && code == EXIT_UNREACHABLE)
        fprintf(stderr,
                "Until the new node answers, no room is read anywhere; hanse move-home --back stays where "
                "you were.\n");
    return code;
}

static int move(struct cli *c, const char *ticket)
{
    struct move m = {.c = c};
    struct hanse_identity me;
    enum hanse_err err = hanse_move_home(c->h, ticket, &m.op);
    if (err != HANSE_OK)
        return cli_fail(c, "move-home", err);
    err = cli_run(c, c->timeout_s, is_over, &m);
    free(m.waiting);
    if (m.done && !m.of_room)
        return m.err == HANSE_OK ? identity_show(c, "Moved.") : cli_fail(c, "move-home", m.err);
    if (err == HANSE_OK || (hanse_identity(c->h, &me) == HANSE_OK && me.has_account))
        return show_waiting(c);
    return show_unconfirmed(c, err == HANSE_ERR_TIMEOUT && m.offline != HANSE_OK ? m.offline : err);
}

static int back(struct cli *c)
{
    enum hanse_err err = hanse_home_back(c->h);
    return err == HANSE_OK ? identity_show(c, "You stay where you were.") : cli_fail(c, "move-home", err);
}

static int run(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"back", no_argument, NULL, 'b'}, {NULL, 0, NULL, 0}};
    static char text[TICKET_MAX];
    bool goes_back = false;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o != 'b')
            return cli_usage(&cmd_move_home, "see its options");
        goes_back = true;
    }
    if (argc - optind != (goes_back ? 0 : 1))
        return cli_usage(&cmd_move_home, "give the new node's ticket");
    if (!goes_back && !ticket_read(argv[optind], text))
        return cli_usage(&cmd_move_home, "the ticket %s can't be read", argv[optind]);
    cli_catch_signals();
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    return goes_back ? back(c) : move(c, text);
}

const struct command cmd_move_home = {
    .name = "move-home",
    .summary = "another node serves you from now on; rooms, coupons and orders stay",
    .run = run,
    .help =
        "usage: hanse move-home TICKET\n"
        "       hanse move-home --back\n\n"
        "TICKET is a file, - for stdin, or the text itself, as the new node's operator gave it to you.\n"
        "Every room is read through the new node from then on, rooms of the old one's brand too. What isn't\n"
        "done when this ends goes on by itself, with hanse sync or whatever is online next: rooms whose "
        "node\n"
        "can't be reached just now are named, and the exit code is 6.\n\n"
        "  --back   the new node hasn't answered: stay at the old one\n\n"
        "example:\n"
        "  hanse move-home cem.ticket\n",
};

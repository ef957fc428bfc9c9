#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static bool is_joined(void *context, const struct hanse_event *event)
{
    const struct hanse_id *room = context;
    return event->kind == HANSE_EVENT_JOINED && memcmp(&event->room, room, sizeof *room) == 0;
}

static int show_waiting(const struct cli *c, const struct hanse_id *room)
{
    if (c->json)
        json_line(json_pack("{s:o, s:s}", "room", json_id(room), "state", "waiting"));
    else
        printf("%sWaiting:%s the room has your request; you are in as soon as a moderator is online.\n"
               "Look again with: hanse join --status --wait 60\n",
               colour(YELLOW), colour(PLAIN));
    return EXIT_WAITING;
}

static int show_joined(struct cli *c, const struct hanse_id *id)
{
    struct hanse_room room;
    enum hanse_err err = hanse_room_get(c->h, id, &room);
    if (err != HANSE_OK)
        return cli_fail(c, "join", err);
    if (c->json)
        json_line(json_pack("{s:o, s:s, s:s, s:i}", "room", json_id(id), "state", "member", "name", room.name,
                            "members", (int)room.members));
    else
        printf("%sYou are in:%s %s, with %u members. Say something: hanse chat '%s'\n", colour(GREEN),
               colour(PLAIN), room.name, (unsigned)room.members, room.name);
    return EXIT_DONE;
}

static int wait_for_room(struct cli *c, const struct hanse_id *id, int seconds)
{
    struct hanse_room room;
    if (hanse_room_get(c->h, id, &room) == HANSE_OK && room.state == HANSE_ROOM_MEMBER)
        return show_joined(c, id);
    hanse_stay_online(c->h, true);
    enum hanse_err err =
        seconds > 0 ? cli_run(c, seconds, is_joined, (void *)(uintptr_t)id) : HANSE_ERR_TIMEOUT;
    if (err == HANSE_OK)
        return show_joined(c, id);
    return err == HANSE_ERR_TIMEOUT || err == HANSE_ERR_CLOSED ? show_waiting(c, id)
                                                               : cli_fail(c, "join", err);
}

/* The rooms that were asked for and haven't let this device in. */
static int status(struct cli *c, int seconds)
{
    struct hanse_room room;
    unsigned waiting = 0;
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    for (enum hanse_err err = hanse_room_next(c->h, NULL, &room); err == HANSE_OK;
         err = hanse_room_next(c->h, &room.id, &room))
        if (room.state == HANSE_ROOM_WAITING) {
            int one = wait_for_room(c, &room.id, seconds);
            code = one != EXIT_DONE ? one : code;
            waiting++;
        }
    if (waiting == 0 && c->json)
        json_line(json_pack("{s:s}", "state", "none"));
    else if (waiting == 0)
        printf("Nothing waits: every room that you asked for has let you in or refused you.\n");
    return code;
}

static int join(struct cli *c, const char *link, const char *name, int seconds)
{
    struct hanse_identity me;
    struct outcome done;
    uint64_t op;
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_identity(c->h, &me);
    if (err == HANSE_OK && !me.exists)
        err = hanse_identity_create(c->h, name);
    else if (err == HANSE_OK && name != NULL)
        err = hanse_identity_rename(c->h, name);
    if (err == HANSE_OK)
        err = hanse_join(c->h, link, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    return err == HANSE_OK ? wait_for_room(c, &done.id, seconds) : cli_fail(c, "join", err);
}

static int run(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"name", required_argument, NULL, 'n'},
                                            {"wait", required_argument, NULL, 'w'},
                                            {"status", no_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    const char *name = NULL;
    long long seconds = 5;
    bool only_status = false;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o == 'n')
            name = optarg;
        if (o == 's')
            only_status = true;
        if (o == 'w' && !number_parse(optarg, 0, 86400, &seconds))
            return cli_usage(&cmd_join, "--wait wants seconds from 0 to 86400");
        if (o == '?')
            return cli_usage(&cmd_join, "see its options");
    }
    if (only_status)
        return optind == argc ? status(c, (int)seconds) : cli_usage(&cmd_join, "--status takes no link");
    if (optind + 1 != argc)
        return cli_usage(&cmd_join, "give one link");
    return join(c, argv[optind], name, (int)seconds);
}

const struct command cmd_join = {
    .name = "join",
    .summary = "join a room by an invite's link",
    .run = run,
    .help =
        "usage: hanse join LINK [--name NAME] [--wait S]\n"
        "       hanse join --status [--wait S]\n\n"
        "  --name NAME  how you want to be called; shown as self-chosen\n"
        "  --wait S     wait so long to be let in (default: 5)\n"
        "  --status     what became of earlier requests\n\n"
        "The link is enough: keys are made on this device, and where you have no home node the room's node\n"
        "becomes it. Exit code 6: the request is in, but no moderator's client is online to let you in.\n\n"
        "example:\n"
        "  hanse join 'hanse:i/AbCd...' --name Anna\n",
};

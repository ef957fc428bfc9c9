/* Rooms: create, list, members, remove, invite. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char *state_name(enum hanse_room_state state)
{
    switch (state) {
    case HANSE_ROOM_CREATING:
        return "creating";
    case HANSE_ROOM_WAITING:
        return "waiting";
    case HANSE_ROOM_MEMBER:
        return "member";
    case HANSE_ROOM_LEFT:
        return "left";
    case HANSE_ROOM_FROZEN:
        return "frozen";
    }
    return "unknown";
}

static int create(struct cli *c, const struct hanse_room_spec *spec)
{
    const char *name = spec->name;
    uint64_t op;
    struct outcome done;
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_room_create_as(c->h, spec, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK)
        return cli_fail(c, name, err);
    if (c->json)
        json_line(json_pack("{s:o, s:s}", "room", json_id(&done.id), "name", name));
    else
        printf("%sRoom made:%s %s (%s). Invite people with: hanse invite '%s'\n", colour(GREEN),
               colour(PLAIN), name, short_id(&done.id), name);
    return EXIT_DONE;
}

static json_t *room_json(const struct hanse_room *room)
{
    return json_pack("{s:o, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:b, s:b}", "room", json_id(&room->id), "name",
                     room->name, "state", state_name(room->state), "hub", room->hub, "role",
                     role_name(room->role), "members", (int)room->members, "next_seq",
                     (json_int_t)room->next_seq, "epoch", (json_int_t)room->epoch, "counter",
                     room->kind == HANSE_ROOM_COUNTER, "waits", room->waits);
}

static void print_room(const struct hanse_room *room)
{
    const char *why = room->frozen != HANSE_OK ? hanse_err_text(room->frozen)
                      : room->waits ? "it can't be told of your home yet; what you say there waits here"
                                    : "";
    char members[24] = ""; /* who isn't in yet, or not any more, doesn't know them */
    if (room->state == HANSE_ROOM_MEMBER || room->state == HANSE_ROOM_FROZEN)
        (void)snprintf(members, sizeof members, "%u members, ", (unsigned)room->members);
    printf("%s  %s%-24s%s %-8s %shub %s%s%s\n", short_id(&room->id), colour(BOLD), room->name, colour(PLAIN),
           state_name(room->state), members, room->hub, why[0] != '\0' ? ": " : "", why);
}

/* Between two homes nothing is read. */
static void print_home(const struct cli *c)
{
    struct hanse_identity me;
    if (hanse_identity(c->h, &me) == HANSE_OK && me.moving && !me.has_account)
        printf("You are on the way to %s, which hasn't answered yet: until then no room is read anywhere.\n"
               "hanse sync asks again; hanse move-home --back stays where you were.\n",
               me.home);
}

static int list(struct cli *c)
{
    struct hanse_room room;
    json_t *all = json_array();
    int code = cli_open(c);
    for (enum hanse_err err = code == EXIT_DONE ? hanse_room_next(c->h, NULL, &room) : HANSE_ERR_NOT_FOUND;
         err == HANSE_OK; err = hanse_room_next(c->h, &room.id, &room)) {
        if (c->json)
            (void)json_array_append_new(all, room_json(&room));
        else
            print_room(&room);
    }
    if (!c->json && code == EXIT_DONE)
        print_home(c);
    if (c->json && code == EXIT_DONE)
        json_line(all);
    else
        json_decref(all);
    return code;
}

static int run_room(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"keep", required_argument, NULL, 'k'}, {NULL, 0, NULL, 0}};
    struct hanse_room_spec spec = {0};
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL))
        if (o != 'k' || !span_parse(optarg, &spec.keep_ms) || spec.keep_ms == 0)
            return cli_usage(&cmd_room, "--keep wants a time (30d, 12h)");
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list(c);
    if (argc - optind != 2 || strcmp(argv[optind], "create") != 0)
        return cli_usage(&cmd_room, "say what to do");
    spec.name = argv[optind + 1];
    return create(c, &spec);
}

const struct command cmd_room = {
    .name = "room",
    .summary = "create a room, or list yours",
    .run = run_room,
    .help =
        "usage: hanse room create NAME [--keep TIME]\n"
        "       hanse room list\n\n"
        "Whoever creates a room owns it; the home node must have granted the right to make rooms.\n\n"
        "  --keep TIME   nodes forget posts that are older than this: 30d, 12h (default: they keep them)\n\n"
        "example:\n"
        "  hanse room create 'Rosa VIP'\n"
        "  hanse room list\n",
};

static int run_members(struct cli *c, int argc, char **argv)
{
    struct hanse_room room;
    struct hanse_member member;
    if (argc != 2)
        return cli_usage(&cmd_members, "name one room");
    int code = cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, argv[1], &room);
    if (code != EXIT_DONE)
        return code;
    json_t *all = json_array();
    for (enum hanse_err err = hanse_member_next(c->h, &room.id, 0, &member); err == HANSE_OK;
         err = hanse_member_next(c->h, &room.id, member.leaf + 1, &member)) {
        if (c->json)
            (void)json_array_append_new(all,
                                        json_pack("{s:o, s:s, s:b}", "person", json_person(&member.person),
                                                  "role", role_name(member.role), "self", member.self));
        else
            printf("%s  %s%-28s%s %s%s\n", short_id(&member.person.key), colour(BOLD),
                   person_text(&member.person), colour(PLAIN), role_name(member.role),
                   member.self ? " (you)" : "");
    }
    if (c->json)
        json_line(all);
    else
        json_decref(all);
    return EXIT_DONE;
}

const struct command cmd_members = {
    .name = "members",
    .summary = "who is in a room",
    .run = run_members,
    .help = "usage: hanse members ROOM\n\n"
            "Handles (name@domain) were checked; names in quotes were chosen by their bearers.\n\n"
            "example:\n"
            "  hanse members 'Rosa VIP'\n",
};

static int run_remove(struct cli *c, int argc, char **argv)
{
    struct hanse_room room;
    struct hanse_member member;
    struct outcome done;
    uint64_t op;
    if (argc != 3)
        return cli_usage(&cmd_remove, "name a room and a member");
    int code = cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, argv[1], &room);
    if (code == EXIT_DONE)
        code = find_member(c, &room.id, argv[2], &member);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_remove(c->h, &room.id, &member.person.key, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK)
        return cli_fail(c, argv[2], err);
    if (c->json)
        json_line(
            json_pack("{s:o, s:I}", "removed", json_person(&member.person), "seq", (json_int_t)done.seq));
    else
        printf("%s was removed and can read nothing that follows. An invite that still has uses lets anybody "
               "in who has its "
               "link.\n",
               person_text(&member.person));
    return EXIT_DONE;
}

const struct command cmd_remove = {
    .name = "remove",
    .summary = "remove a member from a room",
    .run = run_remove,
    .help = "usage: hanse remove ROOM WHO\n\n"
            "WHO is a handle, a chosen name or the beginning of a key (see hanse members).\n\n"
            "example:\n"
            "  hanse remove 'Rosa VIP' Ben\n",
};

static int show_on_its_way(const struct cli *c, const struct hanse_room *room)
{
    if (c->json)
        json_line(json_pack("{s:o}", "waits", json_id(&room->id)));
    else
        printf(
            "%s isn't there yet: the hub of now is away, or the log is long. \"hansed rooms\" at your home "
            "node\nshows how it stands; to see what becomes of it here, run this again.\n",
            room->name);
    return EXIT_WAITING;
}

static int run_move_room(struct cli *c, int argc, char **argv)
{
    struct hanse_room room;
    struct outcome done = {0};
    uint64_t op;
    if (argc != 2)
        return cli_usage(&cmd_move_room, "name one room");
    int code = cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, argv[1], &room);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_room_move(c->h, &room.id, &op);
    if (err == HANSE_OK)
        err = cli_wait_saying(
            c, op, "your home node fetches the room's log first, and goes on by itself from here", &done);
    if (done.waits && done.err == HANSE_OK && err != HANSE_OK)
        return show_on_its_way(c, &room);
    if (err != HANSE_OK)
        return cli_fail(c, argv[1], err);
    if (c->json)
        json_line(json_pack("{s:o, s:I}", "moved", json_id(&room.id), "seq", (json_int_t)done.seq));
    else
        printf("%s is at your home node from now on. Links that you make from now on lead there.\n",
               room.name);
    return EXIT_DONE;
}

const struct command cmd_move_room = {
    .name = "move-room",
    .summary = "your home node orders a room from now on",
    .run = run_move_room,
    .help = "usage: hanse move-room ROOM\n\n"
            "For its owner, who has moved home to the new node first (hanse move-home) and may make rooms "
            "there (a grant\n"
            "of that node, hanse grant). Members, invites and history stay; coupons stay with the brand's "
            "own node. The new node fetches the whole log first, and goes on with that by itself: where it "
            "takes\n"
            "longer than --timeout, the exit code is 6.\n\n"
            "example:\n"
            "  hanse move-room 'Rosa VIP'\n",
};

/* Without its node, which may be gone for good. */
static int leave_here(const struct cli *c, const struct hanse_room *room)
{
    enum hanse_err err = hanse_leave_here(c->h, &room->id);
    if (err != HANSE_OK)
        return cli_fail(c, "leave", err);
    if (c->json)
        json_line(json_pack("{s:o, s:b}", "left", json_id(&room->id), "here", 1));
    else
        printf("You left %s on this device. Its node is told when it can be; nothing waits for that.\n",
               room->name);
    return EXIT_DONE;
}

static int leave(struct cli *c, const struct hanse_room *room)
{
    struct outcome done;
    uint64_t op;
    enum hanse_err err = hanse_leave(c->h, &room->id, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK) {
        int code = cli_fail_kept(c, "leave", err);
        if (!c->json)
            fprintf(stderr, "hanse leave --here leaves it on this device, whatever its node says.\n");
        return code;
    }
    if (c->json)
        json_line(json_pack("{s:o, s:I}", "left", json_id(&room->id), "seq", (json_int_t)done.seq));
    else
        printf("You left %s. What was said there stays on this device; nothing that follows comes.\n",
               room->name);
    return EXIT_DONE;
}

static int run_leave(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"here", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct hanse_room room;
    bool here = false;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o != 'h')
            return cli_usage(&cmd_leave, "see its options");
        here = true;
    }
    if (argc - optind != 1)
        return cli_usage(&cmd_leave, "name one room");
    int code = here ? cli_open(c) : cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, argv[optind], &room);
    if (code != EXIT_DONE)
        return code;
    return here ? leave_here(c, &room) : leave(c, &room);
}

const struct command cmd_leave = {
    .name = "leave",
    .summary = "leave a room",
    .run = run_leave,
    .help =
        "usage: hanse leave [--here] ROOM\n\n"
        "The keys of the room are deleted from this device; the next change of the room takes you off "
        "its list.\n\n"
        "  --here   now, whether its node answers or not: for a node that is gone for good, or a room that\n"
        "           you asked to join and nobody lets you in. What never left this device is given up; "
        "what\n"
        "           your own node has taken for the room may still arrive there. Its node is told when it "
        "can\n"
        "           be; a room that has gone on until then lists you further.\n\n"
        "examples:\n"
        "  hanse leave 'Rosa VIP'\n"
        "  hanse leave --here 'Old shop'\n",
};

static int run_rejoin(struct cli *c, int argc, char **argv)
{
    struct hanse_room room;
    struct outcome done;
    uint64_t op;
    if (argc != 2)
        return cli_usage(&cmd_rejoin, "name one room");
    int code = open_room(c, argv[1], &room);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_rejoin(c->h, &room.id, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK)
        return cli_fail(c, argv[1], err);
    if (c->json)
        json_line(json_pack("{s:o}", "rejoined", json_id(&done.id)));
    else
        printf("This device is in %s again, in the place of any other copy of it. What was said meanwhile it "
               "can't "
               "read.\n",
               room.name);
    return EXIT_DONE;
}

const struct command cmd_rejoin = {
    .name = "rejoin",
    .summary = "come back into a room whose keys another copy of this device has",
    .run = run_rejoin,
    .help = "usage: hanse rejoin ROOM\n\n"
            "A device whose data was restored from a copy comes back into its rooms by itself. Where two "
            "copies of\n"
            "it are in use, one of them is out; this brings the one in that you call it on.\n\n"
            "example:\n"
            "  hanse rejoin 'Rosa VIP'\n",
};

static int invite(struct cli *c, const char *name, uint32_t uses, int64_t until)
{
    struct hanse_room room;
    struct outcome done;
    uint64_t op;
    int code = open_room(c, name, &room);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_invite(c->h, &room.id, uses, until, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK)
        return cli_fail(c, name, err);
    if (c->json) {
        json_line(
            json_pack("{s:s, s:i, s:I}", "link", done.text, "uses", (int)uses, "until", (json_int_t)until));
        return EXIT_DONE;
    }
    printf("Whoever opens this link may join %s%s%s (%u %s, until %s):\n\n  %s%s%s\n\n", colour(BOLD),
           room.name, colour(PLAIN), uses, uses == 1 ? "use" : "uses", time_text(until, false), colour(BOLD),
           done.text, colour(PLAIN));
    qr_print(done.text);
    return EXIT_DONE;
}

static int run_invite(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"uses", required_argument, NULL, 'u'}, {"until", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    long long uses = 100;
    int64_t until = 0;
    (void)until_parse("30d", &until);
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o == 'u' && !number_parse(optarg, 1, 100000, &uses))
            return cli_usage(&cmd_invite, "--uses wants a number from 1 to 100000");
        if (o == 't' && !until_parse(optarg, &until))
            return cli_usage(&cmd_invite,
                             "--until wants a date (2026-12-24) or a time from now on (30d, 12h)");
        if (o == '?')
            return cli_usage(&cmd_invite, "see its options");
    }
    if (optind + 1 != argc)
        return cli_usage(&cmd_invite, "name one room");
    return invite(c, argv[optind], (uint32_t)uses, until);
}

const struct command cmd_invite = {
    .name = "invite",
    .summary = "make an invite: a link and a QR code",
    .run = run_invite,
    .help = "usage: hanse invite ROOM [--uses N] [--until DATE]\n\n"
            "  --uses N      so many people may use it (default: 100)\n"
            "  --until DATE  2026-12-24, 2026-12-24T18:00Z, or 30d, 12h, 15m from now on (default: 30d)\n\n"
            "example:\n"
            "  hanse invite 'Rosa VIP' --uses 50 --until 7d\n",
};

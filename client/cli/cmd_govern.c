/* Who has which role in a room, and who is out for good. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static bool role_parse(const char *text, enum hanse_role *out)
{
    for (enum hanse_role role = HANSE_ROLE_MEMBER; role <= HANSE_ROLE_LISTENER; role++)
        if (strcmp(text, role_name(role)) == 0) {
            *out = role;
            return true;
        }
    return false;
}

/* With what a policy's change begins: the room and whom it is about. */
static int find_subject(struct cli *c, char **argv, struct hanse_room *room, struct hanse_member *member)
{
    int code = cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, argv[1], room);
    return code == EXIT_DONE ? find_member(c, &room->id, argv[2], member) : code;
}

static int run_role(struct cli *c, int argc, char **argv)
{
    struct hanse_room room;
    struct hanse_member member;
    struct outcome done;
    enum hanse_role role;
    uint64_t op;
    if (argc != 4 || !role_parse(argv[3], &role))
        return cli_usage(&cmd_role, "name a room, a member and a role");
    int code = find_subject(c, argv, &room, &member);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_set_role(c->h, &room.id, &member.person.key, role, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK)
        return cli_fail(c, argv[2], err);
    if (c->json)
        json_line(json_pack("{s:o, s:s}", "person", json_person(&member.person), "role", role_name(role)));
    else
        printf("%s is %s of %s now.\n", person_text(&member.person), role_name(role), room.name);
    return EXIT_DONE;
}

const struct command cmd_role = {
    .name = "role",
    .summary = "give a member of a room a role, or take it",
    .run = run_role,
    .help =
        "usage: hanse role ROOM WHO ROLE\n\n"
        "ROLE is member, listener, agent, host, moderator or owner. A role above member counts for whom the\n"
        "room's node has granted a handle or a role (hansed grant, with the key in hanse members).\n\n"
        "example:\n"
        "  hanse role 'Rosa VIP' mo@rosa.example moderator\n",
};

static int run_ban(struct cli *c, int argc, char **argv)
{
    struct hanse_room room;
    struct hanse_member member;
    struct outcome done;
    uint64_t op;
    if (argc != 3)
        return cli_usage(&cmd_ban, "name a room and a member");
    int code = find_subject(c, argv, &room, &member);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_ban(c->h, &room.id, &member.person.key, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK)
        return cli_fail(c, argv[2], err);
    if (c->json)
        json_line(json_pack("{s:o}", "banned", json_person(&member.person)));
    else
        printf("%s was removed from %s, and no invite lets them in again.\n", person_text(&member.person),
               room.name);
    return EXIT_DONE;
}

const struct command cmd_ban = {
    .name = "ban",
    .summary = "remove a member from a room for good",
    .run = run_ban,
    .help = "usage: hanse ban ROOM WHO\n\n"
            "example:\n"
            "  hanse ban 'Rosa VIP' Ben\n",
};

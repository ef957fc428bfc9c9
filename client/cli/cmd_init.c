#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int identity_show(const struct cli *c, const char *what)
{
    struct hanse_identity me;
    enum hanse_err err = hanse_identity(c->h, &me);
    if (err != HANSE_OK)
        return cli_fail(c, "init", err);
    if (c->json) {
        json_line(json_pack("{s:o, s:b, s:s, s:o}", "self", json_person(&me.self), "account", me.has_account,
                            "home", me.home, "home_root", json_id(&me.home_root)));
        return EXIT_DONE;
    }
    printf("%s%s%s\n", colour(GREEN), what, colour(PLAIN));
    if (me.has_account) {
        char key[65];
        hanse_id_text(&me.self.key, key);
        printf("You are %s%s%s at %s, with the key %s.\n", colour(BOLD), person_text(&me.self), colour(PLAIN),
               me.home, key);
    } else
        printf("Next: hanse join LINK, with an invite that somebody sent you.\n");
    return EXIT_DONE;
}

static int sign_up(struct cli *c, const char *ticket)
{
    uint64_t op;
    struct outcome done;
    enum hanse_err err = hanse_sign_up(c->h, ticket, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    return err == HANSE_OK ? EXIT_DONE : cli_fail(c, "sign-up", err);
}

static int run(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"name", required_argument, NULL, 'n'}, {"ticket", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    static char ticket[TICKET_MAX];
    const char *name = NULL, *from = NULL;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o == 'n')
            name = optarg;
        else if (o == 't')
            from = optarg;
        else
            return cli_usage(&cmd_init, "see its options");
    }
    if (optind != argc)
        return cli_usage(&cmd_init, "'%s' isn't expected", argv[optind]);
    if (from != NULL && !ticket_read(from, ticket))
        return cli_usage(&cmd_init, "the ticket %s can't be read", from);
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    struct hanse_identity me;
    enum hanse_err err = hanse_identity(c->h, &me);
    if (err == HANSE_OK && !me.exists)
        err = hanse_identity_create(c->h, name);
    else if (err == HANSE_OK && from == NULL)
        err = HANSE_ERR_INVALID_STATE;
    if (err != HANSE_OK)
        return cli_fail(c, c->dir, err);
    code = from != NULL ? sign_up(c, ticket) : EXIT_DONE;
    return code == EXIT_DONE ? identity_show(c, "Keys made; they never leave this device.") : code;
}

const struct command cmd_init = {
    .name = "init",
    .summary = "make this device's keys, and an account where you have a ticket",
    .run = run,
    .help = "usage: hanse init [--name NAME] [--ticket FILE]\n\n"
            "  --name NAME    how you want to be called; shown as self-chosen\n"
            "  --ticket FILE  a node's ticket (a file, - for stdin, or the text itself)\n\n"
            "Without a ticket only keys are made: an invite is enough to get an account, see hanse join.\n\n"
            "example:\n"
            "  hanse init --name Cem --ticket cem.ticket\n",
};

static int run_grant(struct cli *c, int argc, char **argv)
{
    static char text[TICKET_MAX];
    uint64_t op;
    struct outcome done;
    if (argc != 2)
        return cli_usage(&cmd_grant, "give one grant");
    if (!ticket_read(argv[1], text))
        return cli_usage(&cmd_grant, "%s can't be read", argv[1]);
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_grants_add(c->h, text, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    return err == HANSE_OK ? identity_show(c, "Granted.") : cli_fail(c, "grant", err);
}

const struct command cmd_grant = {
    .name = "grant",
    .summary = "take roles or a handle that the operator of your home node, or of a room's, granted you",
    .run = run_grant,
    .help = "usage: hanse grant GRANT\n\n"
            "GRANT is a file, - for stdin, or the text itself (hanse:g/...), as hansed grant prints it for "
            "your key.\n"
            "It counts in that node's rooms, those that you are in too.\n\n"
            "example:\n"
            "  hanse grant staff.grant\n",
};

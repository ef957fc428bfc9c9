#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICKET_MAX = 16384 };

/* The ticket's text from a file, from stdin ("-"), or the argument itself. */
static bool read_ticket(const char *from, char out[TICKET_MAX])
{
    if (strncmp(from, "hanse:", 6) == 0) {
        (void)snprintf(out, TICKET_MAX, "%s", from);
        return true;
    }
    FILE *file = strcmp(from, "-") == 0 ? stdin : fopen(from, "r");
    if (file == NULL)
        return false;
    size_t len = fread(out, 1, TICKET_MAX - 1, file);
    if (file != stdin)
        (void)fclose(file);
    out[len] = '\0';
    out[strcspn(out, "\r\n")] = '\0';
    return len > 0;
}

static int show(const struct cli *c)
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
    printf("%sKeys made%s in %s; they never leave this device.\n", colour(GREEN), colour(PLAIN), c->dir);
    if (me.has_account)
        printf("You are %s%s%s at %s.\n", colour(BOLD), person_text(&me.self), colour(PLAIN), me.home);
    else
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
    if (from != NULL && !read_ticket(from, ticket))
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
    return code == EXIT_DONE ? show(c) : code;
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

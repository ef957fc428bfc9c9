#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command *const commands[] = {
    &cmd_init,   &cmd_grant,    &cmd_room,      &cmd_invite,    &cmd_join,    &cmd_chat,   &cmd_serve,
    &cmd_send,   &cmd_save,     &cmd_log,       &cmd_sync,      &cmd_members, &cmd_remove, &cmd_leave,
    &cmd_rejoin, &cmd_role,     &cmd_ban,       &cmd_offer,     &cmd_coupon,  &cmd_order,  &cmd_till,
    &cmd_verify, &cmd_evidence, &cmd_move_home, &cmd_move_room, &cmd_wake,
};

static void print_help(void)
{
    printf("%shanse%s: talk and trade in rooms that nobody else can read\n\n"
           "usage: hanse [--dir DIR] [--json] [--timeout S] COMMAND [...]\n\ncommands:\n",
           colour(BOLD), colour(PLAIN));
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
    printf("\noptions:\n"
           "  --dir DIR     this device's state (default: $HANSE_DIR, else ~/.hanse)\n"
           "  --json        one JSON value (or one a line, for what goes on) on stdout\n"
           "  --timeout S   how long to wait for the network and for another hanse on DIR (default: 30)\n"
           "  --help        also behind a command: its options and an example\n"
           "  --version\n\n"
           "The state is sealed with the key in DIR/key, or in the file that $HANSE_KEY_FILE names.\n\n"
           "exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by the other side or the room's rules,\n"
           "            4 not reachable in time, 5 an exported order doesn't verify, 6 it waits for others, "
           "and goes on by itself\n\n"
           "example, from an invite to the first word:\n"
           "  hanse join 'hanse:i/AbCd...' --name Anna\n"
           "  hanse send 'Rosa VIP' 'Hello!'\n");
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* Global options may stand anywhere: they are taken out of argv, the rest stays in order. */
static int take_globals(struct cli *c, int argc, char **argv)
{
    int kept = 1;
    for (int i = 1; i < argc; i++) {
        long long seconds;
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--") == 0) {
            while (i < argc)
                argv[kept++] = argv[i++];
        } else if (strcmp(argv[i], "--json") == 0) {
            c->json = true;
        } else if (strcmp(argv[i], "--dir") == 0 && has_value) {
            c->dir = argv[++i];
        } else if (strcmp(argv[i], "--timeout") == 0 && has_value) {
            if (!number_parse(argv[++i], 1, 86400, &seconds))
                return -1;
            c->timeout_s = (int)seconds;
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    return kept;
}

int main(int argc, char **argv)
{
    static char home[4096];
    struct cli c = {.dir = getenv("HANSE_DIR"), .timeout_s = 30};
    const char *base = getenv("HOME");
    if (c.dir == NULL) {
        (void)snprintf(home, sizeof home, "%s/.hanse", base != NULL ? base : ".");
        c.dir = home;
    }
    argc = take_globals(&c, argc, argv);
    if (argc < 0)
        return cli_say_usage("hanse", "--timeout wants seconds from 1 to 86400");
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        printf("hanse %s\n", hanse_version());
        return EXIT_DONE;
    }
    if (argc < 2 || argv[1][0] == '-') {
        print_help();
        return argc < 2 ? EXIT_USAGE : wants_help(argc, argv) ? EXIT_DONE : EXIT_USAGE;
    }
    const struct command *command = find_command(argv[1]);
    if (command == NULL)
        return cli_say_usage("hanse", "there is no command '%s'; hanse --help lists them", argv[1]);
    if (wants_help(argc - 1, argv + 1)) {
        printf("%shanse %s%s: %s\n\n%s", colour(BOLD), command->name, colour(PLAIN), command->summary,
               command->help);
        return EXIT_DONE;
    }
    int code = command->run(&c, argc - 1, argv + 1);
    cli_close(&c);
    if (fflush(stdout) != 0)
        return EXIT_FAILED;
    return code;
}

/* hansed: the node of one brand. */
#include "admin/command.h"

#include <stdio.h>
#include <string.h>

static const struct hs_command *const commands[] = {&hs_cmd_run, &hs_cmd_init, &hs_cmd_ticket, &hs_cmd_grant};

static void print_help(void)
{
    printf("hansed: the node of one brand\n\n"
           "usage: hansed --config FILE\n"
           "       hansed COMMAND [...]\n\ncommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        printf("  %-7s %s\n", commands[i]->name, commands[i]->summary);
    printf("\nhansed COMMAND --help tells the options and an example.\n\n"
           "exit codes: 0 done, 1 failed, 2 wrong usage, 3 a mistake in the configuration\n\n"
           "example, a node from nothing:\n"
           "  hansed init --domain rosa.example --dir rosa --advertise rosa.example:7700\n"
           "  hansed --config rosa/hansed.conf\n");
}

static int has_word(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    const struct hs_command *command = NULL;
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof commands[0]; i++)
        if (strcmp(argv[1], commands[i]->name) == 0)
            command = commands[i];
    if (command != NULL && has_word(argc - 1, argv + 1, "--help")) {
        printf("hansed %s: %s\n\n%s", command->name, command->summary, command->help);
        return EXIT_DONE;
    }
    if (command != NULL)
        return command->run(argc - 1, argv + 1);
    if (has_word(argc, argv, "--help")) {
        print_help();
        return EXIT_DONE;
    }
    if (has_word(argc, argv, "--version")) {
        printf("hansed " HANSE_VERSION "\n");
        return EXIT_DONE;
    }
    if (argc > 1 && strncmp(argv[1], "--", 2) == 0)
        return hs_cmd_run.run(argc, argv);
    print_help();
    return EXIT_USAGE;
}

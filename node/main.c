/* hansed: a brand's node. */
#include "admin/ask.h"
#include "admin/cmd.h"

#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"init", hs_cmd_init},     {"ticket", hs_cmd_ticket},   {"grant", hs_cmd_grant},
    {"backup", hs_cmd_backup}, {"restore", hs_cmd_restore}, {"check", hs_cmd_check},
    {"renew", hs_cmd_renew},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    for (size_t i = 0; argc > 1 && i < hs_ask_command_count; i++)
        if (strcmp(argv[1], hs_ask_commands[i].name) == 0)
            return hs_cmd_ask(&hs_ask_commands[i], argc - 1, argv + 1);
    return hs_cmd_run(argc, argv);
}

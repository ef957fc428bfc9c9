/* The commands of hansed: a table row each. */
#ifndef HS_ADMIN_COMMAND_H
#define HS_ADMIN_COMMAND_H

/* Exit codes; hansed --help lists them. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONFIG = 3 };

struct hs_command {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *help;                  /* usage, options and an example */
};

extern const struct hs_command hs_cmd_run, hs_cmd_init, hs_cmd_ticket, hs_cmd_grant;

/* "hansed COMMAND: ..." and the help on stderr; EXIT_USAGE. */
int hs_command_usage(const struct hs_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "hansed: WHAT: sentence [NAME]" on stderr; EXIT_FAILED. */
int hs_command_fail(const char *what, int err);

#endif

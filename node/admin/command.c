#include "admin/command.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

int hs_command_usage(const struct hs_command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "hansed %s: ", command->name);
    (void)vfprintf(stderr, format, args);
    fprintf(stderr, "\n\n%s", command->help);
    va_end(args);
    return EXIT_USAGE;
}

int hs_command_fail(const char *what, int err)
{
    fprintf(stderr, "hansed: %s: %s [%s]\n", what, hs_err_text((enum hs_err)err),
            hs_err_name((enum hs_err)err));
    return EXIT_FAILED;
}

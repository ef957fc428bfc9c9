#include "cli.h"

#include <stdio.h>
#include <string.h>

bool ticket_read(const char *from, char out[TICKET_MAX])
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

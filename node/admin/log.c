#include "admin/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 1024, LEVELS = HS_LOG_DEBUG + 1 };

static const char *const names[LEVELS] = {"error", "warn", "info", "debug"};
static const char *const colours[LEVELS] = {"\033[31m", "\033[33m", "", "\033[2m"};

static struct {
    enum hs_log_level level;
    bool colour, time;
} settings = {.level = HS_LOG_INFO, .time = true};

void hs_log_init(enum hs_log_level level)
{
    settings.level = level;
    settings.colour = isatty(STDERR_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    settings.time = getenv("JOURNAL_STREAM") == NULL;
}

int hs_log_level_of(const char *name)
{
    for (int i = 0; i < LEVELS; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

static size_t put_time(char *out, size_t size)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return len + (size_t)snprintf(out + len, size - len, ".%03ldZ ", now.tv_nsec / 1000000);
}

void hs_log(enum hs_log_level level, const char *format, ...)
{
    char line[LINE_SIZE];
    size_t len = 0, text;
    if (level > settings.level)
        return;
    bool coloured = settings.colour && colours[level][0] != '\0';
    if (settings.time)
        len = put_time(line, sizeof line);
    len += (size_t)snprintf(line + len, sizeof line - len, "%s%-5s ", coloured ? colours[level] : "",
                            names[level]);
    text = len;
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(line + len, sizeof line - len - sizeof "\033[0m\n", format, args);
    va_end(args);
    if (wanted < 0)
        return;
    len += strlen(line + len);
    for (size_t i = text; i < len; i++) /* one event stays one line */
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = ' ';
    len += (size_t)snprintf(line + len, sizeof line - len, "%s\n", coloured ? "\033[0m" : "");
    (void)!write(STDERR_FILENO, line, len);
}

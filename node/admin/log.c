#include "admin/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 1024, EVENT_SIZE = 900, LEVELS = HS_LOG_DEBUG + 1, FORMATS = HS_LOG_JSON + 1 };

static const char *const names[LEVELS] = {"error", "warn", "info", "debug"};
static const char *const formats[FORMATS] = {"text", "json"};
static const char *const colours[LEVELS] = {"\033[31m", "\033[33m", "", "\033[2m"};
static const int priorities[LEVELS] = {3, 4, 6, 7}; /* syslog's, as journald reads them */

static struct {
    atomic_int level, format;
    atomic_bool colour, journal;
} settings = {.level = HS_LOG_INFO, .format = HS_LOG_TEXT};

/* The variable is inherited: only where standard error is that very stream does journald read it. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat info;
    char own[64];
    if (stream == NULL || fstat(STDERR_FILENO, &info) != 0)
        return false;
    snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)info.st_dev, (unsigned long long)info.st_ino);
    return strcmp(stream, own) == 0;
}

void hs_log_init(enum hs_log_level level, enum hs_log_format format)
{
    settings.level = (int)level;
    settings.format = (int)format;
    settings.colour = isatty(STDERR_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    settings.journal = is_journal();
}

static int index_of(const char *const *list, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name, list[i]) == 0)
            return i;
    return -1;
}

int hs_log_level_of(const char *name)
{
    return index_of(names, LEVELS, name);
}

int hs_log_format_of(const char *name)
{
    return index_of(formats, FORMATS, name);
}

static size_t put_time(char *out, size_t size)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return len + (size_t)snprintf(out + len, size - len, ".%03ldZ", now.tv_nsec / 1000000);
}

static size_t put_text(enum hs_log_level level, const char *event, char *line, size_t size)
{
    bool coloured = settings.colour && colours[level][0] != '\0';
    if (settings.journal)
        return (size_t)snprintf(line, size, "<%d>%s\n", priorities[level], event);
    size_t len = put_time(line, size);
    return len + (size_t)snprintf(line + len, size - len, " %s%-5s %s%s\n", coloured ? colours[level] : "",
                                  names[level], event, coloured ? "\033[0m" : "");
}

static size_t put_json(enum hs_log_level level, const char *event, char *line, size_t size)
{
    size_t len = settings.journal ? (size_t)snprintf(line, size, "<%d>", priorities[level]) : 0;
    len += (size_t)snprintf(line + len, size - len, "{\"time\":\"");
    len += put_time(line + len, size - len);
    len += (size_t)snprintf(line + len, size - len, "\",\"level\":\"%s\"", names[level]);
    size_t before = len;
    line[len++] = ',';
    size_t pairs = hs_log_pairs_to_json(event, line + len, size - len - sizeof "}\n");
    len = pairs > 0 ? len + pairs : before;
    return len + (size_t)snprintf(line + len, size - len, "}\n");
}

void hs_log(enum hs_log_level level, const char *format, ...)
{
    char line[LINE_SIZE], event[EVENT_SIZE];
    va_list args;
    if ((int)level > settings.level)
        return;
    va_start(args, format);
    int wanted = vsnprintf(event, sizeof event, format, args);
    va_end(args);
    if (wanted < 0)
        return;
    for (char *c = event; *c != '\0'; c++) /* one event stays one line */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    size_t len = settings.format == HS_LOG_JSON ? put_json(level, event, line, sizeof line)
                                                : put_text(level, event, line, sizeof line);
    (void)!write(STDERR_FILENO, line, len);
}

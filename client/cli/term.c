#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *colour(enum colour which)
{
    static const char *const sequences[] = {"\033[0m",  "\033[1m",  "\033[2m", "\033[31m",
                                            "\033[32m", "\033[33m", "\033[34m"};
    static int terminal = -1;
    if (terminal < 0)
        terminal = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    return terminal ? sequences[which] : "";
}

/* The next of a few buffers, so that one call of printf can show several texts. */
static char *next_buffer(size_t *size)
{
    static char buffers[4][HANSE_HANDLE_SIZE + 64];
    static unsigned next;
    *size = sizeof buffers[0];
    return buffers[next++ % 4];
}

static int exit_code(enum hanse_err err)
{
    switch (err) {
    case HANSE_ERR_TIMEOUT:
    case HANSE_ERR_UNREACHABLE:
    case HANSE_ERR_CLOSED:
        return EXIT_UNREACHABLE;
    case HANSE_ERR_INVALID_ARG:
        return EXIT_USAGE;
    default:
        return (int)err <= -100 && (int)err > -200 ? EXIT_REFUSED : EXIT_FAILED;
    }
}

int cli_fail(const struct cli *c, const char *what, enum hanse_err err)
{
    fprintf(stderr, "hanse: %s: %s [%s]\n", what, hanse_err_text(err), hanse_err_name(err));
    if (c->json)
        json_line(json_pack("{s:s, s:s, s:s}", "error", hanse_err_name(err), "text", hanse_err_text(err),
                            "what", what));
    return exit_code(err);
}

int cli_fail_kept(const struct cli *c, const char *what, enum hanse_err err)
{
    int code = exit_code(err);
    if (code != EXIT_UNREACHABLE)
        return cli_fail(c, what, err);
    fprintf(stderr,
            "hanse: %s: no answer yet; kept on this device, and goes on by itself the next time hanse is "
            "online (hanse sync); don't repeat it [%s]\n",
            what, hanse_err_name(err));
    if (c->json)
        json_line(json_pack("{s:s, s:s, s:b}", "error", hanse_err_name(err), "what", what, "kept", 1));
    return code;
}

int cli_say_usage(const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", name);
    (void)vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    return EXIT_USAGE;
}

int cli_usage(const struct command *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "hanse %s: ", command->name);
    (void)vfprintf(stderr, format, args);
    fprintf(stderr, "\n\n%s", command->help);
    va_end(args);
    return EXIT_USAGE;
}

const char *short_id(const struct hanse_id *id)
{
    size_t size;
    char *out = next_buffer(&size), whole[65];
    hanse_id_text(id, whole);
    (void)snprintf(out, size, "%.8s", whole);
    return out;
}

const char *person_text(const struct hanse_person *person)
{
    size_t size;
    char *out = next_buffer(&size);
    if (person->handle[0] != '\0')
        (void)snprintf(out, size, "%s", person->handle);
    else if (person->name[0] != '\0')
        (void)snprintf(out, size, "\"%s\"", person->name);
    else
        return short_id(&person->key);
    return out;
}

const char *time_text(int64_t ms, bool clock_only)
{
    size_t size;
    char *out = next_buffer(&size);
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    if (localtime_r(&seconds, &local) == NULL ||
        strftime(out, size, clock_only ? "%H:%M:%S" : "%Y-%m-%d %H:%M", &local) == 0)
        (void)snprintf(out, size, "?");
    return out;
}

/* Digits behind the point (ISO 4217); two for what isn't listed. */
static int currency_digits(const char *currency)
{
    static const char none[] = "JPY KRW VND CLP ISK XAF XOF XPF PYG UGX RWF",
                      three[] = "BHD KWD OMR TND JOD IQD LYD";
    if (strlen(currency) != 3)
        return 2;
    return strstr(none, currency) != NULL ? 0 : strstr(three, currency) != NULL ? 3 : 2;
}

static long long power_of_ten(int digits)
{
    long long power = 1;
    for (int i = 0; i < digits; i++)
        power *= 10;
    return power;
}

const char *money_text(int64_t minor, const char *currency)
{
    size_t size;
    char *out = next_buffer(&size);
    int digits = currency_digits(currency);
    long long power = power_of_ten(digits), whole = llabs((long long)minor) / power,
              part = llabs((long long)minor) % power;
    if (digits > 0)
        (void)snprintf(out, size, "%s%lld.%0*lld %s", minor < 0 ? "-" : "", whole, digits, part, currency);
    else
        (void)snprintf(out, size, "%s%lld %s", minor < 0 ? "-" : "", whole, currency);
    return out;
}

bool money_parse(const char *text, const char *currency, int64_t *minor)
{
    const long long largest = (1LL << 53) - 1;
    int digits = currency_digits(currency), behind = -1;
    long long value = 0;
    if (*text == '\0')
        return false;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '.' && behind < 0 && p > text) {
            behind = 0;
            continue;
        }
        if (*p < '0' || *p > '9' || behind == digits || value > (largest - 9) / 10)
            return false;
        value = value * 10 + (*p - '0');
        behind += behind >= 0 ? 1 : 0;
    }
    value *= power_of_ten(behind < 0 ? digits : digits - behind);
    *minor = value;
    return behind != 0 && value <= largest;
}

bool number_parse(const char *text, long long min, long long max, long long *out)
{
    char *end;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || value < min || value > max)
        return false;
    *out = value;
    return true;
}

bool span_parse(const char *text, int64_t *ms)
{
    char *end;
    long long amount = strtoll(text, &end, 10), unit;
    switch (*end) {
    case 's':
        unit = 1000;
        break;
    case 'm':
        unit = 60000;
        break;
    case 'h':
        unit = 3600000;
        break;
    case 'd':
        unit = 86400000;
        break;
    default:
        return false;
    }
    if (end == text || end[1] != '\0' || amount < 0 || amount > 36500LL * 86400)
        return false;
    *ms = amount * unit;
    return true;
}

static bool date_parse(const char *text, int64_t *ms)
{
    int year, month, day, hour = 0, minute = 0, used = 0;
    int fields = sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used);
    if (fields != 3)
        return false;
    if (text[used] == 'T') {
        int more = 0;
        if (sscanf(text + used, "T%2d:%2dZ%n", &hour, &minute, &more) != 2 || more == 0)
            return false;
        used += more;
    }
    struct tm utc = {
        .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute};
    time_t seconds = timegm(&utc);
    *ms = (int64_t)seconds * 1000;
    return text[used] == '\0' && seconds != (time_t)-1 && utc.tm_mon == month - 1 && utc.tm_mday == day;
}

bool until_parse(const char *text, int64_t *ms)
{
    int64_t span;
    if (span_parse(text, &span))
        *ms = cli_now_ms() + span;
    else if (!date_parse(text, ms))
        return false;
    return *ms > cli_now_ms();
}

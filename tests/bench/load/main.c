/* hanse_load --hansed PROGRAM [--dir DIR] [--quick] [--seconds S] [--members N] [PART...]: one JSON line a
 * result. */
#include "load.h"

#include "crypto/selftest.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct load_options load_options = {.dir = "/var/tmp"};

void load_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("hanse_load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void load_line(const char *name, size_t n)
{
    printf("{\"name\": \"%s\", \"n\": %zu", name, n);
    fprintf(stderr, "%-24s n=%-6zu", name, n);
}

void load_value(const char *key, double value)
{
    printf(", \"%s\": %.*f", key, value < 10 ? 3 : 1, value);
    fprintf(stderr, " %s=%.*f", key, value < 10 ? 3 : 0, value);
}

void load_line_end(void)
{
    puts("}");
    fputc('\n', stderr);
    (void)fflush(stdout);
}

static void report_times(const char *name, const struct load_times *times)
{
    char key[32];
    (void)snprintf(key, sizeof key, "%sp50_ms", name);
    load_value(key, load_times_at(times, 0.5) / 1e6);
    (void)snprintf(key, sizeof key, "%sp99_ms", name);
    load_value(key, load_times_at(times, 0.99) / 1e6);
}

void load_report_drive(const struct load_result *r)
{
    load_value("messages_per_s", r->messages / r->seconds);
    load_value("deliveries_per_s", r->deliveries / r->seconds);
    report_times("", &r->times);
    report_times("arrived_", &r->arrivals);
    report_times("first_", &r->firsts);
    load_value("node_us_per_delivery", r->node_us / r->deliveries);
    load_value("node_cores", r->node_us / r->seconds / 1e6);
    load_value("load_cores", r->own_us / r->seconds / 1e6);
    load_line_end();
}

void load_calm(const char *name, size_t n, const struct load_plan *plan, struct load_result *r)
{
    static struct load_floor floor;
    static struct load_times arrivals;
    load_drive(plan, r);
    arrivals = r->arrivals;
    load_cores_divide(plan, true);
    load_drive(plan, r);
    r->arrivals = arrivals;
    load_floor(plan->rooms->member_count, plan->messages_per_second, plan->seconds, &floor);
    load_cores_divide(plan, false);
    load_line(name, n);
    report_times("floor_", &floor.times);
    report_times("floor_arrived_", &floor.arrivals);
    load_report_drive(r);
}

static const struct part {
    const char *name;
    void (*run)(void);
} parts[] = {
    {"room_fanout", load_room_fanout}, {"idle_memory", load_idle_memory}, {"catch_up", load_catch_up},
    {"many_rooms", load_many_rooms},   {"federated", load_federated},     {"reconnect", load_reconnect},
    {"restart", load_restart},         {"overload", load_overload},       {"standstill", load_standstill},
};
enum { PARTS = sizeof parts / sizeof *parts };

static int usage(void)
{
    fprintf(stderr, "usage: hanse_load --hansed PROGRAM [--dir DIR] [--quick] [--seconds S] [--members N] "
                    "[PART...]\nparts:");
    for (size_t i = 0; i < PARTS; i++)
        fprintf(stderr, " %s", parts[i].name);
    fputc('\n', stderr);
    return 2;
}

/* One part by its name, all of them without one. */
static bool run(const char *name)
{
    bool any = false;
    for (size_t i = 0; i < PARTS; i++)
        if (name == NULL || strcmp(parts[i].name, name) == 0) {
            parts[i].run();
            any = true;
        }
    return any;
}

int main(int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            load_options.quick = true;
        else if (strcmp(argv[i], "--saturation") == 0)
            load_options.saturation_alone = true;
        else if (strcmp(argv[i], "--calm") == 0)
            load_options.calm_alone = true;
        else if (i + 1 == argc)
            return usage();
        else if (strcmp(argv[i], "--hansed") == 0)
            load_options.hansed = argv[++i];
        else if (strcmp(argv[i], "--dir") == 0)
            load_options.dir = argv[++i];
        else if (strcmp(argv[i], "--seconds") == 0)
            load_options.seconds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--members") == 0)
            load_options.members = (unsigned)strtoul(argv[++i], NULL, 10);
        else
            return usage();
    }
    if (load_options.hansed == NULL)
        return usage();
    if (load_options.seconds == 0)
        load_options.seconds = load_options.quick ? 2 : 10;
    signal(SIGPIPE, SIG_IGN);
    LOAD_OK(hs_crypto_init());
    if (i == argc)
        run(NULL);
    for (; i < argc; i++)
        if (!run(argv[i]))
            return usage();
    return 0;
}

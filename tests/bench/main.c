/* hanse_bench [--quick] [NAME]: all parts, or the one of that name. */
#include "bench/bench.h"

#include "crypto/selftest.h"

#include <stdio.h>

static const struct part {
    const char *name;
    void (*run)(void);
} parts[] = {
    {"primitives", bench_primitives}, {"objects", bench_objects},
    {"sessions", bench_sessions},     {"mls", bench_mls},
    {"deals", bench_deals},           {"store", bench_store},
};

int main(int argc, char **argv)
{
    bool found = false;
    if (argc > 1 && strcmp(argv[1], "--quick") == 0) {
        bench_quick = true;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    FUZZ_OK(hs_crypto_init());
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (argc > 1 && strcmp(argv[1], parts[i].name) != 0)
            continue;
        found = true;
        fprintf(stderr, "%s\n", parts[i].name);
        bench_floors_refresh();
        parts[i].run();
    }
    if (found)
        return 0;
    fprintf(stderr, "usage: %s [--quick] [NAME]\nparts:", argv[0]);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        fprintf(stderr, " %s", parts[i].name);
    fputc('\n', stderr);
    return 2;
}

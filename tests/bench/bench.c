#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

bool bench_quick;

static double clock_ns(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double bench_now_ns(void)
{
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

double bench_wall_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

void bench_add(struct bench_samples *s, double ns)
{
    if (s->count < sizeof s->ns / sizeof *s->ns)
        s->ns[s->count++] = ns;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double bench_quantile(struct bench_samples *s, double part)
{
    HS_ASSERT(s->count > 0);
    qsort(s->ns, s->count, sizeof *s->ns, by_size);
    return s->ns[(size_t)(part * (double)(s->count - 1) + 0.5)];
}

double bench_median(struct bench_samples *s)
{
    return bench_quantile(s, 0.5);
}

static double batch(bench_step *step, void *context, size_t count)
{
    double start = bench_now_ns();
    for (size_t i = 0; i < count; i++)
        step(context);
    return bench_now_ns() - start;
}

double bench_time(bench_step *step, void *context, double milliseconds)
{
    static struct bench_samples samples;
    samples.count = 0;
    size_t count = 1;
    step(context); /* warm */
    while (count < 1 << 20 && batch(step, context, count) < 0.5e6)
        count *= 2;
    double end = bench_now_ns() + milliseconds * 1e6;
    do
        bench_add(&samples, batch(step, context, count) / (double)count);
    while (bench_now_ns() < end);
    return bench_median(&samples);
}

void bench_add_time(struct bench_samples *s, bench_step *step, double milliseconds)
{
    bench_add(s, bench_time(step, NULL, milliseconds));
}

void bench_report(const struct bench_result *r)
{
    printf("{\"name\": \"%s\", \"n\": %zu, \"median_ns\": %.0f, \"per_s\": %.1f", r->name, r->n, r->ns,
           1e9 / r->ns);
    if (r->bytes > 0)
        printf(", \"mib_per_s\": %.1f", (double)r->bytes / r->ns * 1e9 / (1 << 20));
    if (r->floor_ns > 0)
        printf(", \"floor\": \"%s\", \"floor_ns\": %.0f, \"ratio\": %.2f", r->floor, r->floor_ns,
               r->ns / r->floor_ns);
    printf("}\n");
    (void)fflush(stdout);
    fprintf(stderr, "%-28s n=%-5zu %12.1f us", r->name, r->n, r->ns / 1e3);
    if (r->floor_ns > 0)
        fprintf(stderr, "  %6.2f x the floor", r->ns / r->floor_ns);
    fputc('\n', stderr);
}

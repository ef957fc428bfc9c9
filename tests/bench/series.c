#include "bench/series.h"

#include <stdio.h>

void series_start(struct series *s, const struct floor *floor)
{
    s->floor = *floor;
    s->ours.count = s->bare.count = 0;
    s->begun = bench_now_ns();
}

void series_add(struct series *s, double start)
{
    bench_add(&s->ours, bench_now_ns() - start);
    if (s->floor.count > 0)
        bench_add(&s->bare, floor_sample(&s->floor));
}

bool series_more(const struct series *s)
{
    const double budget = bench_quick ? 0.1e9 : 0.5e9;
    const size_t least = bench_quick ? 3 : 5;
    const size_t most = sizeof s->ours.ns / sizeof *s->ours.ns;
    return s->ours.count < least || (s->ours.count < most && bench_now_ns() - s->begun < budget);
}

static void report_head(const struct series_facts *facts)
{
    printf("{\"name\": \"%s\", \"suite\": %u, \"n\": %zu", facts->name, facts->suite->id, facts->n);
    fprintf(stderr, "%-26s n=%-6zu", facts->name, facts->n);
}

static void report_tail(const struct series_facts *facts)
{
    if (facts->bytes > 0) {
        printf(", \"bytes\": %zu", facts->bytes);
        fprintf(stderr, "  %10zu bytes", facts->bytes);
    }
    if (facts->records > 0) {
        printf(", \"records\": %zu", facts->records);
        fprintf(stderr, "  %zu records", facts->records);
    }
    printf("}\n");
    (void)fflush(stdout);
    fputc('\n', stderr);
}

/* The median of each operation's time over that of the floor right after it: a machine that changes its speed
 * between two of them does less harm than to the two medians. */
static double series_ratio(const struct series *s)
{
    static struct bench_samples ratios;
    ratios.count = 0;
    for (size_t i = 0; i < s->ours.count; i++)
        bench_add(&ratios, s->ours.ns[i] / s->bare.ns[i]);
    return bench_median(&ratios);
}

void series_report(struct series *s, const struct series_facts *facts)
{
    const double ratio = s->floor.count > 0 ? series_ratio(s) : 0; /* before the samples are sorted */
    const double ns = bench_median(&s->ours);
    report_head(facts);
    printf(", \"median_ns\": %.0f, \"p10_ns\": %.0f, \"p90_ns\": %.0f", ns, bench_quantile(&s->ours, 0.1),
           bench_quantile(&s->ours, 0.9));
    fprintf(stderr, "%12.1f us", ns / 1e3);
    if (s->floor.count > 0) {
        char text[FLOOR_TEXT];
        const double floor_ns = bench_median(&s->bare);
        floor_text(&s->floor, text);
        printf(", \"floor_ns\": %.0f, \"floor\": \"%s\", \"ratio\": %.2f", floor_ns, text, ratio);
        fprintf(stderr, "  %5.2f x the floor", ratio);
    }
    report_tail(facts);
}

void series_report_count(const struct series_facts *facts)
{
    report_head(facts);
    report_tail(facts);
}

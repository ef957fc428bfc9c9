/* One measurement of an operation of MLS beside its floor, reported as one JSON line. */
#ifndef TESTS_BENCH_SERIES_H
#define TESTS_BENCH_SERIES_H

#include "bench/bench.h"
#include "bench/floor.h"

struct series {
    struct floor floor; /* none: count 0 */
    struct bench_samples ours, bare;
    double begun;
};

void series_start(struct series *s, const struct floor *floor);

/* Adds what an operation took that began at start, and takes the floor's time right after it. */
void series_add(struct series *s, double start);

/* Until there are enough: five at least, and as many as fit into half a second (quick: three, a tenth). */
bool series_more(const struct series *s);

/* What is told of an operation: bytes and records are those of what it made or took (0: left out). */
struct series_facts {
    const char *name;
    const struct hs_mls_suite *suite;
    size_t n, bytes, records;
};

/* Prints medians, percentiles, floor, and the median of the ratios of each operation to its floor. */
void series_report(struct series *s, const struct series_facts *facts);

/* Prints what is only counted. */
void series_report_count(const struct series_facts *facts);

#endif

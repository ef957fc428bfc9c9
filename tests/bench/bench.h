/* Timing: medians, reported as JSON lines on stdout with the ratio to a floor that was timed in the same run.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include "fuzz/fuzz.h"

/* A run to see whether everything works: small groups only, and short. */
extern bool bench_quick;

/* What a step does again and again. */
typedef void bench_step(void *context);

/* The processor time of this thread, so that other programs on the machine don't count. */
double bench_now_ns(void);

/* Time on the wall, for what waits for a disk. */
double bench_wall_ns(void);

/* Bytes that the project's own code has from malloc() and hasn't freed, with the allocator's headers. */
size_t bench_heap(void);

/* Samples of one thing, of which the median counts. */
struct bench_samples {
    double ns[4096];
    size_t count;
};

void bench_add(struct bench_samples *s, double ns);
double bench_median(struct bench_samples *s);

/* part: 0.1 is the value that a tenth lies below. Sorts the samples. */
double bench_quantile(struct bench_samples *s, double part);

/* The median time of one step, from batches of about a millisecond for about milliseconds. */
double bench_time(bench_step *step, void *context, double milliseconds);

/* Adds the median of so many milliseconds as one sample. */
void bench_add_time(struct bench_samples *s, bench_step *step, double milliseconds);

/* One result: n is the size of the thing, where it has one (0 = it hasn't); bytes are what one step moves (0
 * = none), which gives MiB/s; floor names the bare primitives that can't be avoided and floor_ns what they
 * take (0 = no floor). */
struct bench_result {
    const char *name;
    size_t n;
    double ns;
    size_t bytes;
    const char *floor;
    double floor_ns;
};
void bench_report(const struct bench_result *r);

/* The bare primitives of this machine, in nanoseconds: straight libsodium, no wrapper. */
struct bench_floor {
    double sign, verify, dh, base, sha256_1k, aead_1k, aead_open_1k, aead_64k, aead_open_64k;
};
const struct bench_floor *bench_floors(void);

/* Times the floors anew: machines speed up and slow down within a run. */
void bench_floors_refresh(void);

void bench_primitives(void);
void bench_objects(void);
void bench_sessions(void);
void bench_mls(void);
void bench_deals(void);
void bench_store(void);

#endif

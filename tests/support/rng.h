/* Repeatable randomness for tests (splitmix64). The seed is printed and can be given as HANSE_SEED. */
#ifndef TESTS_SUPPORT_RNG_H
#define TESTS_SUPPORT_RNG_H

#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"

struct rng {
    uint64_t state;
};

static inline struct rng rng_new(void)
{
    const char *given = getenv("HANSE_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 20240517;
    printf("HANSE_SEED=%llu\n", (unsigned long long)seed);
    return (struct rng){seed};
}

static inline uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* 0 to below - 1; below is at least 1. */
static inline size_t rng_below(struct rng *rng, size_t below)
{
    return (size_t)(rng_next(rng) % below);
}

static inline void rng_fill(struct rng *rng, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)rng_next(rng);
}

#endif

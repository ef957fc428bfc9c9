/* Bad weather between nodes and whoever speaks to them: one proxy in front of each node, in a process of its
 * own. Bytes keep their order, as TCP has it, but come late, in drips, not at all in one direction, or the
 * connection breaks. What it does to each connection comes from a seed. */
#ifndef TESTS_FAULTS_WEATHER_H
#define TESTS_FAULTS_WEATHER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { WEATHER_LINKS = 3 };
enum { WEATHER_TO_NODE, WEATHER_FROM_NODE, WEATHER_WAYS };

/* What the weather is like in front of one node; may be changed at any time. */
struct weather_link {
    char listen[64], target[64];     /* "address:port" */
    atomic_uint delay_ms;            /* of each piece: 0 to this */
    atomic_uint piece;               /* bytes of the largest piece; 0: as they come */
    atomic_uint breaks;              /* of 10,000 pieces, so many break their connection */
    atomic_bool hold[WEATHER_WAYS];  /* nothing goes through in that direction, and nobody is told */
    atomic_bool shut;                /* nobody gets a connection */
    atomic_uint cuts;                /* counted up: all connections break now */
    atomic_ulong bytes, connections; /* that came */
};

/* Shared memory for so many links; fill in their addresses, then start. */
struct weather_link *weather_new(void);
void weather_start(struct weather_link *links, size_t count, uint64_t seed);

/* Calm: everything goes through at once. */
void weather_calm(struct weather_link *link);

#endif

/* Many devices of one node, with or without sessions. */
#ifndef TESTS_BENCH_CROWD_H
#define TESTS_BENCH_CROWD_H

#include "load.h"

struct crowd {
    struct load_node node;
    struct load_device *devices;
    size_t count;
};

/* A node, and so many devices with accounts at it, connected; the first staff of them may make rooms. */
void crowd_make(struct crowd *c, const char *name, size_t count, size_t staff);
void crowd_free(struct crowd *c);
void *crowd_memory(size_t count, size_t size);

#endif

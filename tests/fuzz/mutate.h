/* Seeded mutations, for the replay driver and for machines without libFuzzer. */
#ifndef TESTS_FUZZ_MUTATE_H
#define TESTS_FUZZ_MUTATE_H

#include "support/rng.h"

struct mutant {
    uint8_t *data; /* of size bytes */
    size_t len, size;
};

/* Does one to four things to it: flips, overwrites, inserts, deletes, repeats, cuts, or splices a part of
 * other in. */
void mutate(struct mutant *m, struct hs_bytes other, struct rng *rng);

#endif

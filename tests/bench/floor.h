/* Floors: what the bare primitives take that a protocol makes unavoidable. A floor is a list of calls, each
 * with a number and a length; it is run and timed beside the operation that it belongs to, so that both see
 * the same machine. */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include "mls/provider.h"

enum floor_call {
    FLOOR_SIGN,
    FLOOR_VERIFY,
    FLOOR_DH,
    FLOOR_BASE, /* a public key from a private one */
    FLOOR_HMAC,
    FLOOR_HASH,
    FLOOR_SEAL,
    FLOOR_OPEN,
};

enum { FLOOR_CALLS = FLOOR_OPEN + 1, FLOOR_MAX = 32, FLOOR_TEXT = 200 };

struct floor {
    const struct hs_mls_suite
        *suite;  /* whose AEAD counts, where libsodium lacks it; all else is libsodium's */
    size_t each; /* how often the calls of floor_each() are needed */
    size_t count;
    struct floor_item {
        enum floor_call call;
        size_t times, len;
        bool each;
    } items[FLOOR_MAX];
};

/* So many calls over so many bytes (no matter for DH and BASE), once or for each. */
void floor_once(struct floor *f, enum floor_call call, size_t times, size_t len);
void floor_each(struct floor *f, enum floor_call call, size_t times, size_t len);

/* Runs it and returns its time in nanoseconds. Where it is needed for more than a few, it is run for a few
 * and multiplied. */
double floor_sample(const struct floor *f);

/* "2 verify + 1 dh + ...": the numbers of calls. */
void floor_text(const struct floor *f, char text[static FLOOR_TEXT]);

#endif

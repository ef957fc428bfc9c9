/* libsodium's randomness replaced by a stream that starts anew at each input, so that every finding repeats.
 */
#ifndef TESTS_FUZZ_RANDOM_H
#define TESTS_FUZZ_RANDOM_H

#include <stdint.h>

/* Before hs_crypto_init(). */
void fuzz_random_install(void);

/* Back to the start of the stream. */
void fuzz_random_restart(void);

/* To a place of its own: what is made from there has nothing in common with what was made elsewhere. */
void fuzz_random_branch(uint32_t branch);

#endif

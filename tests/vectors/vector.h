/* Families of the MLS working group's test vectors: each entry of a file is one call. */
#ifndef TESTS_VECTORS_VECTOR_H
#define TESTS_VECTORS_VECTOR_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "mls/provider.h"

#include <jansson.h>

enum outcome { PASSED, FAILED, SKIPPED };

struct family {
    const char *name;
    bool any_suite; /* entries of suites that this build lacks count too: at most a hash is needed */
    enum outcome (*run)(const json_t *entry);
};

extern const struct family families_codec[], families_crypto[], families_tree[], families_group[];

/* Hex text as bytes, valid until the next entry. Ends the program where the file isn't what it should be. */
struct hs_bytes vector_hex(const json_t *entry, const char *key);
struct hs_bytes vector_hex_of(const json_t *value);
const char *vector_text(const json_t *entry, const char *key);
uint64_t vector_number(const json_t *entry, const char *key);
const json_t *vector_list(const json_t *entry, const char *key);
bool vector_has(const json_t *entry, const char *key);

/* The entry's cipher suite; of a family for any suite: 3 where this build lacks it. */
const struct hs_mls_suite *vector_suite(const json_t *entry);

/* Hex text as a secret, which must not be longer than one can be. */
struct hs_mls_secret vector_secret(const json_t *entry, const char *key);

void vector_failed(const char *cond, const char *file, int line);

#define CHECK(cond)                                                                                          \
    do {                                                                                                     \
        if (!(cond)) {                                                                                       \
            vector_failed(#cond, __FILE__, __LINE__);                                                        \
            return FAILED;                                                                                   \
        }                                                                                                    \
    } while (0)

#define CHECK_OK(expr) CHECK((expr) == HS_OK)

#define CHECK_BYTES(got, entry, key) CHECK(hs_bytes_equal((got), vector_hex((entry), (key))))

#endif

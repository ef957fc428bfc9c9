/* Bytes of tests, written as hex. */
#ifndef TESTS_SUPPORT_HEX_H
#define TESTS_SUPPORT_HEX_H

#include <stdlib.h>

#include "base/secret.h"
#include "base/text.h"
#include "support/test.h"

/* Bytes that a test owns: free(x.data). */
struct owned {
    uint8_t *data;
    size_t len;
};

static inline void owned_free(struct owned *bytes)
{
    free(bytes->data);
}

#define OWNED HS_AUTO(owned_free)

/* Fails the test where the text is no hex. */
static inline struct owned unhex(const char *text)
{
    struct owned out = {.len = strlen(text) / 2};
    out.data = malloc(out.len + 1);
    assert_non_null(out.data);
    assert_ok(hs_unhex(text, out.data, out.len));
    return out;
}

#define OWNED_VIEW(x) hs_bytes((x).data, (x).len)

/* Fills the fixed-size thing x points to. */
#define UNHEX_FIXED(text, x) assert_ok(hs_unhex((text), (x)->b, sizeof(x)->b))

#define assert_hex(got, want)                                                                                \
    do {                                                                                                     \
        struct owned OWNED want_ = unhex(want);                                                              \
        assert_bytes(got, OWNED_VIEW(want_));                                                                \
    } while (0)

#endif

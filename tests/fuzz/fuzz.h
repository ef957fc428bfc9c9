/* What every fuzz target includes. A target is one function from bytes to nothing: it must come back whatever
 * the bytes are, and ends the program where a property doesn't hold. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/writer.h"
#include "crypto/selftest.h"

/* The name that libFuzzer calls; replay.c calls it too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Inputs that got through all checks: a target counts them, so that replay.c sees when a corpus is of no use
 * any more or a target has stopped to look behind its first check. */
extern size_t fuzz_accepted;

/* Longer inputs only make a run slower. */
enum { FUZZ_INPUT_MAX = 1 << 17 };

/* For what the target itself does and what has no reason to fail. */
#define FUZZ_OK(expr)                                                                                        \
    do {                                                                                                     \
        enum hs_err fuzz_err_ = (expr);                                                                      \
        if (fuzz_err_ != HS_OK)                                                                              \
            hs_assert_failed(#expr, hs_err_name(fuzz_err_), __LINE__);                                       \
    } while (0)

/* The first thing in a target: the self-tests of the cryptography, once. */
static inline void fuzz_begin(void)
{
    static bool begun;
    if (!begun)
        FUZZ_OK(hs_crypto_init());
    begun = true;
}

/* Takes the first byte off the input: a choice that the fuzzer makes. 0 where there is none. */
static inline uint8_t fuzz_choice(struct hs_bytes *in)
{
    if (in->len == 0)
        return 0;
    uint8_t choice = in->data[0];
    *in = hs_bytes(in->data + 1, in->len - 1);
    return choice;
}

/* Takes at most len bytes off the front. */
static inline struct hs_bytes fuzz_take(struct hs_bytes *in, size_t len)
{
    struct hs_bytes out = hs_bytes(in->data, len < in->len ? len : in->len);
    *in = hs_bytes(in->data + out.len, in->len - out.len);
    return out;
}

#endif

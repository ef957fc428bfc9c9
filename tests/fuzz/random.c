#include "fuzz/random.h"

#include "fuzz/fuzz.h"

#include <sodium.h>
#include <stdint.h>
#include <string.h>

size_t fuzz_accepted;

static uint64_t counter;

static const char *stream_name(void)
{
    return "hanse-fuzz";
}

static void stream_bytes(void *const out, const size_t len)
{
    unsigned char nonce[crypto_stream_chacha20_NONCEBYTES] = {0};
    static const unsigned char key[crypto_stream_chacha20_KEYBYTES] = {1};
    counter++;
    memcpy(nonce, &counter, sizeof nonce < sizeof counter ? sizeof nonce : sizeof counter);
    crypto_stream_chacha20(out, len, nonce, key);
}

static uint32_t stream_u32(void)
{
    uint32_t out;
    stream_bytes(&out, sizeof out);
    return out;
}

void fuzz_random_install(void)
{
    static randombytes_implementation implementation = {
        .implementation_name = stream_name, .random = stream_u32, .buf = stream_bytes};
    (void)randombytes_set_implementation(&implementation);
}

void fuzz_random_restart(void)
{
    counter = 0;
}

void fuzz_random_branch(uint32_t branch)
{
    counter = (uint64_t)branch << 32;
}

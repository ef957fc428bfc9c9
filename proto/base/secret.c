#include "base/secret.h"

#include <sodium.h>

void hs_wipe(void *data, size_t len)
{
    if (len > 0)
        sodium_memzero(data, len);
}

void hs_secret32_wipe(struct hs_secret32 *secret)
{
    sodium_memzero(secret->b, sizeof secret->b);
}

bool hs_secret_equal(struct hs_bytes a, struct hs_bytes b)
{
    return a.len == b.len && (a.len == 0 || sodium_memcmp(a.data, b.data, a.len) == 0);
}

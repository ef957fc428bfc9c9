#include "mls/kdf.h"

void hs_mls_kdf_extract(const struct hs_mls_suite *suite, struct hs_bytes salt, const struct hs_bytes *parts,
                        size_t count, uint8_t *prk)
{
    suite->hmac(salt, parts, count, prk);
}

enum hs_err hs_mls_kdf_expand(const struct hs_mls_suite *suite, struct hs_bytes prk,
                              const struct hs_bytes *parts, size_t count, uint8_t *out, size_t out_len)
{
    HS_REQUIRE(out_len <= (size_t)255 * suite->hash_len, HS_ERR_INVALID_ARG);
    HS_ASSERT(count <= HS_MLS_KDF_PARTS);
    struct hs_bytes list[HS_MLS_KDF_PARTS + 2];
    uint8_t block[HS_MLS_MAX_HASH], counter = 1;
    if (count > 0)
        memcpy(list + 1, parts, count * sizeof *parts);
    list[count + 1] = hs_bytes(&counter, 1);
    for (size_t done = 0; done < out_len; counter++) {
        list[0] = hs_bytes(block, counter > 1 ? suite->hash_len : 0);
        suite->hmac(prk, list, count + 2, block);
        size_t take = out_len - done < suite->hash_len ? out_len - done : suite->hash_len;
        memcpy(out + done, block, take);
        done += take;
    }
    hs_wipe(block, sizeof block);
    return HS_OK;
}

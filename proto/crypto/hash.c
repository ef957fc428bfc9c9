#include "crypto/hash.h"

void hs_sha256_init(struct hs_sha256 *h)
{
    crypto_hash_sha256_init(&h->state);
}

void hs_sha256_update(struct hs_sha256 *h, struct hs_bytes in)
{
    crypto_hash_sha256_update(&h->state, in.data, in.len);
}

struct hs_id hs_sha256_final(struct hs_sha256 *h)
{
    struct hs_id out;
    crypto_hash_sha256_final(&h->state, out.b);
    return out;
}

struct hs_id hs_sha256(struct hs_bytes in)
{
    struct hs_id out;
    crypto_hash_sha256(out.b, in.data, in.len);
    return out;
}

struct hs_id hs_hash_labelled(const char *label, struct hs_bytes in)
{
    struct hs_sha256 h;
    hs_sha256_init(&h);
    hs_sha256_update(&h, hs_bytes(label, strlen(label) + 1));
    hs_sha256_update(&h, in);
    return hs_sha256_final(&h);
}

void hs_hmac(struct hs_bytes key, struct hs_bytes in, uint8_t out[static 32])
{
    static const uint8_t nothing[1]; /* libsodium wants a pointer for an empty key too */
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.len > 0 ? key.data : nothing, key.len);
    crypto_auth_hmacsha256_update(&state, in.data, in.len);
    crypto_auth_hmacsha256_final(&state, out);
    hs_wipe(&state, sizeof state);
}

bool hs_hmac_verify(struct hs_bytes key, struct hs_bytes in, struct hs_bytes tag)
{
    struct hs_secret32 HS_SECRET want;
    hs_hmac(key, in, want.b);
    return hs_secret_equal(HS_VIEW(want), tag);
}

void hs_hkdf_extract(struct hs_bytes salt, struct hs_bytes ikm, struct hs_secret32 *prk)
{
    hs_hmac(salt, ikm, prk->b);
}

enum hs_err hs_hkdf_expand(struct hs_bytes prk, struct hs_bytes info, uint8_t *out, size_t out_len)
{
    HS_REQUIRE(out_len <= 255 * 32, HS_ERR_INVALID_ARG);
    struct hs_secret32 HS_SECRET block = {0};
    size_t done = 0;
    for (uint8_t counter = 1; done < out_len; counter++) {
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, prk.data, prk.len);
        crypto_auth_hmacsha256_update(&state, block.b, counter > 1 ? sizeof block.b : 0);
        crypto_auth_hmacsha256_update(&state, info.data, info.len);
        crypto_auth_hmacsha256_update(&state, &counter, 1);
        crypto_auth_hmacsha256_final(&state, block.b);
        hs_wipe(&state, sizeof state);
        size_t take = out_len - done < sizeof block.b ? out_len - done : sizeof block.b;
        memcpy(out + done, block.b, take);
        done += take;
    }
    return HS_OK;
}

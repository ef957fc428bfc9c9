#include "mls/provider.h"

/* In order of preference; those that a caller adds come after them. */
static const struct hs_mls_suite *suites[HS_MLS_MAX_SUITES] = {
    &hs_mls_suite_3,
#ifdef HANSE_MLS_OPENSSL
    &hs_mls_suite_1,
#endif
};

static size_t suite_count(void)
{
    size_t count = 0;
    while (count < HS_MLS_MAX_SUITES && suites[count] != NULL)
        count++;
    return count;
}

const struct hs_mls_suite *hs_mls_suite_find(uint16_t id)
{
    for (size_t i = 0; i < HS_MLS_MAX_SUITES && suites[i] != NULL; i++)
        if (suites[i]->id == id)
            return suites[i];
    return NULL;
}

static bool sizes_fit(const struct hs_mls_suite *suite)
{
    return suite->hash_len > 0 && suite->hash_len <= HS_MLS_MAX_HASH && suite->key_len > 0 &&
           suite->key_len <= HS_MLS_MAX_AEAD_KEY && suite->kem_pub_len > 0 &&
           suite->kem_pub_len <= HS_MLS_MAX_PUB && suite->kem_priv_len > 0 &&
           suite->kem_priv_len <= HS_MLS_MAX_SECRET && suite->kem_enc_len > 0 &&
           suite->kem_enc_len <= HS_MLS_MAX_PUB && suite->sign_pub_len > 0 &&
           suite->sign_pub_len <= HS_MLS_MAX_PUB;
}

enum hs_err hs_mls_suite_add(const struct hs_mls_suite *suite)
{
    HS_REQUIRE(sizes_fit(suite) && hs_mls_suite_find(suite->id) == NULL, HS_ERR_INVALID_ARG);
    size_t count = suite_count();
    HS_REQUIRE(count < HS_MLS_MAX_SUITES, HS_ERR_TOO_LARGE);
    suites[count] = suite;
    return HS_OK;
}

size_t hs_mls_suites(const struct hs_mls_suite **out)
{
    size_t count = suite_count();
    memcpy(out, suites, count * sizeof *suites);
    return count;
}

bool hs_mls_set(struct hs_bytes in, uint8_t *len, uint8_t *out, size_t size)
{
    bool fits = in.len <= size;
    *len = fits ? (uint8_t)in.len : 0;
    memset(out, 0, size);
    if (*len > 0)
        memcpy(out, in.data, in.len);
    return fits;
}

void hs_mls_secret_wipe(struct hs_mls_secret *secret)
{
    hs_wipe(secret, sizeof *secret);
}

void hs_mls_signer_wipe(struct hs_mls_signer *signer)
{
    hs_wipe(signer, sizeof *signer);
}

enum hs_err hs_mls_signer_random(const struct hs_mls_suite *suite, struct hs_mls_signer *signer)
{
    struct hs_mls_signer HS_MLS_SIGNER made = {.suite = suite};
    HS_TRY(suite->sign_generate(&made.priv, &made.pub));
    *signer = made;
    return HS_OK;
}

enum hs_err hs_mls_signer_import(const struct hs_mls_suite *suite, struct hs_bytes bytes,
                                 struct hs_mls_signer *signer)
{
    struct hs_mls_signer HS_MLS_SIGNER made = {.suite = suite};
    HS_TRY(suite->sign_import(bytes, &made.priv, &made.pub));
    *signer = made;
    return HS_OK;
}

/* Suites and signature keys. */
#include "crypto/selftest.h"
#include "mls_api/api.h"

#include <stdlib.h>
#include <threads.h>

static once_flag once = ONCE_FLAG_INIT;
static enum hs_err readiness;

static void make_ready(void)
{
    readiness = hs_crypto_init();
}

enum hs_err hs_mls_api_ready(void)
{
    call_once(&once, make_ready);
    return readiness;
}

size_t hanse_mls_suites(uint16_t *suites, size_t count)
{
    const struct hs_mls_suite *all[HS_MLS_MAX_SUITES];
    size_t there = hs_mls_suites(all);
    for (size_t i = 0; i < there && i < count; i++)
        suites[i] = all[i]->id;
    return there;
}

const char *hanse_mls_suite_name(uint16_t suite)
{
    const struct hs_mls_suite *found = hs_mls_suite_find(suite);
    return found != NULL ? found->name : NULL;
}

static enum hs_err copy_signer(const struct hs_mls_signer *from, struct hanse_mls_signer **out)
{
    struct hs_mls_signer *made = malloc(sizeof *made);
    HS_REQUIRE(made != NULL, HS_ERR_NOMEM);
    *made = *from;
    *out = (struct hanse_mls_signer *)made;
    return HS_OK;
}

static enum hs_err find_suite(uint16_t id, const struct hs_mls_suite **suite)
{
    HS_TRY(hs_mls_api_ready());
    *suite = hs_mls_suite_find(id);
    return *suite != NULL ? HS_OK : HS_ERR_MLS_VERSION;
}

static enum hs_err generate(uint16_t id, struct hanse_mls_signer **out)
{
    const struct hs_mls_suite *suite;
    struct hs_mls_signer HS_MLS_SIGNER signer = {0};
    HS_TRY(find_suite(id, &suite));
    HS_TRY(hs_mls_signer_random(suite, &signer));
    return copy_signer(&signer, out);
}

static enum hs_err import(uint16_t id, struct hs_bytes bytes, struct hanse_mls_signer **out)
{
    const struct hs_mls_suite *suite;
    struct hs_mls_signer HS_MLS_SIGNER signer = {0};
    HS_TRY(find_suite(id, &suite));
    HS_TRY(hs_mls_signer_import(suite, bytes, &signer));
    return copy_signer(&signer, out);
}

static enum hs_err export(const struct hs_mls_signer *signer, struct hanse_mls_buf *out) {
    struct hs_mls_secret HS_MLS_SECRET bytes = {0};
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_SECRET);
    HS_REQUIRE(signer->suite->sign_export != NULL, HS_ERR_UNSUPPORTED);
    HS_TRY(signer->suite->sign_export(&signer->priv, &bytes));
    hs_write_bytes(&w, HS_MLS_VIEW(bytes));
    return hs_mls_api_give(&w, out);
}

enum hanse_err hanse_mls_signer_generate(uint16_t suite, struct hanse_mls_signer **out)
{
    *out = NULL;
    return hs_mls_api_err(generate(suite, out));
}

enum hanse_err hanse_mls_signer_import(uint16_t suite, struct hanse_mls_bytes bytes,
                                       struct hanse_mls_signer **out)
{
    *out = NULL;
    return hs_mls_api_err(import(suite, hs_mls_api_in(bytes), out));
}

enum hanse_err hanse_mls_signer_export(const struct hanse_mls_signer *signer, struct hanse_mls_buf *bytes)
{
    *bytes = (struct hanse_mls_buf){0};
    return hs_mls_api_err(export(hs_mls_api_signer(signer), bytes));
}

struct hanse_mls_bytes hanse_mls_signer_public(const struct hanse_mls_signer *signer)
{
    return hs_mls_api_out(HS_MLS_VIEW(hs_mls_api_signer(signer)->pub));
}

uint16_t hanse_mls_signer_suite(const struct hanse_mls_signer *signer)
{
    return hs_mls_api_signer(signer)->suite->id;
}

void hanse_mls_signer_free(struct hanse_mls_signer *signer)
{
    if (signer != NULL)
        hs_mls_signer_wipe((struct hs_mls_signer *)signer);
    free(signer);
}

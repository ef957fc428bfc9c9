/* KeyPackages. A private half is its saved form here: whoever makes one has to store it anyway. */
#include "mls_api/api.h"

static enum hs_err make(const struct hanse_mls_leaf *from, bool last_resort, struct hanse_mls_buf *message,
                        struct hanse_mls_buf *private_half)
{
    struct hs_mls_leaf_params leaf;
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_writer HS_WRITER saved = hs_writer(HS_MLS_KEY_PACKAGE_PRIVATE_MAX);
    HS_TRY(hs_mls_api_leaf(from, &leaf));
    HS_TRY(hs_mls_key_package_new(&leaf, last_resort, &w, &priv));
    hs_mls_key_package_private_save(&priv, &saved);
    HS_TRY(w.err);
    HS_TRY(hs_mls_api_give(&saved, private_half));
    return hs_mls_api_give(&w, message);
}

static enum hs_err check(struct hs_bytes message, uint64_t now, struct hanse_mls_key_package *out)
{
    struct hs_mls_key_package_facts facts = {0};
    HS_TRY(hs_mls_api_ready());
    HS_TRY(hs_mls_key_package_check(message, now, &facts));
    *out = (struct hanse_mls_key_package){
        .suite = facts.suite->id,
        .credential_type = facts.credential_type,
        .last_resort = facts.last_resort,
        .identity = hs_mls_api_out(facts.identity),
        .signature_key = hs_mls_api_out(facts.signature_key),
        .not_before = facts.not_before,
        .not_after = facts.not_after,
        .extensions = hs_mls_api_out(facts.extensions),
    };
    memcpy(&out->ref, &facts.ref, sizeof out->ref);
    return HS_OK;
}

enum hanse_err hanse_mls_key_package_new(const struct hanse_mls_leaf *leaf, bool last_resort,
                                         struct hanse_mls_buf *message, struct hanse_mls_buf *private_half)
{
    *message = *private_half = (struct hanse_mls_buf){0};
    return hs_mls_api_err(make(leaf, last_resort, message, private_half));
}

enum hanse_err hanse_mls_key_package_check(struct hanse_mls_bytes message, uint64_t now,
                                           struct hanse_mls_key_package *out)
{
    *out = (struct hanse_mls_key_package){0};
    return hs_mls_api_err(check(hs_mls_api_in(message), now, out));
}

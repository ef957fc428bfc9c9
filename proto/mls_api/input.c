/* What the caller fills in, as the stage takes it. */
#include "mls/suite.h"
#include "mls_api/api.h"

/* No struct of hanse/mls.h comes near: a size beyond it was never set. */
enum { STRUCT_MAX = 4096 };

/* The first struct that grows within a soname brings a further argument: the size that it had at first. */
enum hs_err hs_mls_api_take(void *to, size_t known, const void *from)
{
    size_t size = 0;
    HS_REQUIRE(from != NULL, HS_ERR_INVALID_ARG);
    memcpy(&size, from, sizeof size);
    HS_REQUIRE(size >= known && size <= STRUCT_MAX, HS_ERR_INVALID_ARG);
    for (size_t i = known; i < size; i++)
        HS_REQUIRE(((const uint8_t *)from)[i] == 0, HS_ERR_UNSUPPORTED);
    memcpy(to, from, known);
    return HS_OK;
}

enum hs_err hs_mls_api_leaf(const struct hanse_mls_leaf *from, struct hs_mls_leaf_params *to)
{
    struct hanse_mls_leaf leaf;
    HS_TRY(hs_mls_api_take(&leaf, sizeof leaf, from));
    HS_REQUIRE(leaf.signer != NULL, HS_ERR_INVALID_ARG);
    *to = (struct hs_mls_leaf_params){
        .signer = hs_mls_api_signer(leaf.signer),
        .credential_type = leaf.credential_type,
        .identity = hs_mls_api_in(leaf.identity),
        .not_before = leaf.not_before,
        .not_after = leaf.not_after,
        .extensions = (const struct hs_mls_extension *)leaf.extensions,
        .extension_count = leaf.extension_count,
        .extension_types = leaf.extension_types,
        .extension_type_count = leaf.extension_type_count,
        .proposal_types = leaf.proposal_types,
        .proposal_type_count = leaf.proposal_type_count,
        .credential_types = leaf.credential_types,
        .credential_type_count = leaf.credential_type_count,
        .suites = leaf.suites,
        .suite_count = leaf.suite_count,
    };
    return HS_OK;
}

void hanse_mls_settings_init(struct hanse_mls_settings *settings)
{
    struct hs_mls_settings inner = hs_mls_settings_default();
    *settings = (struct hanse_mls_settings){
        .size = sizeof *settings,
        .out_of_order = inner.out_of_order,
        .forward = inner.forward,
        .past_epochs = inner.past_epochs,
        .past_seconds = inner.past_seconds,
        .private_handshakes = inner.private_handshakes,
        .padding = inner.padding,
        .settling = inner.settling,
    };
}

enum hs_err hs_mls_api_settings(const struct hanse_mls_settings *from, struct hs_mls_settings *to)
{
    struct hanse_mls_settings settings;
    hanse_mls_settings_init(&settings);
    if (from != NULL)
        HS_TRY(hs_mls_api_take(&settings, sizeof settings, from));
    *to = (struct hs_mls_settings){
        .out_of_order = settings.out_of_order,
        .forward = settings.forward,
        .past_epochs = settings.past_epochs,
        .past_seconds = settings.past_seconds,
        .private_handshakes = settings.private_handshakes,
        .padding = settings.padding,
        .settling = settings.settling,
    };
    return HS_OK;
}

struct hs_mls_reinit hs_mls_api_reinit(const struct hanse_mls_reinit *reinit)
{
    return (struct hs_mls_reinit){
        .group_id = hs_mls_api_in(reinit->group_id),
        .version = reinit->version != 0 ? reinit->version : HS_MLS_VERSION_10,
        .suite = reinit->suite,
        .extensions = hs_mls_api_in(reinit->extensions),
    };
}

enum hs_err hs_mls_api_propose(const struct hanse_mls_propose *from, struct hs_mls_proposal_request *to)
{
    struct hanse_mls_propose propose;
    HS_TRY(hs_mls_api_take(&propose, sizeof propose, from));
    *to = (struct hs_mls_proposal_request){
        .type = (enum hs_mls_proposal_type)propose.type,
        .key_package = hs_mls_api_in(propose.key_package),
        .leaf = propose.leaf,
        .identity = hs_mls_api_in(propose.identity),
        .signer = hs_mls_api_signer(propose.signer),
        .extensions = (const struct hs_mls_extension *)propose.extensions,
        .extension_count = propose.extension_count,
        .reinit = hs_mls_api_reinit(&propose.reinit),
        .authenticated_data = hs_mls_api_in(propose.authenticated_data),
    };
    memcpy(&to->psk, &propose.psk, sizeof to->psk);
    return HS_OK;
}

/* Leaves of one's own: new ones and renewed ones, signed (RFC 9420, 7.2). */
#include "mls/leaf.h"
#include "mls/suite.h"

static enum hs_err sign_leaf(const struct hs_mls_leaf_node *content, const struct hs_mls_signer *signer,
                             struct hs_bytes group_id, uint32_t index, struct hs_mls_leaf **out)
{
    struct hs_mls_signature sig;
    struct hs_mls_leaf_node node = *content;
    struct hs_writer HS_WRITER tbs = hs_writer(HS_MLS_MAX_LEAF_TBS),
                               HS_WRITER whole = hs_writer(HS_MLS_MAX_LEAF);
    hs_mls_write_leaf_tbs(&tbs, &node, group_id, index);
    HS_TRY(tbs.err);
    HS_TRY(hs_mls_sign(signer, "LeafNodeTBS", hs_writer_bytes(&tbs), &sig));
    node.signature = HS_MLS_VIEW(sig);
    hs_mls_write_leaf_node(&whole, &node);
    HS_TRY(whole.err);
    node.raw = hs_writer_bytes(&whole);
    return hs_mls_leaf_new(signer->suite, &node, out);
}

enum hs_err hs_mls_leaf_renew(const struct hs_mls_leaf_renewal *renewal, struct hs_mls_leaf **out)
{
    HS_REQUIRE(renewal->identity.len <= HS_MLS_MAX_IDENTITY, HS_ERR_INVALID_ARG);
    struct hs_mls_leaf_node node = hs_mls_leaf_node(renewal->old);
    node.encryption_key = renewal->encryption_key;
    node.signature_key = HS_MLS_VIEW(renewal->signer->pub);
    node.source = renewal->source;
    node.parent_hash = renewal->parent_hash;
    if (renewal->identity.len > 0) {
        node.credential_type = HS_MLS_BASIC;
        node.credential = renewal->identity;
    }
    return sign_leaf(&node, renewal->signer, renewal->group_id, renewal->index, out);
}

/* The lists of the capabilities while they are written. */
struct lists {
    struct hs_writer suites, extensions, proposals, credentials;
};

static void lists_free(struct lists *lists)
{
    hs_writer_free(&lists->suites);
    hs_writer_free(&lists->extensions);
    hs_writer_free(&lists->proposals);
    hs_writer_free(&lists->credentials);
}

static void list_add(struct hs_writer *list, uint16_t type)
{
    if (!hs_mls_u16_list_has(hs_writer_bytes(list), type))
        hs_write_u16(list, type);
}

static void list_add_all(struct hs_writer *list, const uint16_t *types, size_t count,
                         bool (*is_default)(uint16_t type))
{
    for (size_t i = 0; i < count; i++)
        if (is_default == NULL || !is_default(types[i]))
            list_add(list, types[i]);
}

/* One of the values that are reserved so that nobody relies on lists without surprises (RFC 9420, 13.5). */
static uint16_t grease(uint8_t random)
{
    return (uint16_t)(0x0A0A + 0x1010 * (random % 15));
}

/* Each type once, the default ones not at all. */
static enum hs_err write_lists(const struct hs_mls_leaf_params *params, uint16_t credential,
                               struct lists *lists)
{
    list_add(&lists->suites, params->signer->suite->id);
    list_add_all(&lists->suites, params->suites, params->suite_count, NULL);
    for (size_t i = 0; i < params->extension_count; i++)
        list_add_all(&lists->extensions, &params->extensions[i].type, 1, hs_mls_extension_is_default);
    list_add_all(&lists->extensions, params->extension_types, params->extension_type_count,
                 hs_mls_extension_is_default);
    list_add_all(&lists->proposals, params->proposal_types, params->proposal_type_count,
                 hs_mls_proposal_is_default);
    list_add(&lists->credentials, credential);
    list_add_all(&lists->credentials, params->credential_types, params->credential_type_count, NULL);
    if (params->grease) {
        struct hs_mls_secret HS_MLS_SECRET random;
        hs_mls_secret_random(params->signer->suite, &random);
        list_add(&lists->suites, grease(random.v[0]));
        list_add(&lists->extensions, grease(random.v[1]));
        list_add(&lists->proposals, grease(random.v[2]));
        list_add(&lists->credentials, grease(random.v[3]));
    }
    HS_TRY(lists->suites.err);
    HS_TRY(lists->extensions.err);
    HS_TRY(lists->proposals.err);
    return lists->credentials.err;
}

static enum hs_err check_params(const struct hs_mls_leaf_params *params, uint16_t credential)
{
    const size_t most = HS_MLS_MAX_EXTENSIONS;
    HS_REQUIRE(params->not_before <= params->not_after, HS_ERR_INVALID_ARG);
    HS_REQUIRE(params->identity.len <= HS_MLS_MAX_IDENTITY, HS_ERR_INVALID_ARG);
    HS_REQUIRE(credential == HS_MLS_BASIC || credential == HS_MLS_X509, HS_ERR_INVALID_ARG);
    HS_REQUIRE(params->extension_count + params->extension_type_count <= most, HS_ERR_INVALID_ARG);
    HS_REQUIRE(params->proposal_type_count <= most, HS_ERR_INVALID_ARG);
    HS_REQUIRE(params->credential_type_count <= most, HS_ERR_INVALID_ARG);
    HS_REQUIRE(params->suite_count <= most, HS_ERR_INVALID_ARG);
    return HS_OK;
}

enum hs_err hs_mls_leaf_create(const struct hs_mls_leaf_params *params, struct hs_bytes encryption_key,
                               struct hs_mls_leaf **out)
{
    static const uint8_t version[] = {0, HS_MLS_VERSION_10};
    uint16_t credential = params->credential_type == 0 ? HS_MLS_BASIC : params->credential_type;
    struct lists HS_AUTO(lists_free) lists = {hs_writer(HS_MLS_MAX_LEAF), hs_writer(HS_MLS_MAX_LEAF),
                                              hs_writer(HS_MLS_MAX_LEAF), hs_writer(HS_MLS_MAX_LEAF)};
    struct hs_writer HS_WRITER extensions = hs_writer(HS_MLS_MAX_LEAF);
    HS_TRY(check_params(params, credential));
    HS_TRY(write_lists(params, credential, &lists));
    for (size_t i = 0; i < params->extension_count; i++)
        hs_mls_write_extension(&extensions, params->extensions[i].type, params->extensions[i].data);
    HS_TRY(extensions.err);
    const struct hs_mls_leaf_node node = {
        .encryption_key = encryption_key,
        .signature_key = HS_MLS_VIEW(params->signer->pub),
        .credential_type = credential,
        .credential = params->identity,
        .capabilities = {.versions = hs_bytes(version, sizeof version),
                         .suites = hs_writer_bytes(&lists.suites),
                         .extensions = hs_writer_bytes(&lists.extensions),
                         .proposals = hs_writer_bytes(&lists.proposals),
                         .credentials = hs_writer_bytes(&lists.credentials)},
        .source = HS_MLS_LEAF_KEY_PACKAGE,
        .not_before = params->not_before,
        .not_after = params->not_after,
        .extensions = hs_writer_bytes(&extensions),
    };
    HS_REQUIRE(hs_mls_extensions_are_sound(node.extensions), HS_ERR_INVALID_ARG);
    HS_REQUIRE(hs_mls_credential_is_sound(credential, params->identity), HS_ERR_INVALID_ARG);
    return sign_leaf(&node, params->signer, (struct hs_bytes){0}, 0, out);
}

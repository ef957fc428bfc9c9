#include "mls/leaf.h"

#include "mls/suite.h"

#include <stdlib.h>

/* A leaf is at most as large as its parts allow; the cap only guards against a bug. */
enum { LEAF_CAP = 1 << 20 };

enum hs_err hs_mls_leaf_new(const struct hs_mls_leaf_node *node, struct hs_mls_leaf **out)
{
    struct hs_key encryption, signature;
    HS_REQUIRE(hs_mls_hpke_key(node->encryption_key, &encryption) == HS_OK, HS_ERR_MLS_LEAF);
    HS_REQUIRE(HS_FIXED(node->signature_key, &signature), HS_ERR_MLS_LEAF);
    HS_REQUIRE(node->raw.len <= LEAF_CAP, HS_ERR_TOO_LARGE);
    struct hs_mls_leaf *leaf = malloc(sizeof *leaf + node->raw.len);
    HS_REQUIRE(leaf != NULL, HS_ERR_NOMEM);
    leaf->refs = 1;
    leaf->encryption_key = encryption;
    leaf->signature_key = signature;
    leaf->len = node->raw.len;
    memcpy(leaf->bytes, node->raw.data, node->raw.len);
    struct hs_reader r = hs_reader(hs_bytes(leaf->bytes, leaf->len));
    hs_mls_read_leaf_node(&r, &leaf->node);
    *out = leaf;
    enum hs_err err = hs_reader_finish(&r);
    if (err != HS_OK)
        hs_mls_leaf_unref_at(out);
    return err;
}

struct hs_mls_leaf *hs_mls_leaf_ref(struct hs_mls_leaf *leaf)
{
    if (leaf != NULL)
        leaf->refs++;
    return leaf;
}

void hs_mls_leaf_unref(struct hs_mls_leaf *leaf)
{
    if (leaf != NULL && --leaf->refs == 0)
        free(leaf);
}

void hs_mls_leaf_unref_at(struct hs_mls_leaf **leaf)
{
    hs_mls_leaf_unref(*leaf);
    *leaf = NULL;
}

bool hs_mls_extension_is_default(uint16_t type)
{
    return type >= HS_MLS_EXT_APPLICATION_ID && type <= HS_MLS_EXT_EXTERNAL_SENDERS;
}

static bool leaf_knows_extension(const struct hs_mls_leaf *leaf, uint16_t type)
{
    return hs_mls_extension_is_default(type) || hs_mls_u16_list_has(leaf->node.capabilities.extensions, type);
}

static bool capabilities_are_bounded(const struct hs_mls_capabilities *c)
{
    const size_t most = 2 * HS_MLS_MAX_CAPABILITIES;
    return c->versions.len <= most && c->suites.len <= most && c->extensions.len <= most &&
           c->proposals.len <= most && c->credentials.len <= most;
}

/* MLS_LEAF unless every type of the list is known to the leaf. */
static enum hs_err extensions_are_known(const struct hs_mls_leaf *leaf, struct hs_bytes extensions)
{
    struct hs_reader r = hs_reader(extensions);
    while (hs_reader_left(&r) > 0) {
        uint16_t type;
        struct hs_bytes data;
        hs_mls_read_extension(&r, &type, &data);
        HS_REQUIRE(leaf_knows_extension(leaf, type), HS_ERR_MLS_LEAF);
    }
    return r.err;
}

enum hs_err hs_mls_leaf_check(const struct hs_mls_leaf *leaf)
{
    const struct hs_mls_leaf_node *node = &leaf->node;
    HS_REQUIRE(hs_sign_key_check(&leaf->signature_key) == HS_OK, HS_ERR_MLS_LEAF);
    HS_REQUIRE(node->credential.len <= HS_MLS_MAX_IDENTITY, HS_ERR_MLS_LEAF);
    HS_REQUIRE(capabilities_are_bounded(&node->capabilities), HS_ERR_MLS_LEAF);
    HS_REQUIRE(hs_mls_u16_list_has(node->capabilities.credentials, node->credential_type), HS_ERR_MLS_LEAF);
    HS_REQUIRE(hs_mls_extensions_are_sound(node->extensions), HS_ERR_MLS_LEAF);
    return extensions_are_known(leaf, node->extensions);
}

enum hs_err hs_mls_leaf_verify(const struct hs_mls_leaf *leaf, struct hs_bytes group_id, uint32_t index)
{
    struct hs_writer HS_WRITER tbs = hs_writer(LEAF_CAP);
    hs_mls_write_leaf_tbs(&tbs, &leaf->node, group_id, index);
    HS_TRY(tbs.err);
    return hs_mls_verify(&leaf->signature_key, "LeafNodeTBS", hs_writer_bytes(&tbs), leaf->node.signature);
}

static bool is_default_proposal(uint16_t type)
{
    return type >= HS_MLS_ADD && type <= HS_MLS_GROUP_CONTEXT_EXTENSIONS;
}

/* RequiredCapabilities (RFC 9420, 11.1): three lists, all within the leaf's capabilities. */
static enum hs_err required_are_met(const struct hs_mls_leaf *leaf, struct hs_bytes required)
{
    const struct hs_mls_capabilities *have = &leaf->node.capabilities;
    struct hs_reader r = hs_reader(required);
    struct hs_reader extensions = hs_read_mls_sub(&r), proposals = hs_read_mls_sub(&r),
                     credentials = hs_read_mls_sub(&r);
    HS_TRY(hs_reader_finish(&r));
    size_t odd =
        (hs_reader_left(&extensions) | hs_reader_left(&proposals) | hs_reader_left(&credentials)) & 1;
    HS_REQUIRE(odd == 0, HS_ERR_MALFORMED);
    while (hs_reader_left(&extensions) > 0)
        HS_REQUIRE(leaf_knows_extension(leaf, hs_read_u16(&extensions)), HS_ERR_MLS_LEAF);
    while (hs_reader_left(&proposals) > 0) {
        uint16_t type = hs_read_u16(&proposals);
        HS_REQUIRE(is_default_proposal(type) || hs_mls_u16_list_has(have->proposals, type), HS_ERR_MLS_LEAF);
    }
    while (hs_reader_left(&credentials) > 0)
        HS_REQUIRE(hs_mls_u16_list_has(have->credentials, hs_read_u16(&credentials)), HS_ERR_MLS_LEAF);
    return HS_OK;
}

enum hs_err hs_mls_leaf_supports(const struct hs_mls_leaf *leaf, struct hs_bytes group_extensions)
{
    struct hs_bytes required;
    HS_TRY(extensions_are_known(leaf, group_extensions));
    if (!hs_mls_extension_find(group_extensions, HS_MLS_EXT_REQUIRED_CAPABILITIES, &required))
        return HS_OK;
    return required_are_met(leaf, required);
}

static enum hs_err sign_leaf(const struct hs_mls_leaf_node *content, const struct hs_signer *signer,
                             struct hs_bytes group_id, uint32_t index, struct hs_mls_leaf **out)
{
    struct hs_sig sig;
    struct hs_mls_leaf_node node = *content;
    struct hs_writer HS_WRITER tbs = hs_writer(LEAF_CAP), HS_WRITER whole = hs_writer(LEAF_CAP);
    hs_mls_write_leaf_tbs(&tbs, &node, group_id, index);
    HS_TRY(tbs.err);
    HS_TRY(hs_mls_sign(signer, "LeafNodeTBS", hs_writer_bytes(&tbs), &sig));
    node.signature = HS_VIEW(sig);
    hs_mls_write_leaf_node(&whole, &node);
    HS_TRY(whole.err);
    node.raw = hs_writer_bytes(&whole);
    return hs_mls_leaf_new(&node, out);
}

enum hs_err hs_mls_leaf_renew(const struct hs_mls_leaf_renewal *renewal, struct hs_mls_leaf **out)
{
    HS_REQUIRE(renewal->identity.len <= HS_MLS_MAX_IDENTITY, HS_ERR_INVALID_ARG);
    struct hs_mls_leaf_node node = renewal->old->node;
    node.encryption_key = HS_VIEW(*renewal->encryption_key);
    node.signature_key = HS_VIEW(renewal->signer->pub);
    node.source = renewal->source;
    node.parent_hash = renewal->parent_hash;
    if (renewal->identity.len > 0) {
        node.credential_type = HS_MLS_BASIC;
        node.credential = renewal->identity;
    }
    return sign_leaf(&node, renewal->signer, renewal->group_id, renewal->index, out);
}

/* The types of one's extensions and the further ones, each once and without the default ones. */
static void write_extension_types(struct hs_writer *w, const struct hs_mls_leaf_params *params)
{
    for (size_t i = 0; i < params->extension_count + params->extension_type_count; i++) {
        uint16_t type = i < params->extension_count ? params->extensions[i].type
                                                    : params->extension_types[i - params->extension_count];
        if (!hs_mls_extension_is_default(type) && !hs_mls_u16_list_has(hs_writer_bytes(w), type))
            hs_write_u16(w, type);
    }
}

enum hs_err hs_mls_leaf_create(const struct hs_mls_leaf_params *params, const struct hs_key *encryption_key,
                               struct hs_mls_leaf **out)
{
    static const uint8_t version[] = {0, HS_MLS_VERSION_10}, suite[] = {0, HS_MLS_SUITE};
    HS_REQUIRE(params->not_before <= params->not_after, HS_ERR_INVALID_ARG);
    HS_REQUIRE(params->identity.len <= HS_MLS_MAX_IDENTITY, HS_ERR_INVALID_ARG);
    HS_REQUIRE(params->extension_count + params->extension_type_count <= HS_MLS_MAX_EXTENSIONS &&
                   params->credential_type_count <= HS_MLS_MAX_EXTENSIONS,
               HS_ERR_INVALID_ARG);
    struct hs_writer HS_WRITER types = hs_writer(LEAF_CAP), HS_WRITER credentials = hs_writer(LEAF_CAP),
                               HS_WRITER list = hs_writer(LEAF_CAP);
    write_extension_types(&types, params);
    hs_write_u16(&credentials, HS_MLS_BASIC);
    for (size_t i = 0; i < params->credential_type_count; i++)
        if (!hs_mls_u16_list_has(hs_writer_bytes(&credentials), params->credential_types[i]))
            hs_write_u16(&credentials, params->credential_types[i]);
    HS_TRY(credentials.err);
    for (size_t i = 0; i < params->extension_count; i++)
        hs_mls_write_extension(&list, params->extensions[i].type, params->extensions[i].data);
    HS_TRY(types.err);
    HS_TRY(list.err);
    struct hs_mls_leaf_node node = {
        .encryption_key = HS_VIEW(*encryption_key),
        .signature_key = HS_VIEW(params->signer->pub),
        .credential_type = HS_MLS_BASIC,
        .credential = params->identity,
        .capabilities = {.versions = hs_bytes(version, sizeof version),
                         .suites = hs_bytes(suite, sizeof suite),
                         .extensions = hs_writer_bytes(&types),
                         .credentials = hs_writer_bytes(&credentials)},
        .source = HS_MLS_LEAF_KEY_PACKAGE,
        .not_before = params->not_before,
        .not_after = params->not_after,
        .extensions = hs_writer_bytes(&list),
    };
    HS_REQUIRE(hs_mls_extensions_are_sound(node.extensions), HS_ERR_INVALID_ARG);
    return sign_leaf(&node, params->signer, (struct hs_bytes){0}, 0, out);
}

struct hs_mls_member hs_mls_leaf_member(const struct hs_mls_leaf *leaf, uint32_t index)
{
    return (struct hs_mls_member){
        .leaf = index,
        .credential_type = leaf->node.credential_type,
        .identity = leaf->node.credential,
        .signature_key = leaf->signature_key,
        .extensions = leaf->node.extensions,
    };
}

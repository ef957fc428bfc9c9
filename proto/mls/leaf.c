#include "mls/leaf.h"

#include "mls/suite.h"

#include <stdlib.h>

enum hs_err hs_mls_leaf_copy(struct hs_bytes raw, struct hs_mls_leaf **out)
{
    HS_REQUIRE(raw.len <= HS_MLS_MAX_LEAF, HS_ERR_TOO_LARGE);
    struct hs_mls_leaf *leaf = malloc(sizeof *leaf + raw.len);
    HS_REQUIRE(leaf != NULL, HS_ERR_NOMEM);
    leaf->refs = 1;
    leaf->len = (uint32_t)raw.len;
    memcpy(leaf->bytes, raw.data, raw.len);
    *out = leaf;
    return HS_OK;
}

enum hs_err hs_mls_leaf_new(const struct hs_mls_suite *suite, const struct hs_mls_leaf_node *node,
                            struct hs_mls_leaf **out)
{
    HS_REQUIRE(node->encryption_key.len == suite->kem_pub_len, HS_ERR_MLS_LEAF);
    HS_REQUIRE(suite->kem_check(node->encryption_key) == HS_OK, HS_ERR_MLS_LEAF);
    HS_REQUIRE(node->signature_key.len == suite->sign_pub_len, HS_ERR_MLS_LEAF);
    return hs_mls_leaf_copy(node->raw, out);
}

static struct hs_reader leaf_reader(const struct hs_mls_leaf *leaf)
{
    return hs_reader(hs_bytes(leaf->bytes, leaf->len));
}

struct hs_mls_leaf_node hs_mls_leaf_node(const struct hs_mls_leaf *leaf)
{
    struct hs_mls_leaf_node node;
    struct hs_reader r = leaf_reader(leaf);
    hs_mls_read_leaf_node(&r, &node);
    HS_ASSERT(hs_reader_finish(&r) == HS_OK);
    return node;
}

struct hs_bytes hs_mls_leaf_encryption_key(const struct hs_mls_leaf *leaf)
{
    struct hs_reader r = leaf_reader(leaf);
    return hs_read_mls_vec(&r);
}

struct hs_bytes hs_mls_leaf_signature_key(const struct hs_mls_leaf *leaf)
{
    struct hs_reader r = leaf_reader(leaf);
    (void)hs_read_mls_vec(&r);
    return hs_read_mls_vec(&r);
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

static bool knows_extension(const struct hs_mls_leaf_node *leaf, uint16_t type)
{
    return hs_mls_extension_is_default(type) || hs_mls_u16_list_has(leaf->capabilities.extensions, type);
}

static bool capabilities_are_bounded(const struct hs_mls_capabilities *c)
{
    const size_t most = 2 * HS_MLS_MAX_CAPABILITIES;
    return c->versions.len <= most && c->suites.len <= most && c->extensions.len <= most &&
           c->proposals.len <= most && c->credentials.len <= most;
}

/* MLS_LEAF unless every type of the list is known to the leaf. */
static enum hs_err extensions_are_known(const struct hs_mls_leaf_node *leaf, struct hs_bytes extensions)
{
    struct hs_reader r = hs_reader(extensions);
    while (hs_reader_left(&r) > 0) {
        uint16_t type;
        struct hs_bytes data;
        hs_mls_read_extension(&r, &type, &data);
        HS_REQUIRE(knows_extension(leaf, type), HS_ERR_MLS_LEAF);
    }
    return r.err;
}

/* RFC 9420, 7.3, as far as one leaf can be judged alone. Default types may stand in its capabilities, though
 * they should not (7.2): others list them. */
enum hs_err hs_mls_leaf_check(const struct hs_mls_suite *suite, const struct hs_mls_leaf *leaf)
{
    const struct hs_mls_leaf_node node = hs_mls_leaf_node(leaf);
    const struct hs_mls_capabilities *c = &node.capabilities;
    HS_REQUIRE(node.credential.len <= HS_MLS_MAX_IDENTITY, HS_ERR_MLS_LEAF);
    HS_REQUIRE(capabilities_are_bounded(c), HS_ERR_MLS_LEAF);
    HS_REQUIRE(hs_mls_u16_list_has(c->versions, HS_MLS_VERSION_10), HS_ERR_MLS_LEAF);
    HS_REQUIRE(hs_mls_u16_list_has(c->suites, suite->id), HS_ERR_MLS_LEAF);
    HS_REQUIRE(hs_mls_u16_list_has(c->credentials, node.credential_type), HS_ERR_MLS_LEAF);
    HS_REQUIRE(hs_mls_extensions_are_sound(node.extensions), HS_ERR_MLS_LEAF);
    return extensions_are_known(&node, node.extensions);
}

enum hs_err hs_mls_leaf_verify(const struct hs_mls_suite *suite, const struct hs_mls_leaf *leaf,
                               struct hs_bytes group_id, uint32_t index)
{
    const struct hs_mls_leaf_node node = hs_mls_leaf_node(leaf);
    struct hs_writer HS_WRITER tbs = hs_writer(HS_MLS_MAX_LEAF_TBS);
    hs_mls_write_leaf_tbs(&tbs, &node, group_id, index);
    HS_TRY(tbs.err);
    return hs_mls_verify(suite, node.signature_key, "LeafNodeTBS", hs_writer_bytes(&tbs), node.signature);
}

bool hs_mls_proposal_is_default(uint16_t type)
{
    return type >= HS_MLS_ADD && type <= HS_MLS_GROUP_CONTEXT_EXTENSIONS;
}

/* RequiredCapabilities (RFC 9420, 11.1): three lists, all within the leaf's capabilities. */
static enum hs_err required_are_met(const struct hs_mls_leaf_node *leaf, struct hs_bytes required)
{
    struct hs_reader r = hs_reader(required);
    struct hs_reader extensions = hs_read_mls_sub(&r), proposals = hs_read_mls_sub(&r),
                     credentials = hs_read_mls_sub(&r);
    HS_TRY(hs_reader_finish(&r));
    size_t odd =
        (hs_reader_left(&extensions) | hs_reader_left(&proposals) | hs_reader_left(&credentials)) & 1;
    HS_REQUIRE(odd == 0, HS_ERR_MALFORMED);
    while (hs_reader_left(&extensions) > 0)
        HS_REQUIRE(knows_extension(leaf, hs_read_u16(&extensions)), HS_ERR_MLS_LEAF);
    while (hs_reader_left(&proposals) > 0) {
        uint16_t type = hs_read_u16(&proposals);
        HS_REQUIRE(hs_mls_proposal_is_default(type) ||
                       hs_mls_u16_list_has(leaf->capabilities.proposals, type),
                   HS_ERR_MLS_LEAF);
    }
    while (hs_reader_left(&credentials) > 0)
        HS_REQUIRE(hs_mls_u16_list_has(leaf->capabilities.credentials, hs_read_u16(&credentials)),
                   HS_ERR_MLS_LEAF);
    return HS_OK;
}

enum hs_err hs_mls_leaf_supports(const struct hs_mls_leaf *leaf, struct hs_bytes group_extensions)
{
    const struct hs_mls_leaf_node node = hs_mls_leaf_node(leaf);
    struct hs_bytes required;
    HS_TRY(extensions_are_known(&node, group_extensions));
    if (!hs_mls_extension_find(group_extensions, HS_MLS_EXT_REQUIRED_CAPABILITIES, &required))
        return HS_OK;
    return required_are_met(&node, required);
}

struct hs_mls_member hs_mls_leaf_member(const struct hs_mls_leaf *leaf, uint32_t index)
{
    const struct hs_mls_leaf_node node = hs_mls_leaf_node(leaf);
    return (struct hs_mls_member){
        .leaf = index,
        .credential_type = node.credential_type,
        .identity = node.credential,
        .signature_key = node.signature_key,
        .extensions = node.extensions,
    };
}

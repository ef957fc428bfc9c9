#include "mls/state.h"

#include "mls/extensions.h"

#include <stdlib.h>

struct hs_mls_blob *hs_mls_blob_new(struct hs_bytes bytes)
{
    struct hs_mls_blob *blob = malloc(sizeof *blob + bytes.len);
    if (blob == NULL)
        return NULL;
    blob->refs = 1;
    blob->len = bytes.len;
    if (bytes.len > 0)
        memcpy(blob->data, bytes.data, bytes.len);
    return blob;
}

struct hs_mls_blob *hs_mls_blob_ref(struct hs_mls_blob *blob)
{
    if (blob != NULL)
        blob->refs++;
    return blob;
}

void hs_mls_blob_unref(struct hs_mls_blob *blob)
{
    if (blob != NULL && --blob->refs == 0)
        free(blob);
}

struct hs_bytes hs_mls_blob_bytes(const struct hs_mls_blob *blob)
{
    return blob != NULL ? hs_bytes(blob->data, blob->len) : (struct hs_bytes){0};
}

void hs_mls_census_count_node(struct hs_mls_census *census, const struct hs_mls_leaf_node *node, bool enters)
{
    const uint32_t one = enters ? 1 : UINT32_MAX; /* modulo 2^32: minus one */
    census->members += one;
    for (uint16_t type = HS_MLS_BASIC; type <= HS_MLS_X509; type++) {
        if (node->credential_type == type)
            census->uses[type - HS_MLS_BASIC] += one;
        if (hs_mls_u16_list_has(node->capabilities.credentials, type))
            census->supports[type - HS_MLS_BASIC] += one;
    }
}

void hs_mls_census_count(struct hs_mls_census *census, const struct hs_mls_leaf *leaf, bool enters)
{
    const struct hs_mls_leaf_node node = hs_mls_leaf_node(leaf);
    hs_mls_census_count_node(census, &node, enters);
}

bool hs_mls_census_admit(struct hs_mls_census *census, const struct hs_mls_leaf *old,
                         const struct hs_mls_leaf *leaf)
{
    struct hs_mls_census with = *census;
    if (old != NULL)
        hs_mls_census_count(&with, old, false);
    hs_mls_census_count(&with, leaf, true);
    if (!hs_mls_census_is_sound(&with))
        return false;
    *census = with;
    return true;
}

bool hs_mls_census_is_sound(const struct hs_mls_census *census)
{
    for (int i = 0; i < 2; i++)
        if (census->uses[i] > 0 && census->supports[i] != census->members)
            return false;
    return true;
}

struct hs_mls_census hs_mls_census_of(const struct hs_mls_tree *tree)
{
    struct hs_mls_census census = {0};
    struct hs_mls_leaf *leaf;
    for (uint32_t i = 0; hs_mls_tree_next(tree, &i, &leaf); i++)
        hs_mls_census_count(&census, leaf, true);
    return census;
}

enum hs_err hs_mls_tree_supports(const struct hs_mls_tree *tree, struct hs_bytes extensions)
{
    struct hs_mls_leaf *leaf;
    for (uint32_t i = 0; hs_mls_tree_next(tree, &i, &leaf); i++)
        HS_TRY(hs_mls_leaf_supports(leaf, extensions));
    return hs_mls_tree_error(tree);
}

struct hs_mls_state hs_mls_state_share(const struct hs_mls_state *state)
{
    struct hs_mls_state copy = *state;
    copy.tree = hs_mls_tree_share(&state->tree);
    hs_mls_blob_ref(copy.context);
    hs_mls_blob_ref(copy.reinit);
    return copy;
}

void hs_mls_state_free(struct hs_mls_state *state)
{
    hs_mls_tree_free(&state->tree);
    hs_mls_blob_unref(state->context);
    hs_mls_blob_unref(state->reinit);
    *state = (struct hs_mls_state){0};
}

enum hs_err hs_mls_state_error(const struct hs_mls_state *state, enum hs_err err)
{
    enum hs_err unread = hs_mls_tree_error(&state->tree);
    return unread != HS_OK ? unread : err;
}

enum hs_err hs_mls_state_set_context(struct hs_mls_state *state, const struct hs_mls_group_context *context)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_mls_write_group_context(&w, context);
    HS_TRY(w.err);
    struct hs_mls_blob *blob = hs_mls_blob_new(hs_writer_bytes(&w));
    HS_REQUIRE(blob != NULL, HS_ERR_NOMEM);
    hs_mls_blob_unref(state->context);
    state->context = blob;
    struct hs_reader r = hs_reader(hs_mls_blob_bytes(blob));
    hs_mls_read_group_context(&r, &state->parsed);
    return hs_reader_finish(&r);
}

static enum hs_err check_leaves(struct hs_mls_state *state)
{
    struct hs_mls_leaf *leaf;
    const struct hs_mls_group_context *context = &state->parsed;
    for (uint32_t i = 0; hs_mls_tree_next(&state->tree, &i, &leaf); i++) {
        HS_TRY(hs_mls_leaf_check(state->suite, leaf));
        HS_TRY(hs_mls_leaf_supports(leaf, context->extensions));
        enum hs_err err = hs_mls_leaf_verify(state->suite, leaf, context->group_id, i);
        HS_REQUIRE(err == HS_OK, err == HS_ERR_BAD_SIGNATURE ? HS_ERR_MLS_LEAF : err);
    }
    return hs_mls_tree_error(&state->tree);
}

enum hs_err hs_mls_state_check(struct hs_mls_state *state)
{
    struct hs_mls_hash hash;
    const struct hs_mls_group_context *context = &state->parsed;
    HS_REQUIRE(context->version == HS_MLS_VERSION_10 && context->suite == state->suite->id,
               HS_ERR_MLS_VERSION);
    HS_REQUIRE(context->group_id.len <= HS_MLS_MAX_GROUP_ID, HS_ERR_MALFORMED);
    HS_TRY(hs_mls_group_extensions_check(context->extensions));
    HS_TRY(hs_mls_tree_hash(&state->tree, &hash));
    HS_REQUIRE(hs_bytes_equal(HS_MLS_VIEW(hash), context->tree_hash), HS_ERR_MLS_TREE);
    HS_TRY(hs_mls_tree_check(&state->tree));
    HS_TRY(check_leaves(state));
    state->census = hs_mls_census_of(&state->tree);
    return hs_mls_census_is_sound(&state->census) ? HS_OK : HS_ERR_MLS_LEAF;
}

static enum hs_err info_tree(const struct hs_mls_suite *suite, const struct hs_mls_group_info *info,
                             struct hs_bytes tree, struct hs_mls_tree *out)
{
    struct hs_bytes inside;
    bool has_inside = hs_mls_extension_find(info->extensions, HS_MLS_EXT_RATCHET_TREE, &inside);
    HS_REQUIRE(has_inside || tree.len > 0, HS_ERR_MLS_TREE);
    return hs_mls_tree_read(suite, has_inside ? inside : tree, out);
}

/* The key of the member that signed; leaves are judged afterwards. */
static enum hs_err verify_info(const struct hs_mls_state *state, const struct hs_mls_group_info *info)
{
    const struct hs_mls_leaf *signer = hs_mls_tree_leaf(&state->tree, info->signer);
    HS_REQUIRE(signer != NULL, HS_ERR_MLS_LEAF);
    return hs_mls_verify(state->suite, hs_mls_leaf_signature_key(signer), "GroupInfoTBS", info->tbs,
                         info->signature);
}

enum hs_err hs_mls_state_from_info(const struct hs_mls_group_info *info, struct hs_bytes tree,
                                   struct hs_mls_state *out)
{
    struct hs_mls_state HS_MLS_STATE state = {.suite = hs_mls_suite_find(info->context.suite)};
    HS_REQUIRE(info->context.version == HS_MLS_VERSION_10 && state.suite != NULL, HS_ERR_MLS_VERSION);
    HS_REQUIRE(hs_mls_extensions_are_sound(info->extensions), HS_ERR_MALFORMED);
    HS_TRY(info_tree(state.suite, info, tree, &state.tree));
    HS_TRY(verify_info(&state, info));
    HS_REQUIRE(info->confirmation_tag.len == state.suite->hash_len, HS_ERR_MLS_CONFIRMATION);
    HS_MLS_SET(info->confirmation_tag, &state.confirmation_tag);
    HS_TRY(hs_mls_state_set_context(&state, &info->context));
    HS_TRY(hs_mls_state_check(&state));
    HS_TRY(hs_mls_interim_hash(state.suite, info->context.confirmed_transcript_hash, info->confirmation_tag,
                               &state.interim));
    *out = hs_mls_state_share(&state);
    return HS_OK;
}

#include "mls/state.h"

#include "mls/suite.h"

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

void hs_mls_census_count(struct hs_mls_census *census, const struct hs_mls_leaf *leaf, bool enters)
{
    const uint32_t one = enters ? 1 : UINT32_MAX; /* modulo 2^32: minus one */
    census->members += one;
    for (uint16_t type = HS_MLS_BASIC; type <= HS_MLS_X509; type++) {
        if (leaf->node.credential_type == type)
            census->uses[type - HS_MLS_BASIC] += one;
        if (hs_mls_u16_list_has(leaf->node.capabilities.credentials, type))
            census->supports[type - HS_MLS_BASIC] += one;
    }
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

struct hs_mls_state hs_mls_state_share(const struct hs_mls_state *state)
{
    struct hs_mls_state copy = *state;
    copy.tree = hs_mls_tree_share(&state->tree);
    hs_mls_blob_ref(copy.context);
    return copy;
}

void hs_mls_state_free(struct hs_mls_state *state)
{
    hs_mls_tree_free(&state->tree);
    hs_mls_blob_unref(state->context);
    *state = (struct hs_mls_state){0};
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

enum hs_err hs_mls_state_check(struct hs_mls_state *state)
{
    struct hs_id hash;
    struct hs_mls_leaf *leaf;
    const struct hs_mls_group_context *context = &state->parsed;
    HS_REQUIRE(context->version == HS_MLS_VERSION_10 && context->suite == HS_MLS_SUITE, HS_ERR_MLS_VERSION);
    HS_REQUIRE(context->group_id.len <= HS_MLS_MAX_GROUP_ID, HS_ERR_MALFORMED);
    HS_REQUIRE(hs_mls_extensions_are_sound(context->extensions), HS_ERR_MALFORMED);
    HS_TRY(hs_mls_tree_hash(&state->tree, &hash));
    HS_REQUIRE(hs_bytes_equal(HS_VIEW(hash), context->tree_hash), HS_ERR_MLS_TREE);
    HS_TRY(hs_mls_tree_check(&state->tree));
    for (uint32_t i = 0; hs_mls_tree_next(&state->tree, &i, &leaf); i++) {
        HS_TRY(hs_mls_leaf_check(leaf));
        HS_TRY(hs_mls_leaf_supports(leaf, context->extensions));
        HS_REQUIRE(hs_mls_leaf_verify(leaf, context->group_id, i) == HS_OK, HS_ERR_MLS_LEAF);
    }
    state->census = hs_mls_census_of(&state->tree);
    return hs_mls_census_is_sound(&state->census) ? HS_OK : HS_ERR_MLS_LEAF;
}

static enum hs_err info_tree(const struct hs_mls_group_info *info, struct hs_bytes tree,
                             struct hs_mls_tree *out)
{
    struct hs_bytes inside;
    bool has_inside = hs_mls_extension_find(info->extensions, HS_MLS_EXT_RATCHET_TREE, &inside);
    HS_REQUIRE(has_inside || tree.len > 0, HS_ERR_MLS_TREE);
    return hs_mls_tree_read(has_inside ? inside : tree, out);
}

enum hs_err hs_mls_state_from_info(const struct hs_mls_group_info *info, struct hs_bytes tree,
                                   struct hs_mls_state *out)
{
    struct hs_mls_state HS_MLS_STATE state = {0};
    HS_REQUIRE(info->context.version == HS_MLS_VERSION_10 && info->context.suite == HS_MLS_SUITE,
               HS_ERR_MLS_VERSION);
    HS_TRY(info_tree(info, tree, &state.tree));
    const struct hs_mls_leaf *signer = hs_mls_tree_leaf(&state.tree, info->signer);
    HS_REQUIRE(signer != NULL && hs_sign_key_check(&signer->signature_key) == HS_OK, HS_ERR_MLS_LEAF);
    HS_TRY(hs_mls_verify(&signer->signature_key, "GroupInfoTBS", info->tbs, info->signature));
    HS_REQUIRE(HS_FIXED(info->confirmation_tag, &state.confirmation_tag), HS_ERR_MLS_CONFIRMATION);
    HS_TRY(hs_mls_state_set_context(&state, &info->context));
    HS_TRY(hs_mls_state_check(&state));
    HS_TRY(
        hs_mls_interim_hash(info->context.confirmed_transcript_hash, info->confirmation_tag, &state.interim));
    *out = hs_mls_state_share(&state);
    return HS_OK;
}

/* Making a commit (RFC 9420, 12.4.1). */
#include "mls/member.h"

#include <stdlib.h>

/* What is at hand while a commit is made. */
struct making {
    struct hs_mls_staged *staged;
    struct hs_writer list, nodes;
    bool has_path;
    struct hs_mls_path_keys keys;
    struct hs_mls_path_secrets secrets;
};

static void making_free(struct making *making)
{
    hs_mls_staged_free(making->staged);
    hs_writer_free(&making->list);
    hs_writer_free(&making->nodes);
    hs_wipe(making, sizeof *making);
}

static enum hs_err make_path(const struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                             struct making *making)
{
    struct hs_mls_tree *tree = &making->staged->next.tree;
    const struct hs_mls_leaf_renewal renewal = {
        .old = hs_mls_tree_leaf(&making->staged->before.tree, group->own),
        .identity = request->identity,
        .signer = &group->signer,
        .group_id = group->pub->now.parsed.group_id,
        .index = group->own,
    };
    return hs_mls_path_make(tree, &renewal, &making->keys, &making->secrets);
}

/* Applies the proposals, and a path where one is due, up to the provisional context. */
static enum hs_err prepare(const struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                           struct making *making)
{
    HS_TRY(hs_mls_group_compose(group, request, &making->list));
    HS_TRY(hs_mls_stage_begin(group->pub, group->own, &making->staged));
    struct hs_mls_staged *staged = making->staged;
    HS_TRY(hs_mls_stage_proposals(group->pub, staged, hs_writer_bytes(&making->list)));
    making->has_path = request->force_path || request->identity.len > 0 || staged->path_required;
    making->keys = group->path;
    if (making->has_path)
        HS_TRY(make_path(group, request, making));
    else
        hs_mls_path_keys_prune(&staged->next.tree, group->own, &making->keys);
    HS_TRY(hs_mls_stage_check(group->pub, staged, making->has_path));
    HS_TRY(hs_mls_stage_context(staged, staged->before.parsed.confirmed_transcript_hash));
    if (!making->has_path)
        return HS_OK;
    return hs_mls_path_encrypt(&staged->next.tree, group->own, &making->secrets, &staged->newcomers,
                               hs_mls_blob_bytes(staged->next.context), &making->nodes);
}

/* Signs the commit, finishes the staged state and frames the message. */
static enum hs_err conclude(const struct hs_mls_group *group, struct hs_bytes authenticated_data,
                            struct making *making, struct hs_writer *message)
{
    struct hs_sig sig;
    struct hs_id tag;
    struct hs_mls_staged *staged = making->staged;
    struct hs_mls_authed authed = {.wire_format = HS_MLS_PUBLIC_MESSAGE};
    authed.content = hs_mls_group_content(group, HS_MLS_COMMIT, authenticated_data);
    authed.content.commit.proposals = hs_writer_bytes(&making->list);
    authed.content.commit.has_path = making->has_path;
    if (making->has_path)
        authed.content.commit.path = (struct hs_mls_update_path){
            .leaf = hs_mls_tree_leaf(&staged->next.tree, group->own)->node,
            .nodes = hs_writer_bytes(&making->nodes),
        };
    HS_TRY(hs_mls_content_sign(&group->signer, authed.wire_format, &authed.content,
                               hs_mls_public_context(group->pub), &sig));
    authed.signature = HS_VIEW(sig);
    HS_TRY(hs_mls_stage_transcript(staged, &authed));
    HS_TRY(hs_mls_stage_secrets(group, staged, &making->secrets.commit, &making->keys));
    hs_mls_confirmation(&staged->secrets->epoch, staged->next.parsed.confirmed_transcript_hash, tag.b);
    authed.confirmation_tag = HS_VIEW(tag);
    HS_TRY(hs_mls_stage_tag(staged, authed.confirmation_tag));
    return hs_mls_group_frame(group, &authed, message);
}

static enum hs_err write_results(const struct hs_mls_group *group,
                                 const struct hs_mls_commit_request *request, const struct making *making,
                                 struct hs_bytes message, const struct hs_mls_commit_result *result)
{
    const struct hs_mls_staged *staged = making->staged;
    if (result->commit != NULL) {
        hs_write_bytes(result->commit, message);
        HS_TRY(result->commit->err);
    }
    if (result->welcome != NULL && staged->change.added_count > 0)
        HS_TRY(hs_mls_group_welcome(group, staged, hs_writer_bytes(&making->list),
                                    making->has_path ? &making->secrets : NULL, request->tree_in_welcome,
                                    result->welcome));
    if (result->group_info == NULL)
        return HS_OK;
    hs_mls_write_head(result->group_info, HS_MLS_GROUP_INFO);
    return hs_mls_group_info_write(&staged->next, &staged->secrets->epoch, &group->signer, group->own, true,
                                   result->group_info);
}

enum hs_err hs_mls_group_commit(struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                                const struct hs_mls_commit_result *result)
{
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    HS_REQUIRE(!hs_mls_group_has_pending(group), HS_ERR_INVALID_STATE);
    struct making HS_AUTO(making_free)
        making = {.list = hs_writer(HS_MLS_MAX_MESSAGE), .nodes = hs_writer(HS_MLS_MAX_MESSAGE)};
    struct hs_writer HS_WRITER message = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(prepare(group, request, &making));
    HS_TRY(conclude(group, request->authenticated_data, &making, &message));
    HS_TRY(write_results(group, request, &making, hs_writer_bytes(&message), result));
    struct hs_mls_blob *blob = hs_mls_blob_new(hs_writer_bytes(&message));
    HS_REQUIRE(blob != NULL, HS_ERR_NOMEM);
    hs_secret32_wipe(&making.staged->secrets->joiner);
    group->pending = (struct hs_mls_pending){
        .message = blob,
        .has_path = making.has_path,
        .start = making.secrets.start,
        .staged = making.staged,
    };
    if (making.has_path)
        group->pending.leaf = making.keys.priv[0];
    making.staged = NULL;
    return HS_OK;
}

#include "mls/group_make.h"

struct hs_mls_making hs_mls_making(void)
{
    return (struct hs_mls_making){.list = hs_writer(HS_MLS_MAX_MESSAGE),
                                  .nodes = hs_writer(HS_MLS_MAX_MESSAGE)};
}

void hs_mls_making_free(struct hs_mls_making *making)
{
    hs_mls_staged_free(making->staged);
    hs_writer_free(&making->list);
    hs_writer_free(&making->nodes);
    hs_wipe(making, sizeof *making);
}

enum hs_err hs_mls_make_proposals(struct hs_mls_making *making)
{
    HS_TRY(hs_mls_stage_begin(making->pub, &making->content.sender, &making->staged));
    return hs_mls_stage_proposals(making->pub, making->staged, hs_writer_bytes(&making->list));
}

enum hs_err hs_mls_make_path(struct hs_mls_making *making, const struct hs_mls_leaf *old,
                             struct hs_bytes identity)
{
    const struct hs_mls_leaf_renewal renewal = {
        .old = old,
        .identity = identity,
        .signer = making->after,
        .group_id = making->pub->now.parsed.group_id,
        .index = making->staged->committer,
    };
    making->has_path = true;
    return hs_mls_path_make(&making->staged->next.tree, &renewal, &making->keys, &making->secrets);
}

/* Checks, and the provisional context, which the path secrets are encrypted under. */
static enum hs_err encrypt(struct hs_mls_making *making)
{
    struct hs_mls_staged *staged = making->staged;
    HS_TRY(hs_mls_stage_check(making->pub, staged, making->has_path));
    HS_TRY(hs_mls_stage_context(staged, staged->before.parsed.confirmed_transcript_hash));
    if (!making->has_path)
        return HS_OK;
    return hs_mls_path_encrypt(&staged->next.tree, staged->committer, &making->secrets, &staged->newcomers,
                               hs_mls_blob_bytes(staged->next.context), &making->nodes);
}

static enum hs_err sign(struct hs_mls_making *making)
{
    struct hs_mls_authed *authed = &making->authed;
    *authed = (struct hs_mls_authed){.wire_format = making->format, .content = making->content};
    authed->content.commit.proposals = hs_writer_bytes(&making->list);
    authed->content.commit.has_path = making->has_path;
    if (making->has_path)
        authed->content.commit.path = (struct hs_mls_update_path){
            .leaf = hs_mls_leaf_node(hs_mls_tree_leaf(&making->staged->next.tree, making->staged->committer)),
            .nodes = hs_writer_bytes(&making->nodes),
        };
    HS_TRY(hs_mls_content_sign(making->signer, authed->wire_format, &authed->content,
                               hs_mls_public_context(making->pub), &making->signature));
    authed->signature = HS_MLS_VIEW(making->signature);
    return HS_OK;
}

enum hs_err hs_mls_make_commit(struct hs_mls_making *making)
{
    struct hs_mls_staged *staged = making->staged;
    HS_TRY(encrypt(making));
    HS_TRY(sign(making));
    HS_TRY(hs_mls_stage_transcript(staged, &making->authed));
    HS_TRY(hs_mls_psk_of_change(making->suite, &making->psks, &staged->change, &making->inputs.psk));
    hs_mls_secret_zero(making->suite, &making->inputs.commit);
    if (making->has_path)
        making->inputs.commit = making->secrets.commit;
    HS_TRY(hs_mls_stage_secrets(staged, &making->inputs, &making->keys));
    if (making->after != making->signer)
        staged->secrets->signer = *making->after;
    hs_mls_confirmation(making->suite, &staged->secrets->epoch, staged->next.parsed.confirmed_transcript_hash,
                        &making->tag);
    making->authed.confirmation_tag = HS_MLS_VIEW(making->tag);
    HS_TRY(hs_mls_stage_tag(staged, making->authed.confirmation_tag));
    return hs_mls_tree_error(&staged->next.tree);
}

enum hs_err hs_mls_make_results(const struct hs_mls_making *making, bool tree_in_welcome,
                                const struct hs_mls_commit_result *result)
{
    const struct hs_mls_staged *staged = making->staged;
    const struct hs_mls_welcome_plan plan = {
        .pub = making->pub,
        .staged = staged,
        .list = hs_writer_bytes(&making->list),
        .secrets = making->has_path ? &making->secrets : NULL,
        .signer = making->after,
        .with_tree = tree_in_welcome,
    };
    if (result->welcome != NULL && staged->change.added_count > 0)
        HS_TRY(hs_mls_group_welcome(&plan, result->welcome));
    if (result->group_info == NULL)
        return HS_OK;
    hs_mls_write_head(result->group_info, HS_MLS_GROUP_INFO);
    return hs_mls_group_info_write(&staged->next, &staged->secrets->epoch, making->after, staged->committer,
                                   !making->bare_group_info, result->group_info);
}

/* A commit as a member sees it: the secrets of the next epoch (RFC 9420, 12.4.2). */
#include "mls/member.h"

#include <stdlib.h>

enum hs_err hs_mls_stage_secrets(const struct hs_mls_group *group, struct hs_mls_staged *staged,
                                 const struct hs_secret32 *commit_secret, const struct hs_mls_path_keys *path)
{
    struct hs_bytes context = hs_mls_blob_bytes(staged->next.context);
    struct hs_mls_next_secrets *secrets = staged->secrets = calloc(1, sizeof *secrets);
    HS_REQUIRE(secrets != NULL, HS_ERR_NOMEM);
    secrets->path = *path;
    HS_TRY(hs_mls_joiner_secret(&group->epoch.init, commit_secret, context, &secrets->joiner));
    HS_TRY(hs_mls_epoch_from_joiner(&secrets->joiner, NULL, context, &secrets->epoch));
    secrets->tree = hs_mls_secret_tree_new(&secrets->epoch.encryption, hs_mls_tree_depth(&staged->next.tree));
    HS_REQUIRE(secrets->tree != NULL, HS_ERR_NOMEM);
    hs_secret32_wipe(&secrets->epoch.encryption);
    return HS_OK;
}

/* One's private keys in the new tree, before the path: an own Update that was committed brings a new leaf
 * key. */
static enum hs_err keys_after_proposals(const struct hs_mls_group *group, const struct hs_mls_staged *staged,
                                        struct hs_mls_path_keys *keys)
{
    const struct hs_mls_leaf *before = hs_mls_tree_leaf(&staged->before.tree, group->own);
    const struct hs_mls_leaf *after = hs_mls_tree_leaf(&staged->next.tree, group->own);
    *keys = group->path;
    if (!hs_key_equal(&before->encryption_key, &after->encryption_key)) {
        size_t i = 0;
        while (i < group->update_count && !hs_key_equal(&group->updates[i].pub, &after->encryption_key))
            i++;
        HS_REQUIRE(i < group->update_count, HS_ERR_MLS_COMMIT);
        keys->priv[0] = group->updates[i].priv;
    }
    hs_mls_path_keys_prune(&staged->next.tree, group->own, keys);
    return HS_OK;
}

static enum hs_err open_path(const struct hs_mls_staged *staged, uint32_t own,
                             const struct hs_mls_commit *commit, struct hs_mls_path_keys *keys,
                             struct hs_secret32 *commit_secret)
{
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets;
    const struct hs_mls_path_open open = {
        .tree = &staged->next.tree,
        .own = own,
        .sender = staged->committer,
        .path = &commit->path,
        .newcomers = &staged->newcomers,
        .context = hs_mls_blob_bytes(staged->next.context),
    };
    HS_TRY(hs_mls_path_open(&open, keys, &secrets));
    *commit_secret = secrets.commit;
    return HS_OK;
}

static bool removes_own(const struct hs_mls_group *group, const struct hs_mls_staged *staged)
{
    for (size_t i = 0; i < staged->change.removed_count; i++)
        if (staged->change.removed[i].member.leaf == group->own)
            return true;
    return false;
}

/* Final context, secrets, and the proof that the committer has the same. */
static enum hs_err finish(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                          const struct hs_secret32 *commit_secret, const struct hs_mls_path_keys *keys,
                          struct hs_mls_staged *staged)
{
    struct hs_secret32 HS_SECRET want;
    HS_TRY(hs_mls_stage_transcript(staged, authed));
    HS_TRY(hs_mls_stage_secrets(group, staged, commit_secret, keys));
    hs_mls_confirmation(&staged->secrets->epoch, staged->next.parsed.confirmed_transcript_hash, want.b);
    HS_REQUIRE(hs_secret_equal(HS_VIEW(want), authed->confirmation_tag), HS_ERR_MLS_CONFIRMATION);
    hs_secret32_wipe(&staged->secrets->joiner);
    return hs_mls_stage_tag(staged, authed->confirmation_tag);
}

enum hs_err hs_mls_group_stage(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                               struct hs_mls_staged **out)
{
    struct hs_mls_staged HS_MLS_STAGED *staged = NULL;
    struct hs_mls_path_keys HS_MLS_PATH_KEYS keys;
    struct hs_secret32 HS_SECRET commit_secret = {0};
    HS_REQUIRE(authed->content.sender != group->own, HS_ERR_MLS_COMMIT);
    HS_TRY(hs_mls_stage_commit(group->pub, authed, &staged));
    staged->change.removes_self = removes_own(group, staged);
    if (staged->change.removes_self) {
        HS_TRY(hs_mls_stage_transcript(staged, authed));
        HS_TRY(hs_mls_stage_tag(staged, authed->confirmation_tag));
    } else {
        HS_TRY(keys_after_proposals(group, staged, &keys));
        if (authed->content.commit.has_path)
            HS_TRY(open_path(staged, group->own, &authed->content.commit, &keys, &commit_secret));
        HS_TRY(finish(group, authed, &commit_secret, &keys, staged));
    }
    *out = staged;
    staged = NULL;
    return HS_OK;
}

enum hs_err hs_mls_group_restage(struct hs_mls_group *group)
{
    struct hs_mls_public_message m;
    struct hs_mls_staged HS_MLS_STAGED *staged = NULL;
    struct hs_mls_path_keys HS_MLS_PATH_KEYS keys = group->path;
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets = {0};
    HS_TRY(hs_mls_public_read(group->pub, hs_mls_blob_bytes(group->pending.message), &m));
    HS_TRY(hs_mls_stage_commit(group->pub, &m.authed, &staged));
    hs_mls_path_keys_prune(&staged->next.tree, group->own, &keys);
    if (group->pending.has_path) {
        keys.priv[0] = group->pending.leaf;
        HS_TRY(hs_mls_path_derive(&staged->next.tree, group->own, 1, &group->pending.start, &keys, &secrets));
    }
    HS_TRY(finish(group, &m.authed, &secrets.commit, &keys, staged));
    group->pending.staged = staged;
    staged = NULL;
    return HS_OK;
}

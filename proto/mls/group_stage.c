/* A commit as a member sees it: the secrets of the next epoch (RFC 9420, 12.4.2). */
#include "mls/member.h"

#include <stdlib.h>

void hs_mls_epoch_inputs_wipe(struct hs_mls_epoch_inputs *inputs)
{
    hs_wipe(inputs, sizeof *inputs);
}

static enum hs_err secrets_new(struct hs_mls_staged *staged)
{
    HS_ASSERT(staged->secrets == NULL);
    staged->secrets = calloc(1, sizeof *staged->secrets);
    return staged->secrets != NULL ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_mls_stage_secrets(struct hs_mls_staged *staged, const struct hs_mls_epoch_inputs *inputs,
                                 const struct hs_mls_path_keys *path)
{
    const struct hs_mls_suite *suite = staged->next.suite;
    struct hs_bytes context = hs_mls_blob_bytes(staged->next.context);
    HS_TRY(secrets_new(staged));
    struct hs_mls_next_secrets *secrets = staged->secrets;
    secrets->path = *path;
    secrets->psk = inputs->psk;
    HS_TRY(hs_mls_joiner_secret(suite, &inputs->init, &inputs->commit, context, &secrets->joiner));
    HS_TRY(hs_mls_epoch_from_joiner(suite, &secrets->joiner, &secrets->psk, context, &secrets->epoch));
    secrets->tree =
        hs_mls_secret_tree_new(suite, &secrets->epoch.encryption, hs_mls_tree_depth(&staged->next.tree));
    HS_REQUIRE(secrets->tree != NULL, HS_ERR_NOMEM);
    hs_mls_secret_wipe(&secrets->epoch.encryption);
    return HS_OK;
}

/* What this member needs while it stages a commit. */
struct staging {
    struct hs_mls_path_keys keys;
    struct hs_mls_epoch_inputs inputs;
    struct hs_mls_signer signer; /* where an own Update that is committed brings another key */
};

static void staging_wipe(struct staging *staging)
{
    hs_wipe(staging, sizeof *staging);
}

/* One's private keys in the new tree, before the path: an own Update that was committed brings a new leaf
 * key, and maybe a signature key. */
static enum hs_err keys_after_proposals(const struct hs_mls_group *group, const struct hs_mls_staged *staged,
                                        struct staging *staging)
{
    const struct hs_mls_leaf *before = hs_mls_tree_leaf(&staged->before.tree, group->own);
    const struct hs_mls_leaf *after = hs_mls_tree_leaf(&staged->next.tree, group->own);
    HS_TRY(hs_mls_state_error(&staged->before, hs_mls_state_error(&staged->next, HS_OK)));
    HS_REQUIRE(before != NULL && after != NULL, HS_ERR_MLS_TREE);
    staging->keys = group->path;
    struct hs_bytes key = hs_mls_leaf_encryption_key(after);
    if (!hs_bytes_equal(hs_mls_leaf_encryption_key(before), key)) {
        size_t i = 0;
        while (i < group->update_count && !hs_bytes_equal(HS_MLS_VIEW(group->updates[i].pub), key))
            i++;
        HS_REQUIRE(i < group->update_count, HS_ERR_MLS_COMMIT);
        staging->keys.priv[0] = group->updates[i].priv;
        staging->signer = group->updates[i].signer;
    }
    hs_mls_path_keys_prune(&staged->next.tree, group->own, &staging->keys);
    return HS_OK;
}

static enum hs_err open_path(const struct hs_mls_staged *staged, uint32_t own,
                             const struct hs_mls_commit *commit, struct staging *staging)
{
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets = {0};
    const struct hs_mls_path_open open = {
        .tree = &staged->next.tree,
        .own = own,
        .sender = staged->committer,
        .path = &commit->path,
        .newcomers = &staged->newcomers,
        .context = hs_mls_blob_bytes(staged->next.context),
    };
    HS_TRY(hs_mls_path_open(&open, &staging->keys, &secrets));
    staging->inputs.commit = secrets.commit;
    return HS_OK;
}

static bool removes_own(const struct hs_mls_group *group, const struct hs_mls_staged *staged)
{
    for (size_t i = 0; i < staged->change.removed_count; i++)
        if (staged->change.removed[i].member.leaf == group->own)
            return true;
    return false;
}

/* The init secret is the epoch's, or what an external committer made with its external key (RFC 9420, 8.3).
 */
static enum hs_err find_init(const struct hs_mls_group *group, const struct hs_mls_staged *staged,
                             struct hs_mls_secret *init)
{
    struct hs_mls_secret HS_MLS_SECRET priv = {0};
    struct hs_mls_pub pub;
    *init = group->epoch.init;
    if (!staged->change.external)
        return HS_OK;
    HS_TRY(hs_mls_external_keys(group->suite, &group->epoch, &priv, &pub));
    enum hs_err err =
        hs_mls_external_init_open(group->suite, &priv, HS_MLS_VIEW(pub), staged->kem_output, init);
    return err == HS_ERR_BAD_KEY ? HS_ERR_MLS_COMMIT : err;
}

/* Final context, secrets, and the proof that the committer has the same. */
static enum hs_err finish(const struct hs_mls_authed *authed, const struct staging *staging,
                          struct hs_mls_staged *staged)
{
    struct hs_mls_hash want;
    HS_TRY(hs_mls_stage_transcript(staged, authed));
    HS_TRY(hs_mls_stage_secrets(staged, &staging->inputs, &staging->keys));
    staged->secrets->signer = staging->signer;
    hs_mls_confirmation(staged->next.suite, &staged->secrets->epoch,
                        staged->next.parsed.confirmed_transcript_hash, &want);
    HS_REQUIRE(hs_secret_equal(HS_MLS_VIEW(want), authed->confirmation_tag), HS_ERR_MLS_CONFIRMATION);
    hs_mls_secret_wipe(&staged->secrets->joiner);
    return hs_mls_stage_tag(staged, authed->confirmation_tag);
}

/* A commit that removes this member: its tag can't be checked, for its secrets aren't for it. */
static enum hs_err stage_removal(const struct hs_mls_authed *authed, struct hs_mls_staged *staged)
{
    HS_TRY(secrets_new(staged));
    HS_TRY(hs_mls_stage_transcript(staged, authed));
    return hs_mls_stage_tag(staged, authed->confirmation_tag);
}

static enum hs_err stage_stay(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                              struct hs_mls_staged *staged)
{
    struct staging HS_AUTO(staging_wipe) staging = {0};
    const struct hs_mls_psk_source psks = {
        .group = group, .list = group->psks.list, .count = group->psks.count};
    HS_TRY(keys_after_proposals(group, staged, &staging));
    HS_TRY(find_init(group, staged, &staging.inputs.init));
    HS_TRY(hs_mls_psk_of_change(group->suite, &psks, &staged->change, &staging.inputs.psk));
    hs_mls_secret_zero(group->suite, &staging.inputs.commit);
    if (authed->content.commit.has_path)
        HS_TRY(open_path(staged, group->own, &authed->content.commit, &staging));
    return finish(authed, &staging, staged);
}

enum hs_err hs_mls_group_stage(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                               struct hs_mls_staged **out)
{
    struct hs_mls_staged HS_MLS_STAGED *staged = NULL;
    const struct hs_mls_author *sender = &authed->content.sender;
    bool own = sender->type == HS_MLS_SENDER_MEMBER && sender->index == group->own;
    HS_REQUIRE(!own || !authed->content.commit.has_path, HS_ERR_MLS_COMMIT); /* its secrets are gone */
    HS_TRY(hs_mls_stage_commit(group->pub, authed, &staged));
    staged->change.removes_self = removes_own(group, staged);
    if (staged->change.removes_self)
        HS_TRY(stage_removal(authed, staged));
    else
        HS_TRY(stage_stay(group, authed, staged));
    HS_TRY(hs_mls_tree_error(&staged->next.tree));
    HS_REQUIRE(!hs_mls_group_is_voided(group, staged), HS_ERR_MLS_COMMIT);
    *out = staged;
    staged = NULL;
    return HS_OK;
}

enum hs_err hs_mls_pending_read(const struct hs_mls_group *group, struct hs_mls_authed *authed)
{
    struct hs_mls_public_message m;
    if (group->pending->authed != NULL) {
        struct hs_reader r = hs_reader(hs_mls_blob_bytes(group->pending->authed));
        hs_mls_read_authed(&r, authed);
        return hs_reader_finish(&r);
    }
    HS_TRY(hs_mls_public_read(group->pub, hs_mls_blob_bytes(group->pending->message), &m));
    *authed = m.authed;
    return HS_OK;
}

enum hs_err hs_mls_group_restage(const struct hs_mls_group *group)
{
    if (group->pending->staged != NULL)
        return HS_OK;
    struct hs_mls_authed authed;
    struct hs_mls_staged HS_MLS_STAGED *staged = NULL;
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets = {0};
    struct staging HS_AUTO(staging_wipe) staging = {.keys = group->path, .signer = group->pending->signer};
    HS_TRY(hs_mls_pending_read(group, &authed));
    HS_TRY(hs_mls_stage_commit(group->pub, &authed, &staged));
    hs_mls_path_keys_prune(&staged->next.tree, group->own, &staging.keys);
    staging.inputs.init = group->epoch.init;
    staging.inputs.psk = group->pending->psk;
    hs_mls_secret_zero(group->suite, &staging.inputs.commit);
    if (group->pending->has_path) {
        staging.keys.priv[0] = group->pending->leaf;
        HS_TRY(hs_mls_path_derive(&staged->next.tree, group->own, 1, &group->pending->start, &staging.keys,
                                  &secrets));
        staging.inputs.commit = secrets.commit;
    }
    HS_TRY(finish(&authed, &staging, staged));
    HS_TRY(hs_mls_tree_error(&staged->next.tree));
    group->pending->staged = staged;
    staged = NULL;
    return HS_OK;
}

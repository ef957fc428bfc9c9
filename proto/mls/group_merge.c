/* From one epoch to the next: accept, merge, and what becomes of the old epoch's secrets. */
#include "mls/member.h"

#include <stdlib.h>

void hs_mls_pending_free(struct hs_mls_pending *pending)
{
    if (pending == NULL)
        return;
    hs_mls_staged_free(pending->staged);
    hs_mls_blob_unref(pending->message);
    hs_mls_blob_unref(pending->authed);
    hs_wipe(pending, sizeof *pending);
    free(pending);
}

void hs_mls_group_drop(struct hs_mls_group *group)
{
    if (group->pending != NULL)
        group->saved.pending = false;
    hs_mls_pending_free(group->pending);
    group->pending = NULL;
}

void hs_mls_group_install(struct hs_mls_group *group, struct hs_mls_next_secrets *secrets)
{
    const struct hs_mls_state *state = &group->pub->now;
    group->path = secrets->path;
    group->epoch = secrets->epoch;
    if (secrets->signer.suite != NULL)
        group->signer = secrets->signer;
    group->now = (struct hs_mls_epoch_keys){
        .epoch = state->parsed.epoch,
        .tree = hs_mls_tree_share(&state->tree),
        .context = hs_mls_blob_ref(state->context),
        .sender_data = secrets->epoch.sender_data,
        .resumption = secrets->epoch.resumption,
        .secrets = secrets->tree,
    };
    secrets->tree = NULL;
    hs_wipe(secrets, sizeof *secrets);
}

/* What a member that was removed keeps: the past. */
static void leave(struct hs_mls_group *group)
{
    group->removed = true;
    hs_wipe(&group->path, sizeof group->path);
    hs_wipe(&group->epoch, sizeof group->epoch);
}

/* The key that a PrivateMessage commit was opened with is used up by its merge. Its place in the tree is made
 * beforehand, with the ratchet as it is, so that nothing can fail when it counts. Since the commit was staged
 * its sender's other messages may have turned the ratchet further: it never goes back. */
static enum hs_err prepare_ratchet(struct hs_mls_group *group, struct hs_mls_staged *staged)
{
    struct hs_mls_secret_tree *secrets = group->now.secrets;
    struct hs_mls_next_secrets *next = staged->secrets;
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key = {0};
    if (next->turned == NULL)
        return HS_OK;
    HS_TRY(hs_mls_ratchet_take(secrets, next->turned->leaf, next->turned->kind, &ratchet));
    HS_TRY(hs_mls_ratchet_put(secrets, ratchet));
    HS_TRY(hs_mls_ratchet_take(secrets, next->turned->leaf, next->turned->kind, &ratchet));
    enum hs_err err = hs_mls_ratchet_find(ratchet, next->generation, group->settings.out_of_order,
                                          group->settings.forward, &key);
    if (err != HS_OK && err != HS_ERR_MLS_GENERATION) { /* that one: it is gone already */
        hs_mls_ratchet_free(ratchet);
        return err;
    }
    hs_mls_ratchet_free(next->turned);
    next->turned = ratchet;
    return HS_OK;
}

static void turn_ratchet(struct hs_mls_group *group, struct hs_mls_staged *staged)
{
    struct hs_mls_ratchet *turned = staged->secrets->turned;
    staged->secrets->turned = NULL;
    if (turned == NULL)
        return;
    enum hs_err err = hs_mls_ratchet_put(group->now.secrets, turned);
    HS_ASSERT(err == HS_OK);
}

/* One's own commit lost; but if the other one is void in the end, the orderer may still take it. */
static void lose_pending(struct hs_mls_group *group)
{
    if (group->unsettled == NULL) {
        hs_mls_group_drop(group);
        return;
    }
    group->unsettled->pending = group->pending;
    group->pending = NULL;
}

/* All that can fail is done: from one epoch to the next. */
static void go_on(struct hs_mls_group *group, struct hs_mls_staged *staged)
{
    turn_ratchet(group, staged);
    hs_mls_past_push(group);
    if (staged->change.removes_self)
        leave(group);
    else
        hs_mls_group_install(group, staged->secrets);
    hs_wipe(group->updates, sizeof group->updates);
    group->update_count = 0;
    group->saved.before =
        group->saved.state && group->unsettled != NULL && group->unsettled->waiting_count == 0;
    group->saved.state = false;
    if (group->pending != NULL && group->pending->staged != staged)
        lose_pending(group);
}

enum hs_err hs_mls_group_merge(struct hs_mls_group *group, struct hs_mls_staged *staged)
{
    struct hs_mls_whole HS_MLS_WHOLE *before = NULL;
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    HS_REQUIRE(staged->secrets != NULL && !staged->merged && group->unsettled == NULL, HS_ERR_INVALID_STATE);
    HS_REQUIRE(!hs_mls_group_is_voided(group, staged), HS_ERR_MLS_COMMIT);
    HS_TRY(prepare_ratchet(group, staged));
    if (group->settings.settling)
        HS_TRY(hs_mls_whole_new(group, true, &before));
    HS_TRY(hs_mls_public_merge(group->pub, staged));
    group->unsettled = before;
    before = NULL;
    go_on(group, staged);
    return HS_OK;
}

enum hs_err hs_mls_group_accept(struct hs_mls_group *group)
{
    HS_REQUIRE(hs_mls_group_has_pending(group), HS_ERR_INVALID_STATE);
    HS_TRY(hs_mls_group_restage(group));
    HS_TRY(hs_mls_group_merge(group, group->pending->staged));
    hs_mls_group_drop(group);
    return HS_OK;
}

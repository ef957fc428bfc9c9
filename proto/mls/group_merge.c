/* From one epoch to the next: accept, merge, and what becomes of the old epoch's secrets. */
#include "mls/member.h"

#include <stdlib.h>

void hs_mls_group_drop_past(struct hs_mls_group *group)
{
    for (size_t i = 0; i < group->past_count; i++)
        hs_mls_epoch_keys_free(&group->past[i]);
    group->past_count = 0;
}

/* The current epoch's message keys become the newest of the past; the oldest beyond the limit are wiped. */
static void retire_now(struct hs_mls_group *group)
{
    memmove(group->past + 1, group->past, group->past_count * sizeof *group->past);
    group->past[0] = group->now;
    group->now = (struct hs_mls_epoch_keys){0};
    if (group->past_count++ == group->settings.past_epochs)
        hs_mls_epoch_keys_free(&group->past[--group->past_count]);
}

void hs_mls_group_drop(struct hs_mls_group *group)
{
    hs_mls_staged_free(group->pending.staged);
    hs_mls_blob_unref(group->pending.message);
    hs_wipe(&group->pending, sizeof group->pending);
}

static void install(struct hs_mls_group *group, struct hs_mls_next_secrets *secrets)
{
    const struct hs_mls_state *state = &group->pub->now;
    group->path = secrets->path;
    group->epoch = secrets->epoch;
    group->now = (struct hs_mls_epoch_keys){
        .epoch = state->parsed.epoch,
        .tree = hs_mls_tree_share(&state->tree),
        .context = hs_mls_blob_ref(state->context),
        .sender_data = secrets->epoch.sender_data,
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

enum hs_err hs_mls_group_merge(struct hs_mls_group *group, struct hs_mls_staged *staged)
{
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    HS_REQUIRE(staged->secrets != NULL || staged->change.removes_self, HS_ERR_INVALID_STATE);
    HS_TRY(hs_mls_public_merge(group->pub, staged));
    retire_now(group);
    if (staged->change.removes_self)
        leave(group);
    else
        install(group, staged->secrets);
    hs_wipe(group->updates, sizeof group->updates);
    group->update_count = 0;
    if (group->pending.staged != staged)
        hs_mls_group_drop(group);
    return HS_OK;
}

enum hs_err hs_mls_group_accept(struct hs_mls_group *group)
{
    HS_REQUIRE(hs_mls_group_has_pending(group), HS_ERR_INVALID_STATE);
    HS_TRY(hs_mls_group_merge(group, group->pending.staged));
    hs_mls_group_drop(group);
    return HS_OK;
}

/* An epoch that isn't settled yet: the one before it is kept whole, so that it can come back. */
#include "mls/member.h"

#include <stdlib.h>

void hs_mls_whole_free(struct hs_mls_whole *whole)
{
    if (whole == NULL)
        return;
    hs_mls_state_free(&whole->state);
    for (size_t i = 0; i < whole->waiting_count; i++) {
        hs_mls_blob_unref(whole->waiting[i].raw);
        hs_mls_leaf_unref(whole->waiting[i].leaf);
    }
    free(whole->waiting);
    hs_mls_pending_free(whole->pending);
    hs_wipe(whole, sizeof *whole);
    free(whole);
}

void hs_mls_whole_free_at(struct hs_mls_whole **whole)
{
    hs_mls_whole_free(*whole);
    *whole = NULL;
}

static enum hs_err copy_waiting(const struct hs_mls_public *pub, struct hs_mls_whole *out)
{
    if (pub->cached_count == 0)
        return HS_OK;
    out->waiting = calloc(pub->cached_count, sizeof *out->waiting);
    HS_REQUIRE(out->waiting != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < pub->cached_count; i++) {
        out->waiting[i] = pub->cached[i];
        hs_mls_blob_ref(pub->cached[i].raw);
        hs_mls_leaf_ref(pub->cached[i].leaf);
    }
    out->waiting_count = pub->cached_count;
    return HS_OK;
}

enum hs_err hs_mls_whole_new(const struct hs_mls_group *group, bool waiting, struct hs_mls_whole **out)
{
    struct hs_mls_whole HS_MLS_WHOLE *whole = calloc(1, sizeof *whole);
    HS_REQUIRE(whole != NULL, HS_ERR_NOMEM);
    if (waiting)
        HS_TRY(copy_waiting(group->pub, whole));
    whole->state = hs_mls_state_share(&group->pub->now);
    whole->signer = group->signer;
    whole->path = group->path;
    whole->epoch = group->epoch;
    memcpy(whole->updates, group->updates, sizeof whole->updates);
    whole->update_count = group->update_count;
    *out = whole;
    whole = NULL;
    return HS_OK;
}

bool hs_mls_group_is_unsettled(const struct hs_mls_group *group)
{
    return group->unsettled != NULL;
}

enum hs_err hs_mls_group_member_before(const struct hs_mls_group *group, uint32_t leaf,
                                       struct hs_mls_member *member)
{
    HS_REQUIRE(group->unsettled != NULL, HS_ERR_INVALID_STATE);
    const struct hs_mls_state *state = &group->unsettled->state;
    const struct hs_mls_leaf *found = hs_mls_tree_leaf(&state->tree, leaf);
    HS_REQUIRE(found != NULL, hs_mls_state_error(state, HS_ERR_NOT_FOUND));
    *member = hs_mls_leaf_member(found, leaf);
    return HS_OK;
}

bool hs_mls_group_extension_before(const struct hs_mls_group *group, uint16_t type, struct hs_bytes *data)
{
    return group->unsettled != NULL &&
           hs_mls_extension_find(group->unsettled->state.parsed.extensions, type, data);
}

enum hs_err hs_mls_group_settle(struct hs_mls_group *group)
{
    HS_REQUIRE(group->unsettled != NULL, HS_ERR_INVALID_STATE);
    if (group->unsettled->pending != NULL)
        group->saved.pending = false;
    hs_mls_whole_free(group->unsettled);
    group->unsettled = NULL;
    group->voided_count = 0;
    hs_mls_past_trim(group, group->settings.past_epochs);
    return HS_OK;
}

bool hs_mls_group_is_voided(const struct hs_mls_group *group, const struct hs_mls_staged *staged)
{
    for (size_t i = 0; i < group->voided_count; i++)
        if (hs_bytes_equal(HS_MLS_VIEW(group->voided[i]), HS_MLS_VIEW(staged->next.confirmation_tag)))
            return true;
    return false;
}

/* The proposals that waited, as a list of their own. */
static enum hs_err wait_again(const struct hs_mls_whole *unsettled, struct hs_mls_public *out)
{
    for (size_t i = 0; i < unsettled->waiting_count; i++) {
        const struct hs_mls_cached *cached = &unsettled->waiting[i];
        HS_TRY(hs_mls_public_cache(out, &cached->sender, &cached->ref, hs_mls_blob_bytes(cached->raw),
                                   cached->leaf));
    }
    return HS_OK;
}

static void proposals_free(struct hs_mls_public *pub)
{
    hs_mls_public_forget_proposals(pub);
}

/* The public side, as it was: state, waiting proposals, index of keys. */
static enum hs_err revert_public(struct hs_mls_public *pub, const struct hs_mls_whole *unsettled)
{
    struct hs_mls_public HS_AUTO(proposals_free) before = {0};
    HS_TRY(wait_again(unsettled, &before));
    HS_TRY(hs_mls_keys_follow(&pub->keys, &pub->now.tree, &unsettled->state.tree));
    hs_mls_public_forget_proposals(pub);
    pub->cached = before.cached;
    pub->by_ref = before.by_ref;
    pub->cached_count = before.cached_count;
    pub->cached_size = before.cached_size;
    before = (struct hs_mls_public){0};
    hs_mls_state_free(&pub->now);
    pub->now = hs_mls_state_share(&unsettled->state);
    return HS_OK;
}

/* The store's newest epoch, where that is the one that is void now, is deleted by the next save. */
static void forget_saved(struct hs_mls_saved *saved, uint64_t epoch, const struct hs_mls_tree *tree)
{
    saved->state = false;
    if (saved->kept_count == 0 || saved->kept[saved->kept_count - 1].epoch != epoch)
        return;
    saved->reverted = true;
    hs_mls_tree_free(&saved->tree);
    saved->tree = hs_mls_tree_share(tree);
}

static void take_back(struct hs_mls_group *group, struct hs_mls_whole *unsettled)
{
    hs_mls_epoch_keys_free(&group->now);
    group->now = group->past[0];
    group->now.ended = 0;
    memmove(group->past, group->past + 1, --group->past_count * sizeof *group->past);
    hs_wipe(&group->past[group->past_count], sizeof *group->past);
    group->signer = unsettled->signer;
    group->path = unsettled->path;
    group->epoch = unsettled->epoch;
    memcpy(group->updates, unsettled->updates, sizeof group->updates);
    group->update_count = unsettled->update_count;
    group->removed = false;
    group->pending = unsettled->pending;
    unsettled->pending = NULL;
    group->unsettled = NULL;
    hs_mls_whole_free(unsettled);
}

enum hs_err hs_mls_group_revert(struct hs_mls_group *group)
{
    struct hs_mls_whole *unsettled = group->unsettled;
    HS_REQUIRE(unsettled != NULL, HS_ERR_INVALID_STATE);
    HS_REQUIRE(group->voided_count < HS_MLS_MAX_VOIDED, HS_ERR_TOO_LARGE);
    HS_TRY(hs_mls_past_open(group, &group->past[0]));
    uint64_t newer = hs_mls_group_epoch(group);
    struct hs_mls_hash voided = group->pub->now.confirmation_tag;
    HS_TRY(revert_public(group->pub, unsettled));
    group->voided[group->voided_count++] = voided;
    forget_saved(&group->saved, newer, &group->pub->now.tree);
    hs_mls_group_drop(group);
    take_back(group, unsettled);
    return HS_OK;
}

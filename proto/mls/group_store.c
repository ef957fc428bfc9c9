/* A member's group goes into its store: each save writes what changed since the one before. */
#include "mls/group_record.h"

static enum hs_err put(const struct hs_mls_store *store, const struct hs_mls_store_key *key,
                       const struct hs_writer *w)
{
    HS_TRY(w->err);
    return hs_mls_store_put(store, key, w);
}

/* Deletes what an epoch has of its own, but for its tree. */
static enum hs_err erase_epoch(const struct hs_mls_store *store, uint64_t epoch)
{
    const struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_STATE, epoch);
    HS_TRY(hs_mls_store_del(store, &key));
    return hs_mls_secret_tree_erase(store, epoch);
}

/* The newest epoch of the store is void. */
static enum hs_err save_revert(struct hs_mls_group *group)
{
    struct hs_mls_saved *saved = &group->saved;
    if (!saved->reverted)
        return HS_OK;
    uint64_t epoch = saved->kept[--saved->kept_count].epoch;
    HS_TRY(hs_mls_tree_revert(group->suite, saved->store, epoch));
    HS_TRY(erase_epoch(saved->store, epoch));
    saved->reverted = false;
    return HS_OK;
}

static bool is_kept(const struct hs_mls_group *group, uint64_t epoch)
{
    for (size_t i = 0; i < group->past_count; i++)
        if (group->past[i].epoch == epoch)
            return true;
    return epoch == hs_mls_group_epoch(group);
}

/* What the store says of an epoch; 0: nothing. */
static enum hs_mls_saved_form saved_form(const struct hs_mls_saved *saved, uint64_t epoch)
{
    for (size_t i = 0; i < saved->kept_count; i++)
        if (saved->kept[i].epoch == epoch)
            return saved->kept[i].form;
    return 0;
}

static void note_form(struct hs_mls_saved *saved, uint64_t epoch, enum hs_mls_saved_form form)
{
    size_t at = 0;
    while (at < saved->kept_count && saved->kept[at].epoch != epoch)
        at++;
    if (at == saved->kept_count)
        saved->kept_count++;
    saved->kept[at].epoch = epoch;
    saved->kept[at].form = form;
}

/* Drops the epochs, the oldest first, that are neither kept nor the one that the next tree is held against.
 */
static enum hs_err drop_old(struct hs_mls_group *group)
{
    struct hs_mls_saved *saved = &group->saved;
    size_t dropped = 0;
    for (; dropped + 1 < saved->kept_count && !is_kept(group, saved->kept[dropped].epoch); dropped++) {
        HS_TRY(hs_mls_tree_forget(saved->store, saved->kept[dropped].epoch, saved->kept[dropped + 1].epoch));
        HS_TRY(erase_epoch(saved->store, saved->kept[dropped].epoch));
    }
    saved->kept_count -= dropped;
    memmove(saved->kept, saved->kept + dropped, saved->kept_count * sizeof saved->kept[0]);
    return HS_OK;
}

/* The tree of an epoch that is newer than all that the store has. */
static enum hs_err save_tree(struct hs_mls_group *group, struct hs_mls_tree *tree, uint64_t epoch)
{
    struct hs_mls_saved *saved = &group->saved;
    HS_TRY(hs_mls_tree_save(tree, saved->kept_count == 0 ? NULL : &saved->tree, saved->store, epoch));
    hs_mls_tree_free(&saved->tree);
    saved->tree = hs_mls_tree_share(tree);
    return HS_OK;
}

static enum hs_err save_whole(struct hs_mls_group *group, const struct hs_mls_whole *whole)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_SAVED);
    const struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_STATE, whole->state.parsed.epoch);
    hs_mls_whole_write(whole, &w);
    return put(group->saved.store, &key, &w);
}

/* A past epoch: as it is written once, unless it has to be kept whole. */
static enum hs_err save_past(struct hs_mls_group *group, struct hs_mls_epoch_keys *past)
{
    struct hs_mls_saved *saved = &group->saved;
    const struct hs_mls_whole *whole =
        group->unsettled != NULL && past == group->past ? group->unsettled : NULL;
    enum hs_mls_saved_form form = saved_form(saved, past->epoch);
    enum hs_mls_saved_form want = whole != NULL ? HS_MLS_SAVED_WHOLE : HS_MLS_SAVED_PAST;
    if (form == 0)
        HS_TRY(save_tree(group, &past->tree, past->epoch));
    if (form != want || (whole != NULL && !saved->before)) {
        struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_SAVED);
        const struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_STATE, past->epoch);
        HS_TRY(hs_mls_past_open(group, past));
        if (whole != NULL)
            hs_mls_whole_write(whole, &w);
        else
            hs_mls_past_write(past, &w);
        HS_TRY(put(saved->store, &key, &w));
        note_form(saved, past->epoch, want);
        saved->before = saved->before || whole != NULL;
    }
    return past->secrets != NULL ? hs_mls_secret_tree_save(past->secrets, saved->store, past->epoch) : HS_OK;
}

static enum hs_err save_now(struct hs_mls_group *group)
{
    struct hs_mls_saved *saved = &group->saved;
    uint64_t epoch = hs_mls_group_epoch(group);
    enum hs_mls_saved_form form = saved_form(saved, epoch);
    if (form == 0)
        HS_TRY(save_tree(group, &group->pub->now.tree, epoch));
    if (form == 0 || !saved->state) {
        struct hs_mls_whole HS_MLS_WHOLE *whole = NULL;
        HS_TRY(hs_mls_whole_new(group, false, &whole));
        HS_TRY(save_whole(group, whole));
        note_form(saved, epoch, HS_MLS_SAVED_WHOLE);
        saved->state = true;
    }
    return group->now.secrets != NULL ? hs_mls_secret_tree_save(group->now.secrets, saved->store, epoch)
                                      : HS_OK;
}

static enum hs_err put_pending(struct hs_mls_group *group, const struct hs_mls_pending *pending,
                               uint64_t epoch)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_SAVED);
    const struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_PENDING, epoch);
    if (pending == NULL)
        return HS_OK;
    hs_mls_pending_write(pending, &w);
    return put(group->saved.store, &key, &w);
}

static enum hs_err save_pending(struct hs_mls_group *group)
{
    const struct hs_mls_whole *before = group->unsettled;
    const struct hs_mls_store_key all = hs_mls_store_key(HS_MLS_RECORD_PENDING);
    if (group->saved.pending)
        return HS_OK;
    HS_TRY(hs_mls_store_del(group->saved.store, &all));
    HS_TRY(put_pending(group, group->pending, hs_mls_group_epoch(group)));
    if (before != NULL)
        HS_TRY(put_pending(group, before->pending, before->state.parsed.epoch));
    group->saved.pending = true;
    return HS_OK;
}

static enum hs_err save_head(struct hs_mls_group *group)
{
    struct hs_mls_hash hash;
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_SAVED);
    const struct hs_mls_store_key key = hs_mls_store_key(HS_MLS_RECORD_HEAD);
    hs_mls_head_write(group, &w);
    HS_TRY(w.err);
    hs_mls_hash(group->suite, hs_writer_bytes(&w), &hash);
    if (hs_bytes_equal(HS_MLS_VIEW(hash), HS_MLS_VIEW(group->saved.head)))
        return HS_OK;
    HS_TRY(put(group->saved.store, &key, &w));
    group->saved.head = hash;
    return HS_OK;
}

enum hs_err hs_mls_group_save(struct hs_mls_group *group, const struct hs_mls_store *store)
{
    struct hs_mls_saved *saved = &group->saved;
    HS_REQUIRE(saved->store == NULL || saved->store == store, HS_ERR_INVALID_ARG);
    saved->store = store;
    HS_TRY(save_revert(group));
    HS_TRY(drop_old(group));
    for (size_t i = group->past_count; i > 0; i--)
        HS_TRY(save_past(group, &group->past[i - 1]));
    HS_TRY(save_now(group));
    HS_TRY(drop_old(group));
    HS_TRY(hs_mls_proposals_save(group->pub, store));
    HS_TRY(save_pending(group));
    return save_head(group);
}

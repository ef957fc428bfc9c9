/* A member's group comes out of its store: what is needed at once is read, the rest later. */
#include "mls/group_record.h"

static enum hs_err get(const struct hs_mls_store *store, const struct hs_mls_store_key *key,
                       struct hs_writer *out)
{
    HS_TRY(hs_mls_store_get(store, key, out));
    return out->err;
}

enum hs_err hs_mls_past_open(const struct hs_mls_group *group, struct hs_mls_epoch_keys *past)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_SAVED);
    const struct hs_mls_store *store = group->saved.store;
    const struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_STATE, past->epoch);
    if (past->context != NULL)
        return HS_OK;
    HS_REQUIRE(store != NULL, HS_ERR_NOT_FOUND);
    HS_TRY(get(store, &key, &w));
    struct hs_mls_epoch_keys read = {.epoch = past->epoch, .ended = past->ended};
    enum hs_err err = hs_mls_past_read(hs_writer_bytes(&w), &read);
    if (err == HS_OK)
        err = hs_mls_tree_load(group->suite, store, read.epoch, &read.tree);
    if (err == HS_OK)
        err = hs_mls_secret_tree_load(group->suite, store, read.epoch, hs_mls_tree_depth(&read.tree),
                                      &read.secrets);
    if (err == HS_OK)
        *past = read;
    else
        hs_mls_epoch_keys_free(&read);
    return err == HS_ERR_NOT_FOUND ? HS_ERR_MALFORMED : err;
}

/* The signers that the caller has. */
struct signers {
    const struct hs_mls_signer *list;
    size_t count;
};

/* Fills in the signer of that suite whose public key is there; INVALID_ARG where the caller doesn't have it.
 */
static enum hs_err find_signer(const struct signers *signers, const struct hs_mls_suite *suite,
                               struct hs_mls_signer *signer)
{
    for (size_t i = 0; i < signers->count; i++) {
        if (signers->list[i].suite != suite ||
            !hs_bytes_equal(HS_MLS_VIEW(signers->list[i].pub), HS_MLS_VIEW(signer->pub)))
            continue;
        *signer = signers->list[i];
        return HS_OK;
    }
    return HS_ERR_INVALID_ARG;
}

/* The same, where there is one at all. */
static enum hs_err find_other(const struct signers *signers, const struct hs_mls_suite *suite,
                              struct hs_mls_signer *signer)
{
    return signer->pub.len > 0 ? find_signer(signers, suite, signer) : HS_OK;
}

static enum hs_err load_whole(const struct hs_mls_group *group, uint64_t epoch, const struct signers *signers,
                              struct hs_mls_whole **out)
{
    struct hs_mls_whole HS_MLS_WHOLE *whole = NULL;
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_SAVED);
    const struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_STATE, epoch);
    HS_TRY(get(group->saved.store, &key, &w));
    HS_TRY(hs_mls_whole_read(hs_writer_bytes(&w), &whole));
    HS_REQUIRE(whole->state.parsed.epoch == epoch, HS_ERR_MALFORMED);
    HS_TRY(find_signer(signers, whole->state.suite, &whole->signer));
    for (size_t i = 0; i < whole->update_count; i++)
        HS_TRY(find_other(signers, whole->state.suite, &whole->updates[i].signer));
    HS_TRY(hs_mls_tree_load(whole->state.suite, group->saved.store, epoch, &whole->state.tree));
    *out = whole;
    whole = NULL;
    return HS_OK;
}

/* The current epoch. */
static enum hs_err load_now(struct hs_mls_group *group, uint64_t epoch, const struct signers *signers)
{
    struct hs_mls_whole HS_MLS_WHOLE *whole = NULL;
    HS_TRY(load_whole(group, epoch, signers, &whole));
    group->suite = whole->state.suite;
    group->signer = whole->signer;
    group->path = whole->path;
    group->epoch = whole->epoch;
    memcpy(group->updates, whole->updates, sizeof group->updates);
    group->update_count = whole->update_count;
    struct hs_mls_state HS_MLS_STATE state = hs_mls_state_share(&whole->state);
    HS_TRY(hs_mls_public_adopt_loaded(&state, &group->pub));
    HS_TRY(hs_mls_proposals_load(group->pub, group->saved.store));
    if (group->removed)
        return HS_OK;
    group->now = (struct hs_mls_epoch_keys){
        .epoch = epoch,
        .tree = hs_mls_tree_share(&group->pub->now.tree),
        .context = hs_mls_blob_ref(group->pub->now.context),
        .sender_data = group->epoch.sender_data,
        .resumption = group->epoch.resumption,
    };
    return hs_mls_secret_tree_load(group->suite, group->saved.store, epoch,
                                   hs_mls_tree_depth(&group->now.tree), &group->now.secrets);
}

static enum hs_err load_pending(const struct hs_mls_group *group, uint64_t epoch,
                                const struct signers *signers, struct hs_mls_pending **out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_SAVED);
    const struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_PENDING, epoch);
    HS_TRY(get(group->saved.store, &key, &w));
    HS_TRY(hs_mls_pending_load(hs_writer_bytes(&w), out));
    return find_other(signers, group->suite, &(*out)->signer);
}

static void note_saved(struct hs_mls_group *group, const struct hs_mls_head *head)
{
    struct hs_mls_saved *saved = &group->saved;
    saved->state = saved->before = saved->pending = true;
    for (size_t i = group->past_count; i > 0; i--) {
        bool whole = i == 1 && head->unsettled;
        saved->kept[saved->kept_count].epoch = group->past[i - 1].epoch;
        saved->kept[saved->kept_count++].form = whole ? HS_MLS_SAVED_WHOLE : HS_MLS_SAVED_PAST;
    }
    saved->kept[saved->kept_count].epoch = head->epoch;
    saved->kept[saved->kept_count++].form = HS_MLS_SAVED_WHOLE;
    saved->tree = hs_mls_tree_share(&group->pub->now.tree);
}

/* Is one's own leaf within each tree that it is looked for in? */
static bool own_is_sound(const struct hs_mls_group *group)
{
    const struct hs_mls_whole *before = group->unsettled;
    return (group->removed || group->own < hs_mls_tree_width(&group->pub->now.tree)) &&
           (before == NULL || group->own < hs_mls_tree_width(&before->state.tree));
}

static enum hs_err load_all(struct hs_mls_group *group, struct hs_bytes record, const struct signers *signers)
{
    struct hs_mls_head head;
    HS_TRY(hs_mls_head_read(record, group, &head));
    HS_TRY(load_now(group, head.epoch, signers));
    HS_REQUIRE(head.suite == group->suite->id, HS_ERR_MALFORMED);
    if (head.unsettled)
        HS_TRY(load_whole(group, group->past[0].epoch, signers, &group->unsettled));
    HS_REQUIRE(own_is_sound(group), HS_ERR_MALFORMED);
    if (head.pending)
        HS_TRY(load_pending(group, head.epoch, signers, &group->pending));
    HS_REQUIRE(head.unsettled || !head.pending_before, HS_ERR_MALFORMED);
    if (head.pending_before)
        HS_TRY(load_pending(group, group->past[0].epoch, signers, &group->unsettled->pending));
    hs_mls_hash(group->suite, record, &group->saved.head);
    note_saved(group, &head);
    return HS_OK;
}

enum hs_err hs_mls_group_load(const struct hs_mls_store *store, const struct hs_mls_signer *signers,
                              size_t signer_count, struct hs_mls_group **out)
{
    struct hs_mls_settings settings;
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    struct hs_writer HS_WRITER head = hs_writer(HS_MLS_MAX_SAVED);
    const struct hs_mls_store_key key = hs_mls_store_key(HS_MLS_RECORD_HEAD);
    const struct signers all = {.list = signers, .count = signer_count};
    HS_REQUIRE(signer_count > 0, HS_ERR_INVALID_ARG);
    HS_TRY(get(store, &key, &head));
    HS_TRY(hs_mls_head_settings(hs_writer_bytes(&head), &settings));
    enum hs_err err = hs_mls_group_new(&signers[0], &settings, &group);
    HS_REQUIRE(err == HS_OK, err == HS_ERR_INVALID_ARG ? HS_ERR_MALFORMED : err);
    group->saved.store = store;
    err = load_all(group, hs_writer_bytes(&head), &all);
    HS_REQUIRE(err == HS_OK, err == HS_ERR_NOT_FOUND ? HS_ERR_MALFORMED : err);
    *out = group;
    group = NULL;
    return HS_OK;
}

/* Making, freeing, asking a member's group. */
#include "mls/group.h"

#include "mls/extensions.h"
#include "mls/member.h"

#include <stdlib.h>

struct hs_mls_settings hs_mls_settings_default(void)
{
    return (struct hs_mls_settings){.out_of_order = 32, .forward = 2000, .past_epochs = 5};
}

void hs_mls_next_secrets_free(struct hs_mls_next_secrets *secrets)
{
    if (secrets == NULL)
        return;
    hs_mls_secret_tree_free(secrets->tree);
    hs_mls_ratchet_free(secrets->turned);
    hs_wipe(secrets, sizeof *secrets);
    free(secrets);
}

void hs_mls_epoch_keys_free(struct hs_mls_epoch_keys *keys)
{
    hs_mls_tree_free(&keys->tree);
    hs_mls_blob_unref(keys->context);
    hs_mls_secret_tree_free(keys->secrets);
    hs_wipe(keys, sizeof *keys);
}

static bool settings_are_sound(const struct hs_mls_settings *settings)
{
    return settings->out_of_order <= HS_MLS_MAX_OUT_OF_ORDER && settings->forward <= HS_MLS_MAX_FORWARD &&
           settings->past_epochs <= HS_MLS_MAX_PAST_EPOCHS && settings->padding <= HS_MLS_MAX_PADDING;
}

enum hs_err hs_mls_group_new(const struct hs_mls_signer *signer, const struct hs_mls_settings *settings,
                             struct hs_mls_group **out)
{
    HS_REQUIRE(settings_are_sound(settings), HS_ERR_INVALID_ARG);
    struct hs_mls_group *group = calloc(1, sizeof *group);
    HS_REQUIRE(group != NULL, HS_ERR_NOMEM);
    *out = group;
    group->suite = signer->suite;
    group->signer = *signer;
    group->settings = *settings;
    group->past = calloc(settings->past_epochs + 2u, sizeof *group->past);
    if (group->past != NULL)
        return HS_OK;
    hs_mls_group_free_at(out);
    return HS_ERR_NOMEM;
}

void hs_mls_group_free(struct hs_mls_group *group)
{
    if (group == NULL)
        return;
    hs_mls_pending_free(group->pending);
    hs_mls_whole_free(group->unsettled);
    hs_mls_past_trim(group, 0);
    hs_mls_epoch_keys_free(&group->now);
    hs_mls_public_free(group->pub);
    hs_mls_psks_free(&group->psks);
    hs_mls_tree_free(&group->saved.tree);
    free(group->past);
    hs_wipe(group, sizeof *group);
    free(group);
}

void hs_mls_group_free_at(struct hs_mls_group **group)
{
    hs_mls_group_free(*group);
    *group = NULL;
}

enum hs_err hs_mls_group_can_send(const struct hs_mls_group *group)
{
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    return group->pub->now.reinit == NULL ? HS_OK : HS_ERR_INVALID_STATE;
}

void hs_mls_confirmation(const struct hs_mls_suite *suite, const struct hs_mls_epoch_secrets *epoch,
                         struct hs_bytes confirmed_transcript_hash, struct hs_mls_hash *tag)
{
    hs_mls_mac(suite, HS_MLS_VIEW(epoch->confirmation), confirmed_transcript_hash, tag);
}

enum hs_err hs_mls_group_open_epoch(struct hs_mls_group *group)
{
    const struct hs_mls_state *state = &group->pub->now;
    struct hs_mls_secret_tree *secrets =
        hs_mls_secret_tree_new(group->suite, &group->epoch.encryption, hs_mls_tree_depth(&state->tree));
    HS_REQUIRE(secrets != NULL, HS_ERR_NOMEM);
    group->now = (struct hs_mls_epoch_keys){
        .epoch = state->parsed.epoch,
        .tree = hs_mls_tree_share(&state->tree),
        .context = hs_mls_blob_ref(state->context),
        .sender_data = group->epoch.sender_data,
        .resumption = group->epoch.resumption,
        .secrets = secrets,
    };
    hs_mls_secret_wipe(&group->epoch.encryption);
    return HS_OK;
}

enum hs_err hs_mls_extensions_write(const struct hs_mls_extension *extensions, size_t count,
                                    struct hs_writer *out)
{
    for (size_t i = 0; i < count; i++)
        hs_mls_write_extension(out, extensions[i].type, extensions[i].data);
    return out->err;
}

/* The tree of one. */
static enum hs_err create_tree(struct hs_mls_group *group, const struct hs_mls_create *create,
                               struct hs_bytes extensions, struct hs_mls_tree *tree)
{
    struct hs_mls_pub pub;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    HS_TRY(hs_mls_kem_generate(group->suite, &group->path.priv[0], &pub));
    group->path.have[0] = true;
    HS_TRY(hs_mls_leaf_create(&create->leaf, HS_MLS_VIEW(pub), &leaf));
    HS_TRY(hs_mls_leaf_check(group->suite, leaf));
    HS_TRY(hs_mls_leaf_supports(leaf, extensions));
    HS_TRY(hs_mls_tree_init(group->suite, tree));
    return hs_mls_tree_put(tree, 0, leaf);
}

/* RFC 9420, 11: epoch 0 with a random epoch secret and an empty transcript. */
static enum hs_err create_state(struct hs_mls_group *group, const struct hs_mls_create *create,
                                struct hs_mls_state *state)
{
    const struct hs_bytes none = {0};
    struct hs_mls_hash hash;
    struct hs_mls_secret HS_MLS_SECRET epoch = {0};
    struct hs_writer HS_WRITER extensions = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_extensions_write(create->extensions, create->extension_count, &extensions));
    HS_REQUIRE(hs_mls_group_extensions_check(hs_writer_bytes(&extensions)) == HS_OK, HS_ERR_INVALID_ARG);
    state->suite = group->suite;
    HS_TRY(create_tree(group, create, hs_writer_bytes(&extensions), &state->tree));
    HS_TRY(hs_mls_tree_hash(&state->tree, &hash));
    state->census = hs_mls_census_of(&state->tree);
    const struct hs_mls_group_context context = {.version = HS_MLS_VERSION_10,
                                                 .suite = group->suite->id,
                                                 .group_id = create->group_id,
                                                 .tree_hash = HS_MLS_VIEW(hash),
                                                 .extensions = hs_writer_bytes(&extensions)};
    HS_TRY(hs_mls_state_set_context(state, &context));
    hs_mls_secret_random(group->suite, &epoch);
    HS_TRY(hs_mls_epoch_from_secret(group->suite, &epoch, &group->epoch));
    hs_mls_confirmation(group->suite, &group->epoch, none, &state->confirmation_tag);
    return hs_mls_interim_hash(group->suite, none, HS_MLS_VIEW(state->confirmation_tag), &state->interim);
}

enum hs_err hs_mls_group_create(const struct hs_mls_create *create, struct hs_mls_group **out)
{
    HS_REQUIRE(create->group_id.len > 0 && create->group_id.len <= HS_MLS_MAX_GROUP_ID, HS_ERR_INVALID_ARG);
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    struct hs_mls_state HS_MLS_STATE state = {0};
    HS_TRY(hs_mls_group_new(create->leaf.signer, &create->settings, &group));
    HS_TRY(create_state(group, create, &state));
    HS_TRY(hs_mls_public_adopt(&state, &group->pub));
    HS_TRY(hs_mls_group_open_epoch(group));
    *out = group;
    group = NULL;
    return HS_OK;
}

bool hs_mls_group_has_pending(const struct hs_mls_group *group)
{
    return group->pending != NULL;
}

struct hs_bytes hs_mls_group_pending_message(const struct hs_mls_group *group)
{
    return group->pending != NULL ? hs_mls_blob_bytes(group->pending->message) : (struct hs_bytes){0};
}

const struct hs_mls_change *hs_mls_group_pending_change(const struct hs_mls_group *group)
{
    if (group->pending == NULL || hs_mls_group_restage(group) != HS_OK)
        return NULL;
    return &group->pending->staged->change;
}

bool hs_mls_group_is_removed(const struct hs_mls_group *group)
{
    return group->removed;
}

/* Does the pending commit name that proposal? Without it, it couldn't be staged again after a load. */
static bool pending_holds(const struct hs_mls_group *group, struct hs_bytes ref)
{
    struct hs_mls_authed authed;
    if (group->pending == NULL || hs_mls_pending_read(group, &authed) != HS_OK)
        return false;
    struct hs_reader r = hs_reader(authed.content.commit.proposals);
    while (hs_reader_left(&r) > 0) {
        struct hs_mls_proposal_or_ref item;
        hs_mls_read_proposal_or_ref(&r, &item);
        if (r.err == HS_OK && item.by_ref && hs_bytes_equal(item.ref, ref))
            return true;
    }
    return false;
}

enum hs_err hs_mls_group_drop_proposal(struct hs_mls_group *group, struct hs_bytes ref)
{
    HS_REQUIRE(!pending_holds(group, ref), HS_ERR_INVALID_STATE);
    return hs_mls_public_drop_proposal(group->pub, ref);
}

const struct hs_mls_public *hs_mls_group_public(const struct hs_mls_group *group)
{
    return group->pub;
}

struct hs_bytes hs_mls_group_id(const struct hs_mls_group *group)
{
    return hs_mls_public_id(group->pub);
}

uint64_t hs_mls_group_epoch(const struct hs_mls_group *group)
{
    return hs_mls_public_epoch(group->pub);
}

uint32_t hs_mls_group_own_leaf(const struct hs_mls_group *group)
{
    return group->own;
}

uint32_t hs_mls_group_inviter(const struct hs_mls_group *group)
{
    return group->inviter;
}

struct hs_mls_secret hs_mls_group_authenticator(const struct hs_mls_group *group)
{
    return group->epoch.authenticator;
}

struct hs_mls_secret hs_mls_group_resumption(const struct hs_mls_group *group)
{
    return group->epoch.resumption;
}

enum hs_err hs_mls_group_export(const struct hs_mls_group *group, const char *label, struct hs_bytes context,
                                uint8_t *out, size_t out_len)
{
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    return hs_mls_export(group->suite, &group->epoch, label, context, out, out_len);
}

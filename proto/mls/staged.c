#include "mls/staged.h"

#include "mls/member.h"
#include "mls/proposals.h"
#include "mls/tree_math.h"

#include <stdlib.h>

/* The lists of what one commit changes: at most every leaf, once. */
enum { CHANGE_CAP = 128 << 20 };

void hs_mls_staged_free(struct hs_mls_staged *staged)
{
    if (staged == NULL)
        return;
    hs_mls_next_secrets_free(staged->secrets);
    for (size_t i = 0; i < staged->held_count; i++)
        hs_mls_leaf_unref(staged->held[i]);
    hs_mls_state_free(&staged->before);
    hs_mls_state_free(&staged->next);
    hs_arena_free(&staged->arena);
    free(staged);
}

void hs_mls_staged_free_at(struct hs_mls_staged **staged)
{
    hs_mls_staged_free(*staged);
    *staged = NULL;
}

const struct hs_mls_change *hs_mls_staged_change(const struct hs_mls_staged *staged)
{
    return &staged->change;
}

struct hs_mls_member hs_mls_staged_member(struct hs_mls_staged *staged, struct hs_mls_leaf *leaf,
                                          uint32_t index)
{
    staged->held[staged->held_count++] = hs_mls_leaf_ref(leaf);
    return hs_mls_leaf_member(leaf, index);
}

enum hs_err hs_mls_stage_begin(const struct hs_mls_public *pub, const struct hs_mls_author *committer,
                               struct hs_mls_staged **out)
{
    const bool external = committer->type == HS_MLS_SENDER_NEW_MEMBER_COMMIT;
    HS_REQUIRE(external || committer->type == HS_MLS_SENDER_MEMBER, HS_ERR_MLS_COMMIT);
    HS_REQUIRE(pub->now.reinit == NULL, HS_ERR_INVALID_STATE);
    HS_REQUIRE(pub->now.parsed.epoch < UINT64_MAX, HS_ERR_MLS_EPOCH);
    HS_REQUIRE(external || hs_mls_tree_leaf(&pub->now.tree, committer->index) != NULL,
               hs_mls_state_error(&pub->now, HS_ERR_NOT_MEMBER));
    struct hs_mls_staged *staged = *out = calloc(1, sizeof *staged);
    HS_REQUIRE(staged != NULL, HS_ERR_NOMEM);
    staged->arena = hs_arena(CHANGE_CAP);
    staged->before = hs_mls_state_share(&pub->now);
    staged->next = hs_mls_state_share(&pub->now);
    staged->by = *committer;
    staged->committer = external ? HS_MLS_NO_LEAF : committer->index;
    staged->change.epoch = pub->now.parsed.epoch + 1;
    staged->change.external = external;
    staged->change.old_extensions = staged->change.new_extensions = staged->before.parsed.extensions;
    return HS_OK;
}

/* The store's error before all others. */
static enum hs_err staged_error(const struct hs_mls_staged *staged, enum hs_err err)
{
    return hs_mls_state_error(&staged->before, hs_mls_state_error(&staged->next, err));
}

static enum hs_err take_list(const struct hs_mls_public *pub, struct hs_mls_staged *staged,
                             struct hs_bytes encoded)
{
    struct hs_mls_list HS_MLS_LIST list = {0};
    HS_TRY(hs_mls_list_read(pub, &staged->by, encoded, &list));
    return hs_mls_list_apply(staged, &list);
}

enum hs_err hs_mls_stage_proposals(const struct hs_mls_public *pub, struct hs_mls_staged *staged,
                                   struct hs_bytes encoded)
{
    HS_TRY(staged_error(staged, take_list(pub, staged, encoded)));
    if (!staged->change.external)
        staged->change.committer = hs_mls_staged_member(
            staged, hs_mls_tree_leaf(&staged->before.tree, staged->committer), staged->committer);
    return HS_OK;
}

enum hs_err hs_mls_stage_newcomer(struct hs_mls_staged *staged, struct hs_mls_leaf *leaf)
{
    HS_REQUIRE(staged->change.external && staged->committer == HS_MLS_NO_LEAF, HS_ERR_INVALID_STATE);
    return hs_mls_tree_add(&staged->next.tree, leaf, &staged->committer);
}

/* A newcomer comes in by its path; a member changes its leaf by it. */
static void count_committer(struct hs_mls_staged *staged, struct hs_mls_leaf *after)
{
    struct hs_mls_change *change = &staged->change;
    uint32_t leaf = staged->committer;
    hs_mls_census_count(&staged->next.census, after, true);
    if (change->external) {
        change->committer = hs_mls_staged_member(staged, after, leaf);
        return;
    }
    struct hs_mls_leaf *before = hs_mls_tree_leaf(&staged->before.tree, leaf);
    hs_mls_census_count(&staged->next.census, before, false);
    change->updated[change->updated_count++] = (struct hs_mls_updated){
        .before = change->committer, .after = hs_mls_staged_member(staged, after, leaf)};
}

/* The committer's new leaf and the nodes that its path filled. */
static void touch_path(struct hs_mls_staged *staged)
{
    struct hs_mls_tree_path path;
    uint32_t leaf = staged->committer;
    staged->change.has_path = true;
    count_committer(staged, hs_mls_tree_leaf(&staged->next.tree, leaf));
    hs_mls_tree_path(&staged->next.tree, leaf, &path);
    staged->touched[staged->touched_count++] = 2 * leaf;
    for (unsigned level = 1; level <= path.depth; level++)
        if (path.on[level]->filled)
            staged->touched[staged->touched_count++] = hs_mls_node_over(leaf, level);
}

static bool key_is_taken(const struct hs_mls_public *pub, const struct hs_mls_tree *tree, uint32_t index)
{
    uint32_t other;
    const struct hs_mls_node *node = hs_mls_tree_node(tree, index);
    if (node->level == 0 && hs_mls_keys_find(&pub->keys, tree, HS_MLS_KEY_SIGNATURE,
                                             hs_mls_leaf_signature_key(node->leaf), index, &other))
        return true;
    return hs_mls_keys_find(&pub->keys, tree, HS_MLS_KEY_ENCRYPTION, hs_mls_node_key(node), index, &other);
}

/* New keys are in no other node of the new tree: neither of those that stay nor of those that come. */
static enum hs_err check_keys(const struct hs_mls_public *pub, const struct hs_mls_staged *staged)
{
    struct hs_mls_keys HS_MLS_KEYS fresh;
    hs_mls_keys_init(&fresh);
    for (size_t i = 0; i < staged->touched_count; i++) {
        enum hs_err taken = i < staged->touched_by_proposals ? HS_ERR_MLS_PROPOSAL : HS_ERR_MLS_COMMIT;
        HS_REQUIRE(!key_is_taken(pub, &staged->next.tree, staged->touched[i]), taken);
        enum hs_err err = hs_mls_keys_claim(&fresh, &staged->next.tree, staged->touched[i]);
        HS_REQUIRE(err == HS_OK, err == HS_ERR_MLS_TREE ? taken : err);
    }
    return HS_OK;
}

/* Do all members know what the group's extensions ask for? With unchanged extensions only new leaves can
 * fail. */
static enum hs_err check_support(const struct hs_mls_staged *staged)
{
    const struct hs_mls_change *change = &staged->change;
    if (!hs_bytes_equal(change->old_extensions, change->new_extensions))
        return hs_mls_tree_supports(&staged->next.tree, change->new_extensions);
    for (size_t i = 0; i < staged->touched_count; i++) {
        if (staged->touched[i] % 2 != 0)
            continue;
        const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&staged->next.tree, staged->touched[i] / 2);
        HS_REQUIRE(leaf != NULL, HS_ERR_MLS_TREE);
        HS_TRY(hs_mls_leaf_supports(leaf, change->new_extensions));
    }
    return HS_OK;
}

/* RFC 9420, 12.2: who comes back in the place of a former leaf has a new encryption key, as an Update has. */
static enum hs_err check_resync(const struct hs_mls_staged *staged)
{
    if (!staged->change.resync)
        return HS_OK;
    const struct hs_mls_leaf *before =
        hs_mls_tree_leaf(&staged->before.tree, staged->change.removed[0].member.leaf);
    const struct hs_mls_leaf *after = hs_mls_tree_leaf(&staged->next.tree, staged->committer);
    HS_REQUIRE(before != NULL && after != NULL, HS_ERR_MLS_COMMIT);
    return hs_bytes_equal(hs_mls_leaf_encryption_key(before), hs_mls_leaf_encryption_key(after))
               ? HS_ERR_MLS_COMMIT
               : HS_OK;
}

static enum hs_err check(const struct hs_mls_public *pub, struct hs_mls_staged *staged, bool has_path)
{
    HS_REQUIRE(has_path || !staged->path_required, HS_ERR_MLS_COMMIT);
    HS_REQUIRE(staged->committer != HS_MLS_NO_LEAF, HS_ERR_MLS_COMMIT);
    staged->touched_by_proposals = staged->touched_count;
    if (has_path)
        touch_path(staged);
    HS_TRY(check_resync(staged));
    HS_REQUIRE(hs_mls_census_is_sound(&staged->next.census), HS_ERR_MLS_LEAF);
    HS_TRY(check_keys(pub, staged));
    return check_support(staged);
}

enum hs_err hs_mls_stage_check(const struct hs_mls_public *pub, struct hs_mls_staged *staged, bool has_path)
{
    return staged_error(staged, check(pub, staged, has_path));
}

enum hs_err hs_mls_stage_context(struct hs_mls_staged *staged, struct hs_bytes confirmed_transcript_hash)
{
    struct hs_mls_hash tree_hash;
    struct hs_mls_group_context context = staged->before.parsed;
    HS_TRY(hs_mls_tree_hash(&staged->next.tree, &tree_hash));
    context.epoch = staged->change.epoch;
    context.tree_hash = HS_MLS_VIEW(tree_hash);
    context.confirmed_transcript_hash = confirmed_transcript_hash;
    context.extensions = staged->change.new_extensions;
    return hs_mls_state_set_context(&staged->next, &context);
}

enum hs_err hs_mls_stage_transcript(struct hs_mls_staged *staged, const struct hs_mls_authed *commit)
{
    struct hs_mls_hash confirmed;
    struct hs_bytes content = commit->content.raw; /* as it came; one's own isn't encoded yet */
    struct hs_writer HS_WRITER own = hs_writer(HS_MLS_MAX_MESSAGE);
    if (content.len == 0) {
        hs_mls_write_content(&own, &commit->content);
        HS_TRY(own.err);
        content = hs_writer_bytes(&own);
    }
    HS_TRY(hs_mls_confirmed_hash(staged->next.suite, HS_MLS_VIEW(staged->before.interim),
                                 (uint16_t)commit->wire_format, content, commit->signature, &confirmed));
    return hs_mls_stage_context(staged, HS_MLS_VIEW(confirmed));
}

enum hs_err hs_mls_stage_tag(struct hs_mls_staged *staged, struct hs_bytes confirmation_tag)
{
    const struct hs_mls_suite *suite = staged->next.suite;
    HS_REQUIRE(confirmation_tag.len == suite->hash_len, HS_ERR_MLS_CONFIRMATION);
    HS_MLS_SET(confirmation_tag, &staged->next.confirmation_tag);
    return hs_mls_interim_hash(suite, staged->next.parsed.confirmed_transcript_hash, confirmation_tag,
                               &staged->next.interim);
}

/* The committer's path; the leaf of one who comes from outside is put into the tree first. */
static enum hs_err apply_path(struct hs_mls_staged *staged, const struct hs_mls_update_path *path)
{
    struct hs_mls_state *next = &staged->next;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    if (staged->change.external) {
        HS_TRY(hs_mls_leaf_new(next->suite, &path->leaf, &leaf));
        HS_TRY(hs_mls_stage_newcomer(staged, leaf));
    }
    const struct hs_mls_path_apply apply = {
        .sender = staged->committer,
        .newcomer = staged->change.external,
        .path = path,
        .newcomers = &staged->newcomers,
        .group_id = next->parsed.group_id,
    };
    return hs_mls_path_apply(&next->tree, &apply);
}

enum hs_err hs_mls_stage_commit(const struct hs_mls_public *pub, const struct hs_mls_authed *authed,
                                struct hs_mls_staged **out)
{
    const struct hs_mls_commit *commit = &authed->content.commit;
    struct hs_mls_staged HS_MLS_STAGED *staged = NULL;
    HS_TRY(hs_mls_stage_begin(pub, &authed->content.sender, &staged));
    HS_TRY(hs_mls_stage_proposals(pub, staged, commit->proposals));
    if (commit->has_path)
        HS_TRY(staged_error(staged, apply_path(staged, &commit->path)));
    HS_TRY(hs_mls_stage_check(pub, staged, commit->has_path));
    HS_TRY(hs_mls_stage_context(staged, staged->before.parsed.confirmed_transcript_hash));
    *out = staged;
    staged = NULL;
    return HS_OK;
}

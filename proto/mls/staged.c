#include "mls/staged.h"

#include "mls/member.h"
#include "mls/tree_math.h"

#include <stdlib.h>

/* The lists of what one commit changes: at most every leaf, once. */
enum { CHANGE_CAP = 128 << 20 };

void hs_mls_staged_free(struct hs_mls_staged *staged)
{
    if (staged == NULL)
        return;
    hs_mls_next_secrets_free(staged->secrets);
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

enum hs_err hs_mls_stage_begin(const struct hs_mls_public *pub, uint32_t committer,
                               struct hs_mls_staged **out)
{
    const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&pub->now.tree, committer);
    HS_REQUIRE(leaf != NULL, HS_ERR_NOT_MEMBER);
    HS_REQUIRE(pub->now.parsed.epoch < UINT64_MAX, HS_ERR_MLS_EPOCH);
    struct hs_mls_staged *staged = *out = calloc(1, sizeof *staged);
    HS_REQUIRE(staged != NULL, HS_ERR_NOMEM);
    staged->arena = hs_arena(CHANGE_CAP);
    staged->before = hs_mls_state_share(&pub->now);
    staged->next = hs_mls_state_share(&pub->now);
    staged->committer = committer;
    staged->change.epoch = pub->now.parsed.epoch + 1;
    staged->change.committer = hs_mls_leaf_member(leaf, committer);
    staged->change.old_extensions = staged->change.new_extensions = staged->before.parsed.extensions;
    return HS_OK;
}

/* The committer's new leaf and the nodes that its path filled. */
static void touch_path(struct hs_mls_staged *staged)
{
    struct hs_mls_tree_path path;
    uint32_t leaf = staged->committer;
    struct hs_mls_leaf *before = hs_mls_tree_leaf(&staged->before.tree, leaf);
    struct hs_mls_leaf *after = hs_mls_tree_leaf(&staged->next.tree, leaf);
    staged->change.has_path = true;
    staged->change.updated[staged->change.updated_count++] = (struct hs_mls_updated){
        .before = hs_mls_leaf_member(before, leaf), .after = hs_mls_leaf_member(after, leaf)};
    hs_mls_census_count(&staged->next.census, before, false);
    hs_mls_census_count(&staged->next.census, after, true);
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
    if (node->level == 0 &&
        hs_mls_keys_find(&pub->keys, tree, HS_MLS_KEY_SIGNATURE, &node->leaf->signature_key, index, &other))
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
    struct hs_mls_leaf *leaf;
    if (hs_bytes_equal(change->old_extensions, change->new_extensions)) {
        for (size_t i = 0; i < staged->touched_count; i++)
            if (staged->touched[i] % 2 == 0)
                HS_TRY(hs_mls_leaf_supports(hs_mls_tree_leaf(&staged->next.tree, staged->touched[i] / 2),
                                            change->new_extensions));
        return HS_OK;
    }
    for (uint32_t i = 0; hs_mls_tree_next(&staged->next.tree, &i, &leaf); i++)
        HS_TRY(hs_mls_leaf_supports(leaf, change->new_extensions));
    return HS_OK;
}

enum hs_err hs_mls_stage_check(const struct hs_mls_public *pub, struct hs_mls_staged *staged, bool has_path)
{
    HS_REQUIRE(has_path || !staged->path_required, HS_ERR_MLS_COMMIT);
    staged->touched_by_proposals = staged->touched_count;
    if (has_path)
        touch_path(staged);
    HS_REQUIRE(hs_mls_census_is_sound(&staged->next.census), HS_ERR_MLS_LEAF);
    HS_TRY(check_keys(pub, staged));
    return check_support(staged);
}

enum hs_err hs_mls_stage_context(struct hs_mls_staged *staged, struct hs_bytes confirmed_transcript_hash)
{
    struct hs_id tree_hash;
    struct hs_mls_group_context context = staged->before.parsed;
    HS_TRY(hs_mls_tree_hash(&staged->next.tree, &tree_hash));
    context.epoch = staged->change.epoch;
    context.tree_hash = HS_VIEW(tree_hash);
    context.confirmed_transcript_hash = confirmed_transcript_hash;
    context.extensions = staged->change.new_extensions;
    return hs_mls_state_set_context(&staged->next, &context);
}

enum hs_err hs_mls_stage_transcript(struct hs_mls_staged *staged, const struct hs_mls_authed *commit)
{
    struct hs_id confirmed;
    struct hs_writer HS_WRITER content = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_mls_write_content(&content, &commit->content);
    HS_TRY(content.err);
    HS_TRY(hs_mls_confirmed_hash(HS_VIEW(staged->before.interim), (uint16_t)commit->wire_format,
                                 hs_writer_bytes(&content), commit->signature, &confirmed));
    return hs_mls_stage_context(staged, HS_VIEW(confirmed));
}

enum hs_err hs_mls_stage_tag(struct hs_mls_staged *staged, struct hs_bytes confirmation_tag)
{
    HS_REQUIRE(HS_FIXED(confirmation_tag, &staged->next.confirmation_tag), HS_ERR_MLS_CONFIRMATION);
    return hs_mls_interim_hash(staged->next.parsed.confirmed_transcript_hash, confirmation_tag,
                               &staged->next.interim);
}

enum hs_err hs_mls_stage_commit(const struct hs_mls_public *pub, const struct hs_mls_authed *authed,
                                struct hs_mls_staged **out)
{
    const struct hs_mls_commit *commit = &authed->content.commit;
    struct hs_mls_staged HS_MLS_STAGED *staged = NULL;
    HS_TRY(hs_mls_stage_begin(pub, authed->content.sender, &staged));
    HS_TRY(hs_mls_stage_proposals(pub, staged, commit->proposals));
    if (commit->has_path)
        HS_TRY(hs_mls_path_apply(&staged->next.tree, staged->committer, &commit->path, &staged->newcomers,
                                 pub->now.parsed.group_id));
    HS_TRY(hs_mls_stage_check(pub, staged, commit->has_path));
    HS_TRY(hs_mls_stage_context(staged, staged->before.parsed.confirmed_transcript_hash));
    *out = staged;
    staged = NULL;
    return HS_OK;
}

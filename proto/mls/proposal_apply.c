/* A list of proposals, applied to a staged state (RFC 9420, 12.3). */
#include "mls/key_package_check.h"
#include "mls/proposals.h"

/* Room for the lists of what changed; the committer's own path may add one update, and a node a level. */
static enum hs_err reserve(struct hs_mls_staged *staged, const struct hs_mls_list *list)
{
    struct hs_arena *arena = &staged->arena;
    struct hs_mls_change *change = &staged->change;
    const size_t adds = list->of_type[HS_MLS_ADD] + 1, updates = list->of_type[HS_MLS_UPDATE] + 1,
                 removes = list->of_type[HS_MLS_REMOVE] + 1, psks = list->of_type[HS_MLS_PSK] + 1;
    change->added = hs_arena_alloc(arena, adds * sizeof *change->added);
    change->removed = hs_arena_alloc(arena, removes * sizeof *change->removed);
    change->updated = hs_arena_alloc(arena, updates * sizeof *change->updated);
    change->psks = hs_arena_alloc(arena, psks * sizeof *change->psks);
    staged->newcomer_leaves = hs_arena_alloc(arena, adds * sizeof *staged->newcomer_leaves);
    staged->touched = hs_arena_alloc(arena, (adds + updates + HS_MLS_MAX_DEPTH) * sizeof *staged->touched);
    staged->held = hs_arena_alloc(arena, (adds + removes + 2 * updates) * sizeof *staged->held);
    HS_REQUIRE(change->added != NULL && change->removed != NULL && change->updated != NULL &&
                   change->psks != NULL && staged->newcomer_leaves != NULL && staged->touched != NULL &&
                   staged->held != NULL,
               HS_ERR_NOMEM);
    staged->newcomers.leaves = staged->newcomer_leaves;
    return HS_OK;
}

/* Reads the proposal from a copy that lives as long as the staged commit. */
static enum hs_err read_copy(struct hs_mls_staged *staged, struct hs_bytes raw,
                             struct hs_mls_proposal *proposal)
{
    struct hs_bytes copy = hs_arena_copy(&staged->arena, raw);
    HS_REQUIRE(copy.len == raw.len, HS_ERR_NOMEM);
    struct hs_reader r = hs_reader(copy);
    hs_mls_read_proposal(&r, proposal);
    return hs_reader_finish(&r);
}

static enum hs_err apply_extensions(struct hs_mls_staged *staged, const struct hs_mls_listed *item)
{
    struct hs_mls_proposal proposal;
    HS_TRY(read_copy(staged, item->raw, &proposal));
    staged->change.extensions_proposed = true;
    staged->change.extensions_by = item->by;
    staged->change.new_extensions = proposal.extensions;
    return HS_OK;
}

static enum hs_err apply_update(struct hs_mls_staged *staged, const struct hs_mls_listed *item)
{
    struct hs_mls_leaf *old = hs_mls_tree_leaf(&staged->next.tree, item->at);
    hs_mls_census_count(&staged->next.census, old, false);
    hs_mls_census_count(&staged->next.census, item->leaf, true);
    staged->change.updated[staged->change.updated_count++] = (struct hs_mls_updated){
        .before = hs_mls_staged_member(staged, old, item->at),
        .after = hs_mls_staged_member(staged, item->leaf, item->at),
    };
    staged->touched[staged->touched_count++] = 2 * item->at;
    return hs_mls_tree_replace(&staged->next.tree, item->at, item->leaf);
}

static enum hs_err apply_remove(struct hs_mls_staged *staged, const struct hs_mls_listed *item)
{
    struct hs_mls_leaf *old = hs_mls_tree_leaf(&staged->next.tree, item->at);
    hs_mls_census_count(&staged->next.census, old, false);
    staged->change.removed[staged->change.removed_count++] =
        (struct hs_mls_removed){.member = hs_mls_staged_member(staged, old, item->at), .by = item->by};
    return hs_mls_tree_replace(&staged->next.tree, item->at, NULL);
}

static enum hs_err apply_add(struct hs_mls_staged *staged, const struct hs_mls_listed *item)
{
    uint32_t leaf;
    struct hs_mls_proposal proposal;
    struct hs_mls_hash ref;
    struct hs_reader r = hs_reader(item->raw);
    hs_mls_read_proposal(&r, &proposal);
    HS_TRY(r.err);
    HS_TRY(hs_mls_key_package_ref(staged->next.suite, &proposal.add, &ref));
    HS_TRY(hs_mls_tree_add(&staged->next.tree, item->leaf, &leaf));
    hs_mls_census_count(&staged->next.census, item->leaf, true);
    staged->change.added[staged->change.added_count++] = (struct hs_mls_added){
        .member = hs_mls_staged_member(staged, item->leaf, leaf), .key_package_ref = ref, .by = item->by};
    staged->newcomer_leaves[staged->newcomers.count++] = leaf;
    staged->touched[staged->touched_count++] = 2 * leaf;
    return HS_OK;
}

static enum hs_err apply_psk(struct hs_mls_staged *staged, const struct hs_mls_listed *item)
{
    struct hs_mls_proposal proposal;
    HS_TRY(read_copy(staged, item->raw, &proposal));
    staged->change.psks[staged->change.psk_count++] =
        (struct hs_mls_psk_used){.id = proposal.psk, .by = item->by};
    return HS_OK;
}

static enum hs_err apply_reinit(struct hs_mls_staged *staged, const struct hs_mls_listed *item)
{
    struct hs_mls_proposal proposal;
    staged->next.reinit = hs_mls_blob_new(item->raw);
    HS_REQUIRE(staged->next.reinit != NULL, HS_ERR_NOMEM);
    struct hs_reader r = hs_reader(hs_mls_blob_bytes(staged->next.reinit));
    hs_mls_read_proposal(&r, &proposal);
    HS_TRY(r.err);
    staged->change.reinit_proposed = true;
    staged->change.reinit_by = item->by;
    staged->change.reinit = proposal.reinit;
    return HS_OK;
}

static enum hs_err apply_external_init(struct hs_mls_staged *staged, const struct hs_mls_listed *item)
{
    struct hs_mls_proposal proposal;
    HS_TRY(read_copy(staged, item->raw, &proposal));
    staged->kem_output = proposal.kem_output;
    return HS_OK;
}

static enum hs_err apply_all(struct hs_mls_staged *staged, const struct hs_mls_list *list,
                             enum hs_mls_proposal_type type,
                             enum hs_err (*apply)(struct hs_mls_staged *, const struct hs_mls_listed *))
{
    size_t left = list->of_type[type];
    for (size_t i = 0; left > 0; i++)
        if (list->items[i].type == type) {
            HS_TRY(apply(staged, &list->items[i]));
            left--;
        }
    return HS_OK;
}

enum hs_err hs_mls_list_apply(struct hs_mls_staged *staged, const struct hs_mls_list *list)
{
    const size_t *of_type = list->of_type;
    HS_TRY(reserve(staged, list));
    HS_TRY(apply_all(staged, list, HS_MLS_GROUP_CONTEXT_EXTENSIONS, apply_extensions));
    HS_TRY(apply_all(staged, list, HS_MLS_UPDATE, apply_update));
    HS_TRY(apply_all(staged, list, HS_MLS_REMOVE, apply_remove));
    HS_TRY(hs_mls_tree_truncate(&staged->next.tree));
    HS_TRY(apply_all(staged, list, HS_MLS_ADD, apply_add));
    HS_TRY(apply_all(staged, list, HS_MLS_PSK, apply_psk));
    HS_TRY(apply_all(staged, list, HS_MLS_REINIT, apply_reinit));
    HS_TRY(apply_all(staged, list, HS_MLS_EXTERNAL_INIT, apply_external_init));
    /* RFC 9420, 12.4: only a list of Adds, PSKs or a ReInit may go without a path. */
    staged->path_required =
        list->count == 0 || of_type[HS_MLS_ADD] + of_type[HS_MLS_PSK] + of_type[HS_MLS_REINIT] < list->count;
    staged->change.resync = staged->change.external && of_type[HS_MLS_REMOVE] > 0;
    return HS_OK;
}

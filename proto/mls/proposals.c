/* The list of proposals of a commit: judged as a whole (RFC 9420, 12.2), then applied (12.3). */
#include "mls/key_package_check.h"
#include "mls/staged.h"
#include "mls/tree_math.h"

#include <stdlib.h>

/* One proposal, however it came into the list, with its leaf verified. */
struct listed {
    enum hs_mls_proposal_type type;
    uint32_t by;
    uint32_t removed;
    struct hs_mls_leaf *leaf; /* ADD, UPDATE */
    struct hs_id ref;         /* ADD: KeyPackageRef */
    struct hs_bytes extensions;
};

struct list {
    struct listed *items;
    size_t count, size;
    size_t adds, updates, removes, extensions;
};

static void list_free(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        hs_mls_leaf_unref(list->items[i].leaf);
    free(list->items);
}

static enum hs_err list_push(struct list *list, struct listed *item)
{
    if (list->count == list->size) {
        size_t size = list->size == 0 ? 8 : 2 * list->size;
        struct listed *items =
            size <= 2 * (size_t)HS_MLS_MAX_LEAVES ? realloc(list->items, size * sizeof *items) : NULL;
        if (items == NULL) {
            hs_mls_leaf_unref(item->leaf);
            return list->size > HS_MLS_MAX_LEAVES ? HS_ERR_TOO_LARGE : HS_ERR_NOMEM;
        }
        list->items = items;
        list->size = size;
    }
    list->items[list->count++] = *item;
    list->adds += item->type == HS_MLS_ADD;
    list->updates += item->type == HS_MLS_UPDATE;
    list->removes += item->type == HS_MLS_REMOVE;
    list->extensions += item->type == HS_MLS_GROUP_CONTEXT_EXTENSIONS;
    return HS_OK;
}

static enum hs_err resolve_ref(const struct hs_mls_public *pub, struct hs_bytes ref, struct listed *out)
{
    const struct hs_mls_cached *cached = hs_mls_public_cached(pub, ref);
    HS_REQUIRE(cached != NULL, HS_ERR_MLS_PROPOSAL);
    *out = (struct listed){.type = cached->proposal.type, .by = cached->sender};
    if (out->type == HS_MLS_REMOVE)
        out->removed = cached->proposal.removed;
    else if (out->type == HS_MLS_GROUP_CONTEXT_EXTENSIONS)
        out->extensions = cached->proposal.extensions;
    else if (out->type == HS_MLS_ADD)
        HS_TRY(hs_mls_key_package_ref(&cached->proposal.add, &out->ref));
    out->leaf = hs_mls_leaf_ref(cached->leaf);
    return HS_OK;
}

static enum hs_err resolve_value(const struct hs_mls_proposal *proposal, uint32_t committer,
                                 struct listed *out)
{
    *out = (struct listed){.type = proposal->type, .by = committer};
    switch (proposal->type) {
    case HS_MLS_ADD:
        HS_TRY(hs_mls_key_package_ref(&proposal->add, &out->ref));
        return hs_mls_key_package_verify(&proposal->add, &out->leaf);
    case HS_MLS_REMOVE:
        out->removed = proposal->removed;
        return HS_OK;
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        out->extensions = proposal->extensions;
        return hs_mls_extensions_are_sound(proposal->extensions) ? HS_OK : HS_ERR_MLS_PROPOSAL;
    case HS_MLS_UPDATE: /* a committer updates itself by its path */
        return HS_ERR_MLS_PROPOSAL;
    default:
        return HS_ERR_UNSUPPORTED;
    }
}

static enum hs_err resolve(const struct hs_mls_public *pub, uint32_t committer, struct hs_bytes encoded,
                           struct list *list)
{
    struct hs_reader r = hs_reader(encoded);
    while (hs_reader_left(&r) > 0) {
        struct hs_mls_proposal_or_ref item;
        struct listed listed;
        hs_mls_read_proposal_or_ref(&r, &item);
        HS_TRY(r.err);
        HS_TRY(item.by_ref ? resolve_ref(pub, item.ref, &listed)
                           : resolve_value(&item.proposal, committer, &listed));
        HS_TRY(list_push(list, &listed));
    }
    return r.err;
}

/* RFC 9420, 12.2, but for what can be seen only after the list was applied. */
static enum hs_err check_list(const struct hs_mls_tree *tree, uint32_t committer, const struct list *list)
{
    HS_REQUIRE(list->extensions <= 1, HS_ERR_MLS_PROPOSAL);
    if (list->updates + list->removes == 0)
        return HS_OK;
    uint8_t *seen = calloc(1, hs_mls_tree_width(tree));
    HS_REQUIRE(seen != NULL, HS_ERR_NOMEM);
    bool valid = true;
    for (size_t i = 0; i < list->count && valid; i++) {
        const struct listed *item = &list->items[i];
        if (item->type != HS_MLS_UPDATE && item->type != HS_MLS_REMOVE)
            continue;
        uint32_t leaf = item->type == HS_MLS_UPDATE ? item->by : item->removed;
        valid = leaf != committer && hs_mls_tree_leaf(tree, leaf) != NULL && seen[leaf] == 0;
        if (valid)
            seen[leaf] = 1;
    }
    free(seen);
    return valid ? HS_OK : HS_ERR_MLS_PROPOSAL;
}

/* Room for the lists of what changed; the committer's own path may add one update and a node a level. */
static enum hs_err reserve(struct hs_mls_staged *staged, const struct list *list)
{
    struct hs_arena *arena = &staged->arena;
    size_t touched = list->adds + list->updates + 1 + HS_MLS_MAX_DEPTH;
    staged->change.added = hs_arena_alloc(arena, (list->adds + 1) * sizeof *staged->change.added);
    staged->change.removed = hs_arena_alloc(arena, (list->removes + 1) * sizeof *staged->change.removed);
    staged->change.updated = hs_arena_alloc(arena, (list->updates + 1) * sizeof *staged->change.updated);
    staged->newcomer_leaves = hs_arena_alloc(arena, (list->adds + 1) * sizeof *staged->newcomer_leaves);
    staged->touched = hs_arena_alloc(arena, touched * sizeof *staged->touched);
    HS_REQUIRE(staged->change.added != NULL && staged->change.removed != NULL &&
                   staged->change.updated != NULL && staged->newcomer_leaves != NULL &&
                   staged->touched != NULL,
               HS_ERR_NOMEM);
    staged->newcomers.leaves = staged->newcomer_leaves;
    return HS_OK;
}

static enum hs_err apply_extensions(struct hs_mls_staged *staged, const struct listed *item)
{
    struct hs_bytes copy = hs_arena_copy(&staged->arena, item->extensions);
    HS_REQUIRE(copy.len == item->extensions.len, HS_ERR_NOMEM);
    staged->change.extensions_proposed = true;
    staged->change.extensions_by = item->by;
    staged->change.new_extensions = copy;
    return HS_OK;
}

static enum hs_err apply_update(struct hs_mls_staged *staged, const struct listed *item)
{
    struct hs_mls_leaf *old = hs_mls_tree_leaf(&staged->next.tree, item->by);
    hs_mls_census_count(&staged->next.census, old, false);
    hs_mls_census_count(&staged->next.census, item->leaf, true);
    staged->change.updated[staged->change.updated_count++] = (struct hs_mls_updated){
        .before = hs_mls_leaf_member(old, item->by),
        .after = hs_mls_leaf_member(item->leaf, item->by),
    };
    staged->touched[staged->touched_count++] = 2 * item->by;
    return hs_mls_tree_replace(&staged->next.tree, item->by, item->leaf);
}

static enum hs_err apply_remove(struct hs_mls_staged *staged, const struct listed *item)
{
    struct hs_mls_leaf *old = hs_mls_tree_leaf(&staged->next.tree, item->removed);
    hs_mls_census_count(&staged->next.census, old, false);
    staged->change.removed[staged->change.removed_count++] =
        (struct hs_mls_removed){.member = hs_mls_leaf_member(old, item->removed), .by = item->by};
    return hs_mls_tree_replace(&staged->next.tree, item->removed, NULL);
}

static enum hs_err apply_add(struct hs_mls_staged *staged, const struct listed *item)
{
    uint32_t leaf;
    HS_TRY(hs_mls_tree_add(&staged->next.tree, item->leaf, &leaf));
    hs_mls_census_count(&staged->next.census, item->leaf, true);
    staged->change.added[staged->change.added_count++] = (struct hs_mls_added){
        .member = hs_mls_leaf_member(item->leaf, leaf), .key_package_ref = item->ref, .by = item->by};
    staged->newcomer_leaves[staged->newcomers.count++] = leaf;
    staged->touched[staged->touched_count++] = 2 * leaf;
    return HS_OK;
}

static enum hs_err apply_all(struct hs_mls_staged *staged, const struct list *list,
                             enum hs_mls_proposal_type type,
                             enum hs_err (*apply)(struct hs_mls_staged *, const struct listed *))
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].type == type)
            HS_TRY(apply(staged, &list->items[i]));
    return HS_OK;
}

enum hs_err hs_mls_stage_proposals(const struct hs_mls_public *pub, struct hs_mls_staged *staged,
                                   struct hs_bytes encoded)
{
    struct list HS_AUTO(list_free) list = {0};
    HS_TRY(resolve(pub, staged->committer, encoded, &list));
    HS_TRY(check_list(&staged->next.tree, staged->committer, &list));
    HS_TRY(reserve(staged, &list));
    HS_TRY(apply_all(staged, &list, HS_MLS_GROUP_CONTEXT_EXTENSIONS, apply_extensions));
    HS_TRY(apply_all(staged, &list, HS_MLS_UPDATE, apply_update));
    HS_TRY(apply_all(staged, &list, HS_MLS_REMOVE, apply_remove));
    hs_mls_tree_truncate(&staged->next.tree);
    HS_TRY(apply_all(staged, &list, HS_MLS_ADD, apply_add));
    /* RFC 9420, 12.4: only a list of Adds (or PSKs) may go without a path. */
    staged->path_required = list.count == 0 || list.adds != list.count;
    return HS_OK;
}

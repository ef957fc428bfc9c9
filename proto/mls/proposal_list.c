/* The list of proposals of a commit, judged as a whole (RFC 9420, 12.2). */
#include "mls/proposals.h"

#include <stdlib.h>

void hs_mls_list_free(struct hs_mls_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        hs_mls_leaf_unref(list->items[i].leaf);
    free(list->items);
    *list = (struct hs_mls_list){0};
}

/* Takes the item's leaf, also on failure. A list longer than twice the tree's leaves can't be valid. */
static enum hs_err list_push(struct hs_mls_list *list, const struct hs_mls_listed *item)
{
    if (list->count == list->size) {
        size_t size = list->size == 0 ? 8 : 2 * list->size;
        bool fits = size <= 2 * (size_t)HS_MLS_MAX_LEAVES;
        struct hs_mls_listed *items = fits ? realloc(list->items, size * sizeof *items) : NULL;
        if (items == NULL) {
            hs_mls_leaf_unref(item->leaf);
            return fits ? HS_ERR_NOMEM : HS_ERR_TOO_LARGE;
        }
        list->items = items;
        list->size = size;
    }
    list->items[list->count++] = *item;
    list->of_type[item->type]++;
    return HS_OK;
}

static uint32_t target(const struct hs_mls_proposal *proposal, const struct hs_mls_author *by)
{
    return proposal->type == HS_MLS_REMOVE ? proposal->removed : by->index;
}

static enum hs_err push_ref(const struct hs_mls_public *pub, struct hs_bytes ref, struct hs_mls_list *list)
{
    const struct hs_mls_cached *cached = hs_mls_public_cached(pub, ref);
    HS_REQUIRE(cached != NULL, HS_ERR_MLS_PROPOSAL);
    const struct hs_mls_listed item = {
        .type = cached->proposal.type,
        .by = cached->sender,
        .at = target(&cached->proposal, &cached->sender),
        .leaf = hs_mls_leaf_ref(cached->leaf),
        .raw = cached->proposal.raw,
    };
    return list_push(list, &item);
}

static enum hs_err push_value(const struct hs_mls_public *pub, const struct hs_mls_author *committer,
                              const struct hs_mls_proposal *proposal, struct hs_mls_list *list)
{
    struct hs_mls_listed item = {
        .type = proposal->type,
        .by = *committer,
        .at = target(proposal, committer),
        .raw = proposal->raw,
    };
    /* A committer updates itself by its path. */
    HS_REQUIRE(proposal->type != HS_MLS_UPDATE, HS_ERR_MLS_PROPOSAL);
    HS_TRY(hs_mls_proposal_check(&pub->now, committer, proposal, &item.leaf));
    return list_push(list, &item);
}

static enum hs_err resolve(const struct hs_mls_public *pub, const struct hs_mls_author *committer,
                           struct hs_bytes encoded, struct hs_mls_list *list)
{
    struct hs_reader r = hs_reader(encoded);
    while (hs_reader_left(&r) > 0) {
        struct hs_mls_proposal_or_ref item;
        hs_mls_read_proposal_or_ref(&r, &item);
        HS_TRY(r.err);
        /* RFC 9420, 12.4: who isn't a member yet can't know what waits in the group. */
        HS_REQUIRE(!item.by_ref || committer->type == HS_MLS_SENDER_MEMBER, HS_ERR_MLS_PROPOSAL);
        HS_TRY(item.by_ref ? push_ref(pub, item.ref, list)
                           : push_value(pub, committer, &item.proposal, list));
    }
    return r.err;
}

/* False where the leaf was marked before. */
static bool mark(uint8_t *seen, uint32_t leaf)
{
    const uint8_t bit = (uint8_t)(1 << leaf % 8);
    bool fresh = (seen[leaf / 8] & bit) == 0;
    seen[leaf / 8] |= bit;
    return fresh;
}

/* No leaf is updated or removed twice, and the committer's neither. */
static enum hs_err check_targets(const struct hs_mls_tree *tree, const struct hs_mls_author *committer,
                                 const struct hs_mls_list *list)
{
    if (list->of_type[HS_MLS_UPDATE] + list->of_type[HS_MLS_REMOVE] == 0)
        return HS_OK;
    uint8_t *seen = calloc(hs_mls_tree_width(tree) / 8 + 1, 1); /* a bit a leaf */
    HS_REQUIRE(seen != NULL, HS_ERR_NOMEM);
    bool valid = committer->type != HS_MLS_SENDER_MEMBER || mark(seen, committer->index);
    for (size_t i = 0; i < list->count && valid; i++) {
        const struct hs_mls_listed *item = &list->items[i];
        if (item->type == HS_MLS_UPDATE || item->type == HS_MLS_REMOVE)
            valid = hs_mls_tree_leaf(tree, item->at) != NULL && mark(seen, item->at);
    }
    free(seen);
    return valid ? HS_OK : HS_ERR_MLS_PROPOSAL;
}

/* No PreSharedKeyID twice; there are few enough to compare each with each. */
static enum hs_err check_psks(const struct hs_mls_list *list)
{
    struct hs_bytes seen[HS_MLS_MAX_PSKS];
    size_t count = 0;
    HS_REQUIRE(list->of_type[HS_MLS_PSK] <= HS_MLS_MAX_PSKS, HS_ERR_TOO_LARGE);
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].type != HS_MLS_PSK)
            continue;
        for (size_t j = 0; j < count; j++)
            HS_REQUIRE(!hs_bytes_equal(seen[j], list->items[i].raw), HS_ERR_MLS_PROPOSAL);
        seen[count++] = list->items[i].raw;
    }
    return HS_OK;
}

/* RFC 9420, 12.2. That keys are unique, leaves valid and extensions known is seen in the tree that comes out
 * of it. */
static enum hs_err check_list(const struct hs_mls_public *pub, const struct hs_mls_author *committer,
                              const struct hs_mls_list *list)
{
    const bool external = committer->type == HS_MLS_SENDER_NEW_MEMBER_COMMIT;
    HS_REQUIRE(list->of_type[HS_MLS_GROUP_CONTEXT_EXTENSIONS] <= 1, HS_ERR_MLS_PROPOSAL);
    HS_REQUIRE(list->of_type[HS_MLS_REINIT] == 0 || list->count == 1, HS_ERR_MLS_PROPOSAL);
    HS_REQUIRE(list->of_type[HS_MLS_EXTERNAL_INIT] == (external ? 1 : 0), HS_ERR_MLS_PROPOSAL);
    HS_REQUIRE(!external || list->of_type[HS_MLS_REMOVE] <= 1, HS_ERR_MLS_PROPOSAL);
    HS_TRY(check_targets(&pub->now.tree, committer, list));
    return check_psks(list);
}

enum hs_err hs_mls_list_read(const struct hs_mls_public *pub, const struct hs_mls_author *committer,
                             struct hs_bytes encoded, struct hs_mls_list *list)
{
    HS_TRY(resolve(pub, committer, encoded, list));
    return check_list(pub, committer, list);
}

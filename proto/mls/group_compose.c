/* Which proposals does one's own commit hold (RFC 9420, 12.4)? */
#include "mls/key_package_check.h"
#include "mls/member.h"

#include <stdlib.h>

static enum hs_err check_target(const struct hs_mls_group *group, uint32_t leaf)
{
    bool removable = leaf != group->own && hs_mls_tree_leaf(&group->pub->now.tree, leaf) != NULL;
    return removable ? HS_OK : HS_ERR_INVALID_ARG;
}

/* True where a waiting Remove, before number limit, is for that leaf. */
static bool waits_for_removal(const struct hs_mls_group *group, uint32_t leaf, size_t limit)
{
    for (size_t i = 0; i < limit; i++) {
        const struct hs_mls_cached *cached = &group->pub->cached[i];
        if (cached->proposal.type == HS_MLS_REMOVE && cached->proposal.removed == leaf)
            return true;
    }
    return false;
}

static bool request_removes(const struct hs_mls_commit_request *request, uint32_t leaf)
{
    for (size_t i = 0; i < request->remove_count; i++)
        if (request->removes[i] == leaf)
            return true;
    return false;
}

/* True where a later one of the same kind, by the same sender where that counts, takes its place. */
static bool is_superseded(const struct hs_mls_group *group, size_t index)
{
    const struct hs_mls_cached *cached = &group->pub->cached[index];
    for (size_t i = index + 1; i < group->pub->cached_count; i++) {
        const struct hs_mls_cached *later = &group->pub->cached[i];
        if (later->proposal.type == cached->proposal.type &&
            (cached->proposal.type != HS_MLS_UPDATE || later->sender == cached->sender))
            return true;
    }
    return false;
}

/* An Add whose key is in the group already, or in an Add before it. */
static bool is_known(const struct hs_mls_group *group, size_t index)
{
    uint32_t node;
    const struct hs_mls_leaf *leaf = group->pub->cached[index].leaf;
    if (hs_mls_keys_find(&group->pub->keys, &group->pub->now.tree, HS_MLS_KEY_SIGNATURE, &leaf->signature_key,
                         HS_MLS_NO_NODE, &node))
        return true;
    for (size_t i = 0; i < index; i++) {
        const struct hs_mls_cached *before = &group->pub->cached[i];
        if (before->proposal.type == HS_MLS_ADD && hs_key_equal(&before->leaf->signature_key, &leaf->signature_key))
            return true;
    }
    return false;
}

static bool is_wanted(const struct hs_mls_group *group, const struct hs_mls_commit_request *request, size_t index)
{
    const struct hs_mls_cached *cached = &group->pub->cached[index];
    switch (cached->proposal.type) {
    case HS_MLS_ADD:
        return !is_known(group, index);
    case HS_MLS_UPDATE:
        return cached->sender != group->own && !is_superseded(group, index) &&
               !request_removes(request, cached->sender) &&
               !waits_for_removal(group, cached->sender, group->pub->cached_count);
    case HS_MLS_REMOVE:
        return cached->proposal.removed != group->own &&
               !waits_for_removal(group, cached->proposal.removed, index);
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        return !request->set_extensions && !is_superseded(group, index);
    default:
        return false;
    }
}

static void write_waiting(const struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                          struct hs_writer *list)
{
    for (size_t i = 0; i < group->pub->cached_count; i++) {
        if (!is_wanted(group, request, i))
            continue;
        const struct hs_mls_proposal_or_ref item = {.by_ref = true, .ref = HS_VIEW(group->pub->cached[i].ref)};
        hs_mls_write_proposal_or_ref(list, &item);
    }
}

static enum hs_err write_removes(const struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                                 struct hs_writer *list)
{
    for (size_t i = 0; i < request->remove_count; i++) {
        struct hs_mls_proposal_or_ref item = {.proposal = {.type = HS_MLS_REMOVE}};
        item.proposal.removed = request->removes[i];
        HS_TRY(check_target(group, request->removes[i]));
        if (!waits_for_removal(group, request->removes[i], group->pub->cached_count))
            hs_mls_write_proposal_or_ref(list, &item);
    }
    return list->err;
}

static enum hs_err write_adds(const struct hs_mls_commit_request *request, struct hs_writer *list)
{
    for (size_t i = 0; i < request->add_count; i++) {
        struct hs_mls_proposal_or_ref item = {.proposal = {.type = HS_MLS_ADD}};
        HS_TRY(hs_mls_key_package_read(request->adds[i], &item.proposal.add));
        hs_mls_write_proposal_or_ref(list, &item);
    }
    return list->err;
}

static enum hs_err write_extensions(const struct hs_mls_commit_request *request, struct hs_writer *list)
{
    struct hs_writer HS_WRITER encoded = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_proposal_or_ref item = {.proposal = {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS}};
    if (!request->set_extensions)
        return HS_OK;
    for (size_t i = 0; i < request->extension_count; i++)
        hs_mls_write_extension(&encoded, request->extensions[i].type, request->extensions[i].data);
    HS_TRY(encoded.err);
    item.proposal.extensions = hs_writer_bytes(&encoded);
    hs_mls_write_proposal_or_ref(list, &item);
    return list->err;
}

enum hs_err hs_mls_group_compose(const struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                                 struct hs_writer *list)
{
    for (size_t i = 0; i < group->pub->cached_count; i++) {
        const struct hs_mls_cached *cached = &group->pub->cached[i];
        bool leaving = cached->proposal.type == HS_MLS_REMOVE && cached->proposal.removed == group->own;
        HS_REQUIRE(!leaving || cached->sender != group->own, HS_ERR_INVALID_STATE);
    }
    write_waiting(group, request, list);
    HS_TRY(write_extensions(request, list));
    HS_TRY(write_removes(group, request, list));
    return write_adds(request, list);
}

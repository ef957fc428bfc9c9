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

static bool request_adds(const struct hs_mls_commit_request *request, const struct hs_mls_leaf *leaf)
{
    for (size_t i = 0; i < request->add_count; i++) {
        struct hs_mls_key_package kp;
        if (hs_mls_key_package_read(request->adds[i], &kp) == HS_OK &&
            hs_bytes_equal(kp.leaf.signature_key, HS_VIEW(leaf->signature_key)))
            return true;
    }
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

/* The GroupContext extensions that the commit will set, or leave. */
static struct hs_bytes coming_extensions(const struct hs_mls_group *group, struct hs_bytes requested,
                                         bool set)
{
    for (size_t i = group->pub->cached_count; i > 0 && !set; i--)
        if (group->pub->cached[i - 1].proposal.type == HS_MLS_GROUP_CONTEXT_EXTENSIONS)
            return group->pub->cached[i - 1].proposal.extensions;
    return set ? requested : group->pub->now.parsed.extensions;
}

/* A leaf of which a key is in the group already, at another place than its own, or in an Add or Update
 * before. */
static bool is_known(const struct hs_mls_group *group, size_t index)
{
    const struct hs_mls_public *pub = group->pub;
    const struct hs_mls_cached *cached = &pub->cached[index];
    const struct hs_mls_leaf *leaf = cached->leaf;
    uint32_t node, own = cached->proposal.type == HS_MLS_UPDATE ? 2 * cached->sender : HS_MLS_NO_NODE;
    if (hs_mls_keys_find(&pub->keys, &pub->now.tree, HS_MLS_KEY_SIGNATURE, &leaf->signature_key, own,
                         &node) ||
        hs_mls_keys_find(&pub->keys, &pub->now.tree, HS_MLS_KEY_ENCRYPTION, &leaf->encryption_key, own,
                         &node))
        return true;
    for (size_t i = 0; i < index; i++) {
        const struct hs_mls_cached *before = &pub->cached[i];
        bool same_member = before->proposal.type == HS_MLS_UPDATE && cached->proposal.type == HS_MLS_UPDATE &&
                           before->sender == cached->sender;
        if (before->leaf != NULL && !same_member &&
            (hs_key_equal(&before->leaf->signature_key, &leaf->signature_key) ||
             hs_key_equal(&before->leaf->encryption_key, &leaf->encryption_key)))
            return true;
    }
    return false;
}

/* Nobody's proposal may keep others from committing: what can't stand in the list is left out of it. */
static bool is_wanted(const struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                      struct hs_bytes extensions, size_t index)
{
    const struct hs_mls_cached *cached = &group->pub->cached[index];
    switch (cached->proposal.type) {
    case HS_MLS_ADD:
        return !is_known(group, index) && !request_adds(request, cached->leaf) &&
               hs_mls_leaf_supports(cached->leaf, extensions) == HS_OK;
    case HS_MLS_UPDATE:
        return cached->sender != group->own && !is_superseded(group, index) && !is_known(group, index) &&
               hs_mls_leaf_supports(cached->leaf, extensions) == HS_OK &&
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
                          struct hs_bytes extensions, struct hs_writer *list)
{
    for (size_t i = 0; i < group->pub->cached_count; i++) {
        if (!is_wanted(group, request, extensions, i))
            continue;
        const struct hs_mls_proposal_or_ref item = {.by_ref = true,
                                                    .ref = HS_VIEW(group->pub->cached[i].ref)};
        hs_mls_write_proposal_or_ref(list, &item);
    }
}

static enum hs_err write_removes(const struct hs_mls_group *group,
                                 const struct hs_mls_commit_request *request, struct hs_writer *list)
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

static void write_extensions(const struct hs_mls_commit_request *request, struct hs_bytes extensions,
                             struct hs_writer *list)
{
    struct hs_mls_proposal_or_ref item = {.proposal = {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS}};
    item.proposal.extensions = extensions;
    if (request->set_extensions)
        hs_mls_write_proposal_or_ref(list, &item);
}

enum hs_err hs_mls_group_compose(const struct hs_mls_group *group,
                                 const struct hs_mls_commit_request *request, struct hs_writer *list)
{
    for (size_t i = 0; i < group->pub->cached_count; i++) {
        const struct hs_mls_cached *cached = &group->pub->cached[i];
        bool leaving = cached->proposal.type == HS_MLS_REMOVE && cached->proposal.removed == group->own;
        HS_REQUIRE(!leaving || cached->sender != group->own, HS_ERR_INVALID_STATE);
    }
    struct hs_writer HS_WRITER requested = hs_writer(HS_MLS_MAX_MESSAGE);
    for (size_t i = 0; request->set_extensions && i < request->extension_count; i++)
        hs_mls_write_extension(&requested, request->extensions[i].type, request->extensions[i].data);
    HS_TRY(requested.err);
    struct hs_bytes extensions =
        coming_extensions(group, hs_writer_bytes(&requested), request->set_extensions);
    write_waiting(group, request, extensions, list);
    write_extensions(request, extensions, list);
    HS_TRY(write_removes(group, request, list));
    return write_adds(request, list);
}

/* Messages judged without secrets (RFC 9420, 6.2, 12.1 and 12.4.2). */
#include "mls/key_package_check.h"
#include "mls/staged.h"
#include "mls/suite.h"

#include <stdlib.h>

enum hs_err hs_mls_public_read(const struct hs_mls_public *pub, struct hs_bytes message,
                               struct hs_mls_public_message *m)
{
    struct hs_reader r = hs_reader(message);
    HS_REQUIRE(message.len <= HS_MLS_MAX_MESSAGE, HS_ERR_TOO_LARGE);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_TRY(r.err);
    HS_REQUIRE(format == HS_MLS_PUBLIC_MESSAGE, HS_ERR_UNEXPECTED);
    hs_mls_read_public_message(&r, m);
    HS_TRY(hs_reader_finish(&r));
    const struct hs_mls_content *content = &m->authed.content;
    HS_REQUIRE(content->type != HS_MLS_APPLICATION,
               HS_ERR_UNEXPECTED); /* RFC 9420, 6.2: never in the clear */
    HS_REQUIRE(hs_bytes_equal(content->group_id, pub->now.parsed.group_id), HS_ERR_MLS_GROUP);
    HS_REQUIRE(content->epoch == pub->now.parsed.epoch, HS_ERR_MLS_EPOCH);
    HS_REQUIRE(content->sender_type == HS_MLS_SENDER_MEMBER, HS_ERR_UNSUPPORTED);
    return HS_OK;
}

enum hs_err hs_mls_public_verify(const struct hs_mls_public *pub, const struct hs_mls_authed *authed)
{
    HS_REQUIRE(authed->content.sender_type == HS_MLS_SENDER_MEMBER, HS_ERR_UNSUPPORTED);
    const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&pub->now.tree, authed->content.sender);
    HS_REQUIRE(leaf != NULL, HS_ERR_NOT_MEMBER);
    return hs_mls_content_verify(&leaf->signature_key, authed, hs_mls_public_context(pub));
}

/* Do all members know what these extensions ask for? */
static enum hs_err all_support(const struct hs_mls_tree *tree, struct hs_bytes extensions)
{
    struct hs_mls_leaf *leaf;
    HS_REQUIRE(hs_mls_extensions_are_sound(extensions), HS_ERR_MLS_PROPOSAL);
    for (uint32_t i = 0; hs_mls_tree_next(tree, &i, &leaf); i++)
        HS_TRY(hs_mls_leaf_supports(leaf, extensions));
    return HS_OK;
}

/* Could the group have this leaf in addition? */
static enum hs_err is_compatible(const struct hs_mls_public *pub, const struct hs_mls_leaf *leaf)
{
    struct hs_mls_census census = pub->now.census;
    hs_mls_census_count(&census, leaf, true);
    HS_REQUIRE(hs_mls_census_is_sound(&census), HS_ERR_MLS_LEAF);
    return hs_mls_leaf_supports(leaf, pub->now.parsed.extensions);
}

/* RFC 9420, 12.1: each proposal by itself. Gives the verified leaf of an Add or Update. */
static enum hs_err check_proposal(const struct hs_mls_public *pub, const struct hs_mls_content *content,
                                  struct hs_mls_leaf **leaf)
{
    const struct hs_mls_proposal *proposal = &content->proposal;
    const struct hs_mls_leaf *old = hs_mls_tree_leaf(&pub->now.tree, content->sender);
    switch (proposal->type) {
    case HS_MLS_ADD:
        HS_TRY(hs_mls_key_package_verify(&proposal->add, leaf));
        return is_compatible(pub, *leaf);
    case HS_MLS_UPDATE:
        HS_TRY(hs_mls_leaf_new(&proposal->update, leaf));
        HS_REQUIRE((*leaf)->node.source == HS_MLS_LEAF_UPDATE, HS_ERR_MLS_LEAF);
        HS_REQUIRE(!hs_key_equal(&old->encryption_key, &(*leaf)->encryption_key), HS_ERR_MLS_PROPOSAL);
        HS_TRY(hs_mls_leaf_check(*leaf));
        HS_TRY(is_compatible(pub, *leaf));
        return hs_mls_leaf_verify(*leaf, pub->now.parsed.group_id, content->sender) == HS_OK
                   ? HS_OK
                   : HS_ERR_MLS_LEAF;
    case HS_MLS_REMOVE:
        return hs_mls_tree_leaf(&pub->now.tree, proposal->removed) != NULL ? HS_OK : HS_ERR_MLS_PROPOSAL;
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        return all_support(&pub->now.tree, proposal->extensions);
    default:
        return HS_ERR_UNSUPPORTED;
    }
}

static enum hs_err set_facts(const struct hs_mls_public *pub, const struct hs_mls_content *content,
                             struct hs_mls_leaf *leaf, struct hs_mls_event *event)
{
    const struct hs_mls_proposal *proposal = &content->proposal;
    event->proposal.type = (uint16_t)proposal->type;
    if (proposal->type == HS_MLS_REMOVE)
        event->proposal.target = hs_mls_event_member(
            event, hs_mls_tree_leaf(&pub->now.tree, proposal->removed), proposal->removed);
    else if (leaf != NULL)
        event->proposal.target =
            hs_mls_event_member(event, leaf, proposal->type == HS_MLS_UPDATE ? content->sender : 0);
    else
        return hs_mls_event_copy(event, proposal->extensions, &event->proposal.extensions);
    return HS_OK;
}

static enum hs_err cached_reserve(struct hs_mls_public *pub)
{
    if (pub->cached_count < pub->cached_size)
        return HS_OK;
    HS_REQUIRE(pub->cached_count < HS_MLS_MAX_CACHED_PROPOSALS, HS_ERR_TOO_LARGE);
    size_t size = pub->cached_size == 0 ? 8 : 2 * pub->cached_size;
    size = size < HS_MLS_MAX_CACHED_PROPOSALS ? size : HS_MLS_MAX_CACHED_PROPOSALS;
    struct hs_mls_cached *cached = realloc(pub->cached, size * sizeof *cached);
    HS_REQUIRE(cached != NULL, HS_ERR_NOMEM);
    pub->cached = cached;
    pub->cached_size = size;
    return HS_OK;
}

static enum hs_err cache(struct hs_mls_public *pub, const struct hs_mls_content *content,
                         const struct hs_id *ref, struct hs_mls_leaf *leaf)
{
    HS_TRY(cached_reserve(pub));
    struct hs_mls_blob *raw = hs_mls_blob_new(content->proposal.raw);
    HS_REQUIRE(raw != NULL, HS_ERR_NOMEM);
    struct hs_mls_cached *cached = &pub->cached[pub->cached_count++];
    *cached = (struct hs_mls_cached){
        .ref = *ref, .sender = content->sender, .raw = raw, .leaf = hs_mls_leaf_ref(leaf)};
    struct hs_reader r = hs_reader(hs_mls_blob_bytes(raw));
    hs_mls_read_proposal(&r, &cached->proposal);
    HS_ASSERT(hs_reader_finish(&r) == HS_OK);
    return HS_OK;
}

enum hs_err hs_mls_public_keep(struct hs_mls_public *pub, const struct hs_mls_authed *authed,
                               struct hs_mls_event *event)
{
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    HS_TRY(check_proposal(pub, &authed->content, &leaf));
    HS_TRY(hs_mls_proposal_ref(authed, &event->proposal.ref));
    HS_TRY(set_facts(pub, &authed->content, leaf, event));
    if (hs_mls_public_cached(pub, HS_VIEW(event->proposal.ref)) != NULL)
        return HS_OK;
    return cache(pub, &authed->content, &event->proposal.ref, leaf);
}

enum hs_err hs_mls_public_process(struct hs_mls_public *pub, struct hs_bytes message,
                                  struct hs_mls_event **out)
{
    struct hs_mls_public_message m;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    HS_TRY(hs_mls_public_read(pub, message, &m));
    HS_TRY(hs_mls_public_verify(pub, &m.authed));
    HS_TRY(hs_mls_event_new(&pub->now.tree, &m.authed, &event));
    if (m.authed.content.type == HS_MLS_PROPOSAL) {
        HS_TRY(hs_mls_public_keep(pub, &m.authed, event));
    } else {
        HS_TRY(hs_mls_stage_commit(pub, &m.authed, &event->staged));
        HS_TRY(hs_mls_stage_transcript(event->staged, &m.authed));
        HS_TRY(hs_mls_stage_tag(event->staged, m.authed.confirmation_tag));
    }
    *out = event;
    event = NULL;
    return HS_OK;
}

enum hs_err hs_mls_public_merge(struct hs_mls_public *pub, struct hs_mls_staged *staged)
{
    HS_REQUIRE(!staged->merged && staged->before.context == pub->now.context, HS_ERR_INVALID_STATE);
    for (size_t i = 0; i < staged->touched_count; i++)
        HS_TRY(hs_mls_keys_claim(&pub->keys, &staged->next.tree, staged->touched[i]));
    hs_mls_state_free(&pub->now);
    pub->now = hs_mls_state_share(&staged->next);
    hs_mls_public_forget_proposals(pub);
    staged->merged = true;
    hs_mls_keys_tidy(&pub->keys, &pub->now.tree);
    return HS_OK;
}

/* Same context, tag and tree, signed by the committer's new leaf? */
enum hs_err hs_mls_staged_matches(const struct hs_mls_staged *staged, struct hs_bytes message)
{
    struct hs_mls_group_info info;
    struct hs_bytes tree;
    const struct hs_mls_state *next = &staged->next;
    struct hs_reader r = hs_reader(message);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_REQUIRE(r.err == HS_OK && format == HS_MLS_GROUP_INFO, HS_ERR_MLS_COMMIT);
    hs_mls_read_group_info(&r, &info);
    HS_REQUIRE(hs_reader_finish(&r) == HS_OK, HS_ERR_MLS_COMMIT);
    HS_REQUIRE(hs_bytes_equal(info.context_raw, hs_mls_blob_bytes(next->context)), HS_ERR_MLS_COMMIT);
    HS_REQUIRE(hs_bytes_equal(info.confirmation_tag, HS_VIEW(next->confirmation_tag)), HS_ERR_MLS_COMMIT);
    HS_REQUIRE(info.signer == staged->committer, HS_ERR_MLS_COMMIT);
    const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&next->tree, info.signer);
    HS_REQUIRE(hs_mls_verify(&leaf->signature_key, "GroupInfoTBS", info.tbs, info.signature) == HS_OK,
               HS_ERR_MLS_COMMIT);
    if (!hs_mls_extension_find(info.extensions, HS_MLS_EXT_RATCHET_TREE, &tree))
        return HS_OK;
    struct hs_writer HS_WRITER own = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_mls_tree_write(&next->tree, &own);
    HS_TRY(own.err);
    return hs_bytes_equal(hs_writer_bytes(&own), tree) ? HS_OK : HS_ERR_MLS_COMMIT;
}

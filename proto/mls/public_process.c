/* Messages judged without secrets (RFC 9420, 6, 12.1 and 12.4.2). */
#include "mls/external.h"
#include "mls/proposals.h"

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
    HS_REQUIRE(pub->now.reinit == NULL, HS_ERR_INVALID_STATE);
    return HS_OK;
}

/* The key that an external sender has in this epoch (RFC 9420, 12.1.8.1). */
static enum hs_err external_key(const struct hs_mls_public *pub, uint32_t index, struct hs_bytes *key)
{
    struct hs_bytes extension;
    struct hs_mls_external_sender sender;
    HS_REQUIRE(hs_mls_public_extension(pub, HS_MLS_EXT_EXTERNAL_SENDERS, &extension), HS_ERR_NOT_MEMBER);
    HS_REQUIRE(hs_mls_external_senders_read(extension, index, &sender) == HS_OK, HS_ERR_NOT_MEMBER);
    *key = sender.signature_key;
    return HS_OK;
}

/* Whose signature it must be, and whether such a sender may send that. */
static enum hs_err signature_key(const struct hs_mls_public *pub, const struct hs_mls_content *content,
                                 struct hs_bytes *key)
{
    const struct hs_mls_leaf *leaf;
    switch (content->sender.type) {
    case HS_MLS_SENDER_MEMBER:
        leaf = hs_mls_tree_leaf(&pub->now.tree, content->sender.index);
        HS_REQUIRE(leaf != NULL, hs_mls_state_error(&pub->now, HS_ERR_NOT_MEMBER));
        *key = hs_mls_leaf_signature_key(leaf);
        return HS_OK;
    case HS_MLS_SENDER_EXTERNAL:
        HS_REQUIRE(content->type == HS_MLS_PROPOSAL, HS_ERR_MLS_COMMIT);
        return external_key(pub, content->sender.index, key);
    case HS_MLS_SENDER_NEW_MEMBER_PROPOSAL:
        HS_REQUIRE(content->type == HS_MLS_PROPOSAL, HS_ERR_MLS_COMMIT);
        HS_REQUIRE(content->proposal.type == HS_MLS_ADD, HS_ERR_MLS_PROPOSAL);
        *key = content->proposal.add.leaf.signature_key;
        return HS_OK;
    case HS_MLS_SENDER_NEW_MEMBER_COMMIT:
        HS_REQUIRE(content->type == HS_MLS_COMMIT, HS_ERR_MLS_PROPOSAL);
        HS_REQUIRE(content->commit.has_path, HS_ERR_MLS_COMMIT);
        *key = content->commit.path.leaf.signature_key;
        return HS_OK;
    }
    return HS_ERR_MALFORMED;
}

enum hs_err hs_mls_public_verify(const struct hs_mls_public *pub, const struct hs_mls_authed *authed)
{
    struct hs_bytes key;
    HS_TRY(signature_key(pub, &authed->content, &key));
    return hs_mls_content_verify(pub->now.suite, key, authed, hs_mls_public_context(pub));
}

static enum hs_err set_facts(const struct hs_mls_public *pub, const struct hs_mls_content *content,
                             struct hs_mls_leaf *leaf, struct hs_mls_event *event)
{
    struct hs_mls_proposal_facts *facts = &event->proposal;
    struct hs_mls_proposal copy;
    struct hs_bytes raw;
    facts->type = (uint16_t)content->proposal.type;
    if (content->proposal.type == HS_MLS_REMOVE) {
        uint32_t removed = content->proposal.removed;
        facts->target = hs_mls_event_member(event, hs_mls_tree_leaf(&pub->now.tree, removed), removed);
        return HS_OK;
    }
    if (leaf != NULL) {
        bool update = content->proposal.type == HS_MLS_UPDATE;
        facts->target = hs_mls_event_member(event, leaf, update ? content->sender.index : 0);
        return HS_OK;
    }
    HS_TRY(hs_mls_event_copy(event, content->proposal.raw, &raw));
    struct hs_reader r = hs_reader(raw);
    hs_mls_read_proposal(&r, &copy);
    if (copy.type == HS_MLS_GROUP_CONTEXT_EXTENSIONS)
        facts->extensions = copy.extensions;
    else if (copy.type == HS_MLS_PSK)
        facts->psk = copy.psk;
    else if (copy.type == HS_MLS_REINIT)
        facts->reinit = copy.reinit;
    return hs_reader_finish(&r);
}

enum hs_err hs_mls_public_keep(struct hs_mls_public *pub, const struct hs_mls_authed *authed,
                               struct hs_mls_event *event)
{
    const struct hs_mls_content *content = &authed->content;
    const struct hs_mls_hash *ref = &event->proposal.ref;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    HS_REQUIRE(pub->now.reinit == NULL, HS_ERR_INVALID_STATE);
    HS_TRY(hs_mls_state_error(&pub->now,
                              hs_mls_proposal_check(&pub->now, &content->sender, &content->proposal, &leaf)));
    HS_TRY(hs_mls_proposal_ref(pub->now.suite, authed, &event->proposal.ref));
    HS_TRY(set_facts(pub, content, leaf, event));
    if (hs_mls_public_cached(pub, HS_MLS_VIEW(*ref)) != NULL)
        return HS_OK;
    return hs_mls_public_cache(pub, &content->sender, ref, content->proposal.raw, leaf);
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
    HS_TRY(hs_mls_keys_follow(&pub->keys, &pub->now.tree, &staged->next.tree));
    hs_mls_state_free(&pub->now);
    pub->now = hs_mls_state_share(&staged->next);
    hs_mls_public_forget_proposals(pub);
    staged->merged = true;
    return HS_OK;
}

/* Signed by that leaf? */
static bool info_is_signed(const struct hs_mls_state *state, const struct hs_mls_group_info *info,
                           uint32_t signer)
{
    const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&state->tree, signer);
    return leaf != NULL && hs_mls_verify(state->suite, hs_mls_leaf_signature_key(leaf), "GroupInfoTBS",
                                         info->tbs, info->signature) == HS_OK;
}

static enum hs_err read_info(struct hs_bytes message, struct hs_mls_group_info *info)
{
    struct hs_reader r = hs_reader(message);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_REQUIRE(r.err == HS_OK && format == HS_MLS_GROUP_INFO, HS_ERR_MLS_COMMIT);
    hs_mls_read_group_info(&r, info);
    return hs_reader_finish(&r) == HS_OK ? HS_OK : HS_ERR_MLS_COMMIT;
}

static enum hs_err matches(const struct hs_mls_state *state, const struct hs_mls_group_info *info,
                           uint32_t signer)
{
    struct hs_bytes tree;
    HS_REQUIRE(hs_bytes_equal(info->context_raw, hs_mls_blob_bytes(state->context)), HS_ERR_MLS_COMMIT);
    HS_REQUIRE(hs_bytes_equal(info->confirmation_tag, HS_MLS_VIEW(state->confirmation_tag)),
               HS_ERR_MLS_COMMIT);
    HS_REQUIRE(info->signer == signer && info_is_signed(state, info, signer), HS_ERR_MLS_COMMIT);
    HS_REQUIRE(hs_mls_extensions_are_sound(info->extensions), HS_ERR_MLS_COMMIT);
    if (!hs_mls_extension_find(info->extensions, HS_MLS_EXT_RATCHET_TREE, &tree))
        return HS_OK;
    struct hs_writer HS_WRITER own = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_mls_tree_write(&state->tree, &own);
    HS_TRY(own.err);
    return hs_bytes_equal(hs_writer_bytes(&own), tree) ? HS_OK : HS_ERR_MLS_COMMIT;
}

enum hs_err hs_mls_staged_matches(const struct hs_mls_staged *staged, struct hs_bytes message)
{
    struct hs_mls_group_info info;
    HS_TRY(read_info(message, &info));
    return hs_mls_state_error(&staged->next, matches(&staged->next, &info, staged->committer));
}

enum hs_err hs_mls_public_matches(const struct hs_mls_public *pub, struct hs_bytes message)
{
    struct hs_mls_group_info info;
    HS_TRY(read_info(message, &info));
    return hs_mls_state_error(&pub->now, matches(&pub->now, &info, info.signer));
}

bool hs_mls_group_info_has_tree(struct hs_bytes message)
{
    struct hs_mls_group_info info;
    struct hs_bytes tree;
    struct hs_reader r = hs_reader(message);
    if (hs_mls_read_head(&r) != HS_MLS_GROUP_INFO)
        return false;
    hs_mls_read_group_info(&r, &info);
    return hs_reader_finish(&r) == HS_OK &&
           hs_mls_extension_find(info.extensions, HS_MLS_EXT_RATCHET_TREE, &tree);
}

enum hs_err hs_mls_staged_tree(const struct hs_mls_staged *staged, struct hs_writer *out)
{
    hs_mls_tree_write(&staged->next.tree, out);
    return hs_mls_state_error(&staged->next, out->err);
}

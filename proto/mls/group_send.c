/* What a member sends by itself: posts and proposals. */
#include "crypto/dh.h"
#include "mls/key_package_check.h"
#include "mls/member.h"

struct hs_mls_content hs_mls_group_content(const struct hs_mls_group *group, enum hs_mls_content_type type,
                                           struct hs_bytes authenticated_data)
{
    return (struct hs_mls_content){
        .group_id = hs_mls_group_id(group),
        .epoch = hs_mls_group_epoch(group),
        .sender_type = HS_MLS_SENDER_MEMBER,
        .sender = group->own,
        .authenticated_data = authenticated_data,
        .type = type,
    };
}

enum hs_err hs_mls_group_frame(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                               struct hs_writer *out)
{
    struct hs_id tag;
    HS_TRY(hs_mls_membership_tag(&group->epoch.membership, authed, hs_mls_public_context(group->pub), tag.b));
    const struct hs_mls_public_message m = {.authed = *authed, .membership_tag = HS_VIEW(tag)};
    hs_mls_write_head(out, HS_MLS_PUBLIC_MESSAGE);
    hs_mls_write_public_message(out, &m);
    return out->err;
}

enum hs_err hs_mls_group_protect(struct hs_mls_group *group, struct hs_bytes plaintext,
                                 struct hs_bytes authenticated_data, uint32_t padding, struct hs_writer *out)
{
    struct hs_sig sig;
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key = {0};
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = NULL;
    struct hs_mls_authed authed = {.wire_format = HS_MLS_PRIVATE_MESSAGE};
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    HS_REQUIRE(plaintext.len <= HS_MLS_MAX_APPLICATION, HS_ERR_TOO_LARGE);
    HS_REQUIRE(padding <= HS_MLS_MAX_PADDING, HS_ERR_INVALID_ARG);
    authed.content = hs_mls_group_content(group, HS_MLS_APPLICATION, authenticated_data);
    authed.content.application = plaintext;
    HS_TRY(hs_mls_content_sign(&group->signer, authed.wire_format, &authed.content,
                               hs_mls_public_context(group->pub), &sig));
    authed.signature = HS_VIEW(sig);
    HS_TRY(hs_mls_ratchet_take(group->now.secrets, group->own, HS_MLS_RATCHET_APPLICATION, &ratchet));
    HS_TRY(hs_mls_ratchet_next(ratchet, &key));
    const struct hs_mls_private_seal seal = {
        .authed = &authed, .key = &key, .sender_data = &group->now.sender_data, .padding = padding};
    HS_TRY(hs_mls_private_seal(&seal, out));
    struct hs_mls_ratchet *turned = ratchet;
    ratchet = NULL;
    return hs_mls_ratchet_put(group->now.secrets, turned);
}

static enum hs_err propose(const struct hs_mls_group *group, const struct hs_mls_proposal *proposal,
                           struct hs_bytes authenticated_data, struct hs_writer *out)
{
    struct hs_sig sig;
    struct hs_mls_authed authed = {.wire_format = HS_MLS_PUBLIC_MESSAGE};
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    authed.content = hs_mls_group_content(group, HS_MLS_PROPOSAL, authenticated_data);
    authed.content.proposal = *proposal;
    HS_TRY(hs_mls_content_sign(&group->signer, authed.wire_format, &authed.content,
                               hs_mls_public_context(group->pub), &sig));
    authed.signature = HS_VIEW(sig);
    return hs_mls_group_frame(group, &authed, out);
}

enum hs_err hs_mls_group_propose_remove(struct hs_mls_group *group, uint32_t leaf,
                                        struct hs_bytes authenticated_data, struct hs_writer *out)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_REMOVE};
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    HS_REQUIRE(hs_mls_tree_leaf(&group->pub->now.tree, leaf) != NULL, HS_ERR_INVALID_ARG);
    proposal.removed = leaf;
    return propose(group, &proposal, authenticated_data, out);
}

enum hs_err hs_mls_group_propose_add(struct hs_mls_group *group, struct hs_bytes key_package,
                                     struct hs_bytes authenticated_data, struct hs_writer *out)
{
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_mls_proposal proposal = {.type = HS_MLS_ADD};
    HS_TRY(hs_mls_key_package_read(key_package, &proposal.add));
    HS_TRY(hs_mls_key_package_verify(&proposal.add, &leaf));
    return propose(group, &proposal, authenticated_data, out);
}

enum hs_err hs_mls_group_propose_extensions(struct hs_mls_group *group,
                                            const struct hs_mls_extension *extensions, size_t count,
                                            struct hs_bytes authenticated_data, struct hs_writer *out)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS};
    struct hs_writer HS_WRITER list = hs_writer(HS_MLS_MAX_MESSAGE);
    for (size_t i = 0; i < count; i++)
        hs_mls_write_extension(&list, extensions[i].type, extensions[i].data);
    HS_TRY(list.err);
    HS_REQUIRE(hs_mls_extensions_are_sound(hs_writer_bytes(&list)), HS_ERR_INVALID_ARG);
    proposal.extensions = hs_writer_bytes(&list);
    return propose(group, &proposal, authenticated_data, out);
}

/* The oldest is forgotten where there are too many. */
static void remember_update(struct hs_mls_group *group, const struct hs_key *pub,
                            const struct hs_secret32 *priv)
{
    if (group->update_count == HS_MLS_MAX_OWN_UPDATES) {
        memmove(group->updates, group->updates + 1, (HS_MLS_MAX_OWN_UPDATES - 1) * sizeof *group->updates);
        group->update_count--;
    }
    group->updates[group->update_count++] = (struct hs_mls_own_update){.pub = *pub, .priv = *priv};
}

enum hs_err hs_mls_group_propose_update(struct hs_mls_group *group, struct hs_bytes identity,
                                        struct hs_bytes authenticated_data, struct hs_writer *out)
{
    struct hs_key pub;
    struct hs_secret32 HS_SECRET priv;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_mls_proposal proposal = {.type = HS_MLS_UPDATE};
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    hs_dh_keypair(&priv, &pub);
    const struct hs_mls_leaf_renewal renewal = {
        .old = hs_mls_tree_leaf(&group->pub->now.tree, group->own),
        .identity = identity,
        .encryption_key = &pub,
        .signer = &group->signer,
        .source = HS_MLS_LEAF_UPDATE,
        .group_id = hs_mls_group_id(group),
        .index = group->own,
    };
    HS_TRY(hs_mls_leaf_renew(&renewal, &leaf));
    proposal.update = leaf->node;
    HS_TRY(propose(group, &proposal, authenticated_data, out));
    remember_update(group, &pub, &priv);
    return HS_OK;
}

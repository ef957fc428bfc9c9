/* What a member sends by itself: posts and proposals. */
#include "mls/key_package_check.h"
#include "mls/member.h"

struct hs_mls_content hs_mls_group_content(const struct hs_mls_group *group, enum hs_mls_content_type type,
                                           struct hs_bytes authenticated_data)
{
    return (struct hs_mls_content){
        .group_id = hs_mls_group_id(group),
        .epoch = hs_mls_group_epoch(group),
        .sender = {.type = HS_MLS_SENDER_MEMBER, .index = group->own},
        .authenticated_data = authenticated_data,
        .type = type,
    };
}

enum hs_mls_wire_format hs_mls_group_format(const struct hs_mls_group *group)
{
    return group->settings.private_handshakes ? HS_MLS_PRIVATE_MESSAGE : HS_MLS_PUBLIC_MESSAGE;
}

enum hs_err hs_mls_group_frame(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                               struct hs_writer *out)
{
    struct hs_mls_hash tag;
    HS_TRY(hs_mls_membership_tag(group->suite, &group->epoch.membership, authed,
                                 hs_mls_public_context(group->pub), &tag));
    const struct hs_mls_public_message m = {.authed = *authed, .membership_tag = HS_MLS_VIEW(tag)};
    hs_mls_write_head(out, HS_MLS_PUBLIC_MESSAGE);
    hs_mls_write_public_message(out, &m);
    return out->err;
}

enum hs_err hs_mls_group_seal(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                              uint32_t padding, struct hs_mls_ratchet **turned, struct hs_writer *out)
{
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key = {0};
    enum hs_mls_ratchet_kind kind =
        authed->content.type == HS_MLS_APPLICATION ? HS_MLS_RATCHET_APPLICATION : HS_MLS_RATCHET_HANDSHAKE;
    HS_TRY(hs_mls_ratchet_take(group->now.secrets, group->own, kind, turned));
    HS_TRY(hs_mls_ratchet_next(*turned, &key));
    const struct hs_mls_private_seal seal = {.suite = group->suite,
                                             .authed = authed,
                                             .key = &key,
                                             .sender_data = &group->now.sender_data,
                                             .padding = padding};
    return hs_mls_private_seal(&seal, out);
}

/* Where the ratchet can't be put back its key will be given out again: nothing may be left of the message,
 * which begins at that place. */
static enum hs_err put_back(struct hs_mls_group *group, struct hs_mls_ratchet **turned, struct hs_writer *out,
                            size_t message)
{
    struct hs_mls_ratchet *ratchet = *turned;
    *turned = NULL;
    enum hs_err err = hs_mls_ratchet_put(group->now.secrets, ratchet);
    if (err != HS_OK) {
        hs_wipe(out->data + message, out->len - message);
        out->len = message;
    }
    return err;
}

static enum hs_err sign(const struct hs_mls_group *group, struct hs_mls_authed *authed,
                        struct hs_mls_signature *sig)
{
    HS_TRY(hs_mls_content_sign(&group->signer, authed->wire_format, &authed->content,
                               hs_mls_public_context(group->pub), sig));
    authed->signature = HS_MLS_VIEW(*sig);
    return HS_OK;
}

enum hs_err hs_mls_group_protect(struct hs_mls_group *group, struct hs_bytes plaintext,
                                 struct hs_bytes authenticated_data, uint32_t padding, struct hs_writer *out)
{
    struct hs_mls_signature sig;
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = NULL;
    struct hs_mls_authed authed = {.wire_format = HS_MLS_PRIVATE_MESSAGE};
    const size_t message = out->len;
    HS_TRY(hs_mls_group_can_send(group));
    HS_REQUIRE(plaintext.len <= HS_MLS_MAX_APPLICATION, HS_ERR_TOO_LARGE);
    HS_REQUIRE(padding <= HS_MLS_MAX_PADDING, HS_ERR_INVALID_ARG);
    authed.content = hs_mls_group_content(group, HS_MLS_APPLICATION, authenticated_data);
    authed.content.application = plaintext;
    HS_TRY(sign(group, &authed, &sig));
    HS_TRY(hs_mls_group_seal(group, &authed, padding, &ratchet, out));
    return put_back(group, &ratchet, out, message);
}

/* Signs and frames; a PrivateMessage is kept at once, for it can't be read when it comes back. */
static enum hs_err send_proposal(struct hs_mls_group *group, const struct hs_mls_proposal *proposal,
                                 struct hs_bytes authenticated_data, struct hs_writer *out)
{
    struct hs_mls_signature sig;
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = NULL;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_mls_authed authed = {.wire_format = hs_mls_group_format(group)};
    struct hs_writer HS_WRITER raw = hs_writer(HS_MLS_MAX_MESSAGE);
    const size_t message = out->len;
    authed.content = hs_mls_group_content(group, HS_MLS_PROPOSAL, authenticated_data);
    hs_mls_write_proposal(&raw, proposal);
    HS_TRY(raw.err);
    struct hs_reader r = hs_reader(hs_writer_bytes(&raw));
    hs_mls_read_proposal(&r, &authed.content.proposal);
    HS_TRY(hs_reader_finish(&r));
    HS_TRY(sign(group, &authed, &sig));
    if (authed.wire_format == HS_MLS_PUBLIC_MESSAGE)
        return hs_mls_group_frame(group, &authed, out);
    HS_TRY(hs_mls_group_seal(group, &authed, group->settings.padding, &ratchet, out));
    HS_TRY(hs_mls_event_new(&group->pub->now.tree, &authed, &event));
    HS_TRY(hs_mls_public_keep(group->pub, &authed, event));
    enum hs_err err = put_back(group, &ratchet, out, message);
    if (err != HS_OK)
        (void)!hs_mls_public_drop_proposal(group->pub, HS_MLS_VIEW(event->proposal.ref));
    return err;
}

void hs_mls_own_update_wipe(struct hs_mls_own_update *update)
{
    hs_wipe(update, sizeof *update);
}

static void remember_update(struct hs_mls_group *group, const struct hs_mls_own_update *update)
{
    group->updates[group->update_count++] = *update;
    group->saved.state = false;
}

static enum hs_err propose_update(struct hs_mls_group *group, const struct hs_mls_proposal_request *request,
                                  struct hs_writer *out)
{
    struct hs_mls_own_update HS_AUTO(hs_mls_own_update_wipe) update = {0};
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_mls_proposal proposal = {.type = HS_MLS_UPDATE};
    HS_REQUIRE(request->signer == NULL || request->signer->suite == group->suite, HS_ERR_INVALID_ARG);
    /* any of them may be committed, so no key is given up for a newer one */
    HS_REQUIRE(group->update_count < HS_MLS_MAX_OWN_UPDATES, HS_ERR_TOO_LARGE);
    HS_TRY(hs_mls_kem_generate(group->suite, &update.priv, &update.pub));
    if (request->signer != NULL)
        update.signer = *request->signer;
    const struct hs_mls_leaf *old = hs_mls_tree_leaf(&group->pub->now.tree, group->own);
    HS_REQUIRE(old != NULL, hs_mls_state_error(&group->pub->now, HS_ERR_NOT_MEMBER));
    const struct hs_mls_leaf_renewal renewal = {
        .old = old,
        .identity = request->identity,
        .encryption_key = HS_MLS_VIEW(update.pub),
        .signer = request->signer != NULL ? request->signer : &group->signer,
        .source = HS_MLS_LEAF_UPDATE,
        .group_id = hs_mls_group_id(group),
        .index = group->own,
    };
    HS_TRY(hs_mls_leaf_renew(&renewal, &leaf));
    proposal.update = hs_mls_leaf_node(leaf);
    HS_TRY(send_proposal(group, &proposal, request->authenticated_data, out));
    remember_update(group, &update);
    return HS_OK;
}

static enum hs_err propose_add(struct hs_mls_group *group, const struct hs_mls_proposal_request *request,
                               struct hs_writer *out)
{
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_mls_proposal proposal = {.type = HS_MLS_ADD};
    HS_TRY(hs_mls_key_package_read(request->key_package, &proposal.add));
    HS_TRY(hs_mls_key_package_verify(group->suite, &proposal.add, &leaf));
    return send_proposal(group, &proposal, request->authenticated_data, out);
}

static enum hs_err propose_psk(struct hs_mls_group *group, const struct hs_mls_proposal_request *request,
                               struct hs_writer *out)
{
    struct hs_mls_hash nonce;
    struct hs_mls_proposal proposal = {.type = HS_MLS_PSK};
    proposal.psk = request->psk;
    hs_mls_psk_nonce(group->suite, &proposal.psk, &nonce);
    return send_proposal(group, &proposal, request->authenticated_data, out);
}

static enum hs_err propose_extensions(struct hs_mls_group *group,
                                      const struct hs_mls_proposal_request *request, struct hs_writer *out)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS};
    struct hs_writer HS_WRITER list = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_extensions_write(request->extensions, request->extension_count, &list));
    HS_REQUIRE(hs_mls_extensions_are_sound(hs_writer_bytes(&list)), HS_ERR_INVALID_ARG);
    proposal.extensions = hs_writer_bytes(&list);
    return send_proposal(group, &proposal, request->authenticated_data, out);
}

enum hs_err hs_mls_group_propose(struct hs_mls_group *group, const struct hs_mls_proposal_request *request,
                                 struct hs_writer *out)
{
    struct hs_mls_proposal proposal = {.type = request->type};
    HS_TRY(hs_mls_group_can_send(group));
    switch (request->type) {
    case HS_MLS_ADD:
        return propose_add(group, request, out);
    case HS_MLS_UPDATE:
        return propose_update(group, request, out);
    case HS_MLS_REMOVE:
        HS_REQUIRE(hs_mls_tree_leaf(&group->pub->now.tree, request->leaf) != NULL,
                   hs_mls_state_error(&group->pub->now, HS_ERR_INVALID_ARG));
        proposal.removed = request->leaf;
        return send_proposal(group, &proposal, request->authenticated_data, out);
    case HS_MLS_PSK:
        return propose_psk(group, request, out);
    case HS_MLS_REINIT:
        proposal.reinit = request->reinit;
        return send_proposal(group, &proposal, request->authenticated_data, out);
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        return propose_extensions(group, request, out);
    default:
        return HS_ERR_INVALID_ARG;
    }
}

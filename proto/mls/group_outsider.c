/* Proposals from outside (RFC 9420, 12.1.8). */
#include "mls/external.h"
#include "mls/key_package_check.h"
#include "mls/member.h"

static bool is_allowed(const struct hs_mls_outsider *outsider, enum hs_mls_proposal_type type)
{
    switch (type) {
    case HS_MLS_ADD:
        return true;
    case HS_MLS_REMOVE:
    case HS_MLS_PSK:
    case HS_MLS_REINIT:
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        return !outsider->newcomer;
    default:
        return false;
    }
}

/* Signs without a GroupContext, which an outsider doesn't know, and without a membership tag. */
static enum hs_err send(const struct hs_mls_outsider *outsider, const struct hs_mls_proposal *proposal,
                        struct hs_bytes authenticated_data, struct hs_writer *out)
{
    struct hs_mls_signature sig;
    struct hs_mls_public_message m = {.authed.wire_format = HS_MLS_PUBLIC_MESSAGE};
    struct hs_mls_content *content = &m.authed.content;
    *content = (struct hs_mls_content){
        .group_id = outsider->group_id,
        .epoch = outsider->epoch,
        .sender = {.type = outsider->newcomer ? HS_MLS_SENDER_NEW_MEMBER_PROPOSAL : HS_MLS_SENDER_EXTERNAL,
                   .index = outsider->newcomer ? 0 : outsider->index},
        .authenticated_data = authenticated_data,
        .type = HS_MLS_PROPOSAL,
    };
    content->proposal = *proposal;
    HS_TRY(hs_mls_content_sign(outsider->signer, HS_MLS_PUBLIC_MESSAGE, content, (struct hs_bytes){0}, &sig));
    m.authed.signature = HS_MLS_VIEW(sig);
    hs_mls_write_head(out, HS_MLS_PUBLIC_MESSAGE);
    hs_mls_write_public_message(out, &m);
    return out->err;
}

static enum hs_err propose_add(const struct hs_mls_outsider *outsider,
                               const struct hs_mls_proposal_request *request, struct hs_writer *out)
{
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_mls_proposal proposal = {.type = HS_MLS_ADD};
    HS_TRY(hs_mls_key_package_read(request->key_package, &proposal.add));
    HS_TRY(hs_mls_key_package_verify(outsider->signer->suite, &proposal.add, &leaf));
    bool own = hs_bytes_equal(proposal.add.leaf.signature_key, HS_MLS_VIEW(outsider->signer->pub));
    HS_REQUIRE(own || !outsider->newcomer, HS_ERR_INVALID_ARG);
    return send(outsider, &proposal, request->authenticated_data, out);
}

static enum hs_err propose_extensions(const struct hs_mls_outsider *outsider,
                                      const struct hs_mls_proposal_request *request, struct hs_writer *out)
{
    struct hs_writer HS_WRITER list = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_proposal proposal = {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS};
    HS_TRY(hs_mls_extensions_write(request->extensions, request->extension_count, &list));
    HS_REQUIRE(hs_mls_extensions_are_sound(hs_writer_bytes(&list)), HS_ERR_INVALID_ARG);
    proposal.extensions = hs_writer_bytes(&list);
    return send(outsider, &proposal, request->authenticated_data, out);
}

enum hs_err hs_mls_outsider_propose(const struct hs_mls_outsider *outsider,
                                    const struct hs_mls_proposal_request *request, struct hs_writer *out)
{
    struct hs_mls_hash nonce;
    struct hs_mls_proposal proposal = {.type = request->type};
    HS_REQUIRE(is_allowed(outsider, request->type), HS_ERR_INVALID_ARG);
    if (request->type == HS_MLS_ADD)
        return propose_add(outsider, request, out);
    if (request->type == HS_MLS_GROUP_CONTEXT_EXTENSIONS)
        return propose_extensions(outsider, request, out);
    if (request->type == HS_MLS_REMOVE) {
        proposal.removed = request->leaf;
    } else if (request->type == HS_MLS_REINIT) {
        proposal.reinit = request->reinit;
    } else {
        proposal.psk = request->psk;
        hs_mls_psk_nonce(outsider->signer->suite, &proposal.psk, &nonce);
    }
    return send(outsider, &proposal, request->authenticated_data, out);
}

/* One proposal by itself (RFC 9420, 12.1). */
#include "mls/extensions.h"
#include "mls/key_package_check.h"
#include "mls/proposals.h"

bool hs_mls_may_propose(enum hs_mls_sender_type sender, enum hs_mls_proposal_type type)
{
    switch (sender) {
    case HS_MLS_SENDER_MEMBER:
        return type != HS_MLS_EXTERNAL_INIT;
    case HS_MLS_SENDER_EXTERNAL:
        return type != HS_MLS_UPDATE && type != HS_MLS_EXTERNAL_INIT;
    case HS_MLS_SENDER_NEW_MEMBER_PROPOSAL:
        return type == HS_MLS_ADD;
    case HS_MLS_SENDER_NEW_MEMBER_COMMIT:
        return type == HS_MLS_EXTERNAL_INIT || type == HS_MLS_REMOVE || type == HS_MLS_PSK;
    }
    return false;
}

/* RFC 9420, 7.3 and 12.1.2. */
static enum hs_err check_update(const struct hs_mls_state *state, uint32_t index,
                                const struct hs_mls_leaf_node *node, struct hs_mls_leaf **out)
{
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    const struct hs_mls_leaf *old = hs_mls_tree_leaf(&state->tree, index);
    HS_REQUIRE(old != NULL, HS_ERR_NOT_MEMBER);
    HS_REQUIRE(node->source == HS_MLS_LEAF_UPDATE, HS_ERR_MLS_LEAF);
    HS_REQUIRE(!hs_bytes_equal(hs_mls_leaf_encryption_key(old), node->encryption_key), HS_ERR_MLS_PROPOSAL);
    HS_TRY(hs_mls_leaf_new(state->suite, node, &leaf));
    HS_TRY(hs_mls_leaf_check(state->suite, leaf));
    enum hs_err err = hs_mls_leaf_verify(state->suite, leaf, state->parsed.group_id, index);
    HS_REQUIRE(err == HS_OK, err == HS_ERR_BAD_SIGNATURE ? HS_ERR_MLS_LEAF : err);
    *out = leaf;
    leaf = NULL;
    return HS_OK;
}

/* RFC 9420, 12.1.4. The usages of a new group's start belong to its creator's first commit, which nobody else
 * sees. */
static enum hs_err check_psk(const struct hs_mls_state *state, const struct hs_mls_psk_id *psk)
{
    const bool starts = state->parsed.epoch == 0 && state->census.members == 1;
    HS_REQUIRE(psk->nonce.len == state->suite->hash_len, HS_ERR_MLS_PROPOSAL);
    if (psk->type == HS_MLS_PSK_EXTERNAL || psk->usage == HS_MLS_PSK_APPLICATION)
        return HS_OK;
    HS_REQUIRE(psk->usage == HS_MLS_PSK_REINIT || psk->usage == HS_MLS_PSK_BRANCH, HS_ERR_MLS_PROPOSAL);
    return starts ? HS_OK : HS_ERR_MLS_PROPOSAL;
}

/* RFC 9420, 12.1.5. Whether a member's program knows the new version and suite is its own affair: all must
 * judge alike. */
static enum hs_err check_reinit(const struct hs_mls_state *state, const struct hs_mls_reinit *reinit)
{
    HS_REQUIRE(reinit->version >= state->parsed.version, HS_ERR_MLS_PROPOSAL);
    HS_REQUIRE(reinit->group_id.len <= HS_MLS_MAX_GROUP_ID, HS_ERR_MLS_PROPOSAL);
    return hs_mls_group_extensions_check(reinit->extensions) == HS_OK ? HS_OK : HS_ERR_MLS_PROPOSAL;
}

enum hs_err hs_mls_proposal_check(const struct hs_mls_state *state, const struct hs_mls_author *by,
                                  const struct hs_mls_proposal *proposal, struct hs_mls_leaf **leaf)
{
    *leaf = NULL;
    HS_REQUIRE(hs_mls_may_propose(by->type, proposal->type), HS_ERR_MLS_PROPOSAL);
    switch (proposal->type) {
    case HS_MLS_ADD:
        return hs_mls_key_package_verify(state->suite, &proposal->add, leaf);
    case HS_MLS_UPDATE:
        return check_update(state, by->index, &proposal->update, leaf);
    case HS_MLS_REMOVE:
        return hs_mls_tree_leaf(&state->tree, proposal->removed) != NULL ? HS_OK : HS_ERR_MLS_PROPOSAL;
    case HS_MLS_PSK:
        return check_psk(state, &proposal->psk);
    case HS_MLS_REINIT:
        return check_reinit(state, &proposal->reinit);
    case HS_MLS_EXTERNAL_INIT: /* the KEM's own length, or no member could open it */
        return proposal->kem_output.len == state->suite->kem_enc_len ? HS_OK : HS_ERR_MLS_PROPOSAL;
    case HS_MLS_GROUP_CONTEXT_EXTENSIONS:
        return hs_mls_group_extensions_check(proposal->extensions) == HS_OK ? HS_OK : HS_ERR_MLS_PROPOSAL;
    }
    return HS_ERR_UNSUPPORTED;
}

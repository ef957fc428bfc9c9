/* Coming in by an external commit (RFC 9420, 12.4.3.2 and 8.3). */
#include "mls/external.h"

#include "mls/group_make.h"

/* The GroupInfo with its key for external commits. */
struct invitation {
    struct hs_mls_group_info info;
    struct hs_bytes external_pub;
};

static enum hs_err read_invitation(const struct hs_mls_suite *suite, struct hs_bytes message,
                                   struct invitation *out)
{
    struct hs_bytes extension;
    struct hs_reader r = hs_reader(message);
    HS_REQUIRE(message.len <= HS_MLS_MAX_MESSAGE, HS_ERR_TOO_LARGE);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_TRY(r.err);
    HS_REQUIRE(format == HS_MLS_GROUP_INFO, HS_ERR_UNEXPECTED);
    hs_mls_read_group_info(&r, &out->info);
    HS_TRY(hs_reader_finish(&r));
    HS_REQUIRE(out->info.context.suite == suite->id, HS_ERR_MLS_VERSION);
    HS_REQUIRE(hs_mls_extension_find(out->info.extensions, HS_MLS_EXT_EXTERNAL_PUB, &extension),
               HS_ERR_NOT_FOUND);
    struct hs_reader inner = hs_reader(extension);
    out->external_pub = hs_read_mls_vec(&inner);
    return hs_reader_finish(&inner);
}

static void write_value(struct hs_writer *list, const struct hs_mls_proposal *proposal)
{
    const struct hs_mls_proposal_or_ref item = {.proposal = *proposal};
    hs_mls_write_proposal_or_ref(list, &item);
}

/* ExternalInit, the Remove of a former leaf, PSKs. */
static enum hs_err compose(const struct hs_mls_external_join *join, const struct invitation *invitation,
                           struct hs_mls_making *making)
{
    uint8_t kem[HS_MLS_MAX_PUB];
    struct hs_mls_proposal init = {.type = HS_MLS_EXTERNAL_INIT}, remove = {.type = HS_MLS_REMOVE};
    HS_TRY(hs_mls_external_init_send(making->suite, invitation->external_pub, kem, &making->inputs.init));
    init.kem_output = hs_bytes(kem, making->suite->kem_enc_len);
    write_value(&making->list, &init);
    if (join->resync) {
        struct hs_mls_member former;
        HS_TRY(hs_mls_public_member_by_key(making->pub, HS_MLS_VIEW(join->leaf.signer->pub), &former));
        remove.removed = former.leaf;
        write_value(&making->list, &remove);
    }
    for (size_t i = 0; i < join->psk_id_count; i++) {
        struct hs_mls_hash nonce;
        struct hs_mls_proposal psk = {.type = HS_MLS_PSK};
        psk.psk = join->psk_ids[i];
        hs_mls_psk_nonce(making->suite, &psk.psk, &nonce);
        write_value(&making->list, &psk);
    }
    return making->list.err;
}

/* One's own leaf, where an Add would put it, and the path from there. */
static enum hs_err enter(const struct hs_mls_external_join *join, struct hs_mls_making *making)
{
    struct hs_mls_secret HS_MLS_SECRET priv = {0};
    struct hs_mls_pub pub;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    HS_TRY(hs_mls_kem_generate(making->suite, &priv, &pub));
    HS_TRY(hs_mls_leaf_create(&join->leaf, HS_MLS_VIEW(pub), &leaf));
    HS_TRY(hs_mls_leaf_check(making->suite, leaf));
    HS_TRY(hs_mls_stage_newcomer(making->staged, leaf));
    return hs_mls_make_path(making, leaf, (struct hs_bytes){0});
}

static enum hs_err make(const struct hs_mls_external_join *join, const struct invitation *invitation,
                        const struct hs_mls_group *group, struct hs_mls_making *making)
{
    making->pub = group->pub;
    making->suite = group->suite;
    making->content = (struct hs_mls_content){
        .group_id = hs_mls_group_id(group),
        .epoch = hs_mls_group_epoch(group),
        .sender = {.type = HS_MLS_SENDER_NEW_MEMBER_COMMIT},
        .authenticated_data = join->authenticated_data,
        .type = HS_MLS_COMMIT,
    };
    making->format = HS_MLS_PUBLIC_MESSAGE;
    making->signer = making->after = &group->signer;
    making->psks = (struct hs_mls_psk_source){.list = join->psks, .count = join->psk_count};
    HS_TRY(compose(join, invitation, making));
    HS_TRY(hs_mls_make_proposals(making));
    HS_TRY(enter(join, making));
    enum hs_err err = hs_mls_make_commit(making);
    /* a key of one's own that is taken already is a fault of what was asked for */
    return err == HS_ERR_MLS_COMMIT ? HS_ERR_MLS_PROPOSAL : err;
}

/* The message has no membership tag: who sends it isn't a member yet. */
static enum hs_err write_message(const struct hs_mls_making *making, struct hs_writer *out)
{
    const struct hs_mls_public_message m = {.authed = making->authed};
    if (out == NULL)
        return HS_OK;
    hs_mls_write_head(out, HS_MLS_PUBLIC_MESSAGE);
    hs_mls_write_public_message(out, &m);
    return out->err;
}

enum hs_err hs_mls_group_join_external(const struct hs_mls_external_join *join,
                                       const struct hs_mls_commit_result *result, struct hs_mls_group **out)
{
    struct invitation invitation;
    struct hs_mls_state HS_MLS_STATE state = {0};
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    struct hs_mls_making HS_MLS_MAKING making = hs_mls_making();
    HS_TRY(read_invitation(join->leaf.signer->suite, join->group_info, &invitation));
    HS_TRY(hs_mls_state_from_info(&invitation.info, join->tree, &state));
    HS_TRY(hs_mls_group_new(join->leaf.signer, &join->settings, &group));
    HS_TRY(hs_mls_public_adopt(&state, &group->pub));
    HS_TRY(make(join, &invitation, group, &making));
    HS_TRY(write_message(&making, result->commit));
    HS_TRY(hs_mls_make_results(&making, false, result));
    HS_TRY(hs_mls_public_merge(group->pub, making.staged));
    group->own = making.staged->committer;
    group->inviter = invitation.info.signer;
    hs_mls_group_install(group, making.staged->secrets);
    *out = group;
    group = NULL;
    return HS_OK;
}

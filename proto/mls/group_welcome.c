/* Welcomes and GroupInfos (RFC 9420, 12.4.3). */
#include "mls/leaf.h"
#include "mls/member.h"

/* external_pub (RFC 9420, 12.4.3.2): the key that an external commit's init secret is made with. */
static enum hs_err write_external_pub(const struct hs_mls_suite *suite,
                                      const struct hs_mls_epoch_secrets *epoch, struct hs_writer *extensions)
{
    struct hs_mls_secret HS_MLS_SECRET priv = {0};
    struct hs_mls_pub pub;
    struct hs_writer HS_WRITER data = hs_writer(HS_MLS_MAX_PUB + 4);
    HS_TRY(hs_mls_external_keys(suite, epoch, &priv, &pub));
    hs_write_mls_vec(&data, HS_MLS_VIEW(pub));
    HS_TRY(data.err);
    hs_mls_write_extension(extensions, HS_MLS_EXT_EXTERNAL_PUB, hs_writer_bytes(&data));
    return extensions->err;
}

enum hs_err hs_mls_group_info_write(const struct hs_mls_state *state,
                                    const struct hs_mls_epoch_secrets *epoch,
                                    const struct hs_mls_signer *signer, uint32_t own, bool with_tree,
                                    struct hs_writer *out)
{
    struct hs_mls_signature sig;
    struct hs_writer HS_WRITER extensions = hs_writer(HS_MLS_MAX_MESSAGE),
                               HS_WRITER tbs = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(write_external_pub(state->suite, epoch, &extensions));
    if (with_tree) {
        hs_write_u16(&extensions, HS_MLS_EXT_RATCHET_TREE);
        size_t mark = hs_writer_open(&extensions);
        hs_mls_tree_write(&state->tree, &extensions);
        hs_writer_close(&extensions, mark);
    }
    HS_TRY(extensions.err);
    HS_TRY(hs_mls_tree_error(&state->tree));
    const struct hs_mls_group_info info = {.context = state->parsed,
                                           .extensions = hs_writer_bytes(&extensions),
                                           .confirmation_tag = HS_MLS_VIEW(state->confirmation_tag),
                                           .signer = own};
    hs_mls_write_group_info_tbs(&tbs, &info);
    HS_TRY(tbs.err);
    HS_TRY(hs_mls_sign(signer, "GroupInfoTBS", hs_writer_bytes(&tbs), &sig));
    hs_write_bytes(out, hs_writer_bytes(&tbs));
    hs_write_mls_vec(out, HS_MLS_VIEW(sig));
    return out->err;
}

enum hs_err hs_mls_group_info(const struct hs_mls_group *group, bool with_tree, struct hs_writer *out)
{
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    hs_mls_write_head(out, HS_MLS_GROUP_INFO);
    return hs_mls_group_info_write(&group->pub->now, &group->epoch, &group->signer, group->own, with_tree,
                                   out);
}

static enum hs_err encrypt_info(const struct hs_mls_welcome_plan *plan, struct hs_writer *out)
{
    struct hs_mls_secret HS_MLS_SECRET welcome = {0};
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key = {0};
    struct hs_writer HS_WRITER info = hs_writer(HS_MLS_MAX_MESSAGE);
    const struct hs_mls_suite *suite = plan->signer->suite;
    const struct hs_mls_next_secrets *next = plan->staged->secrets;
    HS_TRY(hs_mls_group_info_write(&plan->staged->next, &next->epoch, plan->signer, plan->staged->committer,
                                   plan->with_tree, &info));
    HS_TRY(hs_mls_welcome_secret(suite, &next->joiner, &next->psk, &welcome));
    HS_TRY(hs_mls_welcome_key(suite, &welcome, key.key, key.nonce));
    uint8_t *ciphertext = hs_writer_reserve(out, info.len + HS_MLS_TAG_LEN);
    HS_TRY(out->err);
    return suite->seal(key.key, key.nonce, (struct hs_bytes){0}, hs_writer_bytes(&info), ciphertext);
}

/* The ids of all PSKs that the commit brings, as the content of a vector. */
static enum hs_err write_psks(const struct hs_mls_change *change, struct hs_writer *out)
{
    for (size_t i = 0; i < change->psk_count; i++)
        hs_mls_write_psk_id(out, &change->psks[i].id);
    return out->err;
}

/* The part of one newcomer: joiner secret, and the path secret where its way meets the committer's. */
static enum hs_err encrypt_secrets(const struct hs_mls_welcome_plan *plan, const struct hs_mls_added *added,
                                   struct hs_bytes init_key, struct hs_bytes psks,
                                   const struct hs_mls_seal_info *info, struct hs_writer *out)
{
    uint8_t kem[HS_MLS_MAX_PUB];
    struct hs_writer HS_WRITER plain = hs_writer(HS_MLS_MAX_MESSAGE),
                               HS_WRITER sealed = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_group_secrets group_secrets = {.joiner_secret = HS_MLS_VIEW(plan->staged->secrets->joiner),
                                                 .psks = psks};
    unsigned level = hs_mls_common_level(added->member.leaf, plan->staged->committer);
    if (plan->secrets != NULL && plan->secrets->have[level]) {
        group_secrets.has_path_secret = true;
        group_secrets.path_secret = HS_MLS_VIEW(plan->secrets->secret[level]);
    }
    hs_mls_write_group_secrets(&plain, &group_secrets);
    HS_TRY(plain.err);
    uint8_t *ciphertext = hs_writer_reserve(&sealed, plain.len + HS_MLS_TAG_LEN);
    HS_TRY(sealed.err);
    HS_TRY(hs_mls_seal_to(info, init_key, hs_writer_bytes(&plain), kem, ciphertext));
    const struct hs_mls_encrypted_secrets item = {
        .ref = HS_MLS_VIEW(added->key_package_ref),
        .secrets = {.kem = hs_bytes(kem, info->suite->kem_enc_len), .ciphertext = hs_writer_bytes(&sealed)},
    };
    hs_mls_write_encrypted_secrets(out, &item);
    return out->err;
}

/* The init keys are in the proposals: the Adds come in the order of change.added. */
static enum hs_err encrypt_all(const struct hs_mls_welcome_plan *plan, const struct hs_mls_seal_info *hashed,
                               struct hs_writer *out)
{
    size_t added = 0;
    struct hs_writer HS_WRITER psks = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(write_psks(&plan->staged->change, &psks));
    struct hs_reader r = hs_reader(plan->list);
    while (hs_reader_left(&r) > 0) {
        struct hs_mls_proposal_or_ref item;
        hs_mls_read_proposal_or_ref(&r, &item);
        HS_TRY(r.err);
        const struct hs_mls_cached *cached = item.by_ref ? hs_mls_public_cached(plan->pub, item.ref) : NULL;
        const struct hs_mls_proposal *proposal = cached != NULL ? &cached->proposal : &item.proposal;
        if (proposal->type == HS_MLS_ADD)
            HS_TRY(encrypt_secrets(plan, &plan->staged->change.added[added++], proposal->add.init_key,
                                   hs_writer_bytes(&psks), hashed, out));
    }
    return HS_OK;
}

enum hs_err hs_mls_group_welcome(const struct hs_mls_welcome_plan *plan, struct hs_writer *out)
{
    struct hs_writer HS_WRITER info = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_seal_info hashed;
    HS_TRY(encrypt_info(plan, &info));
    HS_TRY(hs_mls_seal_info(plan->signer->suite, "Welcome", hs_writer_bytes(&info), &hashed));
    hs_mls_write_head(out, HS_MLS_WELCOME);
    hs_write_u16(out, plan->signer->suite->id);
    size_t mark = hs_writer_open(out);
    HS_TRY(encrypt_all(plan, &hashed, out));
    hs_writer_close(out, mark);
    hs_write_mls_vec(out, hs_writer_bytes(&info));
    return out->err;
}

/* Welcomes and GroupInfos (RFC 9420, 12.4.3). */
#include "crypto/aead.h"
#include "crypto/hpke.h"
#include "mls/leaf.h"
#include "mls/member.h"
#include "mls/suite.h"

enum hs_err hs_mls_group_info_write(const struct hs_mls_state *state,
                                    const struct hs_mls_epoch_secrets *epoch, const struct hs_signer *signer,
                                    uint32_t own, bool with_tree, struct hs_writer *out)
{
    struct hs_key external;
    struct hs_sig sig;
    struct hs_writer HS_WRITER extensions = hs_writer(HS_MLS_MAX_MESSAGE), HS_WRITER pub = hs_writer(64),
                               HS_WRITER tbs = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_mls_external_pub(epoch, &external);
    hs_write_mls_vec(&pub, HS_VIEW(external));
    hs_mls_write_extension(&extensions, HS_MLS_EXT_EXTERNAL_PUB, hs_writer_bytes(&pub));
    if (with_tree) {
        hs_write_u16(&extensions, HS_MLS_EXT_RATCHET_TREE);
        size_t mark = hs_writer_open(&extensions);
        hs_mls_tree_write(&state->tree, &extensions);
        hs_writer_close(&extensions, mark);
    }
    HS_TRY(pub.err);
    HS_TRY(extensions.err);
    const struct hs_mls_group_info info = {.context = state->parsed,
                                           .extensions = hs_writer_bytes(&extensions),
                                           .confirmation_tag = HS_VIEW(state->confirmation_tag),
                                           .signer = own};
    hs_mls_write_group_info_tbs(&tbs, &info);
    HS_TRY(tbs.err);
    HS_TRY(hs_mls_sign(signer, "GroupInfoTBS", hs_writer_bytes(&tbs), &sig));
    hs_write_bytes(out, hs_writer_bytes(&tbs));
    hs_write_mls_vec(out, HS_VIEW(sig));
    return out->err;
}

enum hs_err hs_mls_group_info(const struct hs_mls_group *group, bool with_tree, struct hs_writer *out)
{
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    hs_mls_write_head(out, HS_MLS_GROUP_INFO);
    return hs_mls_group_info_write(&group->pub->now, &group->epoch, &group->signer, group->own, with_tree,
                                   out);
}

static enum hs_err encrypt_info(const struct hs_mls_group *group, const struct hs_mls_staged *staged,
                                bool with_tree, struct hs_writer *out)
{
    struct hs_secret32 HS_SECRET welcome, HS_SECRET key;
    uint8_t nonce[HS_AEAD_NONCE_LEN];
    struct hs_writer HS_WRITER info = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_group_info_write(&staged->next, &staged->secrets->epoch, &group->signer, group->own,
                                   with_tree, &info));
    HS_TRY(hs_mls_welcome_secret(&staged->secrets->joiner, NULL, &welcome));
    HS_TRY(hs_mls_welcome_key(&welcome, &key, nonce));
    uint8_t *ciphertext = hs_writer_reserve(out, info.len + HS_AEAD_TAG_LEN);
    HS_TRY(out->err);
    hs_aead_seal(key.b, nonce, (struct hs_bytes){0}, hs_writer_bytes(&info), ciphertext);
    return HS_OK;
}

/* The part of one newcomer: joiner secret, and the path secret where its way meets the committer's. */
static enum hs_err encrypt_secrets(const struct hs_mls_staged *staged, const struct hs_mls_added *added,
                                   struct hs_bytes init_key, const struct hs_mls_path_secrets *secrets,
                                   const struct hs_hpke_info *info, struct hs_writer *out)
{
    struct hs_key to;
    uint8_t kem[HS_HPKE_ENC_LEN];
    struct hs_writer HS_WRITER plain = hs_writer(HS_MLS_MAX_MESSAGE),
                               HS_WRITER sealed = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_group_secrets group_secrets = {.joiner_secret = HS_VIEW(staged->secrets->joiner)};
    unsigned level = hs_mls_common_level(added->member.leaf, staged->committer);
    if (secrets != NULL && secrets->have[level]) {
        group_secrets.has_path_secret = true;
        group_secrets.path_secret = HS_VIEW(secrets->secret[level]);
    }
    hs_mls_write_group_secrets(&plain, &group_secrets);
    HS_TRY(plain.err);
    uint8_t *ciphertext = hs_writer_reserve(&sealed, plain.len + HS_AEAD_TAG_LEN);
    HS_TRY(sealed.err);
    HS_TRY(hs_mls_hpke_key(init_key, &to));
    HS_TRY(hs_mls_seal_to(&to, info, hs_writer_bytes(&plain), kem, ciphertext));
    const struct hs_mls_encrypted_secrets item = {
        .ref = HS_VIEW(added->key_package_ref),
        .secrets = {.kem = hs_bytes(kem, sizeof kem), .ciphertext = hs_writer_bytes(&sealed)},
    };
    hs_mls_write_encrypted_secrets(out, &item);
    return out->err;
}

enum hs_err hs_mls_group_welcome(const struct hs_mls_group *group, const struct hs_mls_staged *staged,
                                 struct hs_bytes list, const struct hs_mls_path_secrets *secrets,
                                 bool with_tree, struct hs_writer *out)
{
    struct hs_writer HS_WRITER info = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_hpke_info hashed;
    HS_TRY(encrypt_info(group, staged, with_tree, &info));
    HS_TRY(hs_mls_seal_info("Welcome", hs_writer_bytes(&info), &hashed));
    hs_mls_write_head(out, HS_MLS_WELCOME);
    hs_write_u16(out, HS_MLS_SUITE);
    size_t mark = hs_writer_open(out), added = 0;
    struct hs_reader r = hs_reader(list);
    while (hs_reader_left(&r) > 0) {
        struct hs_mls_proposal_or_ref item;
        hs_mls_read_proposal_or_ref(&r, &item);
        const struct hs_mls_cached *cached = item.by_ref ? hs_mls_public_cached(group->pub, item.ref) : NULL;
        const struct hs_mls_proposal *proposal = cached != NULL ? &cached->proposal : &item.proposal;
        if (proposal->type == HS_MLS_ADD)
            HS_TRY(encrypt_secrets(staged, &staged->change.added[added++], proposal->add.init_key, secrets,
                                   &hashed, out));
    }
    hs_writer_close(out, mark);
    hs_write_mls_vec(out, hs_writer_bytes(&info));
    return out->err;
}

/* Joining by Welcome (RFC 9420, 12.4.3.1). */
#include "crypto/aead.h"
#include "crypto/dh.h"
#include "mls/key_package_check.h"
#include "mls/leaf.h"
#include "mls/member.h"
#include "mls/suite.h"

/* What the Welcome holds for this KeyPackage, decrypted. */
struct opened {
    struct hs_writer secrets_bytes, info_bytes;
    struct hs_mls_group_secrets secrets;
    struct hs_mls_group_info info;
    struct hs_secret32 joiner, psk;
};

static void opened_free(struct opened *opened)
{
    hs_writer_free(&opened->secrets_bytes);
    hs_writer_free(&opened->info_bytes);
    hs_wipe(opened, sizeof *opened);
}

static enum hs_err check_own(const struct hs_mls_join *join, const struct hs_mls_key_package *kp)
{
    struct hs_key init, leaf;
    hs_dh_public(&join->priv->init, &init);
    hs_dh_public(&join->priv->leaf, &leaf);
    bool own = hs_bytes_equal(kp->init_key, HS_VIEW(init)) &&
               hs_bytes_equal(kp->leaf.encryption_key, HS_VIEW(leaf)) &&
               hs_bytes_equal(kp->leaf.signature_key, HS_VIEW(join->signer->pub));
    return own ? HS_OK : HS_ERR_INVALID_ARG;
}

static enum hs_err read_welcome(struct hs_bytes message, struct hs_mls_welcome *welcome)
{
    struct hs_reader r = hs_reader(message);
    HS_REQUIRE(message.len <= HS_MLS_MAX_MESSAGE, HS_ERR_TOO_LARGE);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_TRY(r.err);
    HS_REQUIRE(format == HS_MLS_WELCOME, HS_ERR_UNEXPECTED);
    hs_mls_read_welcome(&r, welcome);
    HS_TRY(hs_reader_finish(&r));
    return welcome->suite == HS_MLS_SUITE ? HS_OK : HS_ERR_MLS_VERSION;
}

static bool find_secrets(const struct hs_mls_welcome *welcome, const struct hs_id *ref,
                         struct hs_mls_encrypted_secrets *item)
{
    struct hs_reader r = hs_reader(welcome->secrets);
    while (hs_reader_left(&r) > 0) {
        hs_mls_read_encrypted_secrets(&r, item);
        if (r.err == HS_OK && hs_bytes_equal(item->ref, HS_VIEW(*ref)))
            return true;
    }
    return false;
}

static const struct hs_mls_psk *find_psk(const struct hs_mls_join *join, struct hs_bytes id)
{
    for (size_t i = 0; i < join->psk_count; i++)
        if (hs_bytes_equal(join->psks[i].id, id))
            return &join->psks[i];
    return NULL;
}

static size_t count_psks(struct hs_bytes list)
{
    size_t count = 0;
    struct hs_mls_psk_id id;
    for (struct hs_reader r = hs_reader(list); hs_reader_left(&r) > 0; count++)
        hs_mls_read_psk_id(&r, &id);
    return count;
}

/* psk_secret (RFC 9420, 8.4) of the PSKs that the Welcome names, in its order. */
static enum hs_err fold_psks(const struct hs_mls_join *join, struct hs_bytes list, struct hs_secret32 *out)
{
    size_t count = count_psks(list);
    HS_REQUIRE(count <= UINT16_MAX, HS_ERR_MLS_WELCOME);
    struct hs_reader r = hs_reader(list);
    for (uint16_t i = 0; i < count; i++) {
        struct hs_mls_psk_id id;
        const uint8_t *start = r.pos;
        hs_mls_read_psk_id(&r, &id);
        HS_REQUIRE(id.type == HS_MLS_PSK_EXTERNAL, HS_ERR_UNSUPPORTED);
        const struct hs_mls_psk *psk = find_psk(join, id.id);
        HS_REQUIRE(psk != NULL, HS_ERR_NOT_FOUND);
        HS_TRY(hs_mls_psk_fold(psk->secret, hs_mls_between(&r, start), i, (uint16_t)count, out));
    }
    return HS_OK;
}

static enum hs_err open_secrets(const struct hs_mls_join *join, const struct hs_mls_key_package *kp,
                                const struct hs_mls_welcome *welcome, struct opened *opened)
{
    struct hs_id ref;
    struct hs_key init;
    struct hs_mls_encrypted_secrets item;
    HS_TRY(hs_mls_key_package_ref(kp, &ref));
    HS_REQUIRE(find_secrets(welcome, &ref, &item), HS_ERR_MLS_WELCOME);
    HS_REQUIRE(item.secrets.ciphertext.len >= HS_AEAD_TAG_LEN, HS_ERR_MLS_WELCOME);
    hs_dh_public(&join->priv->init, &init);
    uint8_t *out = hs_writer_reserve(&opened->secrets_bytes, item.secrets.ciphertext.len - HS_AEAD_TAG_LEN);
    HS_TRY(opened->secrets_bytes.err);
    enum hs_err err = hs_mls_open(&join->priv->init, &init, "Welcome", welcome->group_info, item.secrets.kem,
                                  item.secrets.ciphertext, out);
    HS_REQUIRE(err == HS_OK, HS_ERR_MLS_WELCOME);
    struct hs_reader r = hs_reader(hs_writer_bytes(&opened->secrets_bytes));
    hs_mls_read_group_secrets(&r, &opened->secrets);
    HS_TRY(hs_reader_finish(&r));
    HS_TRY(fold_psks(join, opened->secrets.psks, &opened->psk));
    bool sized = HS_FIXED(opened->secrets.joiner_secret, &opened->joiner);
    return sized ? HS_OK : HS_ERR_MLS_WELCOME;
}

static enum hs_err open_info(const struct hs_mls_welcome *welcome, struct opened *opened)
{
    struct hs_secret32 HS_SECRET secret, HS_SECRET key;
    uint8_t nonce[HS_AEAD_NONCE_LEN];
    HS_REQUIRE(welcome->group_info.len >= HS_AEAD_TAG_LEN, HS_ERR_MLS_WELCOME);
    HS_TRY(hs_mls_welcome_secret(&opened->joiner, &opened->psk, &secret));
    HS_TRY(hs_mls_welcome_key(&secret, &key, nonce));
    uint8_t *out = hs_writer_reserve(&opened->info_bytes, welcome->group_info.len - HS_AEAD_TAG_LEN);
    HS_TRY(opened->info_bytes.err);
    enum hs_err err = hs_aead_open(key.b, nonce, (struct hs_bytes){0}, welcome->group_info, out);
    HS_REQUIRE(err == HS_OK, HS_ERR_MLS_WELCOME);
    struct hs_reader r = hs_reader(hs_writer_bytes(&opened->info_bytes));
    hs_mls_read_group_info(&r, &opened->info);
    return hs_reader_finish(&r);
}

/* One's own leaf: the one with this KeyPackage's very bytes. */
static enum hs_err find_own(const struct hs_mls_public *pub, const struct hs_mls_key_package *kp,
                            uint32_t *own)
{
    struct hs_mls_member member;
    struct hs_key signature;
    HS_REQUIRE(HS_FIXED(kp->leaf.signature_key, &signature), HS_ERR_MLS_WELCOME);
    HS_REQUIRE(hs_mls_public_member_by_key(pub, &signature, &member) == HS_OK, HS_ERR_MLS_WELCOME);
    const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&pub->now.tree, member.leaf);
    HS_REQUIRE(hs_bytes_equal(leaf->node.raw, kp->leaf.raw), HS_ERR_MLS_WELCOME);
    *own = member.leaf;
    return HS_OK;
}

/* The private keys above one's leaf, where the committer made a path. */
static enum hs_err set_path(struct hs_mls_group *group, const struct opened *opened)
{
    struct hs_secret32 HS_SECRET secret;
    struct hs_mls_tree_path path;
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets = {0};
    const struct hs_mls_tree *tree = &group->pub->now.tree;
    unsigned level = hs_mls_common_level(group->own, group->inviter);
    if (!opened->secrets.has_path_secret)
        return HS_OK;
    HS_REQUIRE(HS_FIXED(opened->secrets.path_secret, &secret), HS_ERR_MLS_WELCOME);
    hs_mls_tree_path(tree, group->own, &path);
    HS_REQUIRE(level > 0 && path.on[level]->filled, HS_ERR_MLS_WELCOME);
    enum hs_err err = hs_mls_path_derive(tree, group->own, level, &secret, &group->path, &secrets);
    return err == HS_ERR_MLS_COMMIT ? HS_ERR_MLS_WELCOME : err;
}

static enum hs_err set_epoch(struct hs_mls_group *group, const struct opened *opened)
{
    struct hs_secret32 HS_SECRET want;
    const struct hs_mls_state *state = &group->pub->now;
    HS_TRY(hs_mls_epoch_from_joiner(&opened->joiner, &opened->psk, hs_mls_blob_bytes(state->context),
                                    &group->epoch));
    hs_mls_confirmation(&group->epoch, state->parsed.confirmed_transcript_hash, want.b);
    HS_REQUIRE(hs_secret_equal(HS_VIEW(want), HS_VIEW(state->confirmation_tag)), HS_ERR_MLS_CONFIRMATION);
    return hs_mls_group_open_epoch(group);
}

enum hs_err hs_mls_group_join(const struct hs_mls_join *join, struct hs_mls_group **out)
{
    struct hs_mls_key_package kp;
    struct hs_mls_welcome welcome;
    struct opened HS_AUTO(opened_free) opened = {.secrets_bytes = hs_writer(HS_MLS_MAX_MESSAGE),
                                                 .info_bytes = hs_writer(HS_MLS_MAX_MESSAGE)};
    struct hs_mls_state HS_MLS_STATE state = {0};
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    HS_TRY(hs_mls_key_package_read(join->key_package, &kp));
    HS_TRY(check_own(join, &kp));
    HS_TRY(read_welcome(join->welcome, &welcome));
    HS_TRY(open_secrets(join, &kp, &welcome, &opened));
    HS_TRY(open_info(&welcome, &opened));
    HS_TRY(hs_mls_state_from_info(&opened.info, join->tree, &state));
    HS_TRY(hs_mls_group_new(join->signer, &join->settings, &group));
    HS_TRY(hs_mls_public_adopt(&state, &group->pub));
    HS_TRY(find_own(group->pub, &kp, &group->own));
    group->inviter = opened.info.signer;
    group->path.priv[0] = join->priv->leaf;
    group->path.have[0] = true;
    HS_TRY(set_path(group, &opened));
    HS_TRY(set_epoch(group, &opened));
    *out = group;
    group = NULL;
    return HS_OK;
}

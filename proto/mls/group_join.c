/* Joining by Welcome (RFC 9420, 12.4.3.1). */
#include "mls/key_package_check.h"
#include "mls/leaf.h"
#include "mls/member.h"

#include <stdlib.h>

/* What the Welcome holds for this KeyPackage, decrypted. */
struct opened {
    struct hs_writer secrets_bytes, info_bytes;
    struct hs_mls_group_secrets secrets;
    struct hs_mls_group_info info;
    struct hs_mls_secret joiner, psk;
    struct hs_mls_psk_id psks[HS_MLS_MAX_PSKS];
    size_t psk_count;
};

static void opened_free(struct opened *opened)
{
    hs_writer_free(&opened->secrets_bytes);
    hs_writer_free(&opened->info_bytes);
    hs_wipe(opened, sizeof *opened);
}

static enum hs_err check_own(const struct hs_mls_join *join, const struct hs_mls_key_package *kp)
{
    struct hs_mls_pub init, leaf;
    const struct hs_mls_suite *suite = join->signer->suite;
    HS_REQUIRE(kp->suite == suite->id, HS_ERR_INVALID_ARG);
    HS_REQUIRE(suite->kem_public(&join->priv->init, &init) == HS_OK, HS_ERR_INVALID_ARG);
    HS_REQUIRE(suite->kem_public(&join->priv->leaf, &leaf) == HS_OK, HS_ERR_INVALID_ARG);
    bool own = hs_bytes_equal(kp->init_key, HS_MLS_VIEW(init)) &&
               hs_bytes_equal(kp->leaf.encryption_key, HS_MLS_VIEW(leaf)) &&
               hs_bytes_equal(kp->leaf.signature_key, HS_MLS_VIEW(join->signer->pub));
    return own ? HS_OK : HS_ERR_INVALID_ARG;
}

static enum hs_err read_welcome(const struct hs_mls_suite *suite, struct hs_bytes message,
                                struct hs_mls_welcome *welcome)
{
    struct hs_reader r = hs_reader(message);
    HS_REQUIRE(message.len <= HS_MLS_MAX_MESSAGE, HS_ERR_TOO_LARGE);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_TRY(r.err);
    HS_REQUIRE(format == HS_MLS_WELCOME, HS_ERR_UNEXPECTED);
    hs_mls_read_welcome(&r, welcome);
    HS_TRY(hs_reader_finish(&r));
    return welcome->suite == suite->id ? HS_OK : HS_ERR_MLS_VERSION;
}

static bool find_secrets(const struct hs_mls_welcome *welcome, struct hs_bytes ref,
                         struct hs_mls_encrypted_secrets *item)
{
    struct hs_reader r = hs_reader(welcome->secrets);
    while (hs_reader_left(&r) > 0) {
        hs_mls_read_encrypted_secrets(&r, item);
        if (r.err == HS_OK && hs_bytes_equal(item->ref, ref))
            return true;
    }
    return false;
}

/* psk_secret (RFC 9420, 8.4) of the PSKs that the Welcome names, in its order. */
static enum hs_err open_psks(const struct hs_mls_join *join, struct opened *opened)
{
    const struct hs_mls_psk_source source = {
        .group = join->from, .list = join->psks, .count = join->psk_count};
    struct hs_reader r = hs_reader(opened->secrets.psks);
    while (hs_reader_left(&r) > 0) {
        HS_REQUIRE(opened->psk_count < HS_MLS_MAX_PSKS, HS_ERR_TOO_LARGE);
        hs_mls_read_psk_id(&r, &opened->psks[opened->psk_count++]);
    }
    HS_TRY(r.err);
    return hs_mls_psk_resolve(join->signer->suite, &source, opened->psks, opened->psk_count, &opened->psk);
}

static enum hs_err open_secrets(const struct hs_mls_join *join, const struct hs_mls_key_package *kp,
                                const struct hs_mls_welcome *welcome, struct opened *opened)
{
    struct hs_mls_hash ref;
    struct hs_mls_encrypted_secrets item;
    const struct hs_mls_suite *suite = join->signer->suite;
    HS_TRY(hs_mls_key_package_ref(suite, kp, &ref));
    HS_REQUIRE(find_secrets(welcome, HS_MLS_VIEW(ref), &item), HS_ERR_MLS_WELCOME);
    HS_REQUIRE(item.secrets.ciphertext.len >= HS_MLS_TAG_LEN, HS_ERR_MLS_WELCOME);
    uint8_t *out = hs_writer_reserve(&opened->secrets_bytes, item.secrets.ciphertext.len - HS_MLS_TAG_LEN);
    HS_TRY(opened->secrets_bytes.err);
    enum hs_err err = hs_mls_open(suite, &join->priv->init, kp->init_key, "Welcome", welcome->group_info,
                                  item.secrets.kem, item.secrets.ciphertext, out);
    HS_REQUIRE(err == HS_OK, err == HS_ERR_NOMEM ? err : HS_ERR_MLS_WELCOME);
    struct hs_reader r = hs_reader(hs_writer_bytes(&opened->secrets_bytes));
    hs_mls_read_group_secrets(&r, &opened->secrets);
    HS_TRY(hs_reader_finish(&r));
    HS_TRY(open_psks(join, opened));
    bool sized = HS_MLS_SET(opened->secrets.joiner_secret, &opened->joiner);
    return sized && opened->joiner.len == suite->hash_len ? HS_OK : HS_ERR_MLS_WELCOME;
}

static enum hs_err open_info(const struct hs_mls_suite *suite, const struct hs_mls_welcome *welcome,
                             struct opened *opened)
{
    struct hs_mls_secret HS_MLS_SECRET secret = {0};
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key = {0};
    HS_REQUIRE(welcome->group_info.len >= HS_MLS_TAG_LEN, HS_ERR_MLS_WELCOME);
    HS_TRY(hs_mls_welcome_secret(suite, &opened->joiner, &opened->psk, &secret));
    HS_TRY(hs_mls_welcome_key(suite, &secret, key.key, key.nonce));
    uint8_t *out = hs_writer_reserve(&opened->info_bytes, welcome->group_info.len - HS_MLS_TAG_LEN);
    HS_TRY(opened->info_bytes.err);
    enum hs_err err = suite->open(key.key, key.nonce, (struct hs_bytes){0}, welcome->group_info, out);
    HS_REQUIRE(err == HS_OK, err == HS_ERR_NOMEM ? err : HS_ERR_MLS_WELCOME);
    struct hs_reader r = hs_reader(hs_writer_bytes(&opened->info_bytes));
    hs_mls_read_group_info(&r, &opened->info);
    HS_TRY(hs_reader_finish(&r));
    return opened->info.context.suite == suite->id ? HS_OK : HS_ERR_MLS_WELCOME;
}

/* One's own leaf: the one with this KeyPackage's very bytes. */
static enum hs_err find_own(const struct hs_mls_public *pub, const struct hs_mls_key_package *kp,
                            uint32_t *own)
{
    struct hs_mls_member member;
    HS_REQUIRE(hs_mls_public_member_by_key(pub, kp->leaf.signature_key, &member) == HS_OK,
               HS_ERR_MLS_WELCOME);
    const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&pub->now.tree, member.leaf);
    HS_REQUIRE(hs_bytes_equal(hs_bytes(leaf->bytes, leaf->len), kp->leaf.raw), HS_ERR_MLS_WELCOME);
    *own = member.leaf;
    return HS_OK;
}

/* The private keys above one's leaf, where the committer made a path. */
static enum hs_err set_path(struct hs_mls_group *group, const struct opened *opened)
{
    struct hs_mls_secret HS_MLS_SECRET secret = {0};
    struct hs_mls_tree_path path;
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets = {0};
    const struct hs_mls_tree *tree = &group->pub->now.tree;
    unsigned level = hs_mls_common_level(group->own, group->inviter);
    if (!opened->secrets.has_path_secret)
        return HS_OK;
    bool sized = HS_MLS_SET(opened->secrets.path_secret, &secret);
    HS_REQUIRE(sized && secret.len == group->suite->hash_len, HS_ERR_MLS_WELCOME);
    hs_mls_tree_path(tree, group->own, &path);
    HS_REQUIRE(level > 0 && path.on[level]->filled, HS_ERR_MLS_WELCOME);
    enum hs_err err = hs_mls_path_derive(tree, group->own, level, &secret, &group->path, &secrets);
    return err == HS_ERR_MLS_COMMIT ? HS_ERR_MLS_WELCOME : err;
}

static enum hs_err set_epoch(struct hs_mls_group *group, const struct opened *opened)
{
    struct hs_mls_hash want;
    const struct hs_mls_state *state = &group->pub->now;
    HS_TRY(hs_mls_epoch_from_joiner(group->suite, &opened->joiner, &opened->psk,
                                    hs_mls_blob_bytes(state->context), &group->epoch));
    hs_mls_confirmation(group->suite, &group->epoch, state->parsed.confirmed_transcript_hash, &want);
    HS_REQUIRE(hs_secret_equal(HS_MLS_VIEW(want), HS_MLS_VIEW(state->confirmation_tag)),
               HS_ERR_MLS_CONFIRMATION);
    return hs_mls_group_open_epoch(group);
}

static enum hs_err join_opened(const struct hs_mls_join *join, const struct hs_mls_key_package *kp,
                               const struct opened *opened, struct hs_mls_group **out)
{
    struct hs_mls_state HS_MLS_STATE state = {0};
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    HS_TRY(hs_mls_state_from_info(&opened->info, join->tree, &state));
    HS_TRY(hs_mls_succession_check(join->from, opened->psks, opened->psk_count, &state));
    HS_TRY(hs_mls_group_new(join->signer, &join->settings, &group));
    HS_TRY(hs_mls_public_adopt(&state, &group->pub));
    HS_TRY(find_own(group->pub, kp, &group->own));
    group->inviter = opened->info.signer;
    group->path.priv[0] = join->priv->leaf;
    group->path.have[0] = true;
    HS_TRY(set_path(group, opened));
    HS_TRY(set_epoch(group, opened));
    *out = group;
    group = NULL;
    return HS_OK;
}

enum hs_err hs_mls_group_join(const struct hs_mls_join *join, struct hs_mls_group **out)
{
    struct hs_mls_key_package kp;
    struct hs_mls_welcome welcome;
    struct opened HS_AUTO(opened_free) opened = {.secrets_bytes = hs_writer(HS_MLS_MAX_MESSAGE),
                                                 .info_bytes = hs_writer(HS_MLS_MAX_MESSAGE)};
    HS_TRY(hs_mls_key_package_read(join->key_package, &kp));
    HS_TRY(check_own(join, &kp));
    HS_TRY(read_welcome(join->signer->suite, join->welcome, &welcome));
    HS_TRY(open_secrets(join, &kp, &welcome, &opened));
    HS_TRY(open_info(join->signer->suite, &welcome, &opened));
    return join_opened(join, &kp, &opened, out);
}

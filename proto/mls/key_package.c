#include "mls/key_package.h"

#include "crypto/dh.h"
#include "mls/codec.h"
#include "mls/key_package_check.h"
#include "mls/leaf.h"
#include "mls/suite.h"

enum { PRIVATE_VERSION = 1 };

void hs_mls_key_package_private_wipe(struct hs_mls_key_package_private *priv)
{
    hs_wipe(priv, sizeof *priv);
}

void hs_mls_key_package_private_save(const struct hs_mls_key_package_private *priv, struct hs_writer *out)
{
    hs_write_u8(out, PRIVATE_VERSION);
    hs_write_bytes(out, HS_VIEW(priv->init));
    hs_write_bytes(out, HS_VIEW(priv->leaf));
}

enum hs_err hs_mls_key_package_private_load(struct hs_bytes saved, struct hs_mls_key_package_private *priv)
{
    struct hs_reader r = hs_reader(saved);
    uint8_t version = hs_read_u8(&r);
    hs_read_fixed(&r, priv->init.b, sizeof priv->init.b);
    hs_read_fixed(&r, priv->leaf.b, sizeof priv->leaf.b);
    enum hs_err err = hs_reader_finish(&r);
    if (err == HS_OK && version != PRIVATE_VERSION)
        err = HS_ERR_MALFORMED;
    if (err != HS_OK)
        hs_mls_key_package_private_wipe(priv);
    return err;
}

enum hs_err hs_mls_key_package_new(const struct hs_mls_leaf_params *params, struct hs_writer *out,
                                   struct hs_mls_key_package_private *priv)
{
    struct hs_key init, encryption;
    struct hs_sig sig;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    hs_dh_keypair(&priv->init, &init);
    hs_dh_keypair(&priv->leaf, &encryption);
    HS_TRY(hs_mls_leaf_create(params, &encryption, &leaf));
    struct hs_mls_key_package kp = {
        .version = HS_MLS_VERSION_10, .suite = HS_MLS_SUITE, .init_key = HS_VIEW(init), .leaf = leaf->node};
    struct hs_writer HS_WRITER tbs = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_mls_write_key_package_tbs(&tbs, &kp);
    HS_TRY(tbs.err);
    HS_TRY(hs_mls_sign(params->signer, "KeyPackageTBS", hs_writer_bytes(&tbs), &sig));
    hs_mls_write_head(out, HS_MLS_KEY_PACKAGE);
    hs_write_bytes(out, hs_writer_bytes(&tbs));
    hs_write_mls_vec(out, HS_VIEW(sig));
    return out->err;
}

/* RFC 9420, 10.1, but for the lifetime. */
enum hs_err hs_mls_key_package_verify(const struct hs_mls_key_package *kp, struct hs_mls_leaf **out)
{
    struct hs_key init;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    HS_REQUIRE(kp->version == HS_MLS_VERSION_10 && kp->suite == HS_MLS_SUITE, HS_ERR_MLS_VERSION);
    HS_REQUIRE(kp->leaf.source == HS_MLS_LEAF_KEY_PACKAGE, HS_ERR_MLS_KEY_PACKAGE);
    HS_REQUIRE(hs_mls_hpke_key(kp->init_key, &init) == HS_OK, HS_ERR_MLS_KEY_PACKAGE);
    HS_REQUIRE(hs_mls_extensions_are_sound(kp->extensions), HS_ERR_MLS_KEY_PACKAGE);
    HS_TRY(hs_mls_leaf_new(&kp->leaf, &leaf));
    HS_REQUIRE(!hs_key_equal(&init, &leaf->encryption_key), HS_ERR_MLS_KEY_PACKAGE);
    HS_TRY(hs_mls_leaf_check(leaf));
    HS_REQUIRE(hs_mls_leaf_verify(leaf, (struct hs_bytes){0}, 0) == HS_OK, HS_ERR_MLS_LEAF);
    enum hs_err err = hs_mls_verify(&leaf->signature_key, "KeyPackageTBS", kp->tbs, kp->signature);
    HS_REQUIRE(err == HS_OK, HS_ERR_MLS_KEY_PACKAGE);
    *out = hs_mls_leaf_ref(leaf);
    return HS_OK;
}

enum hs_err hs_mls_key_package_read(struct hs_bytes message, struct hs_mls_key_package *kp)
{
    struct hs_reader r = hs_reader(message);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_TRY(r.err);
    HS_REQUIRE(format == HS_MLS_KEY_PACKAGE, HS_ERR_UNEXPECTED);
    hs_mls_read_key_package(&r, kp);
    return hs_reader_finish(&r);
}

enum hs_err hs_mls_key_package_ref(const struct hs_mls_key_package *kp, struct hs_id *ref)
{
    return hs_mls_ref_hash("MLS 1.0 KeyPackage Reference", kp->raw, ref);
}

enum hs_err hs_mls_key_package_check(struct hs_bytes message, uint64_t now,
                                     struct hs_mls_key_package_facts *facts)
{
    struct hs_mls_key_package kp;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    HS_TRY(hs_mls_key_package_read(message, &kp));
    HS_TRY(hs_mls_key_package_verify(&kp, &leaf));
    HS_REQUIRE(kp.leaf.not_before <= now && now <= kp.leaf.not_after, HS_ERR_MLS_KEY_PACKAGE);
    *facts = (struct hs_mls_key_package_facts){
        .identity = kp.leaf.credential,
        .signature_key = leaf->signature_key,
        .not_before = kp.leaf.not_before,
        .not_after = kp.leaf.not_after,
        .extensions = kp.leaf.extensions,
    };
    return hs_mls_key_package_ref(&kp, &facts->ref);
}

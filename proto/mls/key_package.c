#include "mls/key_package.h"

#include "mls/codec.h"
#include "mls/key_package_check.h"
#include "mls/leaf.h"
#include "mls/suite.h"

enum { PRIVATE_VERSION = 2, LIST_CAP = 1 << 10 };

void hs_mls_key_package_private_wipe(struct hs_mls_key_package_private *priv)
{
    hs_mls_secret_wipe(&priv->init);
    hs_mls_secret_wipe(&priv->leaf);
}

static void write_key(struct hs_writer *out, const struct hs_mls_secret *key)
{
    hs_write_u8(out, key->len);
    hs_write_bytes(out, HS_MLS_VIEW(*key));
}

static void read_key(struct hs_reader *r, struct hs_mls_secret *key)
{
    struct hs_bytes bytes = hs_read_bytes(r, hs_read_u8(r));
    if (!HS_MLS_SET(bytes, key) || key->len == 0)
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

void hs_mls_key_package_private_save(const struct hs_mls_key_package_private *priv, struct hs_writer *out)
{
    hs_write_u8(out, PRIVATE_VERSION);
    write_key(out, &priv->init);
    write_key(out, &priv->leaf);
}

enum hs_err hs_mls_key_package_private_load(struct hs_bytes saved, struct hs_mls_key_package_private *priv)
{
    struct hs_reader r = hs_reader(saved);
    if (hs_read_u8(&r) != PRIVATE_VERSION)
        hs_reader_fail(&r, HS_ERR_MALFORMED);
    read_key(&r, &priv->init);
    read_key(&r, &priv->leaf);
    enum hs_err err = hs_reader_finish(&r);
    if (err != HS_OK)
        hs_mls_key_package_private_wipe(priv);
    return err;
}

static enum hs_err write_package(const struct hs_mls_leaf_params *params, bool last_resort,
                                 const struct hs_mls_pub *init, const struct hs_mls_leaf *leaf,
                                 struct hs_writer *out)
{
    struct hs_writer HS_WRITER tbs = hs_writer(HS_MLS_MAX_MESSAGE), HS_WRITER list = hs_writer(LIST_CAP);
    struct hs_mls_signature sig;
    if (last_resort)
        hs_mls_write_extension(&list, HS_MLS_EXT_LAST_RESORT, (struct hs_bytes){0});
    HS_TRY(list.err);
    const struct hs_mls_key_package kp = {.version = HS_MLS_VERSION_10,
                                          .suite = params->signer->suite->id,
                                          .init_key = HS_MLS_VIEW(*init),
                                          .leaf = hs_mls_leaf_node(leaf),
                                          .extensions = hs_writer_bytes(&list)};
    hs_mls_write_key_package_tbs(&tbs, &kp);
    HS_TRY(tbs.err);
    HS_TRY(hs_mls_sign(params->signer, "KeyPackageTBS", hs_writer_bytes(&tbs), &sig));
    hs_mls_write_head(out, HS_MLS_KEY_PACKAGE);
    hs_write_bytes(out, hs_writer_bytes(&tbs));
    hs_write_mls_vec(out, HS_MLS_VIEW(sig));
    return out->err;
}

enum hs_err hs_mls_key_package_new(const struct hs_mls_leaf_params *params, bool last_resort,
                                   struct hs_writer *out, struct hs_mls_key_package_private *priv)
{
    struct hs_mls_pub init, encryption;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_mls_leaf_params listed = *params;
    uint16_t types[HS_MLS_MAX_EXTENSIONS + 1];
    HS_REQUIRE(params->extension_type_count <= HS_MLS_MAX_EXTENSIONS, HS_ERR_INVALID_ARG);
    if (last_resort) {
        for (size_t i = 0; i < params->extension_type_count; i++)
            types[i] = params->extension_types[i];
        types[listed.extension_type_count++] = HS_MLS_EXT_LAST_RESORT;
        listed.extension_types = types;
    }
    HS_TRY(hs_mls_kem_generate(params->signer->suite, &priv->init, &init));
    HS_TRY(hs_mls_kem_generate(params->signer->suite, &priv->leaf, &encryption));
    HS_TRY(hs_mls_leaf_create(&listed, HS_MLS_VIEW(encryption), &leaf));
    return write_package(params, last_resort, &init, leaf, out);
}

/* RFC 9420, 10.1, but for the lifetime. */
enum hs_err hs_mls_key_package_verify(const struct hs_mls_suite *suite, const struct hs_mls_key_package *kp,
                                      struct hs_mls_leaf **out)
{
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    HS_REQUIRE(kp->version == HS_MLS_VERSION_10 && kp->suite == suite->id, HS_ERR_MLS_VERSION);
    HS_REQUIRE(kp->leaf.source == HS_MLS_LEAF_KEY_PACKAGE, HS_ERR_MLS_KEY_PACKAGE);
    HS_REQUIRE(kp->init_key.len == suite->kem_pub_len, HS_ERR_MLS_KEY_PACKAGE);
    HS_REQUIRE(suite->kem_check(kp->init_key) == HS_OK, HS_ERR_MLS_KEY_PACKAGE);
    HS_REQUIRE(!hs_bytes_equal(kp->init_key, kp->leaf.encryption_key), HS_ERR_MLS_KEY_PACKAGE);
    HS_REQUIRE(hs_mls_extensions_are_sound(kp->extensions), HS_ERR_MLS_KEY_PACKAGE);
    HS_TRY(hs_mls_leaf_new(suite, &kp->leaf, &leaf));
    HS_TRY(hs_mls_leaf_check(suite, leaf));
    enum hs_err err = hs_mls_leaf_verify(suite, leaf, (struct hs_bytes){0}, 0);
    HS_REQUIRE(err != HS_ERR_BAD_SIGNATURE, HS_ERR_MLS_LEAF);
    HS_TRY(err);
    err = hs_mls_verify(suite, kp->leaf.signature_key, "KeyPackageTBS", kp->tbs, kp->signature);
    HS_REQUIRE(err != HS_ERR_BAD_SIGNATURE, HS_ERR_MLS_KEY_PACKAGE);
    HS_TRY(err);
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

enum hs_err hs_mls_key_package_ref(const struct hs_mls_suite *suite, const struct hs_mls_key_package *kp,
                                   struct hs_mls_hash *ref)
{
    return hs_mls_ref_hash(suite, "MLS 1.0 KeyPackage Reference", kp->raw, ref);
}

enum hs_err hs_mls_key_package_check(struct hs_bytes message, uint64_t now,
                                     struct hs_mls_key_package_facts *facts)
{
    struct hs_mls_key_package kp;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_bytes data;
    HS_TRY(hs_mls_key_package_read(message, &kp));
    const struct hs_mls_suite *suite = hs_mls_suite_find(kp.suite);
    HS_REQUIRE(suite != NULL, HS_ERR_MLS_VERSION);
    HS_TRY(hs_mls_key_package_verify(suite, &kp, &leaf));
    HS_REQUIRE(kp.leaf.not_before <= now && now <= kp.leaf.not_after, HS_ERR_MLS_KEY_PACKAGE);
    *facts = (struct hs_mls_key_package_facts){
        .suite = suite,
        .credential_type = kp.leaf.credential_type,
        .identity = kp.leaf.credential,
        .signature_key = kp.leaf.signature_key,
        .not_before = kp.leaf.not_before,
        .not_after = kp.leaf.not_after,
        .extensions = kp.leaf.extensions,
        .last_resort = hs_mls_extension_find(kp.extensions, HS_MLS_EXT_LAST_RESORT, &data),
    };
    return hs_mls_key_package_ref(suite, &kp, &facts->ref);
}

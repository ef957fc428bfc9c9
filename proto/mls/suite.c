#include "mls/suite.h"

#include "mls/kdf.h"
#include "mls/parts.h"

#include <sodium.h>
#include <stdlib.h>

static const char prefix[] = "MLS 1.0 ";

void hs_mls_hash_parts(const struct hs_mls_suite *suite, const struct hs_bytes *parts, size_t count,
                       struct hs_mls_hash *out)
{
    out->len = suite->hash_len;
    suite->hash(parts, count, out->v);
}

void hs_mls_hash(const struct hs_mls_suite *suite, struct hs_bytes in, struct hs_mls_hash *out)
{
    hs_mls_hash_parts(suite, &in, 1, out);
}

void hs_mls_mac_parts(const struct hs_mls_suite *suite, struct hs_bytes key, const struct hs_bytes *parts,
                      size_t count, struct hs_mls_hash *out)
{
    out->len = suite->hash_len;
    suite->hmac(key, parts, count, out->v);
}

void hs_mls_mac(const struct hs_mls_suite *suite, struct hs_bytes key, struct hs_bytes in,
                struct hs_mls_hash *out)
{
    hs_mls_mac_parts(suite, key, &in, 1, out);
}

bool hs_mls_mac_verify(const struct hs_mls_suite *suite, struct hs_bytes key, struct hs_bytes in,
                       struct hs_bytes tag)
{
    struct hs_mls_hash want;
    if (tag.len != suite->hash_len)
        return false;
    hs_mls_mac(suite, key, in, &want);
    bool right = hs_secret_equal(HS_MLS_VIEW(want), tag);
    hs_wipe(&want, sizeof want);
    return right;
}

void hs_mls_extract(const struct hs_mls_suite *suite, struct hs_bytes salt, struct hs_bytes ikm,
                    struct hs_mls_secret *prk)
{
    hs_mls_kdf_extract(suite, salt, &ikm, 1, prk->v);
    prk->len = suite->hash_len;
}

enum hs_err hs_mls_expand(const struct hs_mls_suite *suite, struct hs_bytes prk, struct hs_bytes info,
                          uint8_t *out, size_t out_len)
{
    return hs_mls_kdf_expand(suite, prk, &info, 1, out, out_len);
}

static void parts_label(struct hs_mls_parts *parts, const char *label)
{
    struct hs_bytes text = hs_bytes_str(label);
    hs_mls_parts_len(parts, sizeof prefix - 1 + text.len);
    hs_mls_parts_add(parts, hs_bytes_str(prefix));
    hs_mls_parts_add(parts, text);
}

enum hs_err hs_mls_expand_label(const struct hs_mls_suite *suite, struct hs_bytes secret, const char *label,
                                struct hs_bytes context, uint8_t *out, size_t out_len)
{
    struct hs_mls_parts info;
    hs_mls_parts_begin(&info);
    hs_mls_parts_number(&info, out_len, 2);
    parts_label(&info, label);
    hs_mls_parts_vec(&info, context);
    HS_TRY(info.err);
    return hs_mls_kdf_expand(suite, secret, info.list, info.count, out, out_len);
}

enum hs_err hs_mls_expand_secret(const struct hs_mls_suite *suite, struct hs_bytes secret, const char *label,
                                 struct hs_bytes context, struct hs_mls_secret *out)
{
    HS_TRY(hs_mls_expand_label(suite, secret, label, context, out->v, suite->hash_len));
    out->len = suite->hash_len;
    return HS_OK;
}

enum hs_err hs_mls_derive_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *secret,
                                 const char *label, struct hs_mls_secret *out)
{
    return hs_mls_expand_secret(suite, HS_MLS_VIEW(*secret), label, (struct hs_bytes){0}, out);
}

enum hs_err hs_mls_derive_tree_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *secret,
                                      const char *label, uint32_t generation, uint8_t *out, size_t out_len)
{
    const uint8_t context[4] = {(uint8_t)(generation >> 24), (uint8_t)(generation >> 16),
                                (uint8_t)(generation >> 8), (uint8_t)generation};
    return hs_mls_expand_label(suite, HS_MLS_VIEW(*secret), label, hs_bytes(context, sizeof context), out,
                               out_len);
}

void hs_mls_secret_random(const struct hs_mls_suite *suite, struct hs_mls_secret *out)
{
    out->len = suite->hash_len;
    randombytes_buf(out->v, out->len);
}

void hs_mls_secret_zero(const struct hs_mls_suite *suite, struct hs_mls_secret *out)
{
    hs_mls_secret_wipe(out);
    out->len = suite->hash_len;
}

enum hs_err hs_mls_kem_generate(const struct hs_mls_suite *suite, struct hs_mls_secret *priv,
                                struct hs_mls_pub *pub)
{
    struct hs_mls_secret HS_MLS_SECRET ikm = {.len = suite->kem_priv_len};
    randombytes_buf(ikm.v, ikm.len);
    return suite->kem_derive(HS_MLS_VIEW(ikm), priv, pub);
}

/* SignContent (RFC 9420, 5.1.2) as one piece, which signatures need: on the stack where it is short. */
struct labelled {
    uint8_t *data, *heap;
    size_t len;
    uint8_t small[2048];
};
#define LABELLED HS_AUTO(labelled_free)

static void labelled_free(struct labelled *l)
{
    hs_wipe(l->data, l->len);
    free(l->heap);
}

static enum hs_err labelled_join(struct labelled *l, const char *label, const struct hs_bytes *content,
                                 size_t count)
{
    struct hs_mls_parts parts;
    size_t len = 0, done = 0;
    hs_mls_parts_begin(&parts);
    for (size_t i = 0; i < count; i++)
        len += content[i].len;
    parts_label(&parts, label);
    hs_mls_parts_len(&parts, len);
    HS_TRY(parts.err);
    hs_mls_parts_list(&parts, content, count);
    len = hs_mls_parts_total(&parts);
    l->heap = len > sizeof l->small ? malloc(len) : NULL;
    HS_REQUIRE(l->heap != NULL || len <= sizeof l->small, HS_ERR_NOMEM);
    l->data = l->heap != NULL ? l->heap : l->small;
    l->len = len;
    for (size_t i = 0; i < parts.count; done += parts.list[i++].len)
        memcpy(l->data + done, parts.list[i].data, parts.list[i].len);
    return HS_OK;
}

enum hs_err hs_mls_sign_parts(const struct hs_mls_signer *signer, const char *label,
                              const struct hs_bytes *parts, size_t count, struct hs_mls_signature *sig)
{
    struct labelled LABELLED content;
    content.data = content.heap = NULL, content.len = 0;
    HS_TRY(labelled_join(&content, label, parts, count));
    return signer->suite->sign(&signer->priv, hs_bytes(content.data, content.len), sig);
}

enum hs_err hs_mls_verify_parts(const struct hs_mls_suite *suite, struct hs_bytes key, const char *label,
                                const struct hs_bytes *parts, size_t count, struct hs_bytes sig)
{
    struct labelled LABELLED content;
    content.data = content.heap = NULL, content.len = 0;
    HS_TRY(labelled_join(&content, label, parts, count));
    return suite->verify(key, hs_bytes(content.data, content.len), sig);
}

enum hs_err hs_mls_sign(const struct hs_mls_signer *signer, const char *label, struct hs_bytes content,
                        struct hs_mls_signature *sig)
{
    return hs_mls_sign_parts(signer, label, &content, 1, sig);
}

enum hs_err hs_mls_verify(const struct hs_mls_suite *suite, struct hs_bytes key, const char *label,
                          struct hs_bytes content, struct hs_bytes sig)
{
    return hs_mls_verify_parts(suite, key, label, &content, 1, sig);
}

enum hs_err hs_mls_seal_info(const struct hs_mls_suite *suite, const char *label, struct hs_bytes context,
                             struct hs_mls_seal_info *out)
{
    struct hs_mls_parts info;
    hs_mls_parts_begin(&info);
    parts_label(&info, label);
    hs_mls_parts_vec(&info, context);
    HS_TRY(info.err);
    out->suite = suite;
    hs_mls_hpke_info(suite, info.list, info.count, &out->info);
    return HS_OK;
}

enum hs_err hs_mls_seal_to(const struct hs_mls_seal_info *info, struct hs_bytes to, struct hs_bytes plaintext,
                           uint8_t *kem, uint8_t *out)
{
    return hs_mls_hpke_seal(info->suite, to, &info->info, plaintext, kem, out);
}

enum hs_err hs_mls_seal(const struct hs_mls_suite *suite, struct hs_bytes to, const char *label,
                        struct hs_bytes context, struct hs_bytes plaintext, uint8_t *kem, uint8_t *out)
{
    struct hs_mls_seal_info info;
    HS_TRY(hs_mls_seal_info(suite, label, context, &info));
    return hs_mls_seal_to(&info, to, plaintext, kem, out);
}

enum hs_err hs_mls_open(const struct hs_mls_suite *suite, const struct hs_mls_secret *priv,
                        struct hs_bytes pub, const char *label, struct hs_bytes context, struct hs_bytes kem,
                        struct hs_bytes ciphertext, uint8_t *out)
{
    struct hs_mls_seal_info info;
    HS_TRY(hs_mls_seal_info(suite, label, context, &info));
    return hs_mls_hpke_open(suite, priv, pub, kem, &info.info, ciphertext, out);
}

static const char external_context[] = "MLS 1.0 external init secret";

enum hs_err hs_mls_external_init_send(const struct hs_mls_suite *suite, struct hs_bytes external_pub,
                                      uint8_t *kem, struct hs_mls_secret *init)
{
    struct hs_mls_hpke_info info;
    hs_mls_hpke_info(suite, NULL, 0, &info);
    return hs_mls_hpke_export_send(suite, external_pub, &info, hs_bytes_str(external_context), kem, init);
}

enum hs_err hs_mls_external_init_open(const struct hs_mls_suite *suite,
                                      const struct hs_mls_secret *external_priv, struct hs_bytes external_pub,
                                      struct hs_bytes kem, struct hs_mls_secret *init)
{
    struct hs_mls_hpke_info info;
    hs_mls_hpke_info(suite, NULL, 0, &info);
    return hs_mls_hpke_export_open(suite, external_priv, external_pub, kem, &info,
                                   hs_bytes_str(external_context), init);
}

enum hs_err hs_mls_ref_hash(const struct hs_mls_suite *suite, const char *label, struct hs_bytes value,
                            struct hs_mls_hash *out)
{
    struct hs_mls_parts parts;
    hs_mls_parts_begin(&parts);
    hs_mls_parts_vec(&parts, hs_bytes_str(label));
    hs_mls_parts_vec(&parts, value);
    HS_TRY(parts.err);
    hs_mls_hash_parts(suite, parts.list, parts.count, out);
    return HS_OK;
}

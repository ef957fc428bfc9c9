#include "mls/suite.h"

#include "base/writer.h"
#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "mls/limits.h"

static const char prefix[] = "MLS 1.0 ";

static void write_label(struct hs_writer *w, const char *label)
{
    size_t mark = hs_writer_open(w);
    hs_write_bytes(w, hs_bytes_str(prefix));
    hs_write_bytes(w, hs_bytes_str(label));
    hs_writer_close(w, mark);
}

enum hs_err hs_mls_expand_label(struct hs_bytes secret, const char *label, struct hs_bytes context,
                                uint8_t *out, size_t out_len)
{
    HS_REQUIRE(out_len <= 255 * 32, HS_ERR_INVALID_ARG);
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_write_u16(&w, (uint16_t)out_len);
    write_label(&w, label);
    hs_write_mls_vec(&w, context);
    HS_TRY(w.err);
    return hs_hkdf_expand(secret, hs_writer_bytes(&w), out, out_len);
}

enum hs_err hs_mls_derive_secret(const struct hs_secret32 *secret, const char *label, struct hs_secret32 *out)
{
    return hs_mls_expand_label(HS_VIEW(*secret), label, (struct hs_bytes){0}, out->b, sizeof out->b);
}

enum hs_err hs_mls_derive_tree_secret(const struct hs_secret32 *secret, const char *label,
                                      uint32_t generation, uint8_t *out, size_t out_len)
{
    const uint8_t context[4] = {(uint8_t)(generation >> 24), (uint8_t)(generation >> 16),
                                (uint8_t)(generation >> 8), (uint8_t)generation};
    return hs_mls_expand_label(HS_VIEW(*secret), label, hs_bytes(context, sizeof context), out, out_len);
}

/* SignContent and EncryptContext have the same shape. */
static enum hs_err labelled(struct hs_writer *w, const char *label, struct hs_bytes content)
{
    write_label(w, label);
    hs_write_mls_vec(w, content);
    return w->err;
}

enum hs_err hs_mls_sign(const struct hs_signer *signer, const char *label, struct hs_bytes content,
                        struct hs_sig *sig)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(labelled(&w, label, content));
    hs_sign(signer, hs_writer_bytes(&w), sig);
    return HS_OK;
}

enum hs_err hs_mls_verify(const struct hs_key *key, const char *label, struct hs_bytes content,
                          struct hs_bytes sig)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(labelled(&w, label, content));
    return hs_verify(key, hs_writer_bytes(&w), sig);
}

enum hs_err hs_mls_seal(const struct hs_key *to, const char *label, struct hs_bytes context,
                        struct hs_bytes plaintext, uint8_t kem[static 32], uint8_t *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(labelled(&w, label, context));
    return hs_hpke_seal(to, hs_writer_bytes(&w), (struct hs_bytes){0}, plaintext, kem, out);
}

enum hs_err hs_mls_seal_info(const char *label, struct hs_bytes context, struct hs_hpke_info *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(labelled(&w, label, context));
    return hs_hpke_info(hs_writer_bytes(&w), out);
}

enum hs_err hs_mls_seal_to(const struct hs_key *to, const struct hs_hpke_info *info,
                           struct hs_bytes plaintext, uint8_t kem[static 32], uint8_t *out)
{
    return hs_hpke_seal_info(to, info, (struct hs_bytes){0}, plaintext, kem, out);
}

enum hs_err hs_mls_open(const struct hs_secret32 *priv, const struct hs_key *pub, const char *label,
                        struct hs_bytes context, struct hs_bytes kem, struct hs_bytes ciphertext,
                        uint8_t *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(labelled(&w, label, context));
    return hs_hpke_open(priv, pub, kem, hs_writer_bytes(&w), (struct hs_bytes){0}, ciphertext, out);
}

enum hs_err hs_mls_ref_hash(const char *label, struct hs_bytes value, struct hs_id *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    hs_write_mls_vec(&w, hs_bytes_str(label));
    hs_write_mls_len(&w, value.len);
    HS_TRY(w.err);
    struct hs_sha256 h;
    hs_sha256_init(&h);
    hs_sha256_update(&h, hs_writer_bytes(&w));
    hs_sha256_update(&h, value);
    *out = hs_sha256_final(&h);
    return HS_OK;
}

/* The u-coordinates whose multiples by the cofactor vanish (RFC 7748, 6.1), also in their forms not below p.
 */
static const uint8_t low_order[][32] = {
    {0},
    {1},
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

enum hs_err hs_mls_hpke_key(struct hs_bytes in, struct hs_key *key)
{
    HS_REQUIRE(HS_FIXED(in, key), HS_ERR_BAD_KEY);
    struct hs_key masked = *key;
    masked.b[31] &= 0x7f;
    for (size_t i = 0; i < sizeof low_order / sizeof low_order[0]; i++)
        HS_REQUIRE(memcmp(masked.b, low_order[i], sizeof masked.b) != 0, HS_ERR_BAD_KEY);
    return HS_OK;
}

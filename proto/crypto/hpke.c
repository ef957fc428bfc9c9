#include "crypto/hpke.h"

#include "base/writer.h"
#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash.h"

/* Suite identifiers (RFC 9180, 4.1 and 5.1): KEM 0x0020, KDF 0x0001, AEAD 0x0003. */
static const uint8_t kem_suite[] = {'K', 'E', 'M', 0x00, 0x20};
static const uint8_t hpke_suite[] = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03};
#define KEM_SUITE  hs_bytes(kem_suite, sizeof kem_suite)
#define HPKE_SUITE hs_bytes(hpke_suite, sizeof hpke_suite)

enum { MODE_BASE = 0, LABELLED_CAP = 4096 };

struct context {
    struct hs_secret32 key, exporter;
    uint8_t nonce[HS_AEAD_NONCE_LEN];
};

static void context_wipe(struct context *c)
{
    hs_wipe(c, sizeof *c);
}

/* LabeledExtract (RFC 9180, 4). */
static enum hs_err labelled_extract(struct hs_bytes salt, struct hs_bytes suite, const char *label,
                                    struct hs_bytes ikm, struct hs_secret32 *prk)
{
    struct hs_writer HS_WRITER w = hs_writer(LABELLED_CAP + ikm.len);
    hs_write_bytes(&w, hs_bytes_str("HPKE-v1"));
    hs_write_bytes(&w, suite);
    hs_write_bytes(&w, hs_bytes_str(label));
    hs_write_bytes(&w, ikm);
    HS_TRY(w.err);
    hs_hkdf_extract(salt, hs_writer_bytes(&w), prk);
    return HS_OK;
}

/* LabeledExpand (RFC 9180, 4). */
static enum hs_err labelled_expand(const struct hs_secret32 *prk, struct hs_bytes suite, const char *label,
                                   struct hs_bytes info, uint8_t *out, size_t out_len)
{
    struct hs_writer HS_WRITER w = hs_writer(LABELLED_CAP + info.len);
    hs_write_u16(&w, (uint16_t)out_len);
    hs_write_bytes(&w, hs_bytes_str("HPKE-v1"));
    hs_write_bytes(&w, suite);
    hs_write_bytes(&w, hs_bytes_str(label));
    hs_write_bytes(&w, info);
    HS_TRY(w.err);
    return hs_hkdf_expand(HS_VIEW(*prk), hs_writer_bytes(&w), out, out_len);
}

/* ExtractAndExpand of the KEM (RFC 9180, 4.1). */
static enum hs_err kem_secret(const struct hs_secret32 *dh, struct hs_bytes enc, const struct hs_key *to,
                              struct hs_secret32 *shared)
{
    uint8_t kem_context[64];
    memcpy(kem_context, enc.data, 32);
    memcpy(kem_context + 32, to->b, 32);
    struct hs_secret32 HS_SECRET prk;
    HS_TRY(labelled_extract((struct hs_bytes){0}, KEM_SUITE, "eae_prk", HS_VIEW(*dh), &prk));
    return labelled_expand(&prk, KEM_SUITE, "shared_secret", hs_bytes(kem_context, sizeof kem_context),
                           shared->b, sizeof shared->b);
}

enum hs_err hs_hpke_info(struct hs_bytes info, struct hs_hpke_info *out)
{
    return labelled_extract((struct hs_bytes){0}, HPKE_SUITE, "info_hash", info, &out->hash);
}

/* KeySchedule in base mode (RFC 9180, 5.1): no psk, empty psk_id. */
static enum hs_err key_schedule(const struct hs_secret32 *shared, const struct hs_hpke_info *info,
                                struct context *c)
{
    const struct hs_bytes none = {0};
    struct hs_secret32 psk_id_hash;
    struct hs_secret32 HS_SECRET secret;
    HS_TRY(labelled_extract(none, HPKE_SUITE, "psk_id_hash", none, &psk_id_hash));
    uint8_t schedule[65] = {MODE_BASE};
    memcpy(schedule + 1, psk_id_hash.b, 32);
    memcpy(schedule + 33, info->hash.b, 32);
    struct hs_bytes ctx = hs_bytes(schedule, sizeof schedule);
    HS_TRY(labelled_extract(HS_VIEW(*shared), HPKE_SUITE, "secret", none, &secret));
    HS_TRY(labelled_expand(&secret, HPKE_SUITE, "key", ctx, c->key.b, sizeof c->key.b));
    HS_TRY(labelled_expand(&secret, HPKE_SUITE, "base_nonce", ctx, c->nonce, sizeof c->nonce));
    return labelled_expand(&secret, HPKE_SUITE, "exp", ctx, c->exporter.b, sizeof c->exporter.b);
}

static enum hs_err setup_sender(const struct hs_key *to, const struct hs_hpke_info *info,
                                uint8_t enc[static 32], struct context *c)
{
    struct hs_secret32 HS_SECRET eph, HS_SECRET dh, HS_SECRET shared;
    struct hs_key eph_pub;
    hs_dh_keypair(&eph, &eph_pub);
    HS_TRY(hs_dh(&eph, to, &dh));
    memcpy(enc, eph_pub.b, sizeof eph_pub.b);
    HS_TRY(kem_secret(&dh, HS_VIEW(eph_pub), to, &shared));
    return key_schedule(&shared, info, c);
}

static enum hs_err setup_receiver(const struct hs_secret32 *priv, const struct hs_key *pub,
                                  struct hs_bytes enc, struct hs_bytes info, struct context *c)
{
    struct hs_secret32 HS_SECRET dh, HS_SECRET shared;
    struct hs_key eph_pub;
    HS_REQUIRE(HS_FIXED(enc, &eph_pub), HS_ERR_DECRYPT);
    HS_TRY(hs_dh(priv, &eph_pub, &dh));
    struct hs_hpke_info hashed;
    HS_TRY(kem_secret(&dh, enc, pub, &shared));
    HS_TRY(hs_hpke_info(info, &hashed));
    return key_schedule(&shared, &hashed, c);
}

enum hs_err hs_hpke_seal(const struct hs_key *to, struct hs_bytes info, struct hs_bytes aad,
                         struct hs_bytes plaintext, uint8_t enc[static HS_HPKE_ENC_LEN], uint8_t *out)
{
    struct hs_hpke_info hashed;
    HS_TRY(hs_hpke_info(info, &hashed));
    return hs_hpke_seal_info(to, &hashed, aad, plaintext, enc, out);
}

enum hs_err hs_hpke_seal_info(const struct hs_key *to, const struct hs_hpke_info *info, struct hs_bytes aad,
                              struct hs_bytes plaintext, uint8_t enc[static HS_HPKE_ENC_LEN], uint8_t *out)
{
    struct context HS_AUTO(context_wipe) c = {0};
    HS_TRY(setup_sender(to, info, enc, &c));
    hs_aead_seal(c.key.b, c.nonce, aad, plaintext, out);
    return HS_OK;
}

enum hs_err hs_hpke_open(const struct hs_secret32 *priv, const struct hs_key *pub, struct hs_bytes enc,
                         struct hs_bytes info, struct hs_bytes aad, struct hs_bytes ciphertext, uint8_t *out)
{
    struct context HS_AUTO(context_wipe) c = {0};
    HS_TRY(setup_receiver(priv, pub, enc, info, &c));
    return hs_aead_open(c.key.b, c.nonce, aad, ciphertext, out);
}

void hs_hpke_derive_keypair(struct hs_bytes ikm, struct hs_secret32 *priv, struct hs_key *pub)
{
    struct hs_secret32 HS_SECRET prk;
    enum hs_err err = labelled_extract((struct hs_bytes){0}, KEM_SUITE, "dkp_prk", ikm, &prk);
    if (err == HS_OK)
        err = labelled_expand(&prk, KEM_SUITE, "sk", (struct hs_bytes){0}, priv->b, sizeof priv->b);
    HS_ASSERT(err == HS_OK);
    hs_dh_public(priv, pub);
}

enum hs_err hs_hpke_export_sender(const struct hs_key *to, struct hs_bytes info,
                                  struct hs_bytes exporter_context, uint8_t enc[static HS_HPKE_ENC_LEN],
                                  uint8_t *out, size_t out_len)
{
    struct context HS_AUTO(context_wipe) c = {0};
    struct hs_hpke_info hashed;
    HS_TRY(hs_hpke_info(info, &hashed));
    HS_TRY(setup_sender(to, &hashed, enc, &c));
    return labelled_expand(&c.exporter, HPKE_SUITE, "sec", exporter_context, out, out_len);
}

enum hs_err hs_hpke_export_receiver(const struct hs_secret32 *priv, const struct hs_key *pub,
                                    struct hs_bytes enc, struct hs_bytes info,
                                    struct hs_bytes exporter_context, uint8_t *out, size_t out_len)
{
    struct context HS_AUTO(context_wipe) c = {0};
    HS_TRY(setup_receiver(priv, pub, enc, info, &c));
    return labelled_expand(&c.exporter, HPKE_SUITE, "sec", exporter_context, out, out_len);
}

#include "mls/hpke.h"

#include "mls/kdf.h"

enum { MODE_BASE = 0, ID_MAX = 10 };

/* What makes the labels of one KEM, or of one choice of KEM, KDF and AEAD, its own (RFC 9180, 4.1 and 5.1).
 */
struct suite_id {
    uint8_t b[ID_MAX], len;
};

static void id_add(struct suite_id *id, uint16_t number)
{
    id->b[id->len++] = (uint8_t)(number >> 8);
    id->b[id->len++] = (uint8_t)number;
}

static struct suite_id kem_suite(const struct hs_mls_suite *suite)
{
    struct suite_id id = {.b = {'K', 'E', 'M'}, .len = 3};
    id_add(&id, suite->kem_id);
    return id;
}

static struct suite_id hpke_suite(const struct hs_mls_suite *suite)
{
    struct suite_id id = {.b = {'H', 'P', 'K', 'E'}, .len = 4};
    id_add(&id, suite->kem_id);
    id_add(&id, suite->kdf_id);
    id_add(&id, suite->aead_id);
    return id;
}

/* LabeledExtract (RFC 9180, 4). */
static void labelled_extract(const struct hs_mls_suite *suite, struct hs_bytes salt,
                             const struct suite_id *id, const char *label, const struct hs_bytes *ikm,
                             size_t count, uint8_t *prk)
{
    struct hs_bytes parts[3 + HS_MLS_HPKE_PARTS] = {hs_bytes_str("HPKE-v1"), hs_bytes(id->b, id->len),
                                                    hs_bytes_str(label)};
    HS_ASSERT(count <= HS_MLS_HPKE_PARTS);
    for (size_t i = 0; i < count; i++)
        parts[3 + i] = ikm[i];
    hs_mls_kdf_extract(suite, salt, parts, 3 + count, prk);
}

/* LabeledExpand (RFC 9180, 4). */
static enum hs_err labelled_expand(const struct hs_mls_suite *suite, const uint8_t *prk,
                                   const struct suite_id *id, const char *label, const struct hs_bytes *info,
                                   size_t count, uint8_t *out, size_t out_len)
{
    const uint8_t length[2] = {(uint8_t)(out_len >> 8), (uint8_t)out_len};
    struct hs_bytes parts[HS_MLS_KDF_PARTS] = {hs_bytes(length, 2), hs_bytes_str("HPKE-v1"),
                                               hs_bytes(id->b, id->len), hs_bytes_str(label)};
    HS_ASSERT(count <= HS_MLS_KDF_PARTS - 4);
    for (size_t i = 0; i < count; i++)
        parts[4 + i] = info[i];
    return hs_mls_kdf_expand(suite, hs_bytes(prk, suite->hash_len), parts, 4 + count, out, out_len);
}

void hs_mls_hpke_info(const struct hs_mls_suite *suite, const struct hs_bytes *parts, size_t count,
                      struct hs_mls_hpke_info *out)
{
    const struct suite_id id = hpke_suite(suite);
    const struct hs_bytes none = {0};
    out->psk_id_hash.len = out->info_hash.len = suite->hash_len;
    labelled_extract(suite, none, &id, "psk_id_hash", NULL, 0, out->psk_id_hash.v);
    labelled_extract(suite, none, &id, "info_hash", parts, count, out->info_hash.v);
}

/* The secret of KeySchedule in base mode (RFC 9180, 5.1): no psk. */
struct schedule {
    const struct hs_mls_suite *suite;
    struct suite_id id;
    uint8_t secret[HS_MLS_MAX_HASH];
    const struct hs_mls_hpke_info *info;
};
#define SCHEDULE HS_AUTO(schedule_wipe)

static void schedule_wipe(struct schedule *s)
{
    hs_wipe(s, sizeof *s);
}

static struct schedule schedule_of(const struct hs_mls_suite *suite, const struct hs_mls_secret *shared,
                                   const struct hs_mls_hpke_info *info)
{
    struct schedule s = {.suite = suite, .id = hpke_suite(suite), .info = info};
    labelled_extract(suite, HS_MLS_VIEW(*shared), &s.id, "secret", NULL, 0, s.secret);
    return s;
}

static enum hs_err schedule_expand(const struct schedule *s, const char *label, uint8_t *out, size_t out_len)
{
    const uint8_t mode = MODE_BASE;
    const struct hs_bytes context[] = {hs_bytes(&mode, 1), HS_MLS_VIEW(s->info->psk_id_hash),
                                       HS_MLS_VIEW(s->info->info_hash)};
    return labelled_expand(s->suite, s->secret, &s->id, label, context, 3, out, out_len);
}

struct aead_key {
    uint8_t key[HS_MLS_MAX_AEAD_KEY], nonce[HS_MLS_NONCE_LEN];
};
#define AEAD_KEY HS_AUTO(aead_key_wipe)

static void aead_key_wipe(struct aead_key *key)
{
    hs_wipe(key, sizeof *key);
}

static enum hs_err schedule_key(const struct hs_mls_suite *suite, const struct hs_mls_secret *shared,
                                const struct hs_mls_hpke_info *info, struct aead_key *out)
{
    struct schedule SCHEDULE s = schedule_of(suite, shared, info);
    HS_TRY(schedule_expand(&s, "key", out->key, suite->key_len));
    return schedule_expand(&s, "base_nonce", out->nonce, sizeof out->nonce);
}

static enum hs_err schedule_export(const struct hs_mls_suite *suite, const struct hs_mls_secret *shared,
                                   const struct hs_mls_hpke_info *info, struct hs_bytes context,
                                   struct hs_mls_secret *out)
{
    struct schedule SCHEDULE s = schedule_of(suite, shared, info);
    struct hs_mls_secret HS_MLS_SECRET exporter = {.len = suite->hash_len};
    HS_TRY(schedule_expand(&s, "exp", exporter.v, exporter.len));
    out->len = suite->hash_len;
    return labelled_expand(suite, exporter.v, &s.id, "sec", &context, 1, out->v, out->len);
}

static enum hs_err decap(const struct hs_mls_suite *suite, const struct hs_mls_secret *priv,
                         struct hs_bytes pub, struct hs_bytes enc, struct hs_mls_secret *shared)
{
    HS_REQUIRE(enc.len == suite->kem_enc_len, HS_ERR_DECRYPT);
    return suite->kem_decap(priv, pub, enc, shared);
}

enum hs_err hs_mls_hpke_seal(const struct hs_mls_suite *suite, struct hs_bytes to,
                             const struct hs_mls_hpke_info *info, struct hs_bytes plaintext, uint8_t *enc,
                             uint8_t *out)
{
    struct hs_mls_secret HS_MLS_SECRET shared = {0};
    struct aead_key AEAD_KEY key = {0};
    HS_TRY(suite->kem_encap(to, &shared, enc));
    HS_TRY(schedule_key(suite, &shared, info, &key));
    return suite->seal(key.key, key.nonce, (struct hs_bytes){0}, plaintext, out);
}

enum hs_err hs_mls_hpke_open(const struct hs_mls_suite *suite, const struct hs_mls_secret *priv,
                             struct hs_bytes pub, struct hs_bytes enc, const struct hs_mls_hpke_info *info,
                             struct hs_bytes ciphertext, uint8_t *out)
{
    struct hs_mls_secret HS_MLS_SECRET shared = {0};
    struct aead_key AEAD_KEY key = {0};
    HS_REQUIRE(ciphertext.len >= HS_MLS_TAG_LEN, HS_ERR_DECRYPT);
    HS_TRY(decap(suite, priv, pub, enc, &shared));
    HS_TRY(schedule_key(suite, &shared, info, &key));
    return suite->open(key.key, key.nonce, (struct hs_bytes){0}, ciphertext, out);
}

enum hs_err hs_mls_hpke_export_send(const struct hs_mls_suite *suite, struct hs_bytes to,
                                    const struct hs_mls_hpke_info *info, struct hs_bytes exporter_context,
                                    uint8_t *enc, struct hs_mls_secret *out)
{
    struct hs_mls_secret HS_MLS_SECRET shared = {0};
    HS_TRY(suite->kem_encap(to, &shared, enc));
    return schedule_export(suite, &shared, info, exporter_context, out);
}

enum hs_err hs_mls_hpke_export_open(const struct hs_mls_suite *suite, const struct hs_mls_secret *priv,
                                    struct hs_bytes pub, struct hs_bytes enc,
                                    const struct hs_mls_hpke_info *info, struct hs_bytes exporter_context,
                                    struct hs_mls_secret *out)
{
    struct hs_mls_secret HS_MLS_SECRET shared = {0};
    HS_TRY(decap(suite, priv, pub, enc, &shared));
    return schedule_export(suite, &shared, info, exporter_context, out);
}

enum hs_err hs_mls_dhkem_secret(const struct hs_mls_suite *suite, struct hs_bytes dh, struct hs_bytes enc,
                                struct hs_bytes pub, struct hs_mls_secret *shared)
{
    const struct suite_id id = kem_suite(suite);
    const struct hs_bytes context[] = {enc, pub};
    struct hs_mls_secret HS_MLS_SECRET prk = {.len = suite->hash_len};
    labelled_extract(suite, (struct hs_bytes){0}, &id, "eae_prk", &dh, 1, prk.v);
    shared->len = suite->hash_len;
    return labelled_expand(suite, prk.v, &id, "shared_secret", context, 2, shared->v, shared->len);
}

enum hs_err hs_mls_dhkem_derive(const struct hs_mls_suite *suite, struct hs_bytes ikm, size_t len,
                                struct hs_mls_secret *priv)
{
    const struct suite_id id = kem_suite(suite);
    struct hs_mls_secret HS_MLS_SECRET prk = {.len = suite->hash_len};
    HS_ASSERT(len <= sizeof priv->v);
    labelled_extract(suite, (struct hs_bytes){0}, &id, "dkp_prk", &ikm, 1, prk.v);
    priv->len = (uint8_t)len;
    return labelled_expand(suite, prk.v, &id, "sk", NULL, 0, priv->v, len);
}

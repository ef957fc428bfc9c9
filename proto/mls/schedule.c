#include "mls/schedule.h"

#include "mls/codec.h"
#include "mls/parts.h"

#include <stddef.h>

/* Every secret of an epoch with its label (RFC 9420, 8, table 4): the order is that of saved bytes too. */
static const struct {
    const char *label;
    size_t offset;
} rows[] = {
    {"sender data", offsetof(struct hs_mls_epoch_secrets, sender_data)},
    {"encryption", offsetof(struct hs_mls_epoch_secrets, encryption)},
    {"exporter", offsetof(struct hs_mls_epoch_secrets, exporter)},
    {"external", offsetof(struct hs_mls_epoch_secrets, external)},
    {"confirm", offsetof(struct hs_mls_epoch_secrets, confirmation)},
    {"membership", offsetof(struct hs_mls_epoch_secrets, membership)},
    {"resumption", offsetof(struct hs_mls_epoch_secrets, resumption)},
    {"authentication", offsetof(struct hs_mls_epoch_secrets, authenticator)},
    {"init", offsetof(struct hs_mls_epoch_secrets, init)},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

_Static_assert(sizeof(struct hs_mls_epoch_secrets) == ROWS * sizeof(struct hs_mls_secret),
               "every secret has its row");

static struct hs_mls_secret *row_secret(struct hs_mls_epoch_secrets *secrets, size_t row)
{
    return (struct hs_mls_secret *)((uint8_t *)secrets + rows[row].offset);
}

void hs_mls_epoch_secrets_wipe(struct hs_mls_epoch_secrets *secrets)
{
    hs_wipe(secrets, sizeof *secrets);
}

enum hs_err hs_mls_joiner_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *init,
                                 const struct hs_mls_secret *commit, struct hs_bytes context,
                                 struct hs_mls_secret *joiner)
{
    struct hs_mls_secret HS_MLS_SECRET extracted = {0};
    hs_mls_extract(suite, HS_MLS_VIEW(*init), HS_MLS_VIEW(*commit), &extracted);
    return hs_mls_expand_secret(suite, HS_MLS_VIEW(extracted), "joiner", context, joiner);
}

static void member_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *joiner,
                          const struct hs_mls_secret *psk, struct hs_mls_secret *member)
{
    struct hs_mls_secret none;
    hs_mls_secret_zero(suite, &none);
    hs_mls_extract(suite, HS_MLS_VIEW(*joiner), HS_MLS_VIEW(psk != NULL ? *psk : none), member);
}

enum hs_err hs_mls_welcome_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *joiner,
                                  const struct hs_mls_secret *psk, struct hs_mls_secret *welcome)
{
    struct hs_mls_secret HS_MLS_SECRET member = {0};
    member_secret(suite, joiner, psk, &member);
    return hs_mls_derive_secret(suite, &member, "welcome", welcome);
}

enum hs_err hs_mls_epoch_from_joiner(const struct hs_mls_suite *suite, const struct hs_mls_secret *joiner,
                                     const struct hs_mls_secret *psk, struct hs_bytes context,
                                     struct hs_mls_epoch_secrets *out)
{
    struct hs_mls_secret HS_MLS_SECRET member = {0}, HS_MLS_SECRET epoch = {0};
    member_secret(suite, joiner, psk, &member);
    HS_TRY(hs_mls_expand_secret(suite, HS_MLS_VIEW(member), "epoch", context, &epoch));
    return hs_mls_epoch_from_secret(suite, &epoch, out);
}

enum hs_err hs_mls_epoch_from_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *epoch,
                                     struct hs_mls_epoch_secrets *out)
{
    for (size_t i = 0; i < ROWS; i++)
        HS_TRY(hs_mls_derive_secret(suite, epoch, rows[i].label, row_secret(out, i)));
    return HS_OK;
}

enum hs_err hs_mls_external_keys(const struct hs_mls_suite *suite, const struct hs_mls_epoch_secrets *secrets,
                                 struct hs_mls_secret *priv, struct hs_mls_pub *pub)
{
    return suite->kem_derive(HS_MLS_VIEW(secrets->external), priv, pub);
}

enum hs_err hs_mls_export(const struct hs_mls_suite *suite, const struct hs_mls_epoch_secrets *secrets,
                          const char *label, struct hs_bytes context, uint8_t *out, size_t out_len)
{
    struct hs_mls_secret HS_MLS_SECRET derived = {0};
    struct hs_mls_hash hash;
    HS_TRY(hs_mls_derive_secret(suite, &secrets->exporter, label, &derived));
    hs_mls_hash(suite, context, &hash);
    return hs_mls_expand_label(suite, HS_MLS_VIEW(derived), "exported", HS_MLS_VIEW(hash), out, out_len);
}

/* One step of psk_secret: PSKLabel (RFC 9420, 8.4) is the context. */
static enum hs_err psk_fold(const struct hs_mls_suite *suite, struct hs_bytes psk, struct hs_bytes label,
                            struct hs_mls_secret *running)
{
    struct hs_mls_secret zeros, HS_MLS_SECRET extracted = {0}, HS_MLS_SECRET input = {0};
    hs_mls_secret_zero(suite, &zeros);
    hs_mls_extract(suite, HS_MLS_VIEW(zeros), psk, &extracted);
    HS_TRY(hs_mls_expand_secret(suite, HS_MLS_VIEW(extracted), "derived psk", label, &input));
    hs_mls_extract(suite, HS_MLS_VIEW(input), HS_MLS_VIEW(*running), running);
    return HS_OK;
}

enum hs_err hs_mls_psk_secret(const struct hs_mls_suite *suite, const struct hs_mls_psk_id *ids,
                              const struct hs_bytes *secrets, size_t count, struct hs_mls_secret *out)
{
    struct hs_mls_secret HS_MLS_SECRET running = {0};
    HS_REQUIRE(count <= HS_MLS_MAX_PSKS, HS_ERR_TOO_LARGE);
    hs_mls_secret_zero(suite, &running);
    for (size_t i = 0; i < count; i++) {
        struct hs_writer HS_WRITER label = hs_writer(HS_MLS_MAX_MESSAGE);
        hs_mls_write_psk_id(&label, &ids[i]);
        hs_write_u16(&label, (uint16_t)i);
        hs_write_u16(&label, (uint16_t)count);
        HS_TRY(label.err);
        HS_TRY(psk_fold(suite, secrets[i], hs_writer_bytes(&label), &running));
    }
    *out = running;
    return HS_OK;
}

enum hs_err hs_mls_welcome_key(const struct hs_mls_suite *suite, const struct hs_mls_secret *welcome,
                               uint8_t *key, uint8_t nonce[static 12])
{
    const struct hs_bytes none = {0};
    HS_TRY(hs_mls_expand_label(suite, HS_MLS_VIEW(*welcome), "key", none, key, suite->key_len));
    return hs_mls_expand_label(suite, HS_MLS_VIEW(*welcome), "nonce", none, nonce, HS_MLS_NONCE_LEN);
}

enum hs_err hs_mls_confirmed_hash(const struct hs_mls_suite *suite, struct hs_bytes interim_before,
                                  uint16_t wire_format, struct hs_bytes content, struct hs_bytes signature,
                                  struct hs_mls_hash *out)
{
    struct hs_mls_parts parts;
    hs_mls_parts_begin(&parts);
    hs_mls_parts_add(&parts, interim_before);
    hs_mls_parts_number(&parts, wire_format, 2);
    hs_mls_parts_add(&parts, content);
    hs_mls_parts_vec(&parts, signature);
    HS_TRY(parts.err);
    hs_mls_hash_parts(suite, parts.list, parts.count, out);
    return HS_OK;
}

enum hs_err hs_mls_interim_hash(const struct hs_mls_suite *suite, struct hs_bytes confirmed,
                                struct hs_bytes confirmation_tag, struct hs_mls_hash *out)
{
    struct hs_mls_parts parts;
    hs_mls_parts_begin(&parts);
    hs_mls_parts_add(&parts, confirmed);
    hs_mls_parts_vec(&parts, confirmation_tag);
    HS_TRY(parts.err);
    hs_mls_hash_parts(suite, parts.list, parts.count, out);
    return HS_OK;
}

void hs_mls_epoch_secrets_write(struct hs_writer *w, const struct hs_mls_epoch_secrets *secrets)
{
    const struct hs_mls_secret *list = (const struct hs_mls_secret *)secrets;
    for (size_t i = 0; i < ROWS; i++) {
        hs_write_u8(w, list[i].len);
        hs_write_bytes(w, HS_MLS_VIEW(list[i]));
    }
}

void hs_mls_epoch_secrets_read(struct hs_reader *r, struct hs_mls_epoch_secrets *secrets)
{
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t len = hs_read_u8(r);
        if (!HS_MLS_SET(hs_read_bytes(r, len), row_secret(secrets, i)))
            hs_reader_fail(r, HS_ERR_MALFORMED);
    }
}

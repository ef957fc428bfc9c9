#include "mls/schedule.h"

#include "crypto/hash.h"
#include "crypto/hpke.h"
#include "mls/suite.h"

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

_Static_assert(sizeof(struct hs_mls_epoch_secrets) == ROWS * 32, "every secret has its row");

static struct hs_secret32 *row_secret(struct hs_mls_epoch_secrets *secrets, size_t row)
{
    return (struct hs_secret32 *)((uint8_t *)secrets + rows[row].offset);
}

void hs_mls_epoch_secrets_wipe(struct hs_mls_epoch_secrets *secrets)
{
    hs_wipe(secrets, sizeof *secrets);
}

enum hs_err hs_mls_joiner_secret(const struct hs_secret32 *init, const struct hs_secret32 *commit,
                                 struct hs_bytes context, struct hs_secret32 *joiner)
{
    struct hs_secret32 HS_SECRET extracted;
    hs_hkdf_extract(HS_VIEW(*init), HS_VIEW(*commit), &extracted);
    return hs_mls_expand_label(HS_VIEW(extracted), "joiner", context, joiner->b, sizeof joiner->b);
}

static void member_secret(const struct hs_secret32 *joiner, const struct hs_secret32 *psk,
                          struct hs_secret32 *member)
{
    const struct hs_secret32 none = {0};
    hs_hkdf_extract(HS_VIEW(*joiner), HS_VIEW(psk != NULL ? *psk : none), member);
}

enum hs_err hs_mls_welcome_secret(const struct hs_secret32 *joiner, const struct hs_secret32 *psk,
                                  struct hs_secret32 *welcome)
{
    struct hs_secret32 HS_SECRET member;
    member_secret(joiner, psk, &member);
    return hs_mls_derive_secret(&member, "welcome", welcome);
}

enum hs_err hs_mls_epoch_from_joiner(const struct hs_secret32 *joiner, const struct hs_secret32 *psk,
                                     struct hs_bytes context, struct hs_mls_epoch_secrets *out)
{
    struct hs_secret32 HS_SECRET member, HS_SECRET epoch;
    member_secret(joiner, psk, &member);
    HS_TRY(hs_mls_expand_label(HS_VIEW(member), "epoch", context, epoch.b, sizeof epoch.b));
    return hs_mls_epoch_from_secret(&epoch, out);
}

enum hs_err hs_mls_epoch_from_secret(const struct hs_secret32 *epoch, struct hs_mls_epoch_secrets *out)
{
    for (size_t i = 0; i < ROWS; i++)
        HS_TRY(hs_mls_derive_secret(epoch, rows[i].label, row_secret(out, i)));
    return HS_OK;
}

void hs_mls_external_pub(const struct hs_mls_epoch_secrets *secrets, struct hs_key *pub)
{
    struct hs_secret32 HS_SECRET priv;
    hs_hpke_derive_keypair(HS_VIEW(secrets->external), &priv, pub);
}

enum hs_err hs_mls_export(const struct hs_mls_epoch_secrets *secrets, const char *label,
                          struct hs_bytes context, uint8_t *out, size_t out_len)
{
    struct hs_secret32 HS_SECRET derived;
    HS_TRY(hs_mls_derive_secret(&secrets->exporter, label, &derived));
    struct hs_id hash = hs_sha256(context);
    return hs_mls_expand_label(HS_VIEW(derived), "exported", HS_VIEW(hash), out, out_len);
}

enum hs_err hs_mls_psk_fold(struct hs_bytes psk, struct hs_bytes psk_id, uint16_t index, uint16_t count,
                            struct hs_secret32 *running)
{
    const struct hs_secret32 zeros = {0};
    struct hs_secret32 HS_SECRET extracted, HS_SECRET input, HS_SECRET before = *running;
    struct hs_writer HS_WRITER label = hs_writer(psk_id.len + 4);
    hs_write_bytes(&label, psk_id);
    hs_write_u16(&label, index);
    hs_write_u16(&label, count);
    HS_TRY(label.err);
    hs_hkdf_extract(HS_VIEW(zeros), psk, &extracted);
    HS_TRY(hs_mls_expand_label(HS_VIEW(extracted), "derived psk", hs_writer_bytes(&label), input.b,
                               sizeof input.b));
    hs_hkdf_extract(HS_VIEW(input), HS_VIEW(before), running);
    return HS_OK;
}

enum hs_err hs_mls_welcome_key(const struct hs_secret32 *welcome, struct hs_secret32 *key,
                               uint8_t nonce[static 12])
{
    HS_TRY(hs_mls_expand_label(HS_VIEW(*welcome), "key", (struct hs_bytes){0}, key->b, sizeof key->b));
    return hs_mls_expand_label(HS_VIEW(*welcome), "nonce", (struct hs_bytes){0}, nonce, 12);
}

enum hs_err hs_mls_confirmed_hash(struct hs_bytes interim_before, uint16_t wire_format,
                                  struct hs_bytes content, struct hs_bytes signature, struct hs_id *out)
{
    const uint8_t format[] = {(uint8_t)(wire_format >> 8), (uint8_t)wire_format};
    struct hs_writer HS_WRITER sig = hs_writer(signature.len + 8);
    hs_write_mls_vec(&sig, signature);
    HS_TRY(sig.err);
    struct hs_sha256 h;
    hs_sha256_init(&h);
    hs_sha256_update(&h, interim_before);
    hs_sha256_update(&h, hs_bytes(format, sizeof format));
    hs_sha256_update(&h, content);
    hs_sha256_update(&h, hs_writer_bytes(&sig));
    *out = hs_sha256_final(&h);
    return HS_OK;
}

enum hs_err hs_mls_interim_hash(struct hs_bytes confirmed, struct hs_bytes confirmation_tag,
                                struct hs_id *out)
{
    struct hs_writer HS_WRITER w = hs_writer(confirmed.len + confirmation_tag.len + 8);
    hs_write_bytes(&w, confirmed);
    hs_write_mls_vec(&w, confirmation_tag);
    HS_TRY(w.err);
    *out = hs_sha256(hs_writer_bytes(&w));
    return HS_OK;
}

void hs_mls_epoch_secrets_write(struct hs_writer *w, const struct hs_mls_epoch_secrets *secrets)
{
    hs_write_bytes(w, hs_bytes(secrets, sizeof *secrets));
}

void hs_mls_epoch_secrets_read(struct hs_reader *r, struct hs_mls_epoch_secrets *secrets)
{
    hs_read_fixed(r, (uint8_t *)secrets, sizeof *secrets);
}

/* The key schedule of one epoch (RFC 9420, 8). */
#ifndef HS_MLS_SCHEDULE_H
#define HS_MLS_SCHEDULE_H

#include "base/reader.h"
#include "base/writer.h"
#include "mls/event.h"
#include "mls/suite.h"

struct hs_mls_epoch_secrets {
    struct hs_mls_secret sender_data, encryption, exporter, external, confirmation, membership, resumption,
        authenticator, init;
};

#define HS_MLS_EPOCH_SECRETS HS_AUTO(hs_mls_epoch_secrets_wipe)
void hs_mls_epoch_secrets_wipe(struct hs_mls_epoch_secrets *secrets);

/* joiner_secret from the epoch before; context: the encoded GroupContext of the new epoch. */
enum hs_err hs_mls_joiner_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *init,
                                 const struct hs_mls_secret *commit, struct hs_bytes context,
                                 struct hs_mls_secret *joiner);

/* welcome_secret, and the epoch's secrets, from joiner_secret and psk_secret (NULL: no PSKs). Either result
 * may be NULL. */
enum hs_err hs_mls_welcome_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *joiner,
                                  const struct hs_mls_secret *psk, struct hs_mls_secret *welcome);
enum hs_err hs_mls_epoch_from_joiner(const struct hs_mls_suite *suite, const struct hs_mls_secret *joiner,
                                     const struct hs_mls_secret *psk, struct hs_bytes context,
                                     struct hs_mls_epoch_secrets *out);

/* All secrets of an epoch from its epoch_secret. */
enum hs_err hs_mls_epoch_from_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *epoch,
                                     struct hs_mls_epoch_secrets *out);

/* The key pair of external commits (RFC 9420, 8.3). */
enum hs_err hs_mls_external_keys(const struct hs_mls_suite *suite, const struct hs_mls_epoch_secrets *secrets,
                                 struct hs_mls_secret *priv, struct hs_mls_pub *pub);

/* MLS-Exporter (RFC 9420, 8.5). INVALID_ARG past 255 hashes. */
enum hs_err hs_mls_export(const struct hs_mls_suite *suite, const struct hs_mls_epoch_secrets *secrets,
                          const char *label, struct hs_bytes context, uint8_t *out, size_t out_len);

/* psk_secret (RFC 9420, 8.4) of PSKs in their order; zeros of the hash's length where there are none. secrets
 * are as many. TOO_LARGE past HS_MLS_MAX_PSKS, NOMEM. */
enum hs_err hs_mls_psk_secret(const struct hs_mls_suite *suite, const struct hs_mls_psk_id *ids,
                              const struct hs_bytes *secrets, size_t count, struct hs_mls_secret *out);

/* key and nonce that a Welcome's GroupInfo is encrypted with (RFC 9420, 12.4.3.1). */
enum hs_err hs_mls_welcome_key(const struct hs_mls_suite *suite, const struct hs_mls_secret *welcome,
                               uint8_t *key, uint8_t nonce[static 12]);

/* Transcript hashes (RFC 9420, 8.2). confirmed is over the interim hash before, and wire format,
 * FramedContent and signature of the commit; interim over confirmed and the confirmation tag. */
enum hs_err hs_mls_confirmed_hash(const struct hs_mls_suite *suite, struct hs_bytes interim_before,
                                  uint16_t wire_format, struct hs_bytes content, struct hs_bytes signature,
                                  struct hs_mls_hash *out);
enum hs_err hs_mls_interim_hash(const struct hs_mls_suite *suite, struct hs_bytes confirmed,
                                struct hs_bytes confirmation_tag, struct hs_mls_hash *out);

/* Each with its length; those that were wiped stay empty. MALFORMED. */
void hs_mls_epoch_secrets_write(struct hs_writer *w, const struct hs_mls_epoch_secrets *secrets);
void hs_mls_epoch_secrets_read(struct hs_reader *r, struct hs_mls_epoch_secrets *secrets);

#endif

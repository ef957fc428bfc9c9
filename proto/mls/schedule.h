/* The key schedule of one epoch (RFC 9420, 8). */
#ifndef HS_MLS_SCHEDULE_H
#define HS_MLS_SCHEDULE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/reader.h"
#include "base/secret.h"
#include "base/writer.h"

struct hs_mls_epoch_secrets {
    struct hs_secret32 sender_data, encryption, exporter, external, confirmation, membership, resumption,
        authenticator, init;
};

#define HS_MLS_EPOCH_SECRETS HS_AUTO(hs_mls_epoch_secrets_wipe)
void hs_mls_epoch_secrets_wipe(struct hs_mls_epoch_secrets *secrets);

/* joiner_secret from the epoch before; context: the encoded GroupContext of the new epoch. */
enum hs_err hs_mls_joiner_secret(const struct hs_secret32 *init, const struct hs_secret32 *commit,
                                 struct hs_bytes context, struct hs_secret32 *joiner);

/* welcome_secret, and the epoch's secrets, from joiner_secret and psk_secret (NULL: no PSKs). Either result
 * may be NULL. */
enum hs_err hs_mls_welcome_secret(const struct hs_secret32 *joiner, const struct hs_secret32 *psk,
                                  struct hs_secret32 *welcome);
enum hs_err hs_mls_epoch_from_joiner(const struct hs_secret32 *joiner, const struct hs_secret32 *psk,
                                     struct hs_bytes context, struct hs_mls_epoch_secrets *out);

/* All secrets of an epoch from its epoch_secret. */
enum hs_err hs_mls_epoch_from_secret(const struct hs_secret32 *epoch, struct hs_mls_epoch_secrets *out);

/* The key pair of external commits (RFC 9420, 8.3): its public key. */
void hs_mls_external_pub(const struct hs_mls_epoch_secrets *secrets, struct hs_key *pub);

/* MLS-Exporter (RFC 9420, 8.5). INVALID_ARG past 255*32 bytes. */
enum hs_err hs_mls_export(const struct hs_mls_epoch_secrets *secrets, const char *label,
                          struct hs_bytes context, uint8_t *out, size_t out_len);

/* One step of psk_secret (RFC 9420, 8.4): folds PSK index of count into the running secret, which starts as
 * zeros. psk_id is the encoded PreSharedKeyID. */
enum hs_err hs_mls_psk_fold(struct hs_bytes psk, struct hs_bytes psk_id, uint16_t index, uint16_t count,
                            struct hs_secret32 *running);

/* key and nonce that a Welcome's GroupInfo is encrypted with (RFC 9420, 12.4.3.1). */
enum hs_err hs_mls_welcome_key(const struct hs_secret32 *welcome, struct hs_secret32 *key,
                               uint8_t nonce[static 12]);

/* Transcript hashes (RFC 9420, 8.2). confirmed is over the interim hash before, and wire format,
 * FramedContent and signature of the commit; interim over confirmed and the confirmation tag. */
enum hs_err hs_mls_confirmed_hash(struct hs_bytes interim_before, uint16_t wire_format,
                                  struct hs_bytes content, struct hs_bytes signature, struct hs_id *out);
enum hs_err hs_mls_interim_hash(struct hs_bytes confirmed, struct hs_bytes confirmation_tag,
                                struct hs_id *out);

void hs_mls_epoch_secrets_write(struct hs_writer *w, const struct hs_mls_epoch_secrets *secrets);
void hs_mls_epoch_secrets_read(struct hs_reader *r, struct hs_mls_epoch_secrets *secrets);

#endif

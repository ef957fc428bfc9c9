/* HPKE (RFC 9180) in base mode over a provider's KEM, KDF and AEAD: single shot and export; and what KEMs are
 * made of. */
#ifndef HS_MLS_HPKE_H
#define HS_MLS_HPKE_H

#include "mls/provider.h"

/* The info of a key schedule as it enters it: hashed. */
struct hs_mls_hpke_info {
    struct hs_mls_hash psk_id_hash, info_hash;
};

/* info comes in parts, at most HS_MLS_HPKE_PARTS. */
enum { HS_MLS_HPKE_PARTS = 8 };
void hs_mls_hpke_info(const struct hs_mls_suite *suite, const struct hs_bytes *parts, size_t count,
                      struct hs_mls_hpke_info *out);

/* Base mode with empty associated data. enc has kem_enc_len bytes, out HS_MLS_TAG_LEN more, or fewer, than
 * the input. BAD_KEY, DECRYPT. */
enum hs_err hs_mls_hpke_seal(const struct hs_mls_suite *suite, struct hs_bytes to,
                             const struct hs_mls_hpke_info *info, struct hs_bytes plaintext, uint8_t *enc,
                             uint8_t *out);
enum hs_err hs_mls_hpke_open(const struct hs_mls_suite *suite, const struct hs_mls_secret *priv,
                             struct hs_bytes pub, struct hs_bytes enc, const struct hs_mls_hpke_info *info,
                             struct hs_bytes ciphertext, uint8_t *out);

/* Export with a secret of the hash's length (RFC 9180, 5.3). BAD_KEY; DECRYPT for an enc of another length.
 */
enum hs_err hs_mls_hpke_export_send(const struct hs_mls_suite *suite, struct hs_bytes to,
                                    const struct hs_mls_hpke_info *info, struct hs_bytes exporter_context,
                                    uint8_t *enc, struct hs_mls_secret *out);
enum hs_err hs_mls_hpke_export_open(const struct hs_mls_suite *suite, const struct hs_mls_secret *priv,
                                    struct hs_bytes pub, struct hs_bytes enc,
                                    const struct hs_mls_hpke_info *info, struct hs_bytes exporter_context,
                                    struct hs_mls_secret *out);

/* For a KEM whose KDF is the suite's (RFC 9180, 4.1). ExtractAndExpand of a DH result; DeriveKeyPair's secret
 * key bytes where each is a good key (X25519, X448). */
enum hs_err hs_mls_dhkem_secret(const struct hs_mls_suite *suite, struct hs_bytes dh, struct hs_bytes enc,
                                struct hs_bytes pub, struct hs_mls_secret *shared);
enum hs_err hs_mls_dhkem_derive(const struct hs_mls_suite *suite, struct hs_bytes ikm, size_t len,
                                struct hs_mls_secret *priv);

#endif

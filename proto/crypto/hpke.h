/* HPKE base mode (RFC 9180) for DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305: what MLS suite 3
 * asks for, single shot and export. */
#ifndef HS_CRYPTO_HPKE_H
#define HS_CRYPTO_HPKE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

enum { HS_HPKE_ENC_LEN = 32 };

/* SealBase: enc is the encapsulated key; out has plaintext.len + 16 bytes. BAD_KEY for a low-order key. */
enum hs_err hs_hpke_seal(const struct hs_key *to, struct hs_bytes info, struct hs_bytes aad,
                         struct hs_bytes plaintext, uint8_t enc[static HS_HPKE_ENC_LEN], uint8_t *out);

/* The info of a key schedule, hashed once for all whom something is sealed to: that of a Welcome is as long
 * as the group's tree. NOMEM. */
struct hs_hpke_info {
    struct hs_secret32 hash;
};
enum hs_err hs_hpke_info(struct hs_bytes info, struct hs_hpke_info *out);

/* SealBase with an info that was hashed before; otherwise as hs_hpke_seal(). */
enum hs_err hs_hpke_seal_info(const struct hs_key *to, const struct hs_hpke_info *info, struct hs_bytes aad,
                              struct hs_bytes plaintext, uint8_t enc[static HS_HPKE_ENC_LEN], uint8_t *out);

/* OpenBase: out has ciphertext.len - 16 bytes. DECRYPT or BAD_KEY. */
enum hs_err hs_hpke_open(const struct hs_secret32 *priv, const struct hs_key *pub, struct hs_bytes enc,
                         struct hs_bytes info, struct hs_bytes aad, struct hs_bytes ciphertext, uint8_t *out);

/* DeriveKeyPair (RFC 9180, 7.1.3) from at least 32 bytes of input. */
void hs_hpke_derive_keypair(struct hs_bytes ikm, struct hs_secret32 *priv, struct hs_key *pub);

/* SetupBaseS / SetupBaseR followed by Export of out_len bytes: for MLS external init (RFC 9420, 8.3). */
enum hs_err hs_hpke_export_sender(const struct hs_key *to, struct hs_bytes info,
                                  struct hs_bytes exporter_context, uint8_t enc[static HS_HPKE_ENC_LEN],
                                  uint8_t *out, size_t out_len);
enum hs_err hs_hpke_export_receiver(const struct hs_secret32 *priv, const struct hs_key *pub,
                                    struct hs_bytes enc, struct hs_bytes info,
                                    struct hs_bytes exporter_context, uint8_t *out, size_t out_len);

#endif

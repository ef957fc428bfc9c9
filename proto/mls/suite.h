/* The labelled primitives of RFC 9420, 5 for suite 0x0003
 * (MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519). Labels come without the "MLS 1.0 " prefix. */
#ifndef HS_MLS_SUITE_H
#define HS_MLS_SUITE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"
#include "crypto/hpke.h"
#include "crypto/sign.h"

enum { HS_MLS_VERSION_10 = 1, HS_MLS_SUITE = 3 };

/* ExpandWithLabel (RFC 9420, 8). INVALID_ARG past 255*32 bytes, NOMEM. */
enum hs_err hs_mls_expand_label(struct hs_bytes secret, const char *label, struct hs_bytes context,
                                uint8_t *out, size_t out_len);

/* DeriveSecret (RFC 9420, 8). out may be the secret itself. */
enum hs_err hs_mls_derive_secret(const struct hs_secret32 *secret, const char *label,
                                 struct hs_secret32 *out);

/* DeriveTreeSecret (RFC 9420, 9.1). */
enum hs_err hs_mls_derive_tree_secret(const struct hs_secret32 *secret, const char *label,
                                      uint32_t generation, uint8_t *out, size_t out_len);

/* SignWithLabel, VerifyWithLabel (RFC 9420, 5.1.2). BAD_SIGNATURE. */
enum hs_err hs_mls_sign(const struct hs_signer *signer, const char *label, struct hs_bytes content,
                        struct hs_sig *sig);
enum hs_err hs_mls_verify(const struct hs_key *key, const char *label, struct hs_bytes content,
                          struct hs_bytes sig);

/* EncryptWithLabel, DecryptWithLabel (RFC 9420, 5.1.3): kem has 32 bytes; out has 16 bytes more, or fewer,
 * than the input. BAD_KEY, DECRYPT. */
enum hs_err hs_mls_seal(const struct hs_key *to, const char *label, struct hs_bytes context,
                        struct hs_bytes plaintext, uint8_t kem[static 32], uint8_t *out);

/* The same for many: label and context are hashed once. */
enum hs_err hs_mls_seal_info(const char *label, struct hs_bytes context, struct hs_hpke_info *out);
enum hs_err hs_mls_seal_to(const struct hs_key *to, const struct hs_hpke_info *info,
                           struct hs_bytes plaintext, uint8_t kem[static 32], uint8_t *out);
enum hs_err hs_mls_open(const struct hs_secret32 *priv, const struct hs_key *pub, const char *label,
                        struct hs_bytes context, struct hs_bytes kem, struct hs_bytes ciphertext,
                        uint8_t *out);

/* RefHash (RFC 9420, 5.2); label in full. */
enum hs_err hs_mls_ref_hash(const char *label, struct hs_bytes value, struct hs_id *out);

/* BAD_KEY where the bytes are no X25519 key that HPKE could encrypt to: another length, or a point of low
 * order, which would make every later commit fail. */
enum hs_err hs_mls_hpke_key(struct hs_bytes in, struct hs_key *key);

#endif

/* The labelled primitives of RFC 9420, 5 and 8, over a crypto provider. Labels come without the "MLS 1.0 "
 * prefix. */
#ifndef HS_MLS_SUITE_H
#define HS_MLS_SUITE_H

#include "mls/hpke.h"
#include "mls/provider.h"

enum { HS_MLS_VERSION_10 = 1 };

/* Hash of one view, and HMAC as a tag; each also of parts, one after another. */
void hs_mls_hash(const struct hs_mls_suite *suite, struct hs_bytes in, struct hs_mls_hash *out);
void hs_mls_mac(const struct hs_mls_suite *suite, struct hs_bytes key, struct hs_bytes in,
                struct hs_mls_hash *out);

void hs_mls_hash_parts(const struct hs_mls_suite *suite, const struct hs_bytes *parts, size_t count,
                       struct hs_mls_hash *out);
void hs_mls_mac_parts(const struct hs_mls_suite *suite, struct hs_bytes key, const struct hs_bytes *parts,
                      size_t count, struct hs_mls_hash *out);

/* True, in constant time, where tag has the hash's length and is right. */
bool hs_mls_mac_verify(const struct hs_mls_suite *suite, struct hs_bytes key, struct hs_bytes in,
                       struct hs_bytes tag);

/* KDF.Extract and KDF.Expand. INVALID_ARG past 255 hashes. */
void hs_mls_extract(const struct hs_mls_suite *suite, struct hs_bytes salt, struct hs_bytes ikm,
                    struct hs_mls_secret *prk);
enum hs_err hs_mls_expand(const struct hs_mls_suite *suite, struct hs_bytes prk, struct hs_bytes info,
                          uint8_t *out, size_t out_len);

/* ExpandWithLabel (RFC 9420, 8). INVALID_ARG past 255 hashes, NOMEM. */
enum hs_err hs_mls_expand_label(const struct hs_mls_suite *suite, struct hs_bytes secret, const char *label,
                                struct hs_bytes context, uint8_t *out, size_t out_len);

/* The same into a secret of the hash's length. out may be the secret itself. */
enum hs_err hs_mls_expand_secret(const struct hs_mls_suite *suite, struct hs_bytes secret, const char *label,
                                 struct hs_bytes context, struct hs_mls_secret *out);

/* DeriveSecret (RFC 9420, 8). out may be the secret itself. */
enum hs_err hs_mls_derive_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *secret,
                                 const char *label, struct hs_mls_secret *out);

/* DeriveTreeSecret (RFC 9420, 9.1). */
enum hs_err hs_mls_derive_tree_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *secret,
                                      const char *label, uint32_t generation, uint8_t *out, size_t out_len);

/* A secret of the hash's length from the system's randomness; all zeros of that length. */
void hs_mls_secret_random(const struct hs_mls_suite *suite, struct hs_mls_secret *out);
void hs_mls_secret_zero(const struct hs_mls_suite *suite, struct hs_mls_secret *out);

/* A new HPKE key pair. */
enum hs_err hs_mls_kem_generate(const struct hs_mls_suite *suite, struct hs_mls_secret *priv,
                                struct hs_mls_pub *pub);

/* SignWithLabel, VerifyWithLabel (RFC 9420, 5.1.2). BAD_SIGNATURE. */
enum hs_err hs_mls_sign(const struct hs_mls_signer *signer, const char *label, struct hs_bytes content,
                        struct hs_mls_signature *sig);
enum hs_err hs_mls_verify(const struct hs_mls_suite *suite, struct hs_bytes key, const char *label,
                          struct hs_bytes content, struct hs_bytes sig);

/* The same over content in parts. */
enum hs_err hs_mls_sign_parts(const struct hs_mls_signer *signer, const char *label,
                              const struct hs_bytes *parts, size_t count, struct hs_mls_signature *sig);
enum hs_err hs_mls_verify_parts(const struct hs_mls_suite *suite, struct hs_bytes key, const char *label,
                                const struct hs_bytes *parts, size_t count, struct hs_bytes sig);

/* EncryptWithLabel, DecryptWithLabel (RFC 9420, 5.1.3): HPKE base mode, single shot. kem has kem_enc_len
 * bytes; out has HS_MLS_TAG_LEN bytes more, or fewer, than the input. BAD_KEY, DECRYPT. priv with its public
 * key. */
enum hs_err hs_mls_seal(const struct hs_mls_suite *suite, struct hs_bytes to, const char *label,
                        struct hs_bytes context, struct hs_bytes plaintext, uint8_t *kem, uint8_t *out);
enum hs_err hs_mls_open(const struct hs_mls_suite *suite, const struct hs_mls_secret *priv,
                        struct hs_bytes pub, const char *label, struct hs_bytes context, struct hs_bytes kem,
                        struct hs_bytes ciphertext, uint8_t *out);

/* Sealing to many: label and context are hashed once. */
struct hs_mls_seal_info {
    const struct hs_mls_suite *suite;
    struct hs_mls_hpke_info info;
};
enum hs_err hs_mls_seal_info(const struct hs_mls_suite *suite, const char *label, struct hs_bytes context,
                             struct hs_mls_seal_info *out);
enum hs_err hs_mls_seal_to(const struct hs_mls_seal_info *info, struct hs_bytes to, struct hs_bytes plaintext,
                           uint8_t *kem, uint8_t *out);

/* The init secret of an external commit (RFC 9420, 8.3): HPKE export with an empty info. BAD_KEY. */
enum hs_err hs_mls_external_init_send(const struct hs_mls_suite *suite, struct hs_bytes external_pub,
                                      uint8_t *kem, struct hs_mls_secret *init);
enum hs_err hs_mls_external_init_open(const struct hs_mls_suite *suite,
                                      const struct hs_mls_secret *external_priv, struct hs_bytes external_pub,
                                      struct hs_bytes kem, struct hs_mls_secret *init);

/* RefHash (RFC 9420, 5.2); label in full. */
enum hs_err hs_mls_ref_hash(const struct hs_mls_suite *suite, const char *label, struct hs_bytes value,
                            struct hs_mls_hash *out);

#endif

/* SHA-256, HMAC-SHA-256 and HKDF (RFC 5869; libsodium 1.0.18 has no HKDF of its own). */
#ifndef HS_CRYPTO_HASH_H
#define HS_CRYPTO_HASH_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

#include <sodium.h>

struct hs_sha256 {
    crypto_hash_sha256_state state;
};

void hs_sha256_init(struct hs_sha256 *h);
void hs_sha256_update(struct hs_sha256 *h, struct hs_bytes in);
struct hs_id hs_sha256_final(struct hs_sha256 *h);

/* SHA-256 of the bytes. */
struct hs_id hs_sha256(struct hs_bytes in);

/* SHA-256(label || 0x00 || in): every use of a hash in Hanse has its own label. */
struct hs_id hs_hash_labelled(const char *label, struct hs_bytes in);

/* HMAC-SHA-256; the key may have any length. */
void hs_hmac(struct hs_bytes key, struct hs_bytes in, uint8_t out[static 32]);

/* True, in constant time, where tag is 32 bytes long and right. */
bool hs_hmac_verify(struct hs_bytes key, struct hs_bytes in, struct hs_bytes tag);

/* HKDF-Extract (RFC 5869, 2.2). */
void hs_hkdf_extract(struct hs_bytes salt, struct hs_bytes ikm, struct hs_secret32 *prk);

/* HKDF-Expand (RFC 5869, 2.3): fills out; INVALID_ARG past 255*32 bytes. */
enum hs_err hs_hkdf_expand(struct hs_bytes prk, struct hs_bytes info, uint8_t *out, size_t out_len);

#endif

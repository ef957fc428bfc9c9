/* HKDF (RFC 5869) over a provider's HMAC, with inputs in parts, so that nothing is joined up to be hashed. */
#ifndef HS_MLS_KDF_H
#define HS_MLS_KDF_H

#include "mls/provider.h"

/* What a caller's list of parts has at most. */
enum { HS_MLS_KDF_PARTS = 24 };

/* prk has the hash's length; it may be where an input is. */
void hs_mls_kdf_extract(const struct hs_mls_suite *suite, struct hs_bytes salt, const struct hs_bytes *parts,
                        size_t count, uint8_t *prk);

/* INVALID_ARG past 255 hashes. out may be where an input is only if it has at most the hash's length. */
enum hs_err hs_mls_kdf_expand(const struct hs_mls_suite *suite, struct hs_bytes prk,
                              const struct hs_bytes *parts, size_t count, uint8_t *out, size_t out_len);

#endif

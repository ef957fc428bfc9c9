/* A struct hs_kv whose values are sealed on their way into another one: XChaCha20-Poly1305 with a random
 * nonce, the table and the key as associated data, so that no value can be put in another's place. Keys stay
 * as they are. */
#ifndef HS_STORE_SEALED_KV_H
#define HS_STORE_SEALED_KV_H

#include "base/kv.h"
#include "base/secret.h"

/* What a value grows by: nonce and tag. */
enum { HS_SEALED_OVERHEAD = 24 + 16 };

struct hs_sealed_kv {
    struct hs_kv kv;
    struct hs_kv *inner;
    const struct hs_secret32 *key;
};

/* Both inner and key must outlive it. A value that doesn't open is SEAL, which sticks. */
struct hs_sealed_kv hs_sealed_kv(struct hs_kv *inner, const struct hs_secret32 *key);

/* The sealing key, made of the caller's: HKDF-SHA256 with the label "hanse-store-v1". */
void hs_sealed_key(const uint8_t caller_key[static 32], struct hs_secret32 *out);

#endif

/* What this machine's libsodium must do right before anything relies on it. */
#ifndef HS_CRYPTO_SELFTEST_H
#define HS_CRYPTO_SELFTEST_H

#include "base/err.h"

/* Initialises libsodium and checks known answers: SHA-256, HMAC, HKDF, X25519, Ed25519, ChaCha20-Poly1305;
 * that altered signatures, non-canonical S and points outside the main subgroup are refused. SELFTEST on
 * failure. May be called any number of times, from any thread, before anything else of this library. */
enum hs_err hs_crypto_init(void);

#endif

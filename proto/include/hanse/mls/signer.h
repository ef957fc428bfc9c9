/* libhanse-mls: cipher suites and signers.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_SIGNER_H
#define HANSE_MLS_SIGNER_H

#include <hanse/mls/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Cipher suites (RFC 9420, 17.1). */
enum {
    HANSE_MLS_X25519_AES128GCM_SHA256_ED25519 = 0x0001, /* where the library was built with OpenSSL */
    HANSE_MLS_X25519_CHACHA20POLY1305_SHA256_ED25519 = 0x0003
};

/* The suites of this build, in order of preference: writes at most count of them, returns how many there are.
 */
HANSE_API size_t hanse_mls_suites(uint16_t *suites, size_t count);

/* The registry's name; NULL where this build doesn't have the suite. Static. */
HANSE_API const char *hanse_mls_suite_name(uint16_t suite);

/* What a member signs with: a signature key pair of one suite. */
struct hanse_mls_signer;

/* A new key pair. MLS_VERSION for a suite that this build lacks, SELFTEST. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_signer_generate(uint16_t suite,
                                                                   struct hanse_mls_signer **out);

/* From its private bytes (Ed25519: the 32-byte seed of RFC 8032), and back. The bytes are secret.
 * MLS_VERSION, INVALID_ARG for bytes that are no key, SELFTEST; UNSUPPORTED for a key that can't leave. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_signer_import(uint16_t suite, struct hanse_mls_bytes bytes,
                                                                 struct hanse_mls_signer **out);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_signer_export(const struct hanse_mls_signer *signer,
                                                                 struct hanse_mls_buf *bytes);

/* The public half, borrowed from the signer. */
HANSE_API struct hanse_mls_bytes hanse_mls_signer_public(const struct hanse_mls_signer *signer);
HANSE_API uint16_t hanse_mls_signer_suite(const struct hanse_mls_signer *signer);

HANSE_API void hanse_mls_signer_free(struct hanse_mls_signer *signer);

#ifdef __cplusplus
}
#endif

#endif

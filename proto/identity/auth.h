/* Authentication inside a session: a signature over the handshake's hash, because a public certificate alone
 * proves nothing. Signed is "hanse-auth-v1" || 0x00 || handshake hash. */
#ifndef HS_IDENTITY_AUTH_H
#define HS_IDENTITY_AUTH_H

#include "identity/certificate.h"
#include "identity/descriptor.h"

/* signer: the device's signature key, or the node's signing key. handshake_hash: 32 or 64 bytes. */
void hs_auth_sign(const struct hs_signer *signer, struct hs_bytes handshake_hash, struct hs_sig *out);

/* The device behind a session whose remote static key is remote_static. WRONG_PEER where the certificate is
 * for another transport key, BAD_SIGNATURE, errors of hs_certificate_verify(). */
enum hs_err hs_auth_verify_device(const Hanse__SignedObject *certificate, struct hs_bytes signature,
                                  struct hs_bytes handshake_hash, const struct hs_key *remote_static,
                                  struct hs_time now, struct hs_certificate *out);

/* The node behind a session: a peer node is its root, which out->root names (pinned NULL) or which must be
 * the pinned one. Its domain is a claim until something else confirms it. Errors as above. */
enum hs_err hs_auth_verify_node(const Hanse__SignedObject *descriptor, const struct hs_key *pinned,
                                struct hs_bytes signature, struct hs_bytes handshake_hash,
                                const struct hs_key *remote_static, struct hs_time now,
                                struct hs_descriptor *out);

#endif

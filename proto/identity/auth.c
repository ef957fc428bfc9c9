#include "identity/auth.h"

#include <string.h>

/* "hanse-auth-v1" with its NUL, and a hash of 32 or 64 bytes. */
struct signed_bytes {
    uint8_t b[sizeof "hanse-auth-v1" + 64];
    size_t len;
};

static struct signed_bytes signed_bytes(struct hs_bytes handshake_hash)
{
    HS_ASSERT(handshake_hash.len == 32 || handshake_hash.len == 64);
    struct signed_bytes out = {.len = sizeof "hanse-auth-v1" + handshake_hash.len};
    memcpy(out.b, "hanse-auth-v1", sizeof "hanse-auth-v1");
    memcpy(out.b + sizeof "hanse-auth-v1", handshake_hash.data, handshake_hash.len);
    return out;
}

void hs_auth_sign(const struct hs_signer *signer, struct hs_bytes handshake_hash, struct hs_sig *out)
{
    struct signed_bytes message = signed_bytes(handshake_hash);
    hs_sign(signer, hs_bytes(message.b, message.len), out);
}

static enum hs_err auth_verify(const struct hs_key *key, struct hs_bytes signature,
                               struct hs_bytes handshake_hash)
{
    struct signed_bytes message = signed_bytes(handshake_hash);
    return hs_verify(key, hs_bytes(message.b, message.len), signature);
}

enum hs_err hs_auth_verify_device(const Hanse__SignedObject *certificate, struct hs_bytes signature,
                                  struct hs_bytes handshake_hash, const struct hs_key *remote_static,
                                  struct hs_time now, struct hs_certificate *out)
{
    struct hs_certificate c;
    HS_TRY(hs_certificate_verify(certificate, now, &c));
    HS_REQUIRE(hs_key_equal(&c.transport_key, remote_static), HS_ERR_WRONG_PEER);
    HS_TRY(auth_verify(&c.signature_key, signature, handshake_hash));
    *out = c;
    return HS_OK;
}

enum hs_err hs_auth_verify_node(const Hanse__SignedObject *descriptor, const struct hs_key *pinned,
                                struct hs_bytes signature, struct hs_bytes handshake_hash,
                                const struct hs_key *remote_static, struct hs_time now,
                                struct hs_descriptor *out)
{
    struct hs_descriptor d;
    HS_TRY(hs_descriptor_verify(descriptor, pinned, now, &d));
    HS_REQUIRE(hs_key_equal(&d.transport_key, remote_static), HS_ERR_WRONG_PEER);
    HS_TRY(auth_verify(&d.signing_key, signature, handshake_hash));
    *out = d;
    return HS_OK;
}

#include "identity/certificate.h"

#include "identity/learn.h"
#include "identity/scratch.h"
#include "schema/identity.pb-c.h"

enum hs_err hs_certificate_build(const struct hs_signer *persona, const struct hs_certificate *c,
                                 struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_TRY(hs_sign_key_check(&c->signature_key));
    HS_REQUIRE(c->not_before.ms >= 0, HS_ERR_INVALID_ARG);
    Hanse__DeviceCertificate msg = HANSE__DEVICE_CERTIFICATE__INIT;
    msg.signature_key = hs_pb_data(HS_VIEW(c->signature_key));
    msg.transport_key = hs_pb_data(HS_VIEW(c->transport_key));
    msg.device_number = c->device_number;
    msg.not_before_ms = c->not_before.ms;
    struct hs_author author = {.signer = persona, .issuer = persona->pub, .now = now};
    return hs_object_make(HS_KIND_DEVICE_CERTIFICATE, &msg.base, &author,
                          &(struct hs_hdr_spec){.not_after = c->not_after}, arena, out);
}

static enum hs_err certificate_read(const Hanse__DeviceCertificate *msg, const struct hs_key *signer,
                                    struct hs_learned *learned, struct hs_certificate *out)
{
    struct hs_certificate c = {
        .persona = *signer,
        .device_number = msg->device_number,
        .created = hs_hdr_created(msg->hdr),
        .not_before = {msg->not_before_ms},
        .not_after = {msg->hdr->not_after_ms},
    };
    struct hs_key issuer = hs_hdr_issuer(msg->hdr);
    HS_REQUIRE(hs_key_equal(&issuer, signer), HS_ERR_WRONG_SIGNER);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->signature_key), &c.signature_key), HS_ERR_MALFORMED);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->transport_key), &c.transport_key), HS_ERR_MALFORMED);
    HS_REQUIRE(msg->not_before_ms >= 0, HS_ERR_MALFORMED);
    HS_TRY(hs_key_learn(learned, &c.signature_key));
    *out = c;
    return HS_OK;
}

enum hs_err hs_certificate_learn(const Hanse__SignedObject *obj, struct hs_learned *learned,
                                 struct hs_certificate *out)
{
    /* The persona is whoever signed: a key that is learned here, so its point is checked first. */
    struct hs_key signer;
    HS_REQUIRE(hs_object_claimed_signer(obj, 0, &signer), HS_ERR_MALFORMED);
    HS_TRY(hs_key_learn(learned, &signer));
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    Hanse__DeviceCertificate *msg;
    HS_TRY(HS_OBJECT_OPEN(hanse__device_certificate, obj, HS_KIND_DEVICE_CERTIFICATE, &signer, 1, &scratch,
                          &msg));
    return certificate_read(msg, &signer, learned, out);
}

enum hs_err hs_certificate_open(const Hanse__SignedObject *obj, struct hs_certificate *out)
{
    return hs_certificate_learn(obj, NULL, out);
}

enum hs_err hs_certificate_check_time(const struct hs_certificate *c, struct hs_time at)
{
    return hs_window_check(c->created, c->not_before, c->not_after, at);
}

enum hs_err hs_certificate_verify(const Hanse__SignedObject *obj, struct hs_time now,
                                  struct hs_certificate *out)
{
    struct hs_certificate c;
    HS_TRY(hs_certificate_open(obj, &c));
    HS_TRY(hs_certificate_check_time(&c, now));
    *out = c;
    return HS_OK;
}

#include "room/body.h"

enum hs_err hs_body_author_check(const struct hs_signer *device, const Hanse__SignedObject *certificate,
                                 struct hs_time now, struct hs_certificate *out)
{
    enum hs_err err = hs_certificate_verify(certificate, now, out);
    HS_REQUIRE(err == HS_OK || err == HS_ERR_NOMEM, HS_ERR_INVALID_ARG);
    HS_TRY(err);
    HS_REQUIRE(hs_key_equal(&out->signature_key, &device->pub), HS_ERR_INVALID_ARG);
    return HS_OK;
}

enum hs_err hs_body_open_by_device(const Hanse__SignedObject *obj, enum hs_kind kind,
                                   const Hanse__SignedObject *certificate, struct hs_time at,
                                   struct hs_arena *arena, struct hs_certificate *out,
                                   ProtobufCMessage **payload)
{
    HS_TRY(hs_certificate_open(certificate, out));
    HS_TRY(hs_object_open(obj, kind, &out->signature_key, 1, arena, payload));
    const Hanse__Hdr *hdr = hs_hdr_of(*payload);
    struct hs_key issuer = hs_hdr_issuer(hdr);
    HS_REQUIRE(hs_key_equal(&issuer, &out->persona), HS_ERR_WRONG_SIGNER);
    HS_TRY(hs_window_check(hs_hdr_created(hdr), (struct hs_time){0}, (struct hs_time){0}, at));
    return hs_certificate_check_time(out, hs_hdr_created(hdr));
}

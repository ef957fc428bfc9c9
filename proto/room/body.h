/* What the bodies of GENESIS, INVITE and JOIN records have in common: a statement that a device signed,
 * beside the certificate of that device. For this stage only. */
#ifndef HS_ROOM_BODY_H
#define HS_ROOM_BODY_H

#include "identity/certificate.h"

enum {
    HS_BODY_MAX = 49152,    /* a signed object and a certificate, or a proof and a key package */
    HS_BODY_ARENA = 1 << 20 /* a body unpacked, and the payloads of its objects */
};

/* Before signing: the certificate must be for this device and hold now, else INVALID_ARG. NOMEM. */
enum hs_err hs_body_author_check(const struct hs_signer *device, const Hanse__SignedObject *certificate,
                                 struct hs_time now, struct hs_certificate *out);

/* Opens an object that the certificate's device signed, in the name of the certificate's persona, while the
 * certificate held. The object isn't from the future (as seen at that time); its end isn't looked at.
 * WRONG_SIGNER, NOT_YET, EXPIRED (the certificate); errors of hs_certificate_open() and hs_object_open(). */
enum hs_err hs_body_open_by_device(const Hanse__SignedObject *obj, enum hs_kind kind,
                                   const Hanse__SignedObject *certificate, struct hs_time at,
                                   struct hs_arena *arena, struct hs_certificate *out,
                                   ProtobufCMessage **payload);

#endif

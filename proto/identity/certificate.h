/* Device certificates: a persona (or public identity) says that a device acts for it. */
#ifndef HS_IDENTITY_CERTIFICATE_H
#define HS_IDENTITY_CERTIFICATE_H

#include "object/object.h"

struct hs_certificate {
    struct hs_key persona; /* or public identity: who signed it */
    struct hs_key signature_key, transport_key;
    uint32_t device_number;
    struct hs_time created, not_before, not_after; /* not_after 0 = no end */
};

/* Signs a certificate; of *c the keys, number, not_before and not_after are taken. BAD_KEY for a signature
 * key that isn't a point of the main subgroup, INVALID_ARG, NOMEM. */
enum hs_err hs_certificate_build(const struct hs_signer *persona, const struct hs_certificate *c,
                                 struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out);

/* Everything but time: for what was signed in the past. The keys in it have passed hs_sign_key_check().
 * Errors of hs_object_open(), WRONG_SIGNER where the issuer isn't the signer, BAD_KEY, MALFORMED. */
enum hs_err hs_certificate_open(const Hanse__SignedObject *obj, struct hs_certificate *out);

/* The same and its window at now: also NOT_YET, EXPIRED. */
enum hs_err hs_certificate_verify(const Hanse__SignedObject *obj, struct hs_time now,
                                  struct hs_certificate *out);

/* NOT_YET or EXPIRED where it doesn't hold at that time. */
enum hs_err hs_certificate_check_time(const struct hs_certificate *c, struct hs_time at);

#endif

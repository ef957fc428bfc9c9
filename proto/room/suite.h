/* The cipher suite of rooms: one for all, so that everybody can be added anywhere. */
#ifndef HS_ROOM_SUITE_H
#define HS_ROOM_SUITE_H

#include "crypto/sign.h"
#include "mls/public.h"

/* MLS_VERSION where it isn't the rooms'. */
static inline enum hs_err hs_room_suite_check(const struct hs_mls_suite *suite)
{
    return suite->id == hs_mls_suite_3.id ? HS_OK : HS_ERR_MLS_VERSION;
}

/* What a device signs with in rooms: to be wiped (HS_MLS_SIGNER). */
static inline struct hs_mls_signer hs_room_signer(const struct hs_signer *device)
{
    return hs_mls_signer_ed25519(&hs_mls_suite_3, device);
}

#endif

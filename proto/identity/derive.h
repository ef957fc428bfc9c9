/* Keys from secrets: one persona for each brand, one pair of device keys for each persona, so that two brands
 * can't tell that they have the same customer. */
#ifndef HS_IDENTITY_DERIVE_H
#define HS_IDENTITY_DERIVE_H

#include "base/secret.h"
#include "crypto/sign.h"

/* The persona key that the user with this seed shows to the brand with this first root key:
 * Ed25519 from HKDF-SHA256(seed, "hanse-persona-v1" || root). */
void hs_persona_derive(const struct hs_secret32 *seed, const struct hs_key *brand_root,
                       struct hs_signer *out);

/* A public identity: the seed is the Ed25519 seed itself. */
void hs_identity_derive(const struct hs_secret32 *seed, struct hs_signer *out);

/* One device's keys for one persona. */
struct hs_device_keys {
    struct hs_signer signature;   /* MLS leaf, signed objects, authentication */
    struct hs_secret32 transport; /* X25519: Noise static key */
    struct hs_key transport_pub;
};

#define HS_DEVICE_KEYS HS_AUTO(hs_device_keys_wipe)

/* HKDF-SHA256(device secret, "hanse-device-signature-v1" or "hanse-device-transport-v1" || persona). */
void hs_device_keys_derive(const struct hs_secret32 *device_secret, const struct hs_key *persona,
                           struct hs_device_keys *out);
void hs_device_keys_wipe(struct hs_device_keys *keys);

#endif

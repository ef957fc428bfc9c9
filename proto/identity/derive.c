#include "identity/derive.h"

#include "crypto/dh.h"
#include "crypto/hash.h"

#include <string.h>

/* HKDF-SHA256 without salt, info = label || key. */
static void derive(const struct hs_secret32 *secret, const char *label, const struct hs_key *key,
                   struct hs_secret32 *out)
{
    uint8_t info[64 + HS_KEY_LEN];
    size_t len = strlen(label);
    HS_ASSERT(len <= 64);
    memcpy(info, label, len);
    memcpy(info + len, key->b, sizeof key->b);
    struct hs_secret32 HS_SECRET prk = {0};
    hs_hkdf_extract((struct hs_bytes){0}, HS_VIEW(*secret), &prk);
    enum hs_err err =
        hs_hkdf_expand(HS_VIEW(prk), hs_bytes(info, len + sizeof key->b), out->b, sizeof out->b);
    HS_ASSERT(err == HS_OK);
}

void hs_persona_derive(const struct hs_secret32 *seed, const struct hs_key *brand_root, struct hs_signer *out)
{
    struct hs_secret32 HS_SECRET persona = {0};
    derive(seed, "hanse-persona-v1", brand_root, &persona);
    hs_signer_init(out, &persona);
}

void hs_identity_derive(const struct hs_secret32 *seed, struct hs_signer *out)
{
    hs_signer_init(out, seed);
}

void hs_device_keys_derive(const struct hs_secret32 *device_secret, const struct hs_key *persona,
                           struct hs_device_keys *out)
{
    struct hs_secret32 HS_SECRET signature = {0};
    derive(device_secret, "hanse-device-signature-v1", persona, &signature);
    hs_signer_init(&out->signature, &signature);
    derive(device_secret, "hanse-device-transport-v1", persona, &out->transport);
    hs_dh_public(&out->transport, &out->transport_pub);
}

void hs_device_keys_wipe(struct hs_device_keys *keys)
{
    hs_wipe(keys, sizeof *keys);
}

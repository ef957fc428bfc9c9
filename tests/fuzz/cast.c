#include "fuzz/cast.h"

#include "crypto/dh.h"
#include "crypto/hash.h"
#include "fuzz/fuzz.h"
#include "room/invite_link.h"

#include <stdio.h>

const uint8_t cast_invite_seed[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

struct hs_time cast_at(int64_t offset_ms)
{
    return (struct hs_time){CAST_NOW_MS + offset_ms};
}

/* A secret that everybody may know. */
static struct hs_secret32 secret_of(enum cast_member who)
{
    uint8_t number = (uint8_t)who;
    struct hs_id hash = hs_hash_labelled("hanse-fuzz-cast", hs_bytes(&number, 1));
    struct hs_secret32 out;
    memcpy(out.b, hash.b, sizeof out.b);
    return out;
}

const struct hs_signer *cast(enum cast_member who)
{
    static struct hs_signer all[CAST_COUNT];
    static bool made;
    if (!made) {
        for (unsigned i = 0; i < CAST_COUNT; i++) {
            struct hs_secret32 seed = secret_of((enum cast_member)i);
            hs_signer_init(&all[i], &seed);
        }
        hs_invite_signer(cast_invite_seed, &all[CAST_INVITE]);
        made = true;
    }
    return &all[who];
}

const struct hs_signer *cast_by_key(const struct hs_key *key)
{
    for (unsigned i = 0; i < CAST_COUNT; i++)
        if (hs_key_equal(&cast((enum cast_member)i)->pub, key))
            return cast((enum cast_member)i);
    return NULL;
}

struct hs_key cast_transport(enum cast_member who)
{
    struct hs_secret32 priv = secret_of(who);
    struct hs_key pub;
    hs_dh_public(&priv, &pub);
    return pub;
}

Hanse__SignedObject *cast_certificate(struct hs_arena *arena, enum cast_member persona,
                                      enum cast_member device)
{
    struct hs_certificate c = {.signature_key = cast(device)->pub,
                               .transport_key = cast_transport(device),
                               .device_number = 1,
                               .not_before = cast_at(-CAST_DAY_MS),
                               .not_after = cast_at(365 * CAST_DAY_MS)};
    Hanse__SignedObject *out;
    FUZZ_OK(hs_certificate_build(cast(persona), &c, cast_at(-CAST_DAY_MS), arena, &out));
    return out;
}

Hanse__SignedObject *cast_grant(struct hs_arena *arena, enum cast_member persona, Hanse__Role role)
{
    struct hs_grant g = {.key = cast(persona)->pub,
                         .role = role,
                         .not_before = cast_at(-CAST_DAY_MS),
                         .not_after = cast_at(365 * CAST_DAY_MS)};
    Hanse__SignedObject *out;
    FUZZ_OK(hs_grant_build(cast(CAST_ROOT), &g, cast_at(-CAST_DAY_MS), arena, &out));
    return out;
}

Hanse__SignedObject *cast_handle(struct hs_arena *arena, enum cast_member persona, const char *name)
{
    struct hs_handle_grant g = {.key = cast(persona)->pub, .not_after = cast_at(365 * CAST_DAY_MS)};
    (void)snprintf(g.name, sizeof g.name, "%s", name);
    (void)snprintf(g.domain, sizeof g.domain, "%s", CAST_DOMAIN);
    Hanse__SignedObject *out;
    FUZZ_OK(hs_handle_grant_build(cast(CAST_ROOT), &g, cast_at(-CAST_DAY_MS), arena, &out));
    return out;
}

Hanse__SignedObject *cast_descriptor(struct hs_arena *arena)
{
    struct hs_descriptor d = {.signing_key = cast(CAST_NODE)->pub,
                              .transport_key = cast_transport(CAST_NODE),
                              .domain = CAST_DOMAIN,
                              .addresses = {"rosa.example:7300", "[2001:db8::1]:7300"},
                              .address_count = 2,
                              .sequence = 1,
                              .not_after = cast_at(365 * CAST_DAY_MS)};
    Hanse__SignedObject *out;
    FUZZ_OK(hs_descriptor_build(cast(CAST_ROOT), &d, cast_at(-CAST_DAY_MS), arena, &out));
    return out;
}

struct hs_author cast_author(enum cast_member persona, enum cast_member device)
{
    return (struct hs_author){.signer = cast(device), .issuer = cast(persona)->pub, .now = cast_at(0)};
}

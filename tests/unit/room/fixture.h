/* A brand with its root, and people with personas, devices, certificates and key packages: what rooms are
 * made of. */
#ifndef TESTS_UNIT_ROOM_FIXTURE_H
#define TESTS_UNIT_ROOM_FIXTURE_H

#include "support/test.h"

#include <stdio.h>

#include "crypto/hash.h"
#include "crypto/selftest.h"
#include "identity/credential.h"
#include "mls/key_package.h"
#include "room/genesis.h"
#include "room/invite.h"
#include "room/invite_link.h"
#include "room/join.h"
#include "room/package.h"
#include "room/policy.h"
#include "room/suite.h"

enum { T0 = 1700000000 }; /* seconds: when the stories begin */

/* Where everything lives that a test makes; made by setup(), freed by teardown(). */
static struct hs_arena arena;

static const struct hs_time now = {T0 * 1000LL};
static const int64_t day_ms = 86400000;

static inline struct hs_time later(int64_t ms)
{
    return (struct hs_time){now.ms + ms};
}

/* Keys by name: the same in every run. */
static inline struct hs_signer signer_of(const char *name)
{
    struct hs_id seed = hs_hash_labelled("test", hs_bytes_str(name));
    struct hs_secret32 secret;
    memcpy(secret.b, seed.b, sizeof secret.b);
    struct hs_signer signer;
    hs_signer_init(&signer, &secret);
    return signer;
}

static inline struct hs_key key_of(const char *name)
{
    return signer_of(name).pub;
}

static inline struct hs_id id_of(const char *name)
{
    return hs_hash_labelled("test", hs_bytes_str(name));
}

struct person {
    struct hs_signer persona, device;
    Hanse__SignedObject *certificate;
    struct hs_bytes identity, key_package;
    struct hs_mls_key_package_facts facts;
    struct hs_mls_signer mls; /* the device's signature key */
    struct hs_mls_member leaf;
};

static inline Hanse__SignedObject *certificate_make(const struct hs_signer *persona,
                                                    const struct hs_signer *device, struct hs_time from,
                                                    struct hs_time until)
{
    struct hs_certificate c = {.signature_key = device->pub,
                               .transport_key = key_of("transport"),
                               .device_number = 1,
                               .not_before = from,
                               .not_after = until};
    Hanse__SignedObject *out = NULL;
    assert_ok(hs_certificate_build(persona, &c, from, &arena, &out));
    return out;
}

static inline Hanse__SignedObject *handle_make(const struct hs_signer *root, const struct hs_key *key,
                                               const char *name)
{
    struct hs_handle_grant g = {.key = *key, .domain = "rosa.example", .not_after = later(300 * day_ms)};
    strncpy(g.name, name, sizeof g.name - 1);
    Hanse__SignedObject *out = NULL;
    assert_ok(hs_handle_grant_build(root, &g, now, &arena, &out));
    return out;
}

static inline struct hs_bytes key_package_make(const struct hs_signer *device, struct hs_bytes identity)
{
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    const uint16_t types[] = {HS_POLICY_EXTENSION};
    struct hs_mls_signer signer = hs_room_signer(device);
    struct hs_mls_leaf_params params = {.signer = &signer,
                                        .identity = identity,
                                        .not_before = T0 - 3600,
                                        .not_after = T0 + 84 * 86400,
                                        .extension_types = types,
                                        .extension_type_count = 1};
    struct hs_writer HS_WRITER w = hs_writer(65536);
    assert_ok(hs_mls_key_package_new(&params, false, &w, &priv));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

/* A leaf as a tree would have it. */
static inline struct hs_mls_member leaf_make(struct hs_bytes identity, const struct hs_key *signature_key)
{
    return (struct hs_mls_member){.credential_type = HS_MLS_BASIC,
                                  .identity = identity,
                                  .signature_key = hs_arena_copy(&arena, HS_VIEW(*signature_key))};
}

/* handle NULL: a plain customer. */
static inline struct person person_make(const char *name, const char *handle)
{
    char device_name[64];
    (void)snprintf(device_name, sizeof device_name, "%s's phone", name);
    struct person p = {.persona = signer_of(name), .device = signer_of(device_name)};
    p.certificate = certificate_make(&p.persona, &p.device, now, later(200 * day_ms));
    struct hs_signer root = signer_of("root");
    Hanse__SignedObject *grants[1] = {NULL};
    if (handle != NULL)
        grants[0] = handle_make(&root, &p.persona.pub, handle);
    assert_ok(hs_credential_pack(p.certificate, grants, handle != NULL, name, &arena, &p.identity));
    p.mls = hs_room_signer(&p.device);
    p.leaf = leaf_make(p.identity, &p.device.pub);
    p.key_package = key_package_make(&p.device, p.identity);
    assert_ok(hs_mls_key_package_check(p.key_package, T0, &p.facts));
    return p;
}

/* A group whose owner is owner. */
static inline struct hs_policy policy_make(const struct hs_key *owner, enum hs_room_kind kind)
{
    struct hs_policy_role *role = hs_arena_alloc(&arena, sizeof *role);
    assert_non_null(role);
    *role = (struct hs_policy_role){.key = *owner, .role = HS_ROOM_OWNER};
    return (struct hs_policy){.name = hs_bytes_str("Rosa's bakery"),
                              .kind = kind,
                              .roles = role,
                              .role_count = 1,
                              .max_members = 500,
                              .hub_root = key_of("root"),
                              .hub_term = 1};
}

static inline struct hs_policy with_role(struct hs_policy policy, const struct hs_key *key,
                                         enum hs_room_role role, int64_t until)
{
    struct hs_policy_role entry = {.key = *key, .role = role, .until = {until}};
    struct hs_policy out;
    assert_ok(hs_policy_set_role(&policy, &entry, &arena, &out));
    return out;
}

static inline struct hs_policy with_ban(struct hs_policy policy, const struct hs_key *key)
{
    struct hs_policy out;
    assert_ok(hs_policy_set_banned(&policy, key, true, &arena, &out));
    return out;
}

static inline struct hs_policy with_revoked(struct hs_policy policy, const struct hs_key *device)
{
    struct hs_policy out;
    assert_ok(hs_policy_set_revoked(&policy, device, true, &arena, &out));
    return out;
}

static int setup(void **state)
{
    (void)state;
    arena = hs_arena(256 << 20);
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    hs_arena_free(&arena);
    return 0;
}

/* A copy of bytes that a test may alter. */
static inline uint8_t *bytes_copy(struct hs_bytes bytes)
{
    struct hs_bytes copy = hs_arena_copy(&arena, bytes);
    assert_non_null(copy.data);
    return (uint8_t *)(uintptr_t)copy.data;
}

#endif

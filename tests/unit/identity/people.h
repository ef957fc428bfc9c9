/* Who appears in the tests of identity: keys from fixed seeds, and short builders. */
#ifndef TESTS_UNIT_IDENTITY_PEOPLE_H
#define TESTS_UNIT_IDENTITY_PEOPLE_H

#include "crypto/selftest.h"
#include "identity/certificate.h"
#include "identity/derive.h"
#include "identity/descriptor.h"
#include "identity/grant.h"
#include "support/test.h"

#include <stdio.h>

#define HOUR ((int64_t)3600 * 1000)
static const struct hs_time now = {1700000000000};

struct people {
    struct hs_arena arena;
    struct hs_signer root, other_root, node, shop,
        customer;                      /* shop: a public identity; customer: a persona */
    struct hs_device_keys till, phone; /* of shop, of customer */
};

static inline struct hs_time at(int64_t offset)
{
    return (struct hs_time){now.ms + offset};
}

static inline struct hs_signer signer_of(uint8_t number)
{
    struct hs_secret32 seed = {{number}};
    struct hs_signer signer;
    hs_identity_derive(&seed, &signer);
    return signer;
}

static inline void people_init(struct people *p)
{
    assert_ok(hs_crypto_init());
    *p = (struct people){.arena = hs_arena(16 << 20),
                         .root = signer_of(1),
                         .other_root = signer_of(2),
                         .node = signer_of(3),
                         .shop = signer_of(4),
                         .customer = signer_of(5)};
    struct hs_secret32 till = {{6}}, phone = {{7}};
    hs_device_keys_derive(&till, &p->shop.pub, &p->till);
    hs_device_keys_derive(&phone, &p->customer.pub, &p->phone);
}

static inline Hanse__SignedObject *certify(struct people *p, const struct hs_signer *persona,
                                           const struct hs_device_keys *device, struct hs_time not_before,
                                           struct hs_time not_after)
{
    struct hs_certificate c = {.signature_key = device->signature.pub,
                               .transport_key = device->transport_pub,
                               .device_number = 1,
                               .not_before = not_before,
                               .not_after = not_after};
    Hanse__SignedObject *obj;
    assert_ok(hs_certificate_build(persona, &c, now, &p->arena, &obj));
    return obj;
}

static inline Hanse__SignedObject *grant(struct people *p, const struct hs_signer *root,
                                         const struct hs_key *key, Hanse__Role role,
                                         struct hs_time not_before, struct hs_time not_after)
{
    struct hs_grant g = {.key = *key, .role = role, .not_before = not_before, .not_after = not_after};
    Hanse__SignedObject *obj;
    assert_ok(hs_grant_build(root, &g, now, &p->arena, &obj));
    return obj;
}

static inline Hanse__SignedObject *name_grant(struct people *p, const struct hs_signer *root,
                                              const struct hs_key *key, const char *name, const char *domain)
{
    struct hs_handle_grant g = {.key = *key, .not_after = at(HOUR)};
    snprintf(g.name, sizeof g.name, "%s", name);
    snprintf(g.domain, sizeof g.domain, "%s", domain);
    Hanse__SignedObject *obj;
    assert_ok(hs_handle_grant_build(root, &g, now, &p->arena, &obj));
    return obj;
}

static inline struct hs_descriptor descriptor_draft(const struct people *p)
{
    struct hs_descriptor d = {.signing_key = p->node.pub,
                              .transport_key = p->till.transport_pub,
                              .domain = "rosa.example",
                              .addresses = {"rosa.example:7300", "[2001:db8::1]:7300"},
                              .address_count = 2,
                              .sequence = 1,
                              .not_after = at(HOUR)};
    return d;
}

static inline Hanse__SignedObject *describe(struct people *p, const struct hs_signer *root)
{
    struct hs_descriptor d = descriptor_draft(p);
    Hanse__SignedObject *obj;
    assert_ok(hs_descriptor_build(root, &d, now, &p->arena, &obj));
    return obj;
}

#endif

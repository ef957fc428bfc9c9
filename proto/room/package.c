#include "room/package.h"

#include "mls/key_package.h"
#include "room/suite.h"

static enum hs_err package_read(struct hs_bytes key_package, const struct hs_key *hub_root, struct hs_time at,
                                struct hs_room_package *out)
{
    struct hs_mls_key_package_facts facts = {0};
    HS_REQUIRE(at.ms >= 0, HS_ERR_INVALID_ARG);
    HS_TRY(hs_mls_key_package_check(key_package, (uint64_t)at.ms / 1000, &facts));
    HS_TRY(hs_room_suite_check(facts.suite));
    HS_REQUIRE(facts.not_after - facts.not_before <= HS_ROOM_PACKAGE_LIFETIME_MAX, HS_ERR_MLS_KEY_PACKAGE);
    const struct hs_mls_member leaf = {.credential_type = facts.credential_type,
                                       .identity = facts.identity,
                                       .signature_key = facts.signature_key,
                                       .extensions = facts.extensions};
    HS_REQUIRE(HS_FIXED(HS_MLS_VIEW(facts.ref), &out->ref), HS_ERR_MLS_VERSION);
    return hs_room_leaf_check(&leaf, hub_root, at, &out->member);
}

enum hs_err hs_room_package_check(struct hs_bytes key_package, const struct hs_key *hub_root,
                                  struct hs_time at, struct hs_room_package *out)
{
    *out = (struct hs_room_package){0};
    struct hs_room_package read = {0};
    HS_TRY(package_read(key_package, hub_root, at, &read));
    *out = read;
    return HS_OK;
}

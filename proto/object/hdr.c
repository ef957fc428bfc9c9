#include "object/hdr.h"

#include <sodium.h>

static bool fixed_or_empty(size_t len)
{
    return len == 0 || len == HS_HASH_LEN;
}

enum hs_err hs_hdr_new(struct hs_arena *arena, const struct hs_key *issuer, struct hs_time now,
                       const struct hs_hdr_spec *spec, const uint8_t *nonce, Hanse__Hdr **out)
{
    *out = NULL;
    uint8_t fresh[HS_NONCE_LEN];
    if (nonce == NULL)
        randombytes_buf(fresh, sizeof fresh);
    Hanse__Hdr *hdr = hs_arena_alloc(arena, sizeof *hdr);
    HS_REQUIRE(hdr != NULL, HS_ERR_NOMEM);
    hanse__hdr__init(hdr);
    hdr->issuer_key = hs_pb_data(hs_arena_copy(arena, HS_VIEW(*issuer)));
    hdr->nonce = hs_pb_data(hs_arena_copy(arena, hs_bytes(nonce == NULL ? fresh : nonce, HS_NONCE_LEN)));
    hdr->audience = hs_pb_data(hs_arena_copy(arena, spec->audience));
    hdr->prev = hs_pb_data(hs_arena_copy(arena, spec->prev));
    hdr->created_ms = now.ms;
    hdr->not_after_ms = spec->not_after.ms;
    HS_REQUIRE(hdr->issuer_key.len == HS_KEY_LEN && hdr->nonce.len == HS_NONCE_LEN &&
                   hdr->audience.len == spec->audience.len && hdr->prev.len == spec->prev.len,
               HS_ERR_NOMEM);
    HS_REQUIRE(hs_hdr_check(hdr) == HS_OK, HS_ERR_INVALID_ARG);
    *out = hdr;
    return HS_OK;
}

enum hs_err hs_hdr_check(const Hanse__Hdr *hdr)
{
    HS_REQUIRE(hdr != NULL, HS_ERR_MALFORMED);
    HS_REQUIRE(hdr->issuer_key.len == HS_KEY_LEN && hdr->nonce.len == HS_NONCE_LEN, HS_ERR_MALFORMED);
    HS_REQUIRE(fixed_or_empty(hdr->audience.len) && fixed_or_empty(hdr->prev.len), HS_ERR_MALFORMED);
    HS_REQUIRE(hdr->created_ms >= 0 && hdr->not_after_ms >= 0, HS_ERR_MALFORMED);
    return HS_OK;
}

/* Every payload of the table begins with Hdr hdr = 1: the tests look at each descriptor. */
const Hanse__Hdr *hs_hdr_of(const ProtobufCMessage *payload)
{
    const Hanse__Hdr *hdr;
    memcpy(&hdr, (const uint8_t *)payload + payload->descriptor->fields[0].offset, sizeof hdr);
    return hdr;
}

struct hs_key hs_hdr_issuer(const Hanse__Hdr *hdr)
{
    struct hs_key key;
    HS_ASSERT(HS_FIXED(hs_pb_bytes(hdr->issuer_key), &key));
    return key;
}

bool hs_hdr_is_for(const Hanse__Hdr *hdr, const struct hs_key *audience)
{
    return hs_bytes_equal(hs_pb_bytes(hdr->audience), HS_VIEW(*audience));
}

enum hs_err hs_window_check(struct hs_time created, struct hs_time not_before, struct hs_time not_after,
                            struct hs_time now)
{
    /* Without a sum: foreign times may be anything up to 2^63 - 1. */
    HS_REQUIRE(created.ms <= now.ms || created.ms - now.ms <= HS_CLOCK_SKEW_MS, HS_ERR_NOT_YET);
    HS_REQUIRE(not_before.ms <= now.ms, HS_ERR_NOT_YET);
    HS_REQUIRE(not_after.ms == 0 || now.ms < not_after.ms, HS_ERR_EXPIRED);
    return HS_OK;
}

enum hs_err hs_hdr_window(const Hanse__Hdr *hdr, int64_t not_before_ms, struct hs_time now)
{
    return hs_window_check(hs_hdr_created(hdr), (struct hs_time){not_before_ms},
                           (struct hs_time){hdr->not_after_ms}, now);
}

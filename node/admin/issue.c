#include "admin/issue.h"

#include "base/text.h"
#include "identity/chain.h"
#include "identity/derive.h"

#include <sodium.h>

static const char grants_prefix[] = "hanse:g/";

static enum hs_err make_grants(const struct hs_site *site, const struct hs_signer *root,
                               const struct hs_key *key, const struct hs_standing *s, struct hs_time now,
                               struct hs_arena *arena, Hanse__SignedObject *out[static HS_TICKET_GRANTS],
                               size_t *count)
{
    HS_REQUIRE(s->role_count <= HS_ISSUE_ROLES, HS_ERR_INVALID_ARG);
    *count = 0;
    for (size_t i = 0; i < s->role_count; i++) {
        /* Good from its making on, give or take the clocks' skew: no not_before, which would know none. */
        struct hs_grant grant = {.key = *key, .role = s->roles[i], .not_after = s->not_after};
        HS_TRY(hs_grant_build(root, &grant, now, arena, &out[(*count)++]));
    }
    if (s->handle == NULL)
        return HS_OK;
    struct hs_handle_grant handle = {.key = *key, .not_after = s->not_after};
    HS_REQUIRE(strlen(s->handle) < sizeof handle.name, HS_ERR_NAME_REFUSED);
    strcpy(handle.name, s->handle);
    memcpy(handle.domain, site->descriptor.domain, sizeof handle.domain);
    return hs_handle_grant_build(root, &handle, now, arena, &out[(*count)++]);
}

enum hs_err hs_issue_ticket(const struct hs_site *site, const struct hs_signer *root,
                            const struct hs_standing *standing, uint32_t max_uses, struct hs_time now,
                            struct hs_time not_after, struct hs_arena *arena, char **out)
{
    struct hs_secret32 HS_SECRET seed = {0};
    struct hs_signer HS_SIGNER identity = {0};
    Hanse__SignedObject *grants[HS_TICKET_GRANTS], *ticket = NULL;
    size_t count = 0;
    randombytes_buf(seed.b, sizeof seed.b);
    hs_identity_derive(&seed, &identity);
    HS_TRY(make_grants(site, root, &identity.pub, standing, now, arena, grants, &count));
    HS_REQUIRE(count == 0 || max_uses == 1, HS_ERR_INVALID_ARG);
    HS_TRY(hs_ticket_build(root, &identity.pub, max_uses, now, not_after, arena, &ticket));
    return hs_ticket_text_build(&seed, site->descriptor_object, ticket, grants, count, now, arena, out);
}

enum hs_err hs_issue_grants(const struct hs_site *site, const struct hs_signer *root,
                            const struct hs_key *key, const struct hs_standing *standing, struct hs_time now,
                            struct hs_arena *arena, char **out)
{
    Hanse__SignedObject *objects[1 + HS_TICKET_GRANTS] = {site->descriptor_object};
    size_t count = 0;
    HS_TRY(hs_sign_key_check(key));
    HS_TRY(make_grants(site, root, key, standing, now, arena, objects + 1, &count));
    HS_REQUIRE(count > 0, HS_ERR_INVALID_ARG);
    Hanse__Chain chain = HANSE__CHAIN__INIT;
    chain.n_objects = count + 1;
    chain.objects = objects;
    size_t len = hanse__chain__get_packed_size(&chain);
    uint8_t *packed = hs_arena_alloc(arena, len);
    char *text = hs_arena_alloc(arena, sizeof grants_prefix + HS_BASE64_SIZE(len));
    HS_REQUIRE(packed != NULL && text != NULL, HS_ERR_NOMEM);
    hanse__chain__pack(&chain, packed);
    memcpy(text, grants_prefix, sizeof grants_prefix - 1);
    hs_base64(hs_bytes(packed, len), text + sizeof grants_prefix - 1);
    *out = text;
    return HS_OK;
}

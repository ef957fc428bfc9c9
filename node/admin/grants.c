#include "admin/grants.h"

#include "identity/derive.h"
#include "object/object.h"

#include <sodium.h>
#include <stdio.h>

enum hs_err hs_grants_make(const struct hs_signer *root, const struct hs_descriptor *node,
                           const struct hs_key *key, const struct hs_entitlement *e, struct hs_arena *arena,
                           Hanse__SignedObject **out, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < e->role_count; i++) {
        struct hs_grant grant = {
            .root = root->pub, .key = *key, .role = e->roles[i], .not_after = e->not_after};
        HS_TRY(hs_grant_build(root, &grant, e->now, arena, &out[(*count)++]));
    }
    if (e->handle == NULL)
        return HS_OK;
    struct hs_handle_grant handle = {.root = root->pub, .key = *key, .not_after = e->not_after};
    int len = snprintf(handle.name, sizeof handle.name, "%s", e->handle);
    HS_REQUIRE(len > 0 && (size_t)len < sizeof handle.name, HS_ERR_NAME_REFUSED);
    (void)snprintf(handle.domain, sizeof handle.domain, "%s", node->domain);
    return hs_handle_grant_build(root, &handle, e->now, arena, &out[(*count)++]);
}

enum hs_err hs_ticket_make(const struct hs_signer *root, const struct hs_node_keys *node,
                           const struct hs_entitlement *e, struct hs_arena *arena, char **text)
{
    struct hs_secret32 HS_SECRET seed;
    struct hs_signer HS_SIGNER identity;
    Hanse__SignedObject *ticket, *descriptor, *grants[HS_TICKET_GRANTS];
    size_t count;
    bool personal = e->role_count > 0 || e->handle != NULL;
    randombytes_buf(seed.b, sizeof seed.b);
    hs_identity_derive(&seed, &identity);
    HS_TRY(hs_object_unpack(node->descriptor, arena, &descriptor));
    HS_TRY(hs_grants_make(root, &node->facts, &identity.pub, e, arena, grants, &count));
    HS_TRY(hs_ticket_build(root, &identity.pub, personal ? 1 : e->uses, e->now, e->ticket_not_after, arena,
                           &ticket));
    return hs_ticket_text_build(&seed, descriptor, ticket, grants, count, e->now, arena, text);
}

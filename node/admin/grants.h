/* What the root signs for people: tickets, grants, handles. */
#ifndef HS_ADMIN_GRANTS_H
#define HS_ADMIN_GRANTS_H

#include "admin/keys.h"
#include "identity/grant.h"
#include "identity/ticket.h"

enum { HS_ROLES_WANTED_MAX = 7 };

/* What a person is to get. */
struct hs_entitlement {
    Hanse__Role roles[HS_ROLES_WANTED_MAX];
    size_t role_count;
    const char *handle; /* name before the @, or NULL */
    uint32_t uses;      /* of a customers' ticket */
    struct hs_time now;
    struct hs_time not_after;        /* of roles and handle; 0 = no end */
    struct hs_time ticket_not_after; /* until when a ticket can be used */
};

/* Grants and the handle for an existing key, in the arena. Errors of hs_grant_build(),
 * hs_handle_grant_build(). */
enum hs_err hs_grants_make(const struct hs_signer *root, const struct hs_descriptor *node,
                           const struct hs_key *key, const struct hs_entitlement *e, struct hs_arena *arena,
                           Hanse__SignedObject **out, size_t *count);

/* A ticket's text, in the arena. With roles or a handle: a new public identity, which counts once; else for
 * e->uses customers. */
enum hs_err hs_ticket_make(const struct hs_signer *root, const struct hs_node_keys *node,
                           const struct hs_entitlement *e, struct hs_arena *arena, char **text);

#endif

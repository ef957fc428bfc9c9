/* Grants: a root says which key may act for the brand, and which key bears a name of its domain. */
#ifndef HS_IDENTITY_GRANT_H
#define HS_IDENTITY_GRANT_H

#include "object/object.h"
#include "schema/identity.pb-c.h"

/* Sets of roles. An owner has every role. */
#define HS_ROLE_BIT(role) (1u << (unsigned)(role))
enum { HS_ROLES_ALL = 0xfe };

/* The set that a grant of this role confers. */
uint32_t hs_role_set(Hanse__Role role);

/* "merchant", "till", ...: static, for people; "none" for ROLE_NONE and what isn't a role. */
const char *hs_role_name(Hanse__Role role);

/* The role of that name; ROLE_NONE where there is none. */
Hanse__Role hs_role_of(struct hs_bytes name);

struct hs_grant {
    struct hs_key root, key; /* key: a persona or public identity */
    Hanse__Role role;
    struct hs_time created, not_before, not_after; /* not_after 0 = no end */
};

/* Of *g the key, role and window are taken. BAD_KEY, INVALID_ARG, NOMEM. */
enum hs_err hs_grant_build(const struct hs_signer *root, const struct hs_grant *g, struct hs_time now,
                           struct hs_arena *arena, Hanse__SignedObject **out);

/* Everything but time. WRONG_SIGNER for another root, BAD_KEY, MALFORMED, errors of hs_object_open(). */
enum hs_err hs_grant_open(const Hanse__SignedObject *obj, const struct hs_key *root, struct hs_grant *out);

/* The same and its window: also NOT_YET, EXPIRED. */
enum hs_err hs_grant_verify(const Hanse__SignedObject *obj, const struct hs_key *root, struct hs_time now,
                            struct hs_grant *out);
enum hs_err hs_grant_check_time(const struct hs_grant *g, struct hs_time at);

/* Handles: name@domain belongs to key. */
struct hs_handle_grant {
    struct hs_key root, key;
    char name[HS_HANDLE_MAX + 1];
    char domain[HS_DOMAIN_MAX + 1];
    struct hs_time created, not_after;
};

/* "name@domain" with its NUL. */
enum { HS_HANDLE_TEXT_SIZE = HS_HANDLE_MAX + 1 + HS_DOMAIN_MAX + 1 };

/* True for [a-z0-9._-]{1,64}. */
bool hs_handle_name_is_valid(struct hs_bytes name);

/* Of *g the key, name, domain and not_after are taken. NAME_REFUSED for a name or domain that doesn't fit,
 * BAD_KEY, NOMEM. */
enum hs_err hs_handle_grant_build(const struct hs_signer *root, const struct hs_handle_grant *g,
                                  struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out);

/* As hs_grant_open() and hs_grant_verify(); NAME_REFUSED for a name or domain that doesn't fit. */
enum hs_err hs_handle_grant_open(const Hanse__SignedObject *obj, const struct hs_key *root,
                                 struct hs_handle_grant *out);
enum hs_err hs_handle_grant_verify(const Hanse__SignedObject *obj, const struct hs_key *root,
                                   struct hs_time now, struct hs_handle_grant *out);

#endif

/* What a root key hands out: tickets and grants, as the texts that people pass on. */
#ifndef HS_ADMIN_ISSUE_H
#define HS_ADMIN_ISSUE_H

#include "admin/site.h"
#include "identity/ticket.h"

enum { HS_ISSUE_ROLES = 7 };

/* What somebody is to be. */
struct hs_standing {
    Hanse__Role roles[HS_ISSUE_ROLES];
    size_t role_count;
    const char *handle;       /* before the @; NULL = none */
    struct hs_time not_after; /* of the grants; 0 = no end */
};

/* A ticket. With roles or a handle: its seed is a new public identity that has them, and it counts once
 * (max_uses must be 1); without: it signs max_uses customers up. The text ("hanse:t/...") lives in the arena,
 * which wipes it. INVALID_ARG; NAME_REFUSED for a handle that doesn't fit; NOMEM. */
enum hs_err hs_issue_ticket(const struct hs_site *site, const struct hs_signer *root,
                            const struct hs_standing *standing, uint32_t max_uses, struct hs_time now,
                            struct hs_time not_after, struct hs_arena *arena, char **out);

/* Grants for a key that exists, with the descriptor: "hanse:g/" and the base64url of a Chain, in the arena.
 * BAD_KEY, NAME_REFUSED, INVALID_ARG where nothing is granted, NOMEM. */
enum hs_err hs_issue_grants(const struct hs_site *site, const struct hs_signer *root,
                            const struct hs_key *key, const struct hs_standing *standing, struct hs_time now,
                            struct hs_arena *arena, char **out);

#endif

/* Tickets: a text that an operator hands to somebody, by which an account can be made. "hanse:t/" and the
 * base64url of a TicketText. A ticket with grants is a role's: its seed is the public identity that the
 * grants name. */
#ifndef HS_IDENTITY_TICKET_H
#define HS_IDENTITY_TICKET_H

#include "identity/descriptor.h"
#include "identity/grant.h"

enum {
    HS_TICKET_GRANTS = 8,
    HS_TICKET_TEXT_MAX = 8192 /* characters: seed, descriptor, ticket and 8 grants fit */
};

struct hs_ticket {
    struct hs_key root, key; /* key: the ticket key */
    uint32_t max_uses;
    struct hs_time created, not_after;
};

/* Signs a ticket. max_uses at least 1. BAD_KEY, INVALID_ARG, NOMEM. */
enum hs_err hs_ticket_build(const struct hs_signer *root, const struct hs_key *ticket_key, uint32_t max_uses,
                            struct hs_time now, struct hs_time not_after, struct hs_arena *arena,
                            Hanse__SignedObject **out);

/* The node's side. TICKET_INVALID for whatever isn't a ticket of this root, EXPIRED, NOMEM. */
enum hs_err hs_ticket_verify(const Hanse__SignedObject *obj, const struct hs_key *root, struct hs_time now,
                             struct hs_ticket *out);

/* What a ticket's text says, checked: its parts live in the arena. */
struct hs_ticket_text {
    struct hs_secret32 seed; /* wiped with hs_ticket_text_wipe() */
    const Hanse__SignedObject *descriptor_object, *ticket_object;
    Hanse__SignedObject **grant_objects; /* Grant and HandleGrant, to be shown to others */
    size_t grant_count;
    struct hs_descriptor descriptor; /* its root is to be pinned */
    struct hs_ticket ticket;
    uint32_t roles;                   /* of the identity that the seed is; 0 = a customers' ticket */
    char handle[HS_HANDLE_TEXT_SIZE]; /* of that identity, or empty */
};

void hs_ticket_text_wipe(struct hs_ticket_text *text);

/* A NUL-terminated text in the arena (which wipes it when freed). INVALID_ARG where the parts wouldn't parse
 * again (grants for another key than the seed's, another root, ...), TOO_LARGE, NOMEM. */
enum hs_err hs_ticket_text_build(const struct hs_secret32 *seed, Hanse__SignedObject *descriptor,
                                 Hanse__SignedObject *ticket, Hanse__SignedObject *const *grants,
                                 size_t grant_count, struct hs_time now, struct hs_arena *arena, char **out);

/* Parses and verifies all of it against its own descriptor's root: the ticket and every grant must be that
 * root's, the seed must be the ticket key's, and grants must name that key. TICKET_INVALID, EXPIRED, NOT_YET,
 * NOMEM. */
enum hs_err hs_ticket_text_parse(struct hs_bytes text, struct hs_time now, struct hs_arena *arena,
                                 struct hs_ticket_text *out);

/* Signed by the ticket's key: this persona uses the ticket at the node of this root. INVALID_ARG, NOMEM. */
enum hs_err hs_ticket_proof_build(const struct hs_signer *ticket, const struct hs_key *root,
                                  const struct hs_key *persona, struct hs_time now, struct hs_time not_after,
                                  struct hs_arena *arena, Hanse__SignedObject **out);

/* persona: the session's. TICKET_INVALID, EXPIRED, NOMEM. */
enum hs_err hs_ticket_proof_verify(const Hanse__SignedObject *obj, const struct hs_ticket *ticket,
                                   const struct hs_key *persona, struct hs_time now);

#endif

/* Invites: a moderator's signed, limited right to join a room (the body of an INVITE record). The link that
 * goes with it is in invite_link.h, its use in join.h. */
#ifndef HS_ROOM_INVITE_H
#define HS_ROOM_INVITE_H

#include "base/writer.h"
#include "object/object.h"

enum {
    HS_INVITE_USES_MAX = 100000, /* the largest room, with some to spare for who leaves again */
    HS_INVITE_CAMPAIGN_MAX = 64  /* bytes */
};

struct hs_invite_spec {
    const struct hs_signer *device;         /* the moderator's device */
    const Hanse__SignedObject *certificate; /* of that device */
    struct hs_id room;
    struct hs_key invite_key;      /* hs_invite_signer() */
    uint32_t max_uses;             /* 1 to HS_INVITE_USES_MAX */
    struct hs_time now, not_after; /* an invite always has an end */
    const char *campaign;          /* clean text of at most HS_INVITE_CAMPAIGN_MAX bytes, or NULL */
};

/* Appends the body of an INVITE record (InviteBody). INVALID_ARG where the spec isn't as above or the
 * certificate is for another device; NOMEM. */
enum hs_err hs_invite_build(const struct hs_invite_spec *spec, struct hs_writer *body);

struct hs_invite {
    struct hs_key invite_key;
    struct hs_id room;
    struct hs_key issuer, device; /* whose right to invite is judged by the policy, when the invite is used */
    uint32_t max_uses;
    struct hs_time created, not_after;
    char campaign[HS_INVITE_CAMPAIGN_MAX + 1];
};

/* Checks the body of an INVITE record for this room, but for its end: for invites that were used in time. at:
 * hub time of the record. The certificate held when the invite was made, and its device signed.
 * INVITE_INVALID for everything that is wrong with it, NOMEM. The issuer's right is for the caller to judge
 * (hs_policy_allows(), hs_judge_commit()). *out is zeros after an error. */
enum hs_err hs_invite_open(struct hs_bytes body, const struct hs_id *room, struct hs_time at,
                           struct hs_invite *out);

/* The same, and INVITE_EXPIRED where it has run out at that time. */
enum hs_err hs_invite_verify(struct hs_bytes body, const struct hs_id *room, struct hs_time at,
                             struct hs_invite *out);

/* Which room an invite claims to be for; nothing is verified. For who holds a link and learns the room from
 * its hub. MALFORMED, NOMEM. */
enum hs_err hs_invite_claimed_room(struct hs_bytes body, struct hs_id *room);

#endif

/* A room's move to another hub: what an owner's device states, the body of the HUB_MOVE record that ends a
 * hub's term; and what shows to somebody who hasn't got the log that a hub gave its office away. */
#ifndef HS_ROOM_HUB_MOVE_H
#define HS_ROOM_HUB_MOVE_H

#include "identity/descriptor.h"
#include "room/log.h"
#include "room/policy.h"
#include "schema/room.pb-c.h"

/* A statement counts for so long: a hub that has refused it, or said so, can't use it years later. */
#define HS_HUB_MOVE_AGE_MS (7 * 86400 * INT64_C(1000))

enum {
    HS_HUB_MOVE_MAX = 4096,                 /* the body's bytes; some 2 KiB are used */
    HS_HUB_MOVED_MAX = HS_HUB_TERM_MAX - 1, /* moves of one room */
};

struct hs_hub_move_spec {
    const struct hs_signer *device;         /* an owner's */
    const Hanse__SignedObject *certificate; /* of that device */
    const Hanse__SignedObject *descriptor;  /* of the new hub */
    struct hs_id room;
    struct hs_hub_office office; /* the new hub, and its term */
    struct hs_time now;
};

/* Appends the body. INVALID_ARG where the certificate isn't for the device, the descriptor is of another
 * root, or the term is below 2; TOO_LARGE, NOMEM. */
enum hs_err hs_hub_move_build(const struct hs_hub_move_spec *spec, struct hs_writer *out);

struct hs_hub_move {
    struct hs_key owner, device; /* who states it: whether that is an owner says the room's policy */
    struct hs_hub_office office;
    struct hs_bytes descriptor;   /* of the new hub: SignedObject bytes, in the arena */
    struct hs_descriptor new_hub; /* and what it says */
};

/* The body of a HUB_MOVE record for that room. at: hub time of the record, at which the descriptor holds,
 * which the statement may exceed by the clock skew, and before which it was made HS_HUB_MOVE_AGE_MS ago at
 * the most. MLS_GROUP for another room; WRONG_SIGNER, BAD_SIGNATURE, NOT_YET, EXPIRED, BAD_KEY, UNEXPECTED,
 * MALFORMED, TOO_LARGE, UNSUPPORTED, NOMEM. *out is zeros after an error. */
enum hs_err hs_hub_move_verify(struct hs_bytes body, const struct hs_id *room, struct hs_time at,
                               struct hs_arena *arena, struct hs_hub_move *out);

struct hs_hub_link {
    struct hs_hub_office from; /* that ended */
    struct hs_hub_move to;
    uint64_t seq; /* of the record */
};

/* One proof: the head is by the hub that the descriptor names, over that record, which gives the office on.
 * MALFORMED; errors of the parts. *out is as before after an error. */
enum hs_err hs_hub_moved_link(const Hanse__HubMoved *moved, const struct hs_id *room, struct hs_arena *arena,
                              struct hs_hub_link *out);

/* A chain of proofs: the hub of the first term, whose root comes out in brand, signed that the room's log
 * ends in its term with a HUB_MOVE to the second one, and so on up to the one in office. MALFORMED for none
 * or a chain that doesn't hold together; TOO_LARGE for more than HS_HUB_MOVED_MAX; errors of the parts.
 * descriptor (may be NULL): of the hub in office, in the arena. */
enum hs_err hs_hub_moved_verify(Hanse__HubMoved *const *list, size_t count, const struct hs_id *room,
                                struct hs_arena *arena, struct hs_key *brand, struct hs_hub_office *office,
                                struct hs_bytes *descriptor);

/* The same for somebody who knows the room's brand, and the hub of a term: UNEXPECTED for a chain that begins
 * with another brand, leads over another hub in that term, or to no later one. */
enum hs_err hs_hub_moved_on(Hanse__HubMoved *const *list, size_t count, const struct hs_id *room,
                            struct hs_arena *arena, const struct hs_key *brand,
                            const struct hs_hub_office *known, struct hs_hub_office *office,
                            struct hs_bytes *descriptor);

#endif

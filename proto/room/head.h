/* Heads: the hub's signature under its log. Two heads that differ at one number prove that it told two
 * stories. */
#ifndef HS_ROOM_HEAD_H
#define HS_ROOM_HEAD_H

#include "object/object.h"
#include "room/log.h"

struct hs_head {
    struct hs_key signing_key; /* the hub's node key */
    struct hs_id room;
    uint64_t seq;      /* the last record that it covers */
    struct hs_id hash; /* its chain hash */
    uint32_t hub_term;
    uint64_t incarnation;
    struct hs_time created;
};

/* Signs a head over the log up to the tip, into the arena. INVALID_ARG for an empty log; NOMEM. */
enum hs_err hs_head_build(const struct hs_signer *node, const struct hs_id *room,
                          const struct hs_log_tip *tip, uint32_t hub_term, uint64_t incarnation,
                          struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out);

/* signing_key: from the hub's descriptor. MLS_GROUP where it is for another room; WRONG_SIGNER,
 * BAD_SIGNATURE, UNEXPECTED, MALFORMED, TOO_LARGE, UNSUPPORTED, NOMEM. */
enum hs_err hs_head_verify(const Hanse__SignedObject *obj, const struct hs_key *signing_key,
                           const struct hs_id *room, struct hs_head *out);

/* The same of whatever room it names. */
enum hs_err hs_head_open(const Hanse__SignedObject *obj, const struct hs_key *signing_key,
                         struct hs_head *out);

/* A head against a copy of the log whose tip is this one: LOG_FORK where both end at the same record with
 * another hash (keep the head and the record: they are the evidence); LOG_GAP where the head covers more than
 * the copy has; HS_OK where they agree or the head is older (then compare with hs_head_check_at()). */
enum hs_err hs_head_check_tip(const struct hs_head *head, const struct hs_log_tip *tip);

/* A claim about one record, from a head or a message's context, against the chain hash that the copy has
 * there. LOG_FORK where they differ. */
enum hs_err hs_head_check_at(const struct hs_id *claimed, const struct hs_id *own);

/* True where two verified heads prove that one hub told two stories: same room, signing key, term and number,
 * another hash. */
bool hs_head_conflicts(const struct hs_head *a, const struct hs_head *b);

#endif

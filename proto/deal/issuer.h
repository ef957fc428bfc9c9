/* The issuer's node answers a ledger request: opening, decision and signed reply in one call, for a caller
 * that looks the state up before and writes it after, in one transaction. */
#ifndef HS_DEAL_ISSUER_H
#define HS_DEAL_ISSUER_H

#include "deal/ledger.h"

/* The node's side of every answer. */
struct hs_issuer {
    struct hs_author node; /* signing key as signer and issuer; now is the time of the decision */
    uint64_t incarnation;
};

struct hs_issuer_answer {
    enum hs_ledger_answer answer; /* REPLAY: reply is NULL, send the stored bytes of request_id */
    enum hs_err refused;          /* HS_OK: granted; else reply is a Refusal with this reason */
    struct hs_id request_id, rid;
    struct hs_unit next;        /* store it where answer is NEW and refused is HS_OK */
    Hanse__SignedObject *reply; /* in the arena */
};

/* Each takes the unit's state (NULL: unknown) and gives an answer. Faults of this machine (NOMEM) and
 * requests that don't even open (no rid to refuse: BAD_SIGNATURE, BAD_CHAIN, MALFORMED, ...) come back as
 * errors. */
enum hs_err hs_issuer_reserve(const struct hs_issuer *issuer, struct hs_chain *chain,
                              const struct hs_coupon_def *def, const struct hs_unit *unit,
                              const Hanse__SignedObject *request, struct hs_arena *arena,
                              struct hs_issuer_answer *out);

/* coupon_id: the unit that the commit's rid was reserved for. */
enum hs_err hs_issuer_commit(const struct hs_issuer *issuer, struct hs_chain *chain,
                             const struct hs_id *coupon_id, const struct hs_unit *unit,
                             const Hanse__SignedObject *request, struct hs_arena *arena,
                             struct hs_issuer_answer *out);

enum hs_err hs_issuer_release(const struct hs_issuer *issuer, struct hs_chain *chain,
                              const struct hs_unit *unit, const Hanse__SignedObject *request,
                              struct hs_arena *arena, struct hs_issuer_answer *out);

#endif

/* What the hub of a copied room has signed: its newest head, which may cover more than the copy has, the
 * nearest one that does, and the newest one that doesn't. A head that covers more is a promise: what comes
 * must be what it covers. */
#ifndef HS_CORE_PROMISE_H
#define HS_CORE_PROMISE_H

#include "core/records/register.h"
#include "room/log.h"

struct hs_promises {
    Hanse__Head *newest, *nearest; /* NULL: none */
};

/* What is kept of the room, in the turn's arena: MALFORMED and the like are the store's fault. */
enum hs_err hs_promises_load(struct hs_turn *turn, const struct hs_id *room, struct hs_promises *out);

/* The record is what was promised: LOG_FORK. */
enum hs_err hs_promises_check(const struct hs_promises *promises, const struct hs_record_header *header);

/* Another head has come, and was checked, with records after which the copy ends before end. */
enum hs_err hs_promises_keep(struct hs_turn *turn, const struct hs_id *room, uint64_t end,
                             const Hanse__SignedObject *head);

/* The term of the hub that has signed all that is kept has ended: what it says beyond counts for nothing. */
void hs_promises_drop(struct hs_turn *turn, const struct hs_id *room);

/* A head that is kept; NULL where there is none. which: HEAD, PROMISE, HELD. */
Hanse__SignedObject *hs_promise_get(struct hs_turn *turn, const struct hs_id *room, enum hs_register which);

/* The newest head that covers no record behind the copy's end; NULL where there is none. */
Hanse__SignedObject *hs_promise_held(struct hs_turn *turn, const struct hs_id *room, uint64_t end);

#endif

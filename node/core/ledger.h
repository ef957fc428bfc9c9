/* The ledger's views: what is known of definitions of coupons and of their units. Everything in them follows
 * from LedgerSteps, one stream a definition. */
#ifndef HS_CORE_LEDGER_H
#define HS_CORE_LEDGER_H

#include "core/state.pb-c.h"
#include "core/turn.h"
#include "deal/ledger.h"

/* The definition, opened anew from its own bytes: only what the merchant signed counts. view: what else is
 * known of it. COUPON_UNKNOWN; NOMEM. */
enum hs_err hs_ledger_def(struct hs_turn *turn, const struct hs_id *def_id, struct hs_coupon_def *def,
                          Hanse__State__DefView **view);

/* The same, as it was kept: it was opened when it came. Its signer isn't set. */
enum hs_err hs_ledger_def_kept(struct hs_turn *turn, const struct hs_id *def_id, struct hs_coupon_def *def);

/* True where the ledger has a definition with this id. */
bool hs_ledger_def_is_known(struct hs_turn *turn, const struct hs_id *def_id);

/* The record by which a definition enters the ledger. Of objects, which chain was opened from, those are kept
 * with it that prove it: since hs_chain_unuse() the chain has answered for nothing else. NOMEM. */
enum hs_err hs_ledger_def_record(struct hs_turn *turn, const struct hs_chain *chain,
                                 Hanse__SignedObject *const *objects, const Hanse__SignedObject *object,
                                 const struct hs_coupon_def *def);

/* The unit of a coupon; known false, and view NULL, where there is none. STORE, NOMEM. */
enum hs_err hs_ledger_unit(struct hs_turn *turn, const struct hs_id *coupon, struct hs_unit *unit,
                           bool *known, Hanse__State__UnitView **view);

/* The claim by which the holder has a unit of the definition; NULL where it has none. */
Hanse__State__ClaimView *hs_ledger_claim_of(struct hs_turn *turn, const struct hs_id *def_id,
                                            const struct hs_key *holder);

/* A stranger brings nothing but what members of the definition's room have signed: anybody can make up
 * personas and nodes. DENIED. */
enum hs_err hs_ledger_check_bringer(struct hs_turn *turn, const struct hs_coupon_def *def,
                                    const struct hs_key *signer);

/* The next record of the definition's stream, and what follows from it. */
void hs_ledger_record(struct hs_turn *turn, const struct hs_id *def_id, Hanse__State__LedgerStep *step);

#endif

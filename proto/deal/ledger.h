/* The issuer's decisions, without its storage: what becomes of one unit of a coupon. The caller opens the
 * request (redemption.h), asks here, makes the reply, and writes unit, reply and request id in one
 * transaction.
 *
 *   AVAILABLE --reserve--> HELD --commit--> REDEEMED
 *       ^                   |
 *       +-- release, or settle_by passes
 *
 * The same request gets the same reply (HS_LEDGER_REPLAY: send the stored bytes); an error is a refusal and
 * changes nothing, but where hs_unit_settle() says that a reservation has run out. */
#ifndef HS_DEAL_LEDGER_H
#define HS_DEAL_LEDGER_H

#include "deal/redemption.h"

enum hs_unit_state { HS_UNIT_AVAILABLE = 0, HS_UNIT_HELD = 1, HS_UNIT_REDEEMED = 2 };

struct hs_unit {
    enum hs_unit_state state;
    /* Of the reservation that holds or has redeemed the unit; of the last one that was given up, while
     * AVAILABLE (zeros: there was none). */
    struct hs_id rid, request_id, reservation_id;
    struct hs_id final_id; /* the Commit that redeemed it, the Release that freed it; zeros otherwise */
    struct hs_amount max_discount, discount;
    struct hs_time decide_by, settle_by;
};

enum hs_ledger_answer {
    HS_LEDGER_NEW,   /* store next, make and store the reply */
    HS_LEDGER_REPLAY /* send the reply that was stored for these bytes; next equals unit */
};

struct hs_ledger_result {
    enum hs_ledger_answer answer;
    struct hs_unit next;
};

/* The unit at now: a reservation whose settle_by has come is given up. */
struct hs_unit hs_unit_settle(const struct hs_unit *unit, struct hs_time now);

/* unit NULL: COUPON_UNKNOWN. COUPON_HELD by another reservation, COUPON_USED by another order, CONFLICT where
 * the same rid was asked for with other bytes, COUPON_LATE where that rid's reservation was given up,
 * COUPON_NOT_YET, COUPON_EXPIRED, COUPON_MIN_NOT_MET, CURRENCY, COUPON_AMOUNT where more is asked than the
 * coupon can give. After HS_LEDGER_NEW next has no reservation_id: set it to the id of the Reservation that
 * is sent. */
enum hs_err hs_ledger_reserve(const struct hs_unit *unit, const struct hs_coupon_def *def,
                              const struct hs_reserve_request *request, struct hs_time now,
                              struct hs_ledger_result *out);

/* COUPON_LATE where its reservation no longer holds the unit, COUPON_INVALID for another reservation's id,
 * COUPON_AMOUNT past the reservation, CURRENCY, CONFLICT for other bytes after the unit was redeemed. */
enum hs_err hs_ledger_commit(const struct hs_unit *unit, const struct hs_commit *commit, struct hs_time now,
                             struct hs_ledger_result *out);

/* COUPON_LATE where its reservation no longer holds the unit (nothing is left to release), COUPON_USED where
 * it was committed, COUPON_INVALID for another reservation's id. */
enum hs_err hs_ledger_release(const struct hs_unit *unit, const struct hs_release *release,
                              struct hs_time now, struct hs_ledger_result *out);

/* An issuer that was put back is shown what it has signed before. The reservation holds the unit if it is a
 * later one than the ledger knows of; HS_LEDGER_REPLAY: it isn't, or the unit is redeemed. */
void hs_ledger_recall_reservation(const struct hs_unit *unit, const struct hs_reservation *reservation,
                                  struct hs_ledger_result *out);

/* The receipt redeems the unit, whoever holds it just now; HS_LEDGER_REPLAY: it has. COUPON_USED where the
 * unit was redeemed by another Commit: that stays so. */
enum hs_err hs_ledger_recall_redemption(const struct hs_unit *unit, const struct hs_redemption *redemption,
                                        struct hs_ledger_result *out);

/* What a definition's stream knows of claims. */
struct hs_claims {
    uint32_t issued;       /* units given out so far */
    bool has_claimed;      /* this holder has one */
    struct hs_id claim_id; /* by this claim */
};

/* HS_LEDGER_NEW: unit_no is the new unit's number; count it and note the claim. COUPON_CLAIMED,
 * COUPON_EXHAUSTED, COUPON_EXPIRED; COUPON_UNKNOWN where it names another definition. Units may be claimed
 * before they are valid. */
enum hs_err hs_ledger_claim(const struct hs_claims *claims, const struct hs_coupon_def *def,
                            const struct hs_coupon_claim *claim, struct hs_time now,
                            enum hs_ledger_answer *answer, uint32_t *unit_no);

/* A unit as stored: fixed layout, version first. */
enum { HS_UNIT_SIZE = 2 + 4 * HS_HASH_LEN + 2 * (3 + 8) + 2 * 8 };
void hs_unit_pack(const struct hs_unit *unit, uint8_t out[static HS_UNIT_SIZE]);

/* STORE where the bytes aren't a unit's. */
enum hs_err hs_unit_unpack(struct hs_bytes bytes, struct hs_unit *out);

#endif

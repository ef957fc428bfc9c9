#include "deal/ledger.h"

/* --- one unit --- */

struct hs_unit hs_unit_settle(const struct hs_unit *unit, struct hs_time now)
{
    struct hs_unit result = *unit;
    if (unit->state == HS_UNIT_HELD && now.ms >= unit->settle_by.ms)
        result.state = HS_UNIT_AVAILABLE;
    return result;
}

static enum hs_err answer(enum hs_ledger_answer kind, const struct hs_unit *next,
                          struct hs_ledger_result *out)
{
    *out = (struct hs_ledger_result){.answer = kind, .next = *next};
    return HS_OK;
}

/* The most that a unit of this definition can take off, in any order. CURRENCY, COUPON_AMOUNT. */
static enum hs_err check_cap(const Hanse__Amount *cap, const struct hs_amount *wanted)
{
    if (cap == NULL)
        return HS_OK;
    struct hs_amount most;
    HS_TRY(hs_amount_read(cap, &most));
    HS_REQUIRE(hs_amount_same_currency(&most, wanted), HS_ERR_CURRENCY);
    HS_REQUIRE(wanted->minor <= most.minor, HS_ERR_COUPON_AMOUNT);
    return HS_OK;
}

static enum hs_err check_terms(const struct hs_coupon_def *def, const struct hs_reserve_request *request,
                               struct hs_time now)
{
    HS_TRY(hs_coupon_def_check_time(def, now));
    HS_REQUIRE(request->min_met || def->msg->min_subtotal == NULL, HS_ERR_COUPON_MIN_NOT_MET);
    HS_TRY(check_cap(def->msg->amount, &request->max_discount));
    return check_cap(def->msg->max_discount, &request->max_discount);
}

enum hs_err hs_ledger_reserve(const struct hs_unit *unit, const struct hs_coupon_def *def,
                              const struct hs_reserve_request *request, struct hs_time now,
                              struct hs_ledger_result *out)
{
    HS_REQUIRE(unit != NULL, HS_ERR_COUPON_UNKNOWN);
    struct hs_unit current = hs_unit_settle(unit, now);
    bool same_rid = hs_id_equal(&current.rid, &request->rid);
    if (current.state != HS_UNIT_AVAILABLE && same_rid) {
        HS_REQUIRE(hs_id_equal(&current.request_id, &request->id), HS_ERR_CONFLICT);
        return answer(HS_LEDGER_REPLAY, unit, out);
    }
    HS_REQUIRE(current.state != HS_UNIT_REDEEMED, HS_ERR_COUPON_USED);
    HS_REQUIRE(current.state != HS_UNIT_HELD, HS_ERR_COUPON_HELD);
    /* What was given up for an order stays given up: a late copy of its request must not hold the unit again.
     */
    HS_REQUIRE(!same_rid, HS_ERR_COUPON_LATE);
    HS_TRY(check_terms(def, request, now));
    struct hs_unit next = {
        .state = HS_UNIT_HELD,
        .rid = request->rid,
        .request_id = request->id,
        .max_discount = request->max_discount,
        .decide_by = {now.ms + HS_DECIDE_MS},
        .settle_by = {now.ms + HS_DECIDE_MS + HS_SETTLE_MS},
    };
    return answer(HS_LEDGER_NEW, &next, out);
}

enum hs_err hs_ledger_commit(const struct hs_unit *unit, const struct hs_commit *commit, struct hs_time now,
                             struct hs_ledger_result *out)
{
    HS_REQUIRE(unit != NULL, HS_ERR_COUPON_UNKNOWN);
    struct hs_unit current = hs_unit_settle(unit, now);
    HS_REQUIRE(current.state != HS_UNIT_AVAILABLE && hs_id_equal(&current.rid, &commit->rid),
               HS_ERR_COUPON_LATE);
    if (current.state == HS_UNIT_REDEEMED) {
        HS_REQUIRE(hs_id_equal(&current.final_id, &commit->id), HS_ERR_CONFLICT);
        return answer(HS_LEDGER_REPLAY, unit, out);
    }
    HS_REQUIRE(hs_id_equal(&current.reservation_id, &commit->reservation_id), HS_ERR_COUPON_INVALID);
    HS_REQUIRE(hs_amount_same_currency(&current.max_discount, &commit->discount), HS_ERR_CURRENCY);
    HS_REQUIRE(commit->discount.minor > 0 && commit->discount.minor <= current.max_discount.minor,
               HS_ERR_COUPON_AMOUNT);
    current.state = HS_UNIT_REDEEMED;
    current.final_id = commit->id;
    current.discount = commit->discount;
    return answer(HS_LEDGER_NEW, &current, out);
}

enum hs_err hs_ledger_release(const struct hs_unit *unit, const struct hs_release *release,
                              struct hs_time now, struct hs_ledger_result *out)
{
    HS_REQUIRE(unit != NULL, HS_ERR_COUPON_UNKNOWN);
    struct hs_unit current = hs_unit_settle(unit, now);
    HS_REQUIRE(hs_id_equal(&current.rid, &release->rid), HS_ERR_COUPON_LATE);
    HS_REQUIRE(current.state != HS_UNIT_REDEEMED, HS_ERR_COUPON_USED);
    if (current.state == HS_UNIT_AVAILABLE) {
        HS_REQUIRE(hs_id_equal(&current.final_id, &release->id), HS_ERR_COUPON_LATE);
        return answer(HS_LEDGER_REPLAY, unit, out);
    }
    HS_REQUIRE(hs_id_equal(&current.reservation_id, &release->reservation_id), HS_ERR_COUPON_INVALID);
    current.state = HS_UNIT_AVAILABLE;
    current.final_id = release->id;
    return answer(HS_LEDGER_NEW, &current, out);
}

/* --- what the issuer has forgotten --- */

void hs_ledger_recall_reservation(const struct hs_unit *unit, const struct hs_reservation *reservation,
                                  struct hs_ledger_result *out)
{
    *out = (struct hs_ledger_result){.answer = HS_LEDGER_REPLAY, .next = *unit};
    if (unit->state == HS_UNIT_REDEEMED || reservation->decide_by.ms <= unit->decide_by.ms)
        return;
    out->answer = HS_LEDGER_NEW;
    out->next = (struct hs_unit){
        .state = HS_UNIT_HELD,
        .rid = reservation->rid,
        .request_id = reservation->request_id,
        .reservation_id = reservation->id,
        .max_discount = reservation->max_discount,
        .decide_by = reservation->decide_by,
        .settle_by = reservation->settle_by,
    };
}

enum hs_err hs_ledger_recall_redemption(const struct hs_unit *unit, const struct hs_redemption *redemption,
                                        struct hs_ledger_result *out)
{
    bool same_rid = hs_id_equal(&unit->rid, &redemption->rid);
    if (unit->state == HS_UNIT_REDEEMED) {
        HS_REQUIRE(hs_id_equal(&unit->final_id, &redemption->commit_id), HS_ERR_COUPON_USED);
        return answer(HS_LEDGER_REPLAY, unit, out);
    }
    struct hs_unit next = same_rid ? *unit
                                   : (struct hs_unit){.rid = redemption->rid,
                                                      .max_discount = redemption->discount,
                                                      .decide_by = unit->decide_by};
    next.state = HS_UNIT_REDEEMED;
    next.final_id = redemption->commit_id;
    next.discount = redemption->discount;
    return answer(HS_LEDGER_NEW, &next, out);
}

/* --- claims --- */

enum hs_err hs_ledger_claim(const struct hs_claims *claims, const struct hs_coupon_def *def,
                            const struct hs_coupon_claim *claim, struct hs_time now,
                            enum hs_ledger_answer *kind, uint32_t *unit_no)
{
    HS_REQUIRE(hs_id_equal(&claim->def_id, &def->id), HS_ERR_COUPON_UNKNOWN);
    if (claims->has_claimed) {
        HS_REQUIRE(hs_id_equal(&claims->claim_id, &claim->id), HS_ERR_COUPON_CLAIMED);
        *kind = HS_LEDGER_REPLAY;
        return HS_OK;
    }
    /* A unit may be claimed before it is valid, so only the end counts here. */
    HS_REQUIRE(hs_coupon_def_check_time(def, now) != HS_ERR_COUPON_EXPIRED, HS_ERR_COUPON_EXPIRED);
    uint32_t most = def->msg->limit_total == 0 ? UINT32_MAX : def->msg->limit_total;
    HS_REQUIRE(claims->issued < most, HS_ERR_COUPON_EXHAUSTED);
    *kind = HS_LEDGER_NEW;
    *unit_no = claims->issued + 1;
    return HS_OK;
}

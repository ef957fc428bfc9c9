#include "deal/issuer.h"

/* Faults of this machine go up; everything else is the answer to the till. */
static bool is_answer(enum hs_err err)
{
    return err <= HS_ERR_MALFORMED && err > HS_ERR_INVALID_ARG;
}

static enum hs_err refuse(const struct hs_issuer *issuer, enum hs_err reason, struct hs_arena *arena,
                          struct hs_issuer_answer *out)
{
    HS_REQUIRE(is_answer(reason), reason);
    out->answer = HS_LEDGER_NEW;
    out->refused = reason;
    return hs_refusal_build(&issuer->node, &out->request_id, &out->rid, reason, 0, arena, &out->reply);
}

static void decide(const struct hs_ledger_result *result, struct hs_issuer_answer *out)
{
    out->answer = result->answer;
    out->next = result->next;
}

enum hs_err hs_issuer_reserve(const struct hs_issuer *issuer, struct hs_chain *chain,
                              const struct hs_coupon_def *def, const struct hs_unit *unit,
                              const Hanse__SignedObject *request, struct hs_arena *arena,
                              struct hs_issuer_answer *out)
{
    *out = (struct hs_issuer_answer){0};
    struct hs_reserve_request opened;
    HS_TRY(hs_reserve_request_open(chain, request, def, issuer->node.now, arena, &opened));
    out->request_id = opened.id;
    out->rid = opened.rid;
    struct hs_ledger_result result;
    enum hs_err err = hs_ledger_reserve(unit, def, &opened, issuer->node.now, &result);
    if (err != HS_OK)
        return refuse(issuer, err, arena, out);
    decide(&result, out);
    if (out->answer == HS_LEDGER_REPLAY)
        return HS_OK;
    HS_TRY(hs_reservation_build(&issuer->node, &opened, out->next.decide_by, out->next.settle_by,
                                issuer->incarnation, arena, &out->reply));
    out->next.reservation_id = hs_object_id(out->reply);
    return HS_OK;
}

enum hs_err hs_issuer_commit(const struct hs_issuer *issuer, struct hs_chain *chain,
                             const struct hs_id *coupon_id, const struct hs_unit *unit,
                             const Hanse__SignedObject *request, struct hs_arena *arena,
                             struct hs_issuer_answer *out)
{
    *out = (struct hs_issuer_answer){0};
    struct hs_commit opened;
    HS_TRY(hs_commit_open(chain, request, issuer->node.now, arena, &opened));
    out->request_id = opened.id;
    out->rid = opened.rid;
    struct hs_id rid = hs_rid(coupon_id, &chain->root, &opened.order_id);
    HS_REQUIRE(hs_id_equal(&rid, &opened.rid), HS_ERR_COUPON_INVALID);
    struct hs_ledger_result result;
    enum hs_err err = hs_ledger_commit(unit, &opened, issuer->node.now, &result);
    if (err != HS_OK)
        return refuse(issuer, err, arena, out);
    decide(&result, out);
    if (out->answer == HS_LEDGER_REPLAY)
        return HS_OK;
    return hs_redemption_build(&issuer->node, &opened, coupon_id, issuer->incarnation, arena, &out->reply);
}

enum hs_err hs_issuer_release(const struct hs_issuer *issuer, struct hs_chain *chain,
                              const struct hs_unit *unit, const Hanse__SignedObject *request,
                              struct hs_arena *arena, struct hs_issuer_answer *out)
{
    *out = (struct hs_issuer_answer){0};
    struct hs_release opened;
    HS_TRY(hs_release_open(chain, request, issuer->node.now, arena, &opened));
    out->request_id = opened.id;
    out->rid = opened.rid;
    struct hs_ledger_result result;
    enum hs_err err = hs_ledger_release(unit, &opened, issuer->node.now, &result);
    if (err != HS_OK)
        return refuse(issuer, err, arena, out);
    decide(&result, out);
    if (out->answer == HS_LEDGER_REPLAY)
        return HS_OK;
    return hs_released_build(&issuer->node, &opened.rid, arena, &out->reply);
}

/* Redeeming one unit for one order, in two steps so that neither side can be left with half of it: the till
 * reserves, decides, commits; the issuer's node lends and then gives up the unit. Every step is a signed
 * object and may be repeated byte for byte. */
#ifndef HS_DEAL_REDEMPTION_H
#define HS_DEAL_REDEMPTION_H

#include "deal/presentation.h"

enum {
    HS_DECIDE_MS = 5 * 60 * 1000, /* online: the till decides within 5 minutes */
    HS_SETTLE_MS = 15 * 60 * 1000 /* and has 15 minutes more to tell the issuer */
};

/* SHA-256("hanse-rid-v1" || 0x00 || coupon unit id || the redeemer's root key || order id): the same order
 * has the same reservation, however often it is asked for. */
struct hs_id hs_rid(const struct hs_id *coupon_id, const struct hs_key *redeemer_root,
                    const struct hs_id *order_id);

struct hs_reserve_request {
    struct hs_id id, rid, order_id;
    struct hs_amount max_discount;
    bool min_met;
    const Hanse__ReserveRequest *msg;
    struct hs_coupon coupon;
    struct hs_presentation presentation;
    struct hs_actor signer; /* key: the till's */
};

struct hs_reservation {
    struct hs_id id, rid, request_id;
    struct hs_amount max_discount;
    struct hs_time decide_by, settle_by;
    uint64_t incarnation;
    const Hanse__Reservation *msg;
};

struct hs_commit {
    struct hs_id id, rid, reservation_id, order_id;
    struct hs_amount discount;
    const Hanse__Commit *msg;
    struct hs_actor signer;
};

struct hs_release {
    struct hs_id id, rid, reservation_id;
    const Hanse__Release *msg;
    struct hs_actor signer;
};

struct hs_redemption {
    struct hs_id id, rid, commit_id, coupon_id;
    struct hs_amount discount;
    uint64_t incarnation;
    const Hanse__Redemption *msg;
    struct hs_actor signer; /* the node */
};

/* Till -> issuer. author: a device of the till's key, which the presentation names; root: the brand's.
 * min_met: the order reaches the coupon's min_subtotal. */
struct hs_reserve_draft {
    Hanse__SignedObject *coupon, *presentation;
    const struct hs_id *coupon_id, *order_id;
    const struct hs_key *root;
    struct hs_amount max_discount;
    bool min_met;
};
enum hs_err hs_reserve_request_build(const struct hs_author *author, const struct hs_reserve_draft *draft,
                                     struct hs_arena *arena, Hanse__SignedObject **out);

/* The definition that the coupon inside claims: unchecked, to look the definition up. */
enum hs_err hs_reserve_request_claimed_def(const Hanse__SignedObject *obj, struct hs_id *def_id);

/* The issuer's side: a till of the chain's root asks for a unit of def; coupon and presentation inside are
 * opened too. Chain: descriptor, till's grant and certificate, holder's certificate. COUPON_WRONG_REDEEMER
 * where the presentation is for another till, COUPON_INVALID for another rid, order or an unknown mode,
 * AMOUNT, CURRENCY, the errors of hs_coupon_open(), hs_presentation_open(), hs_chain_open_by_device(). */
enum hs_err hs_reserve_request_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                    const struct hs_coupon_def *def, struct hs_time now,
                                    struct hs_arena *arena, struct hs_reserve_request *out);

/* Issuer -> till. author: the node. */
enum hs_err hs_reservation_build(const struct hs_author *author, const struct hs_reserve_request *request,
                                 struct hs_time decide_by, struct hs_time settle_by, uint64_t incarnation,
                                 struct hs_arena *arena, Hanse__SignedObject **out);

/* The till's side: the answer to this request. COUPON_INVALID where it answers another. */
enum hs_err hs_reservation_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                const struct hs_id *request_id, const struct hs_id *rid,
                                struct hs_arena *arena, struct hs_reservation *out);

/* COUPON_LATE where the till must not decide any more: decide_by less the clock skew has come. */
enum hs_err hs_reservation_check_decide(const struct hs_reservation *r, struct hs_time now);

/* Issuer -> till: no. request_id: the object refused; rid: its rid. The reason travels as its wire code. */
enum hs_err hs_refusal_build(const struct hs_author *author, const struct hs_id *request_id,
                             const struct hs_id *rid, enum hs_err reason, uint32_t retry_after_ms,
                             struct hs_arena *arena, Hanse__SignedObject **out);

/* reason: why this request was refused. COUPON_INVALID where it refuses another. */
enum hs_err hs_refusal_open(struct hs_chain *chain, const Hanse__SignedObject *obj,
                            const struct hs_id *request_id, struct hs_arena *arena, enum hs_err *reason,
                            uint32_t *retry_after_ms);

/* Till -> issuer, decided at author->now, which COUPON_LATE refuses where hs_reservation_check_decide() does.
 * COUPON_AMOUNT past the reservation. */
enum hs_err hs_commit_build(const struct hs_author *author, const struct hs_reservation *reservation,
                            const struct hs_id *order_id, const struct hs_amount *discount,
                            struct hs_arena *arena, Hanse__SignedObject **out);
enum hs_err hs_commit_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_time now,
                           struct hs_arena *arena, struct hs_commit *out);

enum hs_err hs_release_build(const struct hs_author *author, const struct hs_reservation *reservation,
                             struct hs_arena *arena, Hanse__SignedObject **out);
enum hs_err hs_release_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_time now,
                            struct hs_arena *arena, struct hs_release *out);

/* Issuer -> till: the receipt. author: the node. */
enum hs_err hs_redemption_build(const struct hs_author *author, const struct hs_commit *commit,
                                const struct hs_id *coupon_id, uint64_t incarnation, struct hs_arena *arena,
                                Hanse__SignedObject **out);

/* A receipt by the chain's root's node: signature and shape. Whether it is for the right order and amount:
 * hs_redemption_check(). */
enum hs_err hs_redemption_open(struct hs_chain *chain, const Hanse__SignedObject *obj, struct hs_arena *arena,
                               struct hs_redemption *out);

/* COUPON_INVALID for another rid or coupon, COUPON_AMOUNT for another discount. */
enum hs_err hs_redemption_check(const struct hs_redemption *r, const struct hs_id *coupon_id,
                                const struct hs_key *redeemer_root, const struct hs_id *order_id,
                                const struct hs_amount *discount);

/* Issuer -> till: the unit is free again. */
enum hs_err hs_released_build(const struct hs_author *author, const struct hs_id *rid, struct hs_arena *arena,
                              Hanse__SignedObject **out);
enum hs_err hs_released_open(struct hs_chain *chain, const Hanse__SignedObject *obj, const struct hs_id *rid,
                             struct hs_arena *arena);

#endif

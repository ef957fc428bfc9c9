/* libhanse: offers, coupons and orders. A part of hanse/hanse.h, whose words on ownership, threads,
 * operations, errors and units hold here too. */
#ifndef HANSE_DEAL_H
#define HANSE_DEAL_H

#include <hanse/hanse.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Offers and coupons ---- */

struct hanse_offer {
    struct hanse_id id;
    struct hanse_id room; /* where it was posted */
    struct hanse_person seller;
    char sku[HANSE_NAME_SIZE];
    char title[HANSE_NAME_SIZE];
    char currency[HANSE_CURRENCY_SIZE];
    int64_t price_minor; /* of one unit */
    bool price_includes_tax;
    uint32_t tax_bp;
    int64_t from_ms, until_ms;
};
HANSE_API HANSE_NODISCARD enum hanse_err hanse_offer_next(struct hanse *h, const struct hanse_id *after,
                                                          struct hanse_offer *out);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_offer_get(struct hanse *h, const struct hanse_id *offer,
                                                         struct hanse_offer *out);

struct hanse_offer_spec {
    const char *sku;
    const char *title;
    const char *currency;
    int64_t price_minor; /* tax included */
    uint32_t tax_bp;
    int64_t until_ms; /* 0 = no end */
};

/* Signs an offer and posts it in the room. DONE: it is in the log; id = the offer, seq = its place.
 * HANSE_ERR_INVALID_ARG for a sku of more than 64 bytes, a text that is NULL, empty or not clean, an end in
 * the past; HANSE_ERR_CURRENCY, HANSE_ERR_AMOUNT, HANSE_ERR_MALFORMED for a tax past 10000;
 * HANSE_ERR_WRONG_SIGNER where this identity has no grant to sell. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_offer_post(struct hanse *h, const struct hanse_id *room,
                                                          const struct hanse_offer_spec *spec, uint64_t *op);

/* A coupon's definition: what everybody in the room may claim. */
struct hanse_campaign {
    struct hanse_id id;
    struct hanse_id room;
    struct hanse_person issuer;
    char title[HANSE_NAME_SIZE];
    uint32_t percent_bp; /* 0: a fixed amount */
    int64_t amount_minor;
    char currency[HANSE_CURRENCY_SIZE]; /* "" where there is no amount */
    int64_t from_ms, until_ms;
    uint32_t limit_total; /* 0 = none */
    bool claimed;         /* by this device */
};
HANSE_API HANSE_NODISCARD enum hanse_err hanse_campaign_next(struct hanse *h, const struct hanse_id *after,
                                                             struct hanse_campaign *out);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_campaign_get(struct hanse *h, const struct hanse_id *campaign,
                                                            struct hanse_campaign *out);

struct hanse_campaign_spec {
    const char *title;   /* NULL: made from the discount */
    uint32_t percent_bp; /* 1..10000, or 0 for a fixed amount */
    int64_t amount_minor;
    const char *currency;         /* with amount_minor */
    int64_t until_ms;             /* 0 = no end */
    uint32_t limit_total;         /* 0 = none */
    const struct hanse_id *offer; /* only for this one; NULL = all */
};

/* Registers a coupon with the home node's ledger and posts it in the room. DONE: id = the campaign.
 * HANSE_ERR_INVALID_ARG for a title that is empty or not clean, a percentage past 10000, neither percentage
 * nor currency, an end in the past; HANSE_ERR_CURRENCY, HANSE_ERR_AMOUNT, HANSE_ERR_MALFORMED;
 * HANSE_ERR_WRONG_SIGNER where this identity has no grant to issue, or the room isn't the home node's
 * brand's. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_coupon_issue(struct hanse *h, const struct hanse_id *room,
                                                            const struct hanse_campaign_spec *spec,
                                                            uint64_t *op);

enum hanse_coupon_state { HANSE_COUPON_HELD = 1, HANSE_COUPON_ORDERED, HANSE_COUPON_USED };

/* One coupon that this device holds. */
struct hanse_coupon {
    struct hanse_id id;
    struct hanse_id campaign;
    struct hanse_id room; /* of the campaign */
    enum hanse_coupon_state state;
    uint32_t unit_no;
    char title[HANSE_NAME_SIZE];
    int64_t until_ms;
    struct hanse_id order; /* ORDERED, USED: in which one */
};
HANSE_API HANSE_NODISCARD enum hanse_err hanse_coupon_next(struct hanse *h, const struct hanse_id *after,
                                                           struct hanse_coupon *out);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_coupon_get(struct hanse *h, const struct hanse_id *coupon,
                                                          struct hanse_coupon *out);

/* Claims one. DONE: id = the coupon. The same campaign claimed again gives the coupon that is held.
 * HANSE_ERR_COUPON_UNKNOWN where this device hasn't seen the campaign. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_coupon_claim(struct hanse *h, const struct hanse_id *campaign,
                                                            uint64_t *op);

/* ---- Orders ---- */

enum hanse_order_state {
    HANSE_ORDER_DRAFT = 1, /* on its way to the shop */
    HANSE_ORDER_PLACED,
    HANSE_ORDER_ACCEPTED,
    HANSE_ORDER_REJECTED,
    HANSE_ORDER_CANCELLED,
    HANSE_ORDER_CLOSED
};

struct hanse_order {
    struct hanse_id id;
    struct hanse_id room; /* the counter */
    enum hanse_order_state state;
    enum hanse_err reason; /* REJECTED: why */
    bool own;              /* placed by this device; else answered by it */
    struct hanse_person customer;
    char currency[HANSE_CURRENCY_SIZE];
    int64_t subtotal_minor, discount_minor, total_minor;
    int64_t placed_ms;
    uint32_t lines, receipts;
};
HANSE_API HANSE_NODISCARD enum hanse_err hanse_order_next(struct hanse *h, const struct hanse_id *after,
                                                          struct hanse_order *out);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_order_get(struct hanse *h, const struct hanse_id *order,
                                                         struct hanse_order *out);

struct hanse_order_line {
    struct hanse_id offer;
    char title[HANSE_NAME_SIZE];
    uint64_t quantity;
    int64_t price_minor, subtotal_minor, discount_minor, total_minor;
};

/* The line of that index. HANSE_ERR_NOT_FOUND past the last, and for an order that isn't here. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_order_line(struct hanse *h, const struct hanse_id *order,
                                                          uint32_t index, struct hanse_order_line *out);

/* Orders quantity of one offer, with at most one coupon (NULL: none). Opens a counter with the shop's till
 * where there is none yet. DONE: the till has answered, id = the order; HANSE_OK for an accepted one, else
 * the reason. DONE comes earlier, with the error, where the order can't be made at all. What is plain here is
 * said at once: HANSE_ERR_INVALID_ARG for quantity 0, HANSE_ERR_OFFER_UNKNOWN, HANSE_ERR_OFFER_EXPIRED,
 * HANSE_ERR_COUPON_UNKNOWN, HANSE_ERR_COUPON_HELD (by another order), HANSE_ERR_COUPON_NOT_YET,
 * HANSE_ERR_COUPON_EXPIRED; what no price comes of: HANSE_ERR_ORDER_INVALID (a quantity out of bounds),
 * HANSE_ERR_CURRENCY, HANSE_ERR_AMOUNT, HANSE_ERR_COUPON_MIN_NOT_MET. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_order_place(struct hanse *h, const struct hanse_id *offer,
                                                           uint64_t quantity, const struct hanse_id *coupon,
                                                           uint64_t *op);

/* Everything that a third party needs to check the order, as one signed file; bytes belong to the handle.
 * HANSE_ERR_NOT_FOUND; HANSE_ERR_ORDER_STEP before the shop has answered. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_order_export(struct hanse *h, const struct hanse_id *order,
                                                            const uint8_t **bytes, size_t *len);

/* Whether this device answers orders as the brand's till: opens counters, prices, redeems, accepts. Off at
 * first, and after each hanse_open(). HANSE_ERR_WRONG_SIGNER without a grant to do so,
 * HANSE_ERR_INVALID_STATE without an identity. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_till_enable(struct hanse *h, bool on);

/* ---- Checking an exported order: no handle, no network ---- */

enum {
    HANSE_REPORT_LINES_MAX = 200,
    HANSE_REPORT_SIGNERS_MAX = 32,
    HANSE_REPORT_DISCOUNTS_MAX = 16,
    HANSE_REPORT_ROLE_SIZE = 32
};

struct hanse_report_signer {
    char part[HANSE_REPORT_ROLE_SIZE]; /* what was signed: "offer", "coupon", "receipt", "order", "event", ...
                                        */
    char role[HANSE_REPORT_ROLE_SIZE]; /* by whom: "node", "merchant", "till", "customer", ... */
    struct hanse_id key;
    char handle[HANSE_HANDLE_SIZE]; /* "" where the file doesn't prove one */
    int64_t from_ms, until_ms;      /* the window of the grant or certificate */
};

struct hanse_report_discount {
    struct hanse_id coupon;
    int64_t amount_minor;
    bool redeemed; /* the issuer's receipt is in the file */
};

struct hanse_report {
    struct hanse_id root; /* the brand that all of it hangs on */
    bool root_pinned;     /* and it is the one that was asked for */
    char domain[HANSE_DOMAIN_SIZE];
    struct hanse_id order;
    enum hanse_order_state state;
    enum hanse_err reason;
    int64_t placed_ms, decided_ms, exported_ms;
    struct hanse_id customer;
    char currency[HANSE_CURRENCY_SIZE];
    int64_t subtotal_minor, discount_minor, tax_minor, total_minor;
    size_t signer_count, line_count, discount_count;
    struct hanse_report_signer signers[HANSE_REPORT_SIGNERS_MAX];
    struct hanse_order_line lines[HANSE_REPORT_LINES_MAX];
    struct hanse_report_discount discounts[HANSE_REPORT_DISCOUNTS_MAX];
};

/* Checks an exported order whole: every signature, every grant and window, every step, every sum. root: the
 * brand's root key, or NULL to take the file's own word for it (root_pinned is then false). The report is
 * freed with hanse_report_free(). Any alteration is an error and gives no report: HANSE_ERR_MALFORMED,
 * HANSE_ERR_TOO_LARGE, HANSE_ERR_BAD_SIGNATURE, HANSE_ERR_WRONG_SIGNER, HANSE_ERR_BAD_CHAIN,
 * HANSE_ERR_ORDER_INVALID and the like name what is wrong; HANSE_ERR_NOMEM, HANSE_ERR_SELFTEST. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_verify(const uint8_t *bytes, size_t len,
                                                      const struct hanse_id *root, struct hanse_report **out);

/* NULL is fine. */
HANSE_API void hanse_report_free(struct hanse_report *report);

#ifdef __cplusplus
}
#endif

#endif

/* The customer's copy of an order as one file: all that a third party needs to check it offline, years later,
 * with nobody's help. */
#ifndef HS_DEAL_EXPORT_H
#define HS_DEAL_EXPORT_H

#include "deal/order_event.h"

/* The file: a packed SignedObject of kind ORDER_EXPORT. */
enum { HS_EXPORT_MAX = HS_PAYLOAD_EXPORT + HS_OBJECT_OVERHEAD };

/* What goes in; all borrowed. chain: every descriptor, grant and certificate that may be needed, duplicates
 * and unused ones included; the builder keeps what is used. */
struct hs_export_parts {
    Hanse__SignedObject *const *offers, *const *coupon_defs, *const *coupons, *const *events, *const *chain;
    size_t offer_count, coupon_def_count, coupon_count, event_count, chain_count;
};

/* What building or verifying the largest export may take of an arena. */
enum { HS_EXPORT_ARENA = 32 << 20 };

/* Verifies the parts, leaves out what nothing cites, signs. author: a device of the customer. root: the
 * brand's. The errors of hs_export_verify(); TOO_LARGE, NOMEM. */
enum hs_err hs_export_build(const struct hs_author *author, const struct hs_key *root,
                            const struct hs_export_parts *parts, struct hs_arena *arena,
                            struct hs_bytes *out);

struct hs_export_line {
    const char *title; /* clean UTF-8 */
    uint64_t quantity;
    struct hs_amount price, subtotal, discount, total;
};

/* Who signed what, for printing: part is "offer", "coupon definition", "coupon", "receipt", "order", "event"
 * or "export". Equal (part, key, role) are told once. */
struct hs_export_signer {
    const char *part;
    struct hs_actor actor;
};

enum { HS_EXPORT_SIGNERS_MAX = 32 };

struct hs_export_report {
    struct hs_key root;
    bool root_pinned;               /* the caller named it; otherwise the file did */
    char domain[HS_DOMAIN_MAX + 1]; /* that the root claims */
    struct hs_key customer;
    struct hs_id order_id;
    enum hs_order_state state;
    struct hs_time placed_at, accepted_at, exported_at; /* accepted_at 0 = wasn't */
    struct hs_export_line *lines;
    size_t line_count;
    bool has_coupon;
    struct hs_id coupon_id;
    const char *coupon_title;
    struct hs_amount subtotal, discount, tax, total;
    struct hs_export_signer signers[HS_EXPORT_SIGNERS_MAX];
    size_t signer_count;
    uint32_t reason_code; /* of a rejected or cancelled order */
    const char *reason;
};

/* Checks everything from the bytes alone: canonical encoding of the outer file and the export's payload,
 * every signature, role, window, link, price and receipt, and that nothing in it is unused. pinned NULL: the
 * root is the one that the file's descriptor names, and the report says so. The report's pointers live in the
 * arena. Errors name what is wrong: MALFORMED, BAD_SIGNATURE, WRONG_SIGNER, BAD_CHAIN, ORDER_INVALID (a part
 * that nothing cites, no event, ...), and those of hs_order_event_apply(). */
enum hs_err hs_export_verify(struct hs_bytes bytes, const struct hs_key *pinned, struct hs_arena *arena,
                             struct hs_export_report *report);

#endif

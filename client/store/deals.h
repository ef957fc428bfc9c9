/* Deals: the signed bytes and, beside them, what is shown of them, so that a list needs no verification.
 * Every row was verified before it was written. */
#ifndef HS_STORE_DEALS_H
#define HS_STORE_DEALS_H

#include "store/posts.h"

enum { HS_TITLE_SIZE = 257, HS_CURRENCY_SIZE = 4 };

/* A signed object and the Chain that proves its signer. */
struct hs_proved {
    struct hs_bytes object, chain;
};

struct hs_offer_row {
    struct hs_id id, room;
    struct hs_key root; /* of the brand */
    struct hs_proved proved;
    struct hs_person seller;
    char sku[HS_TITLE_SIZE], title[HS_TITLE_SIZE], currency[HS_CURRENCY_SIZE];
    int64_t price;
    bool includes_tax;
    uint32_t tax_bp;
    int64_t from, until;
};

struct hs_campaign_row {
    struct hs_id id, room;
    struct hs_key root;
    struct hs_proved proved;
    struct hs_person issuer;
    char title[HS_TITLE_SIZE], currency[HS_CURRENCY_SIZE];
    uint32_t percent_bp, limit_total;
    int64_t amount, from, until;
};

/* A claim is stored before it is sent, so that the same bytes are sent again. */
struct hs_claim_row {
    struct hs_bytes request;
    bool done;
    struct hs_id coupon;
};

/* A unit: one's own, or one that a customer showed to this till. */
struct hs_coupon_row {
    struct hs_id id, campaign, room, order;
    struct hs_proved proved;
    uint32_t state; /* enum hanse_coupon_state; 0 = somebody else's */
    uint32_t unit_no;
    char title[HS_TITLE_SIZE];
    int64_t until;
};

struct hs_order_row {
    struct hs_id id, room;
    struct hs_key root;
    struct hs_proved proved; /* the request */
    uint32_t state;          /* enum hanse_order_state */
    int32_t reason;
    bool own;
    struct hs_person customer;
    char currency[HS_CURRENCY_SIZE];
    int64_t subtotal, discount, total, placed, seen; /* seen: by this device's clock */
    uint32_t lines, receipts, next_seq;
    bool done; /* till: nothing is left to do */
};

/* How far the till has come with an order's coupon. What is empty hasn't happened. */
struct hs_redeem_row {
    struct hs_id coupon;
    struct hs_bytes question; /* PresentationRequest */
    struct hs_bytes presentation;
    struct hs_bytes holder_chain;
    struct hs_bytes request; /* ReserveRequest */
    struct hs_bytes reservation;
    struct hs_bytes commit;
    struct hs_bytes redemption;
    struct hs_bytes node_chain; /* proves the redemption */
    int64_t asked;
    uint64_t incarnation; /* of the issuer's node, the highest that was known when it was asked */
};

/* How far an issuer's node has been shown what it may have forgotten. */
struct hs_shown_row {
    uint64_t seen;  /* its highest incarnation that is known here */
    uint64_t shown; /* that which was shown everything; below: it is being shown */
    uint32_t phase; /* enum hs_proof_phase (sync/trade/proof_walk.h) */
    struct hs_bytes from;
    uint32_t next_phase; /* when what is under way is answered */
    struct hs_bytes next;
    int64_t begun; /* when that began, or will; of another brand's node */
    int64_t again; /* and not before that time */
};

/* A counter: asked for by this customer, or made by this till for that one. */
struct hs_counter_row {
    struct hs_id room;
    bool open;
    struct hs_bytes key_package; /* till: whom to add */
    int64_t asked;
};

#define HS_DEAL_STORE(name)                                                                                  \
    bool hs_##name##_row_get(struct hs_kv *kv, const struct hs_id *id, struct hs_arena *arena,               \
                             struct hs_##name##_row *out);                                                   \
    bool hs_##name##_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,            \
                              struct hs_##name##_row *out);                                                  \
    void hs_##name##_row_put(struct hs_kv *kv, const struct hs_##name##_row *row);

HS_DEAL_STORE(offer)
HS_DEAL_STORE(campaign)
HS_DEAL_STORE(coupon)
HS_DEAL_STORE(order)

/* The next order of others' that isn't done, behind *cursor, which it moves. Start with {0}; orders may be
 * put in between. */
bool hs_open_order_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_id *id);

bool hs_claim_row_get(struct hs_kv *kv, const struct hs_id *campaign, struct hs_arena *arena,
                      struct hs_claim_row *out);
void hs_claim_row_delete(struct hs_kv *kv, const struct hs_id *campaign);
void hs_claim_row_put(struct hs_kv *kv, const struct hs_id *campaign, const struct hs_claim_row *row);

bool hs_event_row_get(struct hs_kv *kv, const struct hs_id *order, uint32_t seq, struct hs_arena *arena,
                      struct hs_proved *out);
void hs_event_row_put(struct hs_kv *kv, const struct hs_id *order, uint32_t seq,
                      const struct hs_proved *event);

bool hs_redeem_row_get(struct hs_kv *kv, const struct hs_id *order, struct hs_arena *arena,
                       struct hs_redeem_row *out);
void hs_redeem_row_put(struct hs_kv *kv, const struct hs_id *order, const struct hs_redeem_row *row);

bool hs_redeem_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                        struct hs_id *order, struct hs_redeem_row *out);

bool hs_shown_row_get(struct hs_kv *kv, const struct hs_key *root, struct hs_arena *arena,
                      struct hs_shown_row *out);
bool hs_shown_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                       struct hs_key *root, struct hs_shown_row *out);
void hs_shown_row_put(struct hs_kv *kv, const struct hs_key *root, const struct hs_shown_row *row);

bool hs_counter_row_get(struct hs_kv *kv, const struct hs_key *root, const struct hs_key *customer,
                        struct hs_arena *arena, struct hs_counter_row *out);
bool hs_counter_row_next(struct hs_kv *kv, const struct hs_key *root, struct hs_kv_key *cursor,
                         struct hs_arena *arena, struct hs_key *customer, struct hs_counter_row *out);
void hs_counter_row_put(struct hs_kv *kv, const struct hs_key *root, const struct hs_key *customer,
                        const struct hs_counter_row *row);

#endif

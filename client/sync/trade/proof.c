/* What an issuer's node has signed for others is shown to it once it was restored: coupons with their
 * definitions, reservations, receipts. A batch at a time is under way, and the store knows how far it has
 * come. */
#include "deal/ledger.h"
#include "sync/trade/deal.h"
#include "wire/unpack.h"

enum {
    FIRST = 1,          /* incarnation of a node that was never restored */
    BATCH_OBJECTS = 32, /* as many as a node takes */
    ROW_OBJECTS = 3,    /* definition, coupon, receipt */
    BATCH_BYTES = 16 << 10,
    BATCH_ROWS = 512, /* looked at for one batch: most are of this issuer, and haven't run out */
    /* A coupon that has run out can't be redeemed once more; its reservations end a little later. */
    RUN_OUT_MS = HS_DECIDE_MS + HS_SETTLE_MS + HS_CLOCK_SKEW_MS,
    /* Of another brand's node: it is shown all from the start at most so often, whatever it says, and
     * whatever the home says that it has said. */
    PACE_MS = 3600000,
    LATER_MS = 300000 /* where it can't be reached: an operator is at work on it */
};

/* What is walked, in this order. */
enum phase { COUPONS, STEPS, DONE };

struct batch {
    Hanse__Proof list[BATCH_OBJECTS];
    size_t count, bytes;
    struct hs_chain_set chain;
    struct hs_id campaigns[BATCH_OBJECTS]; /* whose definitions are in it */
    size_t campaign_count;
};

struct walk {
    struct hs_step *s;
    const struct hs_key *root;
    struct batch *b;
    size_t rows;
    enum phase phase;
    struct hs_kv_key from;
};

/* ---- one batch ---- */

/* node: of the chain only what names the node's keys is of use. */
static enum hs_err chain_add(struct walk *w, struct hs_bytes bytes, bool node)
{
    Hanse__Chain *chain, one = HANSE__CHAIN__INIT;
    HS_TRY(hs_chain_unpack(w->s->arena, bytes, &chain));
    w->b->bytes += bytes.len;
    one.n_objects = 1;
    for (size_t i = 0; i < chain->n_objects; i++) {
        if (node && hs_object_claimed_kind(chain->objects[i]) != HS_KIND_NODE_DESCRIPTOR)
            continue;
        one.objects = &chain->objects[i];
        HS_TRY(hs_chain_set_add(&w->b->chain, &one));
    }
    return HS_OK;
}

static Hanse__Proof *proof_add(struct walk *w, Hanse__SignedObject *object)
{
    HS_ASSERT(w->b->count < BATCH_OBJECTS);
    Hanse__Proof *proof = &w->b->list[w->b->count++];
    *proof = (Hanse__Proof)HANSE__PROOF__INIT;
    proof->object = object;
    return proof;
}

static enum hs_err bytes_add(struct walk *w, struct hs_bytes object, struct hs_bytes chain, bool node,
                             Hanse__Proof **out)
{
    Hanse__SignedObject *unpacked;
    HS_TRY(hs_object_unpack(object, w->s->arena, &unpacked));
    HS_TRY(chain_add(w, chain, node));
    w->b->bytes += object.len;
    *out = proof_add(w, unpacked);
    return HS_OK;
}

static enum hs_err campaign_add(struct walk *w, const struct hs_campaign_row *campaign)
{
    Hanse__Proof *proof;
    for (size_t i = 0; i < w->b->campaign_count; i++)
        if (hs_id_equal(&w->b->campaigns[i], &campaign->id))
            return HS_OK;
    w->b->campaigns[w->b->campaign_count++] = campaign->id;
    return bytes_add(w, campaign->proved.object, campaign->proved.chain, false, &proof);
}

/* The receipts that this customer got with the order. */
static enum hs_err receipts_add(struct walk *w, const struct hs_id *order, const struct hs_id *coupon)
{
    enum { ACCEPTED_SEQ = 1 };
    struct hs_proved proved;
    Hanse__SignedObject *object;
    Hanse__OrderEvent *event;
    if (!hs_event_row_get(w->s->kv, order, ACCEPTED_SEQ, w->s->arena, &proved))
        return w->s->kv->err;
    HS_TRY(hs_object_unpack(proved.object, w->s->arena, &object));
    HS_TRY(HS_UNPACK(hanse__order_event, hs_pb_bytes(object->payload), HS_STRICT, w->s->arena, &event));
    HS_TRY(chain_add(w, proved.chain, true));
    for (size_t i = 0; i < event->n_receipts; i++) {
        Hanse__Redemption *receipt;
        HS_TRY(HS_UNPACK(hanse__redemption, hs_pb_bytes(event->receipts[i]->payload), HS_STRICT, w->s->arena,
                         &receipt));
        if (hs_bytes_equal(hs_pb_bytes(receipt->coupon_id), HS_VIEW(*coupon))) {
            (void)proof_add(w, event->receipts[i]);
            break;
        }
    }
    return HS_OK;
}

static bool has_run_out(const struct walk *w, const struct hs_coupon_row *row)
{
    return row->until + RUN_OUT_MS <= w->s->now.ms;
}

static enum hs_err coupon_add(struct walk *w, const struct hs_coupon_row *row)
{
    struct hs_campaign_row campaign;
    Hanse__Proof *proof;
    if (has_run_out(w, row) || !hs_campaign_row_get(w->s->kv, &row->campaign, w->s->arena, &campaign) ||
        !hs_key_equal(&campaign.root, w->root))
        return w->s->kv->err;
    HS_TRY(campaign_add(w, &campaign));
    HS_TRY(bytes_add(w, row->proved.object, row->proved.chain, true, &proof));
    return row->state == HANSE_COUPON_USED ? receipts_add(w, &row->order, &row->id) : HS_OK;
}

/* What this till was given for an order: a receipt; or a reservation, as long as it may still use it. */
static enum hs_err step_add(struct walk *w, const struct hs_id *id, const struct hs_redeem_row *row)
{
    struct hs_order_row order;
    struct hs_coupon_row coupon;
    Hanse__Proof *proof;
    if (!hs_order_row_get(w->s->kv, id, w->s->arena, &order) || !hs_key_equal(&order.root, w->root) ||
        !hs_coupon_row_get(w->s->kv, &row->coupon, w->s->arena, &coupon) || has_run_out(w, &coupon))
        return w->s->kv->err;
    if (row->redemption.len > 0)
        return bytes_add(w, row->redemption, row->node_chain, true, &proof);
    if (row->reservation.len == 0 || order.done)
        return HS_OK;
    HS_TRY(bytes_add(w, row->reservation, row->node_chain, true, &proof));
    struct hs_bytes ids = hs_arena_copy(w->s->arena, HS_VIEW(row->coupon)),
                    which = hs_arena_copy(w->s->arena, HS_VIEW(*id));
    HS_REQUIRE(ids.data != NULL && which.data != NULL, HS_ERR_NOMEM);
    proof->coupon_id = hs_pb_data(ids);
    proof->order_id = hs_pb_data(which);
    return HS_OK;
}

/* ---- the walk ---- */

/* The next row of the phase, added; false where there is none. */
static bool row_next(struct walk *w, struct hs_kv_key *cursor, enum hs_err *err)
{
    struct hs_coupon_row coupon;
    struct hs_redeem_row step;
    struct hs_id id;
    if (w->phase == COUPONS && hs_coupon_row_next(w->s->kv, cursor, w->s->arena, &coupon)) {
        *err = coupon_add(w, &coupon);
        return true;
    }
    if (w->phase == STEPS && hs_redeem_row_next(w->s->kv, cursor, w->s->arena, &id, &step)) {
        *err = step_add(w, &id, &step);
        return true;
    }
    return false;
}

/* Rows from where it stands on, as many as fit. One that doesn't fit by itself, or can't be read, is left
 * out. */
static enum hs_err gather(struct walk *w)
{
    while (w->phase != DONE && w->rows < BATCH_ROWS && w->b->count + ROW_OBJECTS <= BATCH_OBJECTS &&
           w->b->bytes < BATCH_BYTES) {
        struct batch before = *w->b;
        struct hs_kv_key cursor = w->from;
        enum hs_err err = HS_OK;
        bool found = row_next(w, &cursor, &err);
        HS_TRY(w->s->kv->err);
        HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
        if (!found) {
            w->phase++;
            w->from = (struct hs_kv_key){0};
            continue;
        }
        if (err != HS_OK)
            *w->b = before;
        if (err == HS_ERR_BAD_CHAIN && before.count > 0)
            return HS_OK; /* begins the next batch */
        w->from = cursor;
        w->rows++;
    }
    return HS_OK;
}

/* ---- one issuer ---- */

static enum hs_err show_next(struct hs_step *s, const struct hs_key *root);

static void wake(struct hs_step *s, int64_t at)
{
    if (at < s->sync->proofs_due.ms)
        s->sync->proofs_due.ms = at;
}

/* Clocks that were put back must not keep it for long. */
static bool is_ahead(int64_t at, const struct hs_step *s)
{
    return at > s->now.ms && at - s->now.ms <= PACE_MS;
}

static void begin(struct hs_step *s, const struct hs_key *root, struct hs_shown_row *row)
{
    *row = (struct hs_shown_row){.seen = row->seen, .shown = row->shown, .begun = row->begun};
    if (hs_root_is_home(s->sync, root))
        return;
    if (!is_ahead(row->begun, s)) /* else it will anyway */
        row->begun = is_ahead(row->begun + PACE_MS, s) ? row->begun + PACE_MS : s->now.ms;
    row->again = row->begun;
}

static enum hs_err finish(struct hs_step *s, const struct hs_key *root, struct hs_shown_row *row)
{
    row->shown = row->seen;
    hs_shown_row_put(s->kv, root, row);
    return s->kv->err;
}

static void later(struct hs_step *s, const struct hs_key *root, struct hs_shown_row *row)
{
    if (row->shown == row->seen)
        return;
    row->again = s->now.ms + LATER_MS;
    hs_shown_row_put(s->kv, root, row);
    wake(s, row->again);
}

/* The node has answered for a batch, or won't: that goes on behind it. */
static enum hs_err answered(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                            enum hs_err err)
{
    struct hs_key root;
    struct hs_shown_row row = {0};
    memcpy(root.b, request->id_a.b, sizeof root.b);
    bool home = hs_root_is_home(s->sync, &root);
    (void)hs_shown_row_get(s->kv, &root, s->arena, &row);
    if (hs_err_is_transient(err)) {
        if (home || err == HS_ERR_RATE_LIMITED || err == HS_ERR_BUSY)
            hs_home_try_again(s);
        else
            later(s, &root, &row);
        return s->kv->err;
    }
    HS_REQUIRE(err != HS_OK || frame->body_case == HANSE__FRAME__BODY_PROOFS_SHOWN, HS_ERR_UNEXPECTED);
    /* Of another brand's node the home may say what it likes: heads tell, which that node has signed. */
    if (home && err == HS_OK && frame->proofs_shown->incarnation > row.seen)
        return hs_proofs_seen(s, &root, frame->proofs_shown->incarnation); /* restored once more */
    if (row.shown == row.seen)
        return s->kv->err;
    if (err == HS_ERR_UNSUPPORTED || row.next_phase == DONE)
        return finish(s, &root, &row);
    row.phase = row.next_phase;
    row.from = row.next;
    hs_shown_row_put(s->kv, &root, &row);
    HS_TRY(s->kv->err);
    return show_next(s, &root);
}

static bool is_asked(const struct hs_sync *sync, const struct hs_key *root)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (sync->requests[i].id != 0 && sync->requests[i].answer == answered &&
            memcmp(sync->requests[i].id_a.b, root->b, sizeof root->b) == 0)
            return true;
    return false;
}

static enum hs_err send(struct hs_step *s, const struct hs_key *root, struct batch *b, bool last)
{
    Hanse__ShowProofs show = HANSE__SHOW_PROOFS__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Proof *list[BATCH_OBJECTS];
    struct hs_request request = {.answer = answered};
    struct hs_bytes descriptor;
    memcpy(request.id_a.b, root->b, sizeof root->b);
    for (size_t i = 0; i < b->count; i++)
        list[i] = &b->list[i];
    show.proofs = list;
    show.n_proofs = b->count;
    show.chain = b->chain.objects;
    show.n_chain = b->chain.count;
    show.last = last;
    frame.show_proofs = &show;
    frame.body_case = HANSE__FRAME__BODY_SHOW_PROOFS;
    enum hs_err err = hs_brand_descriptor(s, root, &descriptor);
    if (err != HS_OK) /* nothing says where it is any more */
        return hs_sync_is_own_trouble(err) ? err : HS_OK;
    return hs_request_send_to(s, root, descriptor, &frame, &request);
}

/* Whoever has nothing for the node doesn't say so; but a till, for which the operator waits. */
static bool is_awaited(const struct hs_sync *sync, const struct hs_key *root)
{
    return hs_root_is_home(sync, root) && (sync->me.roles & HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL)) != 0;
}

static enum hs_err show_next(struct hs_step *s, const struct hs_key *root)
{
    struct hs_shown_row row;
    struct walk w = {.s = s, .root = root, .b = hs_arena_alloc(s->arena, sizeof(struct batch))};
    HS_REQUIRE(w.b != NULL, HS_ERR_NOMEM);
    if (!hs_home_is_online(s->sync) || is_asked(s->sync, root) ||
        !hs_shown_row_get(s->kv, root, s->arena, &row) || row.shown == row.seen)
        return s->kv->err;
    if (is_ahead(row.again, s)) {
        wake(s, row.again);
        return HS_OK;
    }
    if (hs_requests_are_scarce(s->sync)) {
        hs_home_try_again(s);
        return HS_OK;
    }
    *w.b = (struct batch){0};
    w.phase = (enum phase)row.phase;
    w.from = hs_row_key1(row.from);
    HS_TRY(gather(&w));
    if (w.b->count == 0 && w.phase == DONE && !is_awaited(s->sync, root))
        return finish(s, root, &row);
    row.next_phase = w.phase;
    row.next = hs_kv_key_bytes(&w.from);
    hs_shown_row_put(s->kv, root, &row);
    HS_TRY(s->kv->err);
    return send(s, root, w.b, w.phase == DONE);
}

/* ---- from outside ---- */

uint64_t hs_proofs_incarnation(struct hs_step *s, const struct hs_key *root)
{
    struct hs_shown_row row = {0};
    (void)hs_shown_row_get(s->kv, root, s->arena, &row);
    return row.seen;
}

enum hs_err hs_proofs_seen(struct hs_step *s, const struct hs_key *root, uint64_t incarnation)
{
    struct hs_shown_row row = {0};
    bool known = hs_shown_row_get(s->kv, root, s->arena, &row);
    if (incarnation <= row.seen)
        return s->kv->err;
    row.seen = incarnation;
    if (!known && incarnation == FIRST)
        row.shown = FIRST; /* it has never forgotten anything */
    else
        begin(s, root, &row);
    hs_shown_row_put(s->kv, root, &row);
    HS_TRY(s->kv->err);
    return show_next(s, root);
}

enum hs_err hs_proofs_resume(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_shown_row row;
    struct hs_key root;
    s->sync->proofs_due = HS_NEVER;
    while (hs_shown_row_next(s->kv, &cursor, s->arena, &root, &row))
        if (row.shown != row.seen)
            HS_TRY(show_next(s, &root));
    return s->kv->err;
}

enum hs_err hs_proofs_recovering(struct hs_step *s, const struct hs_key *root)
{
    struct hs_shown_row row = {0};
    if (hs_root_is_home(s->sync, root))
        return HS_OK; /* it has told in this session's beginning */
    (void)hs_shown_row_get(s->kv, root, s->arena, &row);
    if (row.shown == row.seen) {
        if (is_ahead(row.begun + PACE_MS, s))
            return s->kv->err;
        row.seen = row.seen > FIRST ? row.seen : FIRST;
        row.shown = row.seen - 1;
        begin(s, root, &row);
        hs_shown_row_put(s->kv, root, &row);
    }
    HS_TRY(s->kv->err);
    return show_next(s, root);
}

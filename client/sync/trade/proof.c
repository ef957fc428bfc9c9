/* What an issuer's node has signed for others is shown to it once it was restored: coupons with their
 * definitions, reservations, receipts (proof_walk.c). A batch at a time is under way, and the store knows how
 * far it has come. */
#include "sync/trade/proof_walk.h"

enum {
    FIRST = 1, /* incarnation of a node that was never restored */
    /* Of another brand's node: it is shown all from the start at most so often, whatever it says, and
     * whatever the home says that it has said. */
    PACE_MS = 3600000,
    LATER_MS = 300000 /* where it can't be reached: an operator is at work on it */
};

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
    if (err == HS_ERR_UNSUPPORTED || row.next_phase == HS_PROOF_DONE)
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

static enum hs_err send(struct hs_step *s, const struct hs_key *root, struct hs_proof_batch *b, bool last)
{
    Hanse__ShowProofs show = HANSE__SHOW_PROOFS__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Proof *list[HS_PROOF_OBJECTS];
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
    struct hs_proof_walk w = {
        .s = s, .root = root, .b = hs_arena_alloc(s->arena, sizeof(struct hs_proof_batch))};
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
    *w.b = (struct hs_proof_batch){0};
    w.phase = (enum hs_proof_phase)row.phase;
    w.from = hs_row_key1(row.from);
    HS_TRY(hs_proof_gather(&w));
    if (w.b->count == 0 && w.phase == HS_PROOF_DONE && !is_awaited(s->sync, root))
        return finish(s, root, &row);
    row.next_phase = w.phase;
    row.next = hs_kv_key_bytes(&w.from);
    hs_shown_row_put(s->kv, root, &row);
    HS_TRY(s->kv->err);
    return send(s, root, w.b, w.phase == HS_PROOF_DONE);
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

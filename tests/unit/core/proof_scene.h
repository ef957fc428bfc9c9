/* What is shown to a ledger that was put back, for the tests of that. */
#ifndef TESTS_CORE_PROOF_SCENE_H
#define TESTS_CORE_PROOF_SCENE_H

#include "ledger_scene.h"

#include "core/recovery/proof.h"

struct shown {
    Hanse__Proof *proofs[HS_PROOFS_MAX + 1];
    size_t count;
    Hanse__SignedObject *descriptor; /* that proves it; NULL: the hub's present one */
    bool last;
};

[[maybe_unused]] static void add(struct scene *s, struct shown *list, Hanse__SignedObject *object)
{
    Hanse__Proof *proof = WORLD_NEW(s->w, Hanse__Proof, hanse__proof);
    proof->object = object;
    list->proofs[list->count++] = proof;
}

[[maybe_unused]] static void add_reservation(struct scene *s, struct shown *list, Hanse__SignedObject *object,
                                             Hanse__SignedObject *coupon, uint8_t order)
{
    uint8_t order_id[32] = {order};
    struct hs_id coupon_id = hs_object_id(coupon);
    add(s, list, object);
    list->proofs[list->count - 1]->coupon_id = hs_pb_data(world_copy(s->w, HS_VIEW(coupon_id)));
    list->proofs[list->count - 1]->order_id = hs_pb_data(world_copy(s->w, hs_bytes(order_id, 32)));
}

/* The merchant's grant comes along. */
[[maybe_unused]] static Hanse__Frame *frame_of(struct scene *s, struct shown *list)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->show_proofs = WORLD_NEW(s->w, Hanse__ShowProofs, hanse__show_proofs);
    frame->body_case = HANSE__FRAME__BODY_SHOW_PROOFS;
    frame->show_proofs->proofs = list->proofs;
    frame->show_proofs->n_proofs = list->count;
    frame->show_proofs->chain = hs_arena_alloc(&s->w->arena, 8 * sizeof(void *));
    frame->show_proofs->n_chain = chain_of(s, s->owner, NULL, frame->show_proofs->chain);
    frame->show_proofs->last = list->last;
    if (list->descriptor != NULL)
        frame->show_proofs->chain[0] = list->descriptor;
    return frame;
}

/* How many the hub has taken. */
[[maybe_unused]] static enum hs_err show(struct scene *s, struct world_device *d, struct shown *list,
                                         uint32_t *taken)
{
    Hanse__Frame *answer;
    HS_TRY(world_ask_hub(d, s->hub, frame_of(s, list), &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_PROOFS_SHOWN);
    assert_int_equal(answer->proofs_shown->incarnation, s->hub->incarnation);
    *taken = answer->proofs_shown->taken;
    return HS_OK;
}

[[maybe_unused]] static void reconnect_all(struct scene *s)
{
    struct world_device *here[] = {s->owner, s->till, s->alice, s->bob};
    for (size_t i = 0; i < 4; i++)
        if (here[i]->session == 0)
            assert_ok(world_connect(here[i], NULL));
}

[[maybe_unused]] static void restore(struct scene *s, struct hs_kv *backup)
{
    world_node_restore(s->hub, backup);
    reconnect_all(s);
}

[[maybe_unused]] static void assert_shown(struct scene *s, struct world_device *d, struct shown *list,
                                          uint32_t expected)
{
    uint32_t taken;
    assert_ok(show(s, d, list, &taken));
    assert_int_equal(taken, expected);
}

[[maybe_unused]] static struct hs_proofs count(struct scene *s)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->hub->core, .kv = s->hub->kv, .now = s->w->now, .arena = &arena};
    struct hs_proofs out;
    hs_proofs_count(&turn, &out);
    return out;
}

[[maybe_unused]] static Hanse__SignedObject *redeem(struct scene *s, Hanse__SignedObject *coupon,
                                                    struct world_device *holder, uint8_t order,
                                                    Hanse__SignedObject **commit)
{
    Hanse__SignedObject *request = reserve_new(s, coupon, holder, order), *reply, *receipt;
    assert_ok(reserve(s, request, holder, &reply));
    struct hs_reservation r = reservation_of(s, reply, request, coupon, order);
    *commit = commit_new(s, &r, order);
    assert_ok(ledger(s, s->till, *commit, s->till, NULL, &receipt));
    assert_int_equal(hs_object_claimed_kind(receipt), HS_KIND_REDEMPTION);
    return receipt;
}

[[maybe_unused]] static enum hs_err refused(struct scene *s, Hanse__SignedObject *coupon,
                                            struct world_device *holder, uint8_t order)
{
    Hanse__SignedObject *request = reserve_new(s, coupon, holder, order), *reply;
    assert_ok(reserve(s, request, holder, &reply));
    return refusal_of(s, reply, request);
}

#endif

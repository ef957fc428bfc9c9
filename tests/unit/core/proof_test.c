/* A ledger that was put back is shown what it has forgotten. */
#include "proof_scene.h"

#include "core/ledger.h"
#include "core/records/table.h"

/* NODE-88, NODE-98, DEAL-38: what was claimed and redeemed behind the backup is known again, and counts. */
static void what_was_signed_comes_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    struct shown list = {.last = true};
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice), *bobs, *commit, *reply;
    (void)world_join(s.bob, s.room, &s.invite);
    struct hs_kv *backup = world_store_copy(s.hub);
    assert_ok(ledger(&s, s.bob, claim_new(&s, s.bob), s.bob, NULL, &bobs));
    Hanse__SignedObject *receipt = redeem(&s, coupon, s.alice, 1, &commit);
    struct hs_id first = s.def_id;
    Hanse__SignedObject *def = def_new(&s, s.owner, 0), *other;
    s.def_id = hs_object_id(def);
    assert_ok(ledger(&s, s.owner, def, s.owner, NULL, NULL));
    assert_ok(ledger(&s, s.bob, claim_new(&s, s.bob), s.bob, NULL, &other));
    add(&s, &list, def);
    add(&s, &list, coupon);
    add(&s, &list, bobs);
    add(&s, &list, other);
    add(&s, &list, receipt);
    assert_shown(&s, s.till, &list, 0); /* it has forgotten nothing */
    restore(&s, backup);
    assert_int_equal(count(&s).tills, 1);
    assert_int_equal(count(&s).tills_done, 0);
    assert_err(ledger(&s, s.till, commit, s.till, NULL, NULL), HS_ERR_RECOVERING);
    assert_shown(&s, s.till, &list, 4);
    struct hs_id before = world_store_hash(s.hub);
    assert_shown(&s, s.till, &list, 0);
    struct hs_id after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
    assert_shown(&s, s.alice, &list, 0);
    struct hs_proofs shown = count(&s);
    assert_true(shown.taken == 4 && shown.against == 0 && shown.from == 1 && shown.tills_done == 1);
    operator_resumes(&s);
    assert_int_equal(refused(&s, coupon, s.alice, 2), HS_ERR_COUPON_USED);
    assert_ok(ledger(&s, s.till, commit, s.till, NULL, &reply));
    assert_true(hs_object_equal(reply, receipt));
    (void)redeem(&s, other, s.bob, 4, &commit);
    s.def_id = first;
    (void)redeem(&s, bobs, s.bob, 3, &commit);
    assert_err(ledger(&s, s.bob, claim_new(&s, s.bob), s.bob, NULL, NULL), HS_ERR_COUPON_CLAIMED);
}

/* DEAL-39: of units that nobody shows the numbers of later ones tell; each counts once, also when they are
 * shown after others were given out. */
static void units_are_counted_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    struct world_device *dan = world_customer(s.hub, "dan"), *eve = world_customer(s.hub, "eve");
    Hanse__SignedObject *coupon[3];
    s.def = def_for(&s, s.owner, 4, (struct hs_bytes){0});
    s.def_id = hs_object_id(s.def);
    assert_ok(ledger(&s, s.owner, s.def, s.owner, NULL, NULL));
    struct hs_kv *backup = world_store_copy(s.hub);
    struct world_device *who[] = {s.alice, s.bob, dan};
    for (size_t i = 0; i < 3; i++)
        assert_ok(ledger(&s, who[i], claim_new(&s, who[i]), who[i], NULL, &coupon[i]));
    restore(&s, backup);
    assert_ok(world_connect(dan, NULL));
    assert_ok(world_connect(eve, NULL));
    struct shown third = {0}, first = {0}, second = {0};
    add(&s, &third, coupon[2]);
    add(&s, &first, coupon[0]);
    add(&s, &second, coupon[1]);
    assert_shown(&s, s.till, &third, 1); /* so there were three at least */
    operator_resumes(&s);
    assert_ok(ledger(&s, eve, claim_new(&s, eve), eve, NULL, NULL)); /* the fourth and last */
    assert_shown(&s, s.alice, &first, 1);
    assert_shown(&s, s.bob, &second, 1);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s.hub->core, .kv = s.hub->kv, .now = w->now, .arena = &arena};
    Hanse__State__DefView *view;
    struct hs_coupon_def def;
    assert_ok(hs_ledger_def(&turn, &s.def_id, &def, &view));
    assert_int_equal(view->issued, 4);
    assert_int_equal(view->missing, 0);
    assert_err(ledger(&s, s.owner, claim_new(&s, s.owner), s.owner, NULL, NULL), HS_ERR_COUPON_EXHAUSTED);
}

/* The same where they were given out once more before anybody showed them: all of them count. */
static void units_beyond_the_limit_are_counted(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    Hanse__SignedObject *coupon;
    s.def = def_for(&s, s.owner, 2, (struct hs_bytes){0});
    s.def_id = hs_object_id(s.def);
    assert_ok(ledger(&s, s.owner, s.def, s.owner, NULL, NULL));
    struct hs_kv *backup = world_store_copy(s.hub);
    assert_ok(ledger(&s, s.alice, claim_new(&s, s.alice), s.alice, NULL, &coupon));
    restore(&s, backup);
    operator_resumes(&s);
    assert_ok(ledger(&s, s.bob, claim_new(&s, s.bob), s.bob, NULL, NULL));
    struct shown list = {0};
    add(&s, &list, coupon); /* number 1, as Bob's */
    assert_shown(&s, s.alice, &list, 1);
    assert_err(ledger(&s, s.till, claim_new(&s, s.till), s.till, NULL, NULL), HS_ERR_COUPON_EXHAUSTED);
    assert_err(ledger(&s, s.alice, claim_new(&s, s.alice), s.alice, NULL, NULL), HS_ERR_COUPON_CLAIMED);
}

/* DEAL-40: a reservation that was forgotten is honoured, the later one of two. */
static void reservations_are_honoured(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    struct hs_author till;
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice), *given_back, *held, *release, *reply;
    struct hs_kv *backup = world_store_copy(s.hub);
    Hanse__SignedObject *request = reserve_new(&s, coupon, s.alice, 1);
    assert_ok(reserve(&s, request, s.alice, &given_back));
    struct hs_reservation r = reservation_of(&s, given_back, request, coupon, 1);
    till = author_of(s.till, s.hub);
    assert_ok(hs_release_build(&till, &r, &w->arena, &release));
    assert_ok(ledger(&s, s.till, release, s.till, NULL, NULL));
    w->now.ms += 1;
    request = reserve_new(&s, coupon, s.alice, 2);
    assert_ok(reserve(&s, request, s.alice, &held));
    r = reservation_of(&s, held, request, coupon, 2);
    Hanse__SignedObject *commit = commit_new(&s, &r, 2);
    restore(&s, backup);
    struct shown wrong = {0}, list = {0}, old = {0};
    add_reservation(&s, &wrong, held, coupon, 3); /* another order's */
    assert_shown(&s, s.till, &wrong, 0);
    add_reservation(&s, &list, held, coupon, 2);
    assert_shown(&s, s.till, &list, 1);
    assert_shown(&s, s.till, &list, 0);
    add_reservation(&s, &old, given_back, coupon, 1);
    assert_shown(&s, s.till, &old, 0);
    operator_resumes(&s);
    assert_int_equal(refused(&s, coupon, s.alice, 3), HS_ERR_COUPON_HELD);
    assert_ok(reserve(&s, request, s.alice, &reply));
    assert_true(hs_object_equal(reply, held));
    assert_ok(ledger(&s, s.till, commit, s.till, NULL, &reply));
    struct hs_chain chain = hub_chain(&s);
    struct hs_redemption redemption;
    assert_ok(hs_redemption_open(&chain, reply, &w->arena, &redemption));
    assert_int_equal(redemption.incarnation, 2);
    assert_shown(&s, s.till, &list, 0);
    assert_int_equal(refused(&s, coupon, s.alice, 4), HS_ERR_COUPON_USED);
}

/* DEAL-40, NODE-98: a receipt that comes when the unit was redeemed once more: what is known stays, and is
 * told. */
static void a_receipt_too_late(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice), *commit, *again;
    struct hs_kv *backup = world_store_copy(s.hub);
    Hanse__SignedObject *first = redeem(&s, coupon, s.alice, 1, &commit);
    restore(&s, backup);
    operator_resumes(&s);
    Hanse__SignedObject *second = redeem(&s, coupon, s.alice, 2, &commit);
    struct shown list = {0};
    add(&s, &list, first);
    assert_shown(&s, s.till, &list, 0);
    assert_int_equal(count(&s).against, 1);
    assert_ok(ledger(&s, s.till, commit, s.till, NULL, &again));
    assert_true(hs_object_equal(second, again));
}

/* One that comes while the unit is held for another order: that one is refused. */
static void a_receipt_in_time(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice), *commit, *reply;
    struct hs_kv *backup = world_store_copy(s.hub);
    Hanse__SignedObject *first = redeem(&s, coupon, s.alice, 1, &commit);
    restore(&s, backup);
    operator_resumes(&s);
    Hanse__SignedObject *request = reserve_new(&s, coupon, s.alice, 2);
    assert_ok(reserve(&s, request, s.alice, &reply));
    struct hs_reservation r = reservation_of(&s, reply, request, coupon, 2);
    struct shown list = {0};
    add(&s, &list, first);
    assert_shown(&s, s.alice, &list, 1);
    commit = commit_new(&s, &r, 2);
    assert_ok(ledger(&s, s.till, commit, s.till, NULL, &reply));
    assert_int_equal(refusal_of(&s, reply, commit), HS_ERR_COUPON_LATE);
}

/* DEAL-38: of the frame's chain each definition keeps what proves it, and nothing of the others'. */
static void definitions_keep_their_own_proof(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    struct world_device *rolf = world_staff(s.hub, "rolf", HANSE__ROLE__ROLE_OWNER);
    restore(&s, world_store_copy(s.hub));
    assert_ok(world_connect(rolf, NULL));
    Hanse__SignedObject *defs[2] = {def_new(&s, s.owner, 1), def_new(&s, rolf, 2)};
    struct shown list = {0};
    add(&s, &list, defs[0]);
    add(&s, &list, defs[1]);
    Hanse__Frame *frame = frame_of(&s, &list), *answer;
    frame->show_proofs->n_chain = chain_of(&s, s.owner, rolf, frame->show_proofs->chain);
    assert_ok(world_ask_hub(s.till, s.hub, frame, &answer));
    assert_int_equal(answer->proofs_shown->taken, 2);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s.hub->core, .kv = s.hub->kv, .now = w->now, .arena = &arena};
    for (size_t i = 0; i < 2; i++) {
        struct hs_id id = hs_object_id(defs[i]);
        Hanse__State__DefView *view;
        struct hs_coupon_def def;
        Hanse__Chain *kept;
        assert_ok(hs_ledger_def(&turn, &id, &def, &view));
        assert_ok(HS_UNPACK(hanse__chain, hs_pb_bytes(view->chain), HS_LENIENT, &arena, &kept));
        assert_int_equal(kept->n_objects, 2); /* certificate and grant */
    }
}

/* DEAL-38, FED-3: a customer of another brand shows it through her home. */
static void through_another_node(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, true);
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice), *commit;
    struct hs_kv *backup = world_store_copy(s.hub);
    Hanse__SignedObject *receipt = redeem(&s, coupon, s.alice, 1, &commit);
    restore(&s, backup);
    for (size_t i = 0; i < 60; i++) /* her home calls again */
        world_pass(w, 1000);
    struct shown list = {.last = true};
    add(&s, &list, receipt);
    assert_shown(&s, s.alice, &list, 1);
    assert_int_equal(count(&s).from, 1);
    assert_int_equal(count(&s).tills_done, 0);
}

/* FED-23, DEAL-38: a stranger brings what this node has signed; and is remembered for nothing else. */
static void what_strangers_show(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice), *commit;
    struct world_device *mouth = world_device_new(s.hub, "mouth");
    struct raw_node raw = raw_node_new(mouth, "stranger.example");
    struct hs_kv *backup = world_store_copy(s.hub);
    Hanse__SignedObject *receipt = redeem(&s, coupon, s.alice, 1, &commit);
    restore(&s, backup);
    assert_int_not_equal(raw_node_connect(&raw, NULL), 0);
    struct shown none = {.last = true}, list = {0};
    struct hs_id before = world_store_hash(s.hub);
    assert_shown(&s, mouth, &none, 0);
    add(&s, &none, def_for(&s, s.owner, 9, (struct hs_bytes){0}));
    assert_shown(&s, mouth, &none, 0); /* anybody's definition would do, else */
    struct hs_id after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
    add(&s, &list, receipt);
    assert_shown(&s, mouth, &list, 1);
    assert_int_equal(count(&s).taken, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_signed_comes_back),
        cmocka_unit_test(units_are_counted_once),
        cmocka_unit_test(units_beyond_the_limit_are_counted),
        cmocka_unit_test(reservations_are_honoured),
        cmocka_unit_test(a_receipt_too_late),
        cmocka_unit_test(a_receipt_in_time),
        cmocka_unit_test(definitions_keep_their_own_proof),
        cmocka_unit_test(through_another_node),
        cmocka_unit_test(what_strangers_show),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

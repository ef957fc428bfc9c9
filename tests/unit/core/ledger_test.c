/* Ledger: a coupon's way from its definition to its redemption, and every door that must stay shut. */
#include "ledger_scene.h"

static void definitions_are_the_merchants(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    Hanse__SignedObject *reply;
    Hanse__SignedObject *tills = def_new(&s, s.till, 1);
    assert_err(ledger(&s, s.till, tills, s.till, NULL, NULL), HS_ERR_WRONG_SIGNER);
    assert_err(ledger(&s, s.owner, s.def, s.till, NULL, NULL), HS_ERR_BAD_CHAIN); /* not proved */
    Hanse__SignedObject altered = *s.def;
    struct hs_bytes payload = world_copy(w, hs_pb_bytes(s.def->payload));
    ((uint8_t *)(uintptr_t)payload.data)[payload.len - 1] ^= 1;
    altered.payload = hs_pb_data(payload);
    assert_err(ledger(&s, s.owner, &altered, s.owner, NULL, NULL), HS_ERR_BAD_SIGNATURE);
    assert_err(ledger(&s, s.alice, claim_new(&s, s.alice), s.alice, NULL, NULL), HS_ERR_COUPON_UNKNOWN);
    assert_ok(ledger(&s, s.owner, s.def, s.owner, NULL, &reply));
    assert_null(reply);
    struct hs_id before = world_store_hash(s.hub);
    assert_ok(ledger(&s, s.owner, s.def, s.owner, NULL, NULL));
    struct hs_id after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
    Hanse__SignedObject *late = def_new(&s, s.owner, 3);
    w->now.ms += WORLD_DAY_MS;
    assert_err(ledger(&s, s.owner, late, s.owner, NULL, NULL), HS_ERR_COUPON_EXPIRED);
    assert_err(ledger(&s, s.owner, s.hub->descriptor, s.owner, NULL, NULL), HS_ERR_UNSUPPORTED);
}

/* FED-21, FED-22 */
static void claims(bool remote)
{
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, remote);
    Hanse__SignedObject *first, *again;
    assert_ok(ledger(&s, s.owner, s.def, s.owner, NULL, NULL));
    assert_err(ledger(&s, s.bob, claim_new(&s, s.bob), s.bob, NULL, NULL), HS_ERR_NOT_MEMBER);
    Hanse__SignedObject *claim = claim_new(&s, s.alice);
    assert_ok(ledger(&s, s.alice, claim, s.alice, NULL, &first));
    struct hs_id before = world_store_hash(s.hub);
    world_node_restart(s.hub);
    world_pass(w, 60000);
    struct world_device *all[] = {s.alice, s.bob, s.owner};
    for (size_t i = 0; i < 3; i++) {
        if (all[i]->session != 0)
            continue;
        assert_ok(world_connect(all[i], NULL));
        world_attach(all[i]);
    }
    assert_ok(ledger(&s, s.alice, claim, s.alice, NULL, &again)); /* also when the claim has run out */
    struct hs_id after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
    assert_true(hs_object_equal(first, again));
    assert_err(ledger(&s, s.alice, claim_new(&s, s.alice), s.alice, NULL, NULL), HS_ERR_COUPON_CLAIMED);
    (void)world_join(s.bob, s.room, &s.invite);
    assert_ok(ledger(&s, s.bob, claim_new(&s, s.bob), s.bob, NULL, NULL));
    struct world_device *carol = world_customer(s.hub, "carol");
    (void)world_join(carol, s.room, &s.invite);
    assert_err(ledger(&s, carol, claim_new(&s, carol), carol, NULL, NULL), HS_ERR_COUPON_EXHAUSTED);
}

static void one_coupon_a_member(void **state)
{
    (void)state;
    claims(false);
}

static void one_coupon_a_member_from_afar(void **state)
{
    (void)state;
    claims(true);
}

static void redeemed_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice), *reply, *again;
    Hanse__SignedObject *request = reserve_new(&s, coupon, s.alice, 1);
    assert_ok(reserve(&s, request, s.alice, &reply));
    struct hs_reservation r = reservation_of(&s, reply, request, coupon, 1);
    struct hs_id before = world_store_hash(s.hub);
    assert_ok(reserve(&s, request, s.alice, &again));
    assert_true(hs_object_equal(reply, again));
    /* another order has to wait, and a refusal changes nothing */
    Hanse__SignedObject *other = reserve_new(&s, coupon, s.alice, 2);
    assert_ok(reserve(&s, other, s.alice, &again));
    assert_int_equal(refusal_of(&s, again, other), HS_ERR_COUPON_HELD);
    struct hs_id after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);

    Hanse__SignedObject *commit = commit_new(&s, &r, 1), *receipt;
    assert_ok(ledger(&s, s.till, commit, s.till, NULL, &receipt));
    assert_int_equal(hs_object_claimed_kind(receipt), HS_KIND_REDEMPTION);
    before = world_store_hash(s.hub);
    assert_ok(ledger(&s, s.till, commit, s.till, NULL, &again));
    assert_true(hs_object_equal(receipt, again));
    other = reserve_new(&s, coupon, s.alice, 2);
    assert_ok(reserve(&s, other, s.alice, &again));
    assert_int_equal(refusal_of(&s, again, other), HS_ERR_COUPON_USED);
    /* the same decision in other bytes */
    w->now.ms += 1;
    other = commit_new(&s, &r, 1);
    assert_ok(ledger(&s, s.till, other, s.till, NULL, &again));
    assert_int_equal(refusal_of(&s, again, other), HS_ERR_CONFLICT);
    after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
}

static void released_and_reserved_anew(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice), *reply, *release;
    Hanse__SignedObject *request = reserve_new(&s, coupon, s.alice, 1);
    struct hs_author till = author_of(s.till, s.hub);
    assert_ok(reserve(&s, request, s.alice, &reply));
    struct hs_reservation r = reservation_of(&s, reply, request, coupon, 1);
    assert_ok(hs_release_build(&till, &r, &w->arena, &release));
    assert_ok(ledger(&s, s.till, release, s.till, NULL, &reply));
    assert_int_equal(hs_object_claimed_kind(reply), HS_KIND_RELEASED);
    Hanse__SignedObject *commit = commit_new(&s, &r, 1); /* too late: it was given back */
    assert_ok(ledger(&s, s.till, commit, s.till, NULL, &reply));
    assert_int_equal(refusal_of(&s, reply, commit), HS_ERR_COUPON_LATE);
    request = reserve_new(&s, coupon, s.alice, 2);
    assert_ok(reserve(&s, request, s.alice, &reply));
    r = reservation_of(&s, reply, request, coupon, 2);
    /* nobody decides: after settle_by it is free again */
    commit = commit_new(&s, &r, 2);
    w->now.ms = r.settle_by.ms;
    assert_ok(ledger(&s, s.till, commit, s.till, NULL, &reply));
    assert_int_equal(refusal_of(&s, reply, commit), HS_ERR_COUPON_LATE);
    request = reserve_new(&s, coupon, s.alice, 3);
    assert_ok(reserve(&s, request, s.alice, &reply));
    (void)reservation_of(&s, reply, request, coupon, 3);
}

static void wrong_hands(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice);
    assert_err(reserve(&s, reserve_new(&s, coupon, s.bob, 1), s.bob, NULL), HS_ERR_COUPON_WRONG_HOLDER);
    /* somebody who isn't a till sends a till's request with his own name to prove */
    Hanse__SignedObject *request = reserve_new(&s, coupon, s.alice, 1);
    assert_err(ledger(&s, s.bob, request, s.bob, s.alice, NULL), HS_ERR_BAD_CHAIN);
    /* a coupon that was never given out */
    struct hs_id unit;
    Hanse__SignedObject forged = *coupon;
    (void)unit;
    struct hs_bytes payload = world_copy(w, hs_pb_bytes(coupon->payload));
    ((uint8_t *)(uintptr_t)payload.data)[payload.len - 1] ^= 1;
    forged.payload = hs_pb_data(payload);
    request = reserve_new(&s, &forged, s.alice, 1);
    assert_int_not_equal(reserve(&s, request, s.alice, NULL), HS_OK);
    /* a presentation is good for a minute */
    request = reserve_new(&s, coupon, s.alice, 1);
    w->now.ms += HS_PRESENTATION_MS;
    assert_err(reserve(&s, request, s.alice, NULL), HS_ERR_EXPIRED);
}

/* NODE-88: what a ledger that goes on after a restoring knows of what came behind the backup where nobody
 * shows it anything. */
static void after_a_restoring(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    Hanse__SignedObject *coupon = coupon_for(&s, s.alice), *reply, *receipt;
    (void)world_join(s.bob, s.room, &s.invite);
    struct hs_kv *backup = world_store_copy(s.hub);
    Hanse__SignedObject *bobs_claim = claim_new(&s, s.bob), *bobs;
    assert_ok(ledger(&s, s.bob, bobs_claim, s.bob, NULL, &bobs));
    Hanse__SignedObject *request = reserve_new(&s, coupon, s.alice, 1);
    assert_ok(reserve(&s, request, s.alice, &reply));
    struct hs_reservation r = reservation_of(&s, reply, request, coupon, 1);
    Hanse__SignedObject *commit = commit_new(&s, &r, 1);
    assert_ok(ledger(&s, s.till, commit, s.till, NULL, &receipt));
    world_node_restore(s.hub, backup);
    struct world_device *here[] = {s.owner, s.till, s.alice, s.bob};
    for (size_t i = 0; i < 4; i++)
        assert_ok(world_connect(here[i], NULL));
    assert_err(ledger(&s, s.till, commit, s.till, NULL, NULL), HS_ERR_RECOVERING);
    assert_err(ledger(&s, s.bob, bobs_claim, s.bob, NULL, NULL), HS_ERR_RECOVERING);
    operator_resumes(&s);
    /* a coupon that was given out behind the backup isn't known: it can't be redeemed, but claimed anew */
    request = reserve_new(&s, bobs, s.bob, 3);
    assert_ok(reserve(&s, request, s.bob, &reply));
    assert_int_equal(refusal_of(&s, reply, request), HS_ERR_COUPON_UNKNOWN);
    assert_ok(ledger(&s, s.bob, bobs_claim, s.bob, NULL, &reply));
    assert_int_equal(hs_object_claimed_kind(reply), HS_KIND_COUPON);
    /* one that was redeemed behind it is unspent again, and its reservation gone */
    assert_err(ledger(&s, s.till, commit, s.till, NULL, NULL), HS_ERR_COUPON_UNKNOWN);
    request = reserve_new(&s, coupon, s.alice, 2);
    assert_ok(reserve(&s, request, s.alice, &reply));
    (void)reservation_of(&s, reply, request, coupon, 2);
}

/* FED-23: a stranger brings what members of a definition's room have signed, and nothing else. */
static void what_strangers_bring(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    struct world_device *mouth = world_device_new(s.hub, "mouth");
    struct raw_node raw = raw_node_new(mouth, "stranger.example");
    Hanse__SignedObject *open = def_for(&s, s.owner, 100, (struct hs_bytes){0}), *coupon, *reply;
    struct hs_id bound = s.def_id;
    assert_ok(ledger(&s, s.owner, open, s.owner, NULL, NULL));
    assert_int_not_equal(raw_node_connect(&raw, NULL), 0);
    struct hs_id before = world_store_hash(s.hub);
    assert_err(ledger(&s, mouth, def_for(&s, s.owner, 9, (struct hs_bytes){0}), s.owner, NULL, NULL),
               HS_ERR_DENIED);
    s.def_id = hs_object_id(open);
    assert_err(ledger(&s, mouth, claim_new(&s, s.bob), s.bob, NULL, NULL), HS_ERR_DENIED);
    assert_err(ledger(&s, mouth, claim_new(&s, s.alice), s.alice, NULL, NULL), HS_ERR_DENIED);
    struct hs_id after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
    s.def_id = bound;
    assert_ok(ledger(&s, mouth, s.def, s.owner, NULL, NULL));
    assert_err(ledger(&s, mouth, claim_new(&s, s.bob), s.bob, NULL, NULL), HS_ERR_DENIED);
    assert_ok(ledger(&s, mouth, claim_new(&s, s.alice), s.alice, NULL, &coupon));
    before = world_store_hash(s.hub);
    Hanse__SignedObject *request = reserve_new(&s, coupon, s.alice, 1); /* the till isn't in the room */
    assert_err(ledger(&s, mouth, request, s.till, s.alice, NULL), HS_ERR_DENIED);
    after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
    assert_ok(reserve(&s, request, s.alice, &reply));
    struct hs_reservation r = reservation_of(&s, reply, request, coupon, 1);
    before = world_store_hash(s.hub);
    assert_err(ledger(&s, mouth, commit_new(&s, &r, 1), s.till, NULL, NULL), HS_ERR_DENIED);
    after = world_store_hash(s.hub);
    assert_memory_equal(before.b, after.b, 32);
    s.def_id = hs_object_id(open); /* whom it knows isn't a stranger */
    assert_ok(ledger(&s, s.bob, claim_new(&s, s.bob), s.bob, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_restoring),   cmocka_unit_test(definitions_are_the_merchants),
        cmocka_unit_test(one_coupon_a_member), cmocka_unit_test(one_coupon_a_member_from_afar),
        cmocka_unit_test(redeemed_once),       cmocka_unit_test(released_and_reserved_anew),
        cmocka_unit_test(wrong_hands),         cmocka_unit_test(what_strangers_bring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Leaving: a proposal in the log, and the commit that takes it up. */
#include "world.h"

#include "room/settlement.h"

#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices, *bobs;
    struct world_invite invite;
};

/* Bob is at home with another brand. */
static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.hub, "alice");
    s.bob = world_customer(s.home, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    s.bobs = world_join(s.bob, s.room, &s.invite);
    return s;
}

static struct hs_bytes proposal(struct world_room *room, uint32_t leaf)
{
    struct hs_writer HS_WRITER w = hs_writer(1 << 16);
    const struct hs_mls_proposal_request request = {.type = HS_MLS_REMOVE, .leaf = leaf};
    assert_ok(hs_mls_group_propose(room->group, &request, &w));
    return world_take(room->device->world, &w);
}

static enum hs_err submit(struct world_room *room, struct hs_bytes message)
{
    enum hs_err err = world_ask(room->device, world_post_frame(room, message), NULL);
    world_settle(room->device->world);
    return err;
}

static enum hs_err leave(struct world_room *room)
{
    return submit(room, proposal(room, hs_mls_group_own_leaf(room->group)));
}

/* ROOM-67, ROOM-68, DELIVERY-54 */
static void who_leaves(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    size_t records = s.alices->records;
    struct hs_bytes bytes = proposal(s.alices, hs_mls_group_own_leaf(s.alices->group));
    struct world_commit early;
    world_commit_update(s.room, &early);
    assert_ok(submit(s.alices, bytes));
    assert_int_equal(s.alices->records, records + 1);
    assert_ok(submit(s.alices, bytes)); /* the same again: as before */
    assert_ok(world_post(s.room, "without her", NULL));
    world_settle(w);
    assert_int_equal(s.alices->records, records + 1);
    assert_err(submit(s.alices, world_protect(s.alices, "x")), HS_ERR_NOT_MEMBER);
    /* a commit that was made before can't have known; one that leaves her in, though it knew, breaks the rule
     */
    assert_err(world_ask(s.owner, world_commit_frame(s.room, &early), NULL), HS_ERR_WRONG_EPOCH);
    hs_mls_group_drop(s.room->group);
    uint32_t members = hs_mls_public_member_count(hs_mls_group_public(s.room->group));
    assert_ok(world_update(s.room));
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(s.room->group)), members - 1);
    assert_int_equal(s.alices->records, records + 1);
    /* and back in */
    struct world_room *back = world_join(s.alice, s.room, &s.invite);
    assert_ok(world_post(s.room, "hello again", NULL));
    world_settle(w);
    assert_string_equal(back->posts[0], "hello again");
}

/* Bob is at another node. DELIVERY-54, FED-18 */
static void from_a_follower(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    size_t records = s.bobs->records;
    assert_ok(leave(s.bobs));
    assert_int_equal(s.bobs->records, records + 1);
    assert_ok(world_post(s.alices, "without him", NULL));
    world_settle(w);
    assert_ok(world_update(s.room));
    assert_int_equal(s.bobs->records, records + 1);
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(s.room->group)), 2);
    struct world_room *back = world_join(s.bob, s.room, &s.invite);
    assert_ok(world_post(back, "here I am", NULL));
    world_settle(w);
    assert_string_equal(s.room->posts[1], "here I am");
}

/* ROOM-67 */
static void what_is_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes old = proposal(s.alices, hs_mls_group_own_leaf(s.alices->group));
    assert_err(submit(s.alices, proposal(s.alices, 0)), HS_ERR_POLICY); /* somebody else */
    assert_err(submit(s.room, proposal(s.room, 1)), HS_ERR_POLICY); /* also by who may remove, in a commit */
    assert_err(submit(s.room, old), HS_ERR_WRONG_SENDER);
    s.alice->silent = s.bob->silent = true;
    assert_ok(world_update(s.room));
    assert_err(submit(s.alices, old), HS_ERR_WRONG_EPOCH);
    assert_err(leave(s.alices), HS_ERR_UNSETTLED);
    world_pass(w, HS_SETTLE_VOID_MS);
    world_settle(w);
    assert_ok(leave(s.alices));
}

/* A commit that takes her out is void: she is out all the same, and the next one takes her out. DELIVERY-54,
 * ROOM-68 */
static void void_keeps_who_left_out(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(leave(s.alices));
    size_t records = s.alices->records;
    s.bob->doubts = HS_ERR_DECRYPT;
    assert_ok(world_update(s.room));
    world_pass(w, HS_SETTLE_VOID_MS);
    world_settle(w);
    s.bob->doubts = HS_OK;
    assert_int_equal(hs_mls_group_epoch(s.room->group), hs_mls_group_epoch(s.bobs->group));
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(s.room->group)), 3);
    world_pass(w, HS_SETTLE_BAR_MS);
    assert_ok(world_update(s.room));
    world_settle(w);
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(s.room->group)), 2);
    assert_int_equal(s.alices->records, records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_leaves),
        cmocka_unit_test(from_a_follower),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(void_keeps_who_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A brand's node that has lost what a hub in office had told it hears all of it once more. */
#include "office_view.h"

#include "core/delivery/inbox_age.h"
#include "core/internal.h"
#include "core/office/told.h"
#include "core/records/table.h"
#include "core/rooms/room.h"

/* As the ledger of the brand's node sees it. */
static enum hs_err member_there(struct scene *s, const struct world_room *room)
{
    struct hs_turn turn = reading(s, s->old);
    struct hs_key home;
    return hs_brand_member(&turn, &s->room->id, &room->persona->signer.pub, &home);
}

/* Where the last telling began at the hub. */
static uint64_t told_from(struct scene *s)
{
    struct hs_turn turn = reading(s, s->new);
    const Hanse__State__RoomView *view = hs_room_view(&turn, &s->room->id);
    assert_non_null(view);
    assert_true(view->brand_told);
    return view->brand_told_from;
}

/* The policy follows the room, Dave comes, and Carol goes. */
static struct world_room *members_change(struct scene *s, struct world_device *dave)
{
    struct hs_policy_role role;
    struct world_commit commit;
    struct hs_policy policy = world_policy(s->rosa, "launch", &role);
    policy.hub_root = s->old->root.pub;
    policy = hs_policy_set_office(&policy, &(struct hs_hub_office){s->new->root.pub, 2});
    world_commit_policy(s->room, &policy, &commit);
    assert_ok(world_ask_hub(s->rosa, s->room->hub, world_commit_frame(s->room, &commit), NULL));
    world_settle(s->w);
    struct world_invite invite = world_invite_new(s->room, 5, WORLD_DAY_MS);
    invite.hub = s->new;
    invite.brand = s->old;
    assert_ok(world_put_invite(s->room, &invite));
    struct world_room *daves = world_join(dave, s->room, &invite);
    world_settle(s->w);
    assert_ok(world_remove(s->room, s->carols));
    scene_pass(s, 10); /* the hub has heard that the brand's node knows, and keeps none of it */
    return daves;
}

static void cut(struct scene *s)
{
    struct world *w = s->w;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && (w->links[i].node[0] == s->old || w->links[i].node[1] == s->old) &&
            w->links[i].device == NULL)
            world_close(w, w->links[i].id[0]);
    world_run(w);
}

/* FED-81: restored from a backup of before, it is told anew, once; when it comes back with all of it, it
 * isn't. */
static void restored_brands(void **state)
{
    (void)state;
    for (int redo = 0; redo < 2; redo++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct world_device *dave = world_customer(s.third, "dave");
        assert_ok(world_bind(dave, s.old));
        scene_rosa_moves(&s);
        scene_room_moves(&s);
        scene_pass(&s, 10);
        struct hs_kv *backup = world_store_copy(s.old);
        uint64_t first = told_from(&s);
        const struct world_room *daves = members_change(&s, dave);
        assert_ok(member_there(&s, daves));
        assert_err(member_there(&s, s.carols), HS_ERR_NOT_MEMBER);
        assert_int_equal(told_from(&s), first);
        s.new->redo = redo ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        world_node_restore(s.old, backup);
        scene_pass(&s, 70);
        uint64_t second = told_from(&s);
        assert_true(second > first);
        assert_ok(member_there(&s, daves));
        assert_ok(member_there(&s, s.alices));
        assert_err(member_there(&s, s.carols), HS_ERR_NOT_MEMBER);
        cut(&s);
        scene_pass(&s, 70);
        assert_int_equal(told_from(&s), second);
        assert_ok(world_remove(s.room, s.alices));
        scene_pass(&s, 5);
        assert_err(member_there(&s, s.alices), HS_ERR_NOT_MEMBER);
    }
}

enum { DAYS = 3 }; /* that items wait for who doesn't come */

/* FED-81, DELIVERY-72: so is one that was away for so long that its items are gone. */
static void nobody_fetched_them(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *dave = world_customer(s.third, "dave");
    assert_ok(world_bind(dave, s.old));
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    scene_pass(&s, 10);
    uint64_t first = told_from(&s);
    s.old->down = s.new->down = true;
    cut(&s);
    const struct world_room *daves = members_change(&s, dave);
    s.new->core->inbox_ms = DAYS *HS_INBOX_DAY_MS;
    assert_err(member_there(&s, daves), HS_ERR_BUSY);
    for (int day = 0; day < DAYS + 2; day++)
        world_pass(w, HS_INBOX_DAY_MS);
    s.old->down = s.new->down = false;
    scene_pass(&s, 70);
    assert_true(told_from(&s) > first);
    assert_ok(member_there(&s, daves));
    assert_err(member_there(&s, s.carols), HS_ERR_NOT_MEMBER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restored_brands),
        cmocka_unit_test(nobody_fetched_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Inboxes of subscribers that don't come: what they may hold, and for how long. */
#include "world.h"

#include "core/core.h"
#include "core/delivery/cursor.h"
#include "core/delivery/inbox.h"
#include "core/delivery/inbox_age.h"
#include "core/federation/peer.h"
#include "core/records/register.h"
#include "core/records/table.h"

#define DAY HS_INBOX_DAY_MS

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices, *bobs;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 1000);
    s.alice = world_customer(s.home, "alice");
    s.bob = world_customer(s.hub, "bob");
    s.alice->gaps = true;
    assert_ok(world_bind(s.alice, s.hub));
    return s;
}

static struct world_room *wait_for(struct world_device *d, const struct world_invite *invite)
{
    struct world_room *room = world_room_join(d, invite);
    assert_ok(world_ask_hub(d, invite->hub, world_join_frame(room, world_join_body(room, invite)), NULL));
    world_settle(d->world);
    return room;
}

static void come_back(struct world_device *d)
{
    bool account;
    assert_ok(world_connect(d, &account));
    world_attach(d);
    world_settle(d->world);
}

static struct hs_key inbox_of(struct world_device *d)
{
    return world_persona(d, &d->node->root.pub)->keys.signature.pub;
}

static struct hs_turn turn_of(struct world_node *node, struct hs_arena *arena)
{
    return (struct hs_turn){.core = node->core, .kv = node->kv, .arena = arena};
}

static size_t waiting(struct world_node *node, const struct hs_key *subscriber)
{
    struct hs_kv_key from = hs_key1(HS_VIEW(*subscriber));
    for (size_t count = 0;; count++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        struct hs_bytes key;
        if (!hs_kv_next(node->kv, HS_T_INBOX, HS_VIEW(*subscriber), hs_kv_key_bytes(&from), &arena, &key,
                        NULL))
            return count;
        from = hs_kv_after(key);
    }
}

/* So many items that nobody has made. */
static void fill(struct world_device *d, size_t count)
{
    struct hs_arena HS_ARENA arena = hs_arena(16 << 20);
    struct hs_turn turn = turn_of(d->node, &arena);
    struct hs_key subscriber = inbox_of(d);
    d->world->forged = true;
    for (size_t i = 0; i < count; i++) {
        Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
        Hanse__RemovedItem removed = HANSE__REMOVED_ITEM__INIT;
        item.removed = &removed;
        item.body_case = HANSE__INBOX_ITEM__BODY_REMOVED;
        hs_inbox_put(&turn, &subscriber, &item);
    }
}

/* The device knows of no room by this entry any more. */
static void forget(struct world_room *room)
{
    room->id.b[0] ^= 1;
}

static void days(struct world *w, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        world_pass(w, DAY);
}

/* DELIVERY-72: what waits for a device is there on the last day, and gone on the next; a device that comes on
 * the last day gets it. */
static void what_nobody_fetches_goes(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key alice = inbox_of(s.alice), bob = inbox_of(s.bob);
    s.alices = wait_for(s.alice, &s.invite);
    s.bobs = wait_for(s.bob, &s.invite);
    world_disconnect(s.alice);
    world_disconnect(s.bob);
    assert_ok(world_admit(s.room));
    world_settle(w);
    world_pass(w, 1000);
    days(w, HS_INBOX_AGE_DAYS - 1);
    assert_int_equal(waiting(s.home, &alice), 1);
    assert_int_equal(waiting(s.hub, &bob), 1);
    come_back(s.bob);
    assert_true(s.bobs->joined);
    days(w, 2);
    assert_int_equal(waiting(s.home, &alice), 0);
    assert_int_equal(hs_core_stats(s.home->core).inbox_dropped, 1);
    assert_int_equal(hs_core_stats(s.hub->core).inbox_dropped, 0);
    come_back(s.alice);
    assert_false(s.alices->joined);
    assert_ok(world_remove(s.room, s.alices));
    world_settle(w);
    forget(s.alices);
    s.invite = world_invite(s.room, 1);
    s.alices = world_join(s.alice, s.room, &s.invite);
}

/* DELIVERY-72: who acknowledges anything is there. */
static void who_comes_loses_nothing(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key bob = inbox_of(s.bob);
    s.bobs = wait_for(s.bob, &s.invite);
    world_disconnect(s.bob);
    assert_ok(world_admit(s.room));
    world_settle(w);
    days(w, HS_INBOX_AGE_DAYS - 10);
    come_back(s.bob);
    world_pass(w, HS_CURSOR_MS);
    world_pass(w, HS_CURSOR_MS);
    assert_int_equal(waiting(s.hub, &bob), 0);
    world_disconnect(s.bob);
    assert_ok(world_remove(s.room, s.bobs));
    come_back(s.bob);
    s.invite = world_invite(s.room, 1);
    struct world_room *again = world_room_join(s.bob, &s.invite);
    assert_ok(world_ask(s.bob, world_join_frame(again, world_join_body(again, &s.invite)), NULL));
    world_settle(w);
    world_disconnect(s.bob);
    assert_ok(world_admit(s.room));
    world_settle(w);
    assert_int_equal(waiting(s.hub, &bob), 1);
    days(w, HS_INBOX_AGE_DAYS - 1);
    assert_int_equal(waiting(s.hub, &bob), 1);
    come_back(s.bob);
    assert_true(again->joined);
}

/* DELIVERY-72: a clock that is wrong for less than a lap takes nothing. */
static void a_clock_is_set(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key bob = inbox_of(s.bob);
    s.bobs = wait_for(s.bob, &s.invite);
    world_disconnect(s.bob);
    assert_ok(world_admit(s.room));
    world_settle(w);
    world_pass(w, 1000);
    days(w, 2);
    struct hs_time right = w->now;
    world_pass(w, 2 * HS_INBOX_AGE_DAYS * DAY);
    world_pass(w, HS_INBOX_AGE_LAP_MS - 1000);
    assert_int_equal(waiting(s.hub, &bob), 1);
    w->now = right; /* it was set back in time */
    world_pass(w, HS_INBOX_AGE_LAP_MS);
    days(w, HS_INBOX_AGE_DAYS - 10);
    assert_int_equal(waiting(s.hub, &bob), 1);
    come_back(s.bob);
    assert_true(s.bobs->joined);
}

/* DELIVERY-72: a tick drops a bounded part, and ticks come to the end. */
static void much_goes_in_steps(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key bob = inbox_of(s.bob);
    size_t left = 3 * HS_INBOX_AGE_ITEMS, ticks = 0;
    world_disconnect(s.bob);
    fill(s.bob, left);
    world_pass(w, 1000);
    world_pass(w, HS_INBOX_AGE_LAP_MS);
    world_pass(w, 1000);
    w->now.ms += HS_INBOX_AGE_DAYS * DAY;
    world_pass(w, 1000); /* it is a leap */
    w->now.ms += HS_INBOX_AGE_LAP_MS;
    while (left > 0) {
        world_pass(w, 1000);
        size_t now = waiting(s.hub, &bob);
        assert_true(left - now <= HS_INBOX_AGE_ITEMS);
        left = now;
        assert_in_range(++ticks, 1, 10);
    }
    assert_true(ticks >= 3);
}

static void ticks(struct world *w)
{
    for (int i = 0; i < 5; i++)
        world_pass(w, 1000);
}

/* DELIVERY-72: what is being read stays, page by page, however long it had waited before; and whoever has
 * read some of it has all the time again for the rest. */
static void what_is_being_read_stays(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key bob = inbox_of(s.bob);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = turn_of(s.hub, &arena);
    s.bob->gaps = s.bob->no_cursors = true;
    world_disconnect(s.bob);
    fill(s.bob, 3 * HS_INBOX_AGE_ITEMS);
    world_pass(w, 1000);
    world_pass(w, HS_INBOX_AGE_LAP_MS);
    world_pass(w, 1000);
    w->now.ms += HS_INBOX_AGE_DAYS * DAY;
    world_pass(w, 1000);
    w->now.ms += HS_INBOX_AGE_LAP_MS;
    while (waiting(s.hub, &bob) == 3 * HS_INBOX_AGE_ITEMS)
        world_pass(w, 1000);
    assert_int_equal(waiting(s.hub, &bob), 2 * HS_INBOX_AGE_ITEMS); /* and he comes just now */
    come_back(s.bob);
    ticks(w);
    assert_int_equal(waiting(s.hub, &bob), 2 * HS_INBOX_AGE_ITEMS);
    assert_int_equal(s.bob->inbox_next, hs_inbox_next(&turn, &bob)); /* he has them all */
    hs_register_put_number(&turn, HS_REGISTER_INBOX, HS_VIEW(bob), (struct hs_bytes){0},
                           s.bob->inbox_next - HS_INBOX_AGE_ITEMS); /* and has kept half of them */
    world_disconnect(s.bob);
    ticks(w);
    days(w, HS_INBOX_AGE_DAYS - 1);
    assert_int_equal(waiting(s.hub, &bob), HS_INBOX_AGE_ITEMS);
}

/* DELIVERY-73: one fewer than the limit, and the limit. */
static void a_full_inbox_takes_no_join(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    s.bobs = world_room_join(s.bob, &s.invite);
    Hanse__Frame *frame = world_join_frame(s.bobs, world_join_body(s.bobs, &s.invite));
    w->unchecked = true;
    fill(s.bob, HS_INBOX_MAX);
    assert_err(world_ask(s.bob, frame, NULL), HS_ERR_BUSY);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = turn_of(s.hub, &arena);
    struct hs_key bob = inbox_of(s.bob);
    hs_inbox_prune(&turn, &bob, 1);
    assert_ok(world_ask(s.bob, frame, NULL));
}

/* DELIVERY-73: nor a customer's wish for a counter, which would go to the till. */
static void a_full_inbox_takes_no_wish(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite none = {.hub = s.hub};
    s.bobs = world_join(s.bob, s.room, &s.invite);
    struct world_device *till = world_staff(s.hub, "till", HANSE__ROLE__ROLE_TILL);
    struct world_room *counter = world_room_join(s.bob, &none);
    Hanse__Frame *frame = world_frame(w);
    frame->open_counter = WORLD_NEW(w, Hanse__OpenCounter, hanse__open_counter);
    frame->body_case = HANSE__FRAME__BODY_OPEN_COUNTER;
    frame->open_counter->persona = hs_pb_data(HS_VIEW(counter->persona->signer.pub));
    frame->open_counter->room = hs_pb_data(HS_VIEW(s.room->id));
    frame->open_counter->key_package = hs_pb_data(counter->key_package);
    world_disconnect(till);
    world_disconnect(s.owner); /* who would be asked otherwise */
    w->unchecked = true;
    fill(till, HS_INBOX_MAX);
    assert_err(world_ask(s.bob, frame, NULL), HS_ERR_BUSY);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = turn_of(s.hub, &arena);
    struct hs_key inbox = inbox_of(till);
    hs_inbox_prune(&turn, &inbox, hs_inbox_next(&turn, &inbox) - HS_INBOX_MAX + 1);
    assert_ok(world_ask(s.bob, frame, NULL));
    assert_true(hs_inbox_is_full(&turn, &inbox));
    assert_ok(world_ask(s.bob, frame, NULL)); /* the same one again takes no place */
}

/* DELIVERY-73: nor a post for another hub's room, whose refusal would go there. */
static void a_full_inbox_queues_no_post(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    s.alices = world_join(s.alice, s.room, &s.invite);
    bool account;
    world_disconnect(s.alice);
    assert_ok(world_connect(s.alice, &account)); /* and doesn't attach */
    w->unchecked = true;
    fill(s.alice, HS_INBOX_MAX);
    assert_err(world_post(s.alices, "no room", NULL), HS_ERR_BUSY);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = turn_of(s.home, &arena);
    struct hs_key alice = inbox_of(s.alice);
    hs_inbox_prune(&turn, &alice, hs_inbox_next(&turn, &alice) - HS_INBOX_MAX + 1);
    world_pass(w, 6000); /* DELIVERY-3 */
    assert_ok(world_post(s.alices, "now there is", NULL));
    world_settle(w);
}

/* DELIVERY-73: a member that comes and goes while its device is away has one Welcome waiting, at its hub and
 * elsewhere; and that one is good. */
static void the_newest_welcome_waits_for(bool at_hub)
{
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *d = at_hub ? s.bob : s.alice;
    struct hs_key inbox = inbox_of(d);
    d->gaps = true;
    for (int i = 0; i < 4; i++) {
        bool account;
        struct world_room *room = wait_for(d, &s.invite);
        world_disconnect(d);
        assert_ok(world_admit(s.room));
        world_settle(w);
        assert_int_equal(waiting(d->node, &inbox), 1);
        world_rebuild_check(d->node);
        if (i == 3) {
            come_back(d);
            assert_true(room->joined);
            break;
        }
        assert_ok(world_remove(s.room, room));
        forget(room);
        world_settle(w);
        assert_ok(world_connect(d, &account)); /* it doesn't attach: it asks only */
    }
}

static void the_newest_welcome_waits(void **state)
{
    (void)state;
    the_newest_welcome_waits_for(false);
    the_newest_welcome_waits_for(true);
}

/* DELIVERY-73: one customer's wishes don't fill the inbox of a till that is away. */
static void the_newest_wish_waits(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite none = {.hub = s.hub};
    struct world_device *till = world_staff(s.hub, "till", HANSE__ROLE__ROLE_TILL);
    struct hs_key inbox = inbox_of(till);
    s.bobs = world_join(s.bob, s.room, &s.invite);
    world_disconnect(till);
    world_disconnect(s.owner); /* who would be asked in its place */
    for (int i = 0; i < 3; i++) {
        struct world_room *counter = world_room_join(s.bob, &none);
        Hanse__Frame *frame = world_frame(w);
        frame->open_counter = WORLD_NEW(w, Hanse__OpenCounter, hanse__open_counter);
        frame->body_case = HANSE__FRAME__BODY_OPEN_COUNTER;
        frame->open_counter->persona = hs_pb_data(HS_VIEW(counter->persona->signer.pub));
        frame->open_counter->room = hs_pb_data(HS_VIEW(s.room->id));
        frame->open_counter->key_package = hs_pb_data(counter->key_package);
        assert_ok(world_ask(s.bob, frame, NULL));
        assert_int_equal(waiting(s.hub, &inbox), 1);
        world_rebuild_check(s.hub);
        world_pass(w, DAY);
    }
    till->gaps = true;
    come_back(till);
    assert_int_equal(till->item_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nobody_fetches_goes),    cmocka_unit_test(who_comes_loses_nothing),
        cmocka_unit_test(much_goes_in_steps),          cmocka_unit_test(a_clock_is_set),
        cmocka_unit_test(a_full_inbox_takes_no_wish),  cmocka_unit_test(a_full_inbox_takes_no_join),
        cmocka_unit_test(a_full_inbox_queues_no_post), cmocka_unit_test(the_newest_welcome_waits),
        cmocka_unit_test(the_newest_wish_waits),       cmocka_unit_test(what_is_being_read_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

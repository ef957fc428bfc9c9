/* What a hub may send to a home that follows it, and what a follower that isn't there costs its hub. */
#include "peer_world.h"

#include "core/federation/follow.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "core/standing/guest.h"
#include "core/standing/standing.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *near;
    struct world_room *room, *alices, *nears;
    struct world_invite invite;
};

/* Alice reads through her home; near is at the hub itself. */
static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.near = world_customer(s.hub, "near");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.nears = world_join(s.near, s.room, &s.invite);
    s.alices = world_join(s.alice, s.room, &s.invite);
    return s;
}

static Hanse__Frame *inbox_frame(struct world *w, uint64_t from, size_t count, size_t body)
{
    Hanse__Frame *frame = world_frame(w);
    uint8_t *bytes = hs_arena_alloc(&w->arena, body + 1);
    frame->inbox = WORLD_NEW(w, Hanse__Inbox, hanse__inbox);
    frame->body_case = HANSE__FRAME__BODY_INBOX;
    frame->inbox->n_items = count;
    frame->inbox->items = hs_arena_alloc(&w->arena, count * sizeof *frame->inbox->items);
    for (size_t i = 0; i < count; i++) {
        Hanse__InboxItem *item = frame->inbox->items[i] = WORLD_NEW(w, Hanse__InboxItem, hanse__inbox_item);
        item->seq = from + i;
        item->outcome = WORLD_NEW(w, Hanse__OutcomeItem, hanse__outcome_item);
        item->outcome->room = hs_pb_data(hs_bytes(bytes, body));
        item->body_case = HANSE__INBOX_ITEM__BODY_OUTCOME;
    }
    return frame;
}

static void is_left_for_a_minute(struct scene *s)
{
    size_t dials = s->home->dials;
    assert_false(world_are_linked(s->home, s->hub));
    world_pass(s->w, HS_HUB_PAUSE_MS - 1);
    assert_int_equal(s->home->dials, dials);
    world_pass(s->w, 1);
    assert_int_equal(s->home->dials, dials + 1);
    assert_ok(world_post(s->room, "all the same", NULL));
    world_settle(s->w);
    assert_string_equal(s->alices->posts[s->alices->post_count - 1], "all the same");
}

/* FED-30: inbox items, at the limit and one past it. */
static void items_of_a_hub_are_limited(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    size_t burst = (size_t)hs_quota_of(HS_STANDING_INVITED)->flows[HS_FLOW_HUB_ITEMS].burst;
    w->unchecked = true;
    size_t sent = 1; /* alice's Welcome */
    for (; sent + 100 <= burst; sent += 100)
        world_inject(s.hub, s.home, inbox_frame(w, 0, 100, 0));
    world_inject(s.hub, s.home, inbox_frame(w, 0, burst - sent, 0));
    assert_true(world_are_linked(s.home, s.hub));
    world_inject(s.hub, s.home, inbox_frame(w, 0, 1, 0));
    is_left_for_a_minute(&s);
}

/* FED-30: bytes of any kind. */
static void bytes_of_a_hub_are_limited(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    size_t burst = (size_t)hs_quota_of(HS_STANDING_INVITED)->flows[HS_FLOW_HUB_BYTES].burst;
    Hanse__Frame *frame = inbox_frame(w, 0, 1, 60000);
    size_t len = world_pack(w, &frame->base).len;
    w->unchecked = true;
    for (size_t i = 0; i + 2 < burst / len; i++)
        world_inject(s.hub, s.home, frame);
    assert_true(world_are_linked(s.home, s.hub));
    for (size_t i = 0; i < 3 && world_are_linked(s.home, s.hub); i++)
        world_inject(s.hub, s.home, frame);
    is_left_for_a_minute(&s);
}

/* FED-30: bytes of records that are kept, at the limit and past it; what is really there is counted again. */
static void bytes_that_are_kept_are_limited(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    w->unchecked = true;
    world_pass(w, 1000);
    struct hs_turn *turn = raw_turn_begin(s.home);
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &s.hub->root.pub);
    const Hanse__State__RoomView *view = hs_room_view(turn, &s.room->id);
    assert_int_equal(peer->kept, view->log_bytes + raw_items_of(s.home, &s.hub->root.pub));
    raw_turn_end(turn);
    uint64_t before = peer->kept;
    assert_ok(world_post(s.room, "one", NULL));
    world_settle(w);
    uint64_t each = peer->kept - before;
    turn = raw_turn_begin(s.home);
    const Hanse__State__RoomEntry *entry = hs_room_entry(turn, &s.room->id, s.room->tip.next_seq - 1);
    assert_true(entry != NULL && entry->body.len > 0);
    assert_int_equal(each, entry->header.len + entry->body.len);
    raw_turn_end(turn);
    peer->kept = hs_quota_of(HS_STANDING_INVITED)->kept - each;
    assert_ok(world_post(s.room, "two", NULL)); /* as long as the first one */
    world_settle(w);
    assert_true(world_are_linked(s.home, s.hub));
    assert_int_equal(peer->kept, hs_quota_of(HS_STANDING_INVITED)->kept);
    assert_ok(world_post(s.room, "three", NULL));
    world_settle(w);
    is_left_for_a_minute(&s); /* meanwhile it was counted anew */
}

/* FED-30: rooms that are copied, at the limit and one past it. */
static void rooms_of_a_hub_are_limited(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_turn *turn = raw_turn_begin(s.home);
    assert_int_equal(hs_copies_count(turn, &s.hub->root.pub), 1);
    while (hs_copies_count(turn, &s.hub->root.pub) < hs_quota_of(HS_STANDING_INVITED)->copies - 1)
        hs_copies_add(turn, &s.hub->root.pub);
    raw_turn_end(turn);
    struct world_room *second = world_room_new(s.owner, "second");
    struct world_invite invite = world_invite(second, 10);
    (void)world_join(s.alice, second, &invite);
    world_settle(w);
    struct world_room *third = world_room_new(s.owner, "third");
    invite = world_invite(third, 10);
    struct world_room *joined = world_room_join(s.alice, &invite);
    assert_ok(
        world_forward(s.alice, s.hub, world_join_frame(joined, world_join_body(joined, &invite)), NULL));
    world_settle(w);
    assert_ok(world_admit(third));
    world_settle(w);
    assert_false(joined->joined); /* the Welcome was passed over */
    assert_true(world_are_linked(s.home, s.hub));
    assert_ok(world_post(second, "goes on", NULL));
}

static enum world_verdict other_persona(void *ctx, struct world_node *from, struct world_node *to,
                                        struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &s->w->arena, &frame));
    if (from == s->hub || frame->body_case != HANSE__FRAME__BODY_INBOX)
        return WORLD_PASS;
    for (size_t i = 0; i < frame->inbox->n_items; i++)
        if (frame->inbox->items[i]->welcome != NULL)
            frame->inbox->items[i]->welcome->persona = hs_pb_data(HS_VIEW(s->alices->persona->signer.pub));
    *bytes = world_pack(s->w, &frame->base);
    return WORLD_PASS;
}

/* FED-30: a brand welcomes those whom it knows, not another brand's personas. */
static void welcomes_are_for_personas_of_that_brand(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *evil = world_node_new(w, "evil.example");
    struct world_device *villain = world_staff(evil, "villain", HANSE__ROLE__ROLE_OWNER);
    struct world_room *trap = world_room_new(villain, "trap");
    struct world_invite bait = world_invite(trap, 10);
    assert_ok(world_bind(s.alice, evil));
    struct world_room *joined = world_room_join(s.alice, &bait);
    assert_ok(world_forward(s.alice, evil, world_join_frame(joined, world_join_body(joined, &bait)), NULL));
    world_settle(w);
    size_t items = s.alice->item_count;
    w->hook = other_persona;
    w->hook_ctx = &s;
    assert_ok(world_admit(trap));
    world_settle(w);
    assert_int_equal(s.alice->item_count, items);
    assert_false(joined->joined);
}

static size_t store_size(struct world_node *node)
{
    size_t size = 0;
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value, none = {0};
        struct hs_kv_key from = {0};
        while (hs_kv_next(node->kv, table, none, hs_kv_key_bytes(&from), &scratch, &key, &value)) {
            size += key.len + value.len;
            from = hs_kv_after(key);
        }
    }
    return size;
}

struct counting {
    struct world *w;
    size_t frames, records;
};

static enum world_verdict count(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *bytes)
{
    struct counting *c = ctx;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    Hanse__Frame *frame;
    (void)from;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &arena, &frame));
    if (frame->body_case == HANSE__FRAME__BODY_RECORDS) {
        c->frames++;
        c->records += frame->records->n_records;
    }
    return WORLD_PASS;
}

/* FED-27: a follower that is away for a day delays nobody, costs its hub nothing but the log that is there
 * anyway, and gets all of it in frames of many records, each once. */
static void a_day_away(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct counting c = {.w = w};
    enum { POSTS = 120 };
    char text[32];
    world_close(w, w->links[w->link_count - 1].id[0]);
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].device == NULL)
            world_close(w, w->links[i].id[0]);
    s.home->down = true;
    w->hook = count;
    w->hook_ctx = &c;
    world_run(w);
    s.hub->down = true;
    size_t before = store_size(s.hub), log = 0;
    for (size_t i = 0; i < POSTS; i++) {
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_ok(world_post(s.room, text, NULL));
        world_settle(w);
        assert_int_equal(s.nears->post_count, i + 1); /* nobody waits */
        world_pass(w, WORLD_DAY_MS / POSTS);
    }
    log = store_size(s.hub) - before;
    assert_int_equal(c.frames, 0);
    struct hs_turn *turn = raw_turn_begin(s.hub);
    assert_int_equal(hs_copies_count(turn, &s.home->root.pub), 0);
    raw_turn_end(turn);
    assert_in_range(log, 1, POSTS * 1200); /* one record each, whoever is away */
    s.hub->down = false;
    world_pass(w, HS_RETRY_MAX_MS);
    world_pass(w, 1000);
    assert_int_equal(s.alices->post_count, POSTS);
    for (size_t i = 0; i < POSTS; i++) {
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_string_equal(s.alices->posts[i], text);
    }
    assert_int_equal(c.records, POSTS); /* none twice */
    assert_in_range(c.frames, 1, 1 + POSTS / 16);
}

struct seen {
    int64_t waits[8];
    size_t len;
};

/* The waits between the dials of a home to a hub that is down. */
static struct seen waits_of(const char *domain)
{
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example"), *home = world_node_new(w, domain);
    struct world_device *owner = world_staff(hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(home, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 10);
    struct seen seen = {0};
    (void)world_join(alice, room, &invite);
    hub->down = true;
    world_pass(w, 2 * HS_RETRY_MAX_MS); /* a session that lasted */
    world_node_restart(hub);
    while (seen.len < 8) {
        size_t dials = home->dials;
        seen.waits[seen.len++] = hs_core_deadline(home->core).ms - w->now.ms;
        world_pass(w, seen.waits[seen.len - 1] - 1);
        assert_int_equal(home->dials, dials);
        world_pass(w, 1);
        assert_int_equal(home->dials, dials + 1);
    }
    return seen;
}

/* FED-15: twice as long each time, of which between half and all; other nodes wait another time. */
static void waiting_differs_from_node_to_node(void **state)
{
    (void)state;
    struct seen a = waits_of("a.example"), b = waits_of("b.example");
    size_t same = 0;
    for (size_t i = 0; i < 8; i++) {
        int64_t most = HS_RETRY_FIRST_MS << i;
        most = most < HS_RETRY_MAX_MS ? most : HS_RETRY_MAX_MS;
        assert_in_range(a.waits[i], most / 2, most);
        assert_in_range(b.waits[i], most / 2, most);
        same += a.waits[i] == b.waits[i] ? 1 : 0;
    }
    assert_in_range(same, 0, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_of_a_hub_are_limited),
        cmocka_unit_test(bytes_of_a_hub_are_limited),
        cmocka_unit_test(bytes_that_are_kept_are_limited),
        cmocka_unit_test(rooms_of_a_hub_are_limited),
        cmocka_unit_test(welcomes_are_for_personas_of_that_brand),
        cmocka_unit_test(a_day_away),
        cmocka_unit_test(waiting_differs_from_node_to_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

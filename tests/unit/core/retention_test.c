/* Retention: old posts lose their bodies, at the hub and at followers, and nothing else changes. */
#include "world.h"

#include "core/delivery/cursor.h"
#include "core/federation/follow.h"
#include "core/records/register.h"
#include "core/records/retention.h"
#include "core/records/table.h"
#include "room/head.h"
#include "room/settlement.h"
#include "wire/unpack.h"

#include <stdio.h>

enum { HOUR = 3600000, POSTS = 10, MANY = 300 };

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices;
    struct world_invite invite;
    uint64_t first; /* the first post's number */
};

static struct scene scene_new(struct world *w, int64_t retention_ms)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    struct hs_policy_role role;
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct hs_policy policy = world_policy(s.owner, "launch", &role);
    policy.retention_ms = retention_ms;
    assert_ok(world_ask(s.owner, world_create_frame(s.owner, &policy, &s.room), NULL));
    s.room->joined = true;
    world_attach(s.owner);
    s.invite = world_invite(s.room, 10);
    s.alice = world_customer(s.home, "alice");
    s.bob = world_customer(s.hub, "bob");
    s.alices = world_join(s.alice, s.room, &s.invite);
    world_settle(w);
    s.first = s.room->tip.next_seq;
    return s;
}

static struct hs_bytes post(struct scene *s, const char *text)
{
    struct hs_bytes message = world_protect(s->room, text);
    (void)snprintf(s->room->sent[s->room->sent_count++], sizeof s->room->sent[0], "%s", text);
    assert_ok(world_ask(s->owner, world_post_frame(s->room, message), NULL));
    world_settle(s->w);
    return message;
}

static void tick(struct scene *s, int times)
{
    for (int i = 0; i < times; i++)
        world_pass(s->w, 1000);
}

/* How many posts of the node's copy have a body. */
static size_t bodies(struct scene *s, struct world_node *node)
{
    size_t count = 0;
    for (uint64_t seq = s->first; seq < s->room->tip.next_seq; seq++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        struct hs_kv_key key = hs_key_seq(HS_VIEW(s->room->id), seq);
        struct hs_bytes value;
        Hanse__State__RoomEntry *entry;
        struct hs_record_header header;
        assert_true(hs_kv_get(node->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), &arena, &value));
        assert_ok(HS_UNPACK(hanse__state__room_entry, value, HS_LENIENT, &arena, &entry));
        assert_ok(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
        count += header.kind == HS_RECORD_POST && entry->body.len > 0;
    }
    return count;
}

static bool is_known(struct scene *s, struct world_node *node, struct hs_bytes message)
{
    struct hs_id hash = hs_record_body_hash(message);
    struct hs_kv_key key = hs_key2(HS_VIEW(s->room->id), HS_VIEW(hash));
    return hs_kv_has(node->kv, HS_T_BODY, hs_kv_key_bytes(&key));
}

/* DELIVERY-19: at the end of the time that the policy gives, and not a moment before; at the follower too. */
static void old_posts_lose_their_bodies(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, HOUR);
    for (int i = 0; i < POSTS; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        post(&s, text);
    }
    int64_t last = w->now.ms;
    w->now.ms = last + HOUR - 1000;
    world_pass(w, 999);
    tick(&s, 0);
    assert_int_equal(bodies(&s, s.hub), POSTS);
    assert_int_equal(bodies(&s, s.home), POSTS);
    world_pass(w, 1);
    tick(&s, 2);
    assert_int_equal(bodies(&s, s.hub), 0);
    assert_int_equal(bodies(&s, s.home), 0);
    post(&s, "new");
    tick(&s, 2);
    assert_int_equal(bodies(&s, s.hub), 1);
    assert_int_equal(bodies(&s, s.home), 1);
    assert_string_equal(s.alices->posts[POSTS], "new");
}

/* DELIVERY-19: who reads late gets headers, and goes on behind them. */
static void late_readers_go_on(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, HOUR);
    struct world_room *bobs = world_join(s.bob, s.room, &s.invite);
    bool account;
    world_disconnect(s.bob);
    world_disconnect(s.alice);
    for (int i = 0; i < POSTS; i++)
        post(&s, "old");
    world_pass(w, 2 * HOUR);
    tick(&s, 3);
    post(&s, "new");
    assert_ok(world_connect(s.bob, &account));
    world_attach(s.bob);
    assert_ok(world_connect(s.alice, &account));
    world_attach(s.alice);
    world_settle(w);
    assert_int_equal(bobs->tip.next_seq, s.room->tip.next_seq);
    assert_int_equal(bobs->post_count, 1);
    assert_string_equal(bobs->posts[0], "new");
    assert_int_equal(s.alices->tip.next_seq, s.room->tip.next_seq);
    assert_string_equal(s.alices->posts[s.alices->post_count - 1], "new");
}

/* DELIVERY-20: an erased post that is submitted again is answered as before, for a time. */
static void erased_posts_are_known(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, HOUR);
    Hanse__Frame *answer;
    struct hs_bytes message = post(&s, "once");
    uint64_t seq = s.room->tip.next_seq - 1;
    int64_t then = w->now.ms;
    world_pass(w, 2 * HOUR);
    tick(&s, 2);
    assert_int_equal(bodies(&s, s.hub), 0);
    assert_ok(world_ask(s.owner, world_post_frame(s.room, message), &answer));
    assert_int_equal(answer->accepted->seq, seq);
    assert_int_equal(answer->accepted->hub_time_ms, then);
    w->now.ms = then + HS_RETENTION_KNOWN_MS - 1000;
    world_pass(w, 999);
    assert_true(is_known(&s, s.hub, message) && is_known(&s, s.home, message));
    world_pass(w, 1);
    tick(&s, 2);
    assert_false(is_known(&s, s.hub, message) || is_known(&s, s.home, message));
    assert_true(is_known(&s, s.hub, s.invite.body));
}

/* DELIVERY-19: a room without an end keeps everything. */
static void rooms_may_keep_all(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, 0);
    post(&s, "for good");
    world_pass(w, 1000ll * 24 * HOUR);
    tick(&s, 2);
    assert_int_equal(bodies(&s, s.hub), 1);
    assert_int_equal(bodies(&s, s.home), 1);
}

/* DELIVERY-19: a tick does a bounded part, and ticks come to the end. */
static void much_is_erased_in_steps(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, HOUR);
    w->unchecked = true;
    for (int i = 0; i < MANY; i++)
        post(&s, "old");
    size_t ticks = 0, left = MANY;
    w->now.ms += 2 * HOUR;
    while (left > 0) {
        tick(&s, 1);
        size_t now = bodies(&s, s.hub);
        assert_true(left - now <= HS_RETENTION_RECORDS);
        left = now;
        assert_in_range(++ticks, 1, 10);
    }
    assert_true(ticks > 1);
}

static void shorten(struct scene *s, int64_t retention_ms)
{
    struct world_commit c;
    struct hs_policy_role role;
    struct hs_policy policy = world_policy(s->owner, "launch", &role);
    policy.retention_ms = retention_ms;
    world_commit_policy(s->room, &policy, &c);
    assert_ok(world_ask(s->owner, world_commit_frame(s->room, &c), NULL));
    world_settle(s->w);
}

/* DELIVERY-19, DELIVERY-53: a commit that becomes void has erased nothing, at the hub or at followers. */
static void void_commits_erase_nothing(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, 0);
    for (int i = 0; i < POSTS; i++)
        post(&s, "kept");
    world_pass(w, 2 * HOUR);
    s.alice->doubts = HS_ERR_DECRYPT;
    shorten(&s, HOUR);
    assert_true(hs_mls_group_is_unsettled(s.room->group));
    tick(&s, 3);
    assert_int_equal(bodies(&s, s.hub), POSTS);
    assert_int_equal(bodies(&s, s.home), POSTS);
    world_pass(w, HS_SETTLE_VOID_MS);
    assert_false(hs_mls_group_is_unsettled(s.room->group));
    post(&s, "new");
    tick(&s, 3);
    assert_int_equal(bodies(&s, s.hub), POSTS + 1);
    assert_int_equal(bodies(&s, s.home), POSTS + 1);
    /* the same once more, and this time it holds */
    world_pass(w, HS_SETTLE_BAR_MS + HOUR);
    s.alice->doubts = HS_OK;
    shorten(&s, HOUR);
    assert_false(hs_mls_group_is_unsettled(s.room->group));
    tick(&s, 3);
    assert_int_equal(bodies(&s, s.hub), 0);
    assert_int_equal(bodies(&s, s.home), 0);
}

/* DELIVERY-19: the clock was ahead, and is set back. A record that carries the later time, because the
 * log's times don't go back, makes nothing older than it is. */
static void records_ahead_of_the_clock_age_nothing(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, HOUR);
    for (int i = 0; i < POSTS; i++)
        post(&s, "young");
    s.alice->silent = true;
    shorten(&s, HOUR + 1);
    const int64_t now = w->now.ms;
    w->now.ms = now + 10 * HOUR;
    post(&s, "from the future");
    assert_true(hs_mls_group_is_unsettled(s.room->group));
    w->now.ms = now;
    world_pass(w, HS_SETTLE_VOID_MS);
    assert_false(hs_mls_group_is_unsettled(s.room->group));
    assert_int_equal(bodies(&s, s.hub), POSTS + 1);
}

static const uint8_t far_room[32] = {7}, far_prev[32] = {8};

/* A Welcome of the hub's to a room whose log is at seq already, as it says. */
static void welcome_far_away(struct scene *s, uint64_t seq, uint64_t number)
{
    struct world *w = s->w;
    Hanse__Frame *frame = world_frame(w);
    Hanse__InboxItem *item = WORLD_NEW(w, Hanse__InboxItem, hanse__inbox_item);
    Hanse__WelcomeItem *welcome = WORLD_NEW(w, Hanse__WelcomeItem, hanse__welcome_item);
    Hanse__Tree tree = HANSE__TREE__INIT;
    tree.bytes = welcome->welcome = hs_pb_data(hs_bytes_str("?"));
    welcome->room = hs_pb_data(hs_bytes(far_room, sizeof far_room));
    welcome->prev_hash = hs_pb_data(hs_bytes(far_prev, sizeof far_prev));
    welcome->commit_seq = seq;
    welcome->persona = hs_pb_data(HS_VIEW(world_persona(s->alice, &s->hub->root.pub)->signer.pub));
    welcome->hub_root = hs_pb_data(HS_VIEW(s->hub->root.pub));
    welcome->descriptor = s->hub->descriptor;
    welcome->tree = &tree;
    item->welcome = welcome;
    item->body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    item->seq = number;
    frame->inbox = WORLD_NEW(w, Hanse__Inbox, hanse__inbox);
    frame->inbox->n_items = 1;
    frame->inbox->items = &item;
    frame->body_case = HANSE__FRAME__BODY_INBOX;
    world_inject(s->hub, s->home, frame);
}

static struct hs_retained retained_far_away(struct scene *s, Hanse__State__RoomView **view)
{
    static struct hs_arena arena;
    struct hs_id room;
    struct hs_bytes value = {0};
    hs_arena_free(&arena);
    arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->home->core, .kv = s->home->kv, .now = s->w->now, .arena = &arena};
    assert_true(HS_FIXED(hs_bytes(far_room, sizeof far_room), &room));
    struct hs_kv_key key = hs_register_key(HS_REGISTER_RETAINED, HS_VIEW(room), (struct hs_bytes){0});
    (void)hs_register_get(&turn, &key, &value);
    *view = hs_room_view(&turn, &room);
    return hs_retained_parse(value);
}

/* DELIVERY-56: a hub says of its log what it likes; what isn't here costs nobody anything. */
static void a_log_that_begins_far_away(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, HOUR);
    Hanse__State__RoomView *view;
    Hanse__Frame *frame = world_frame(w);
    struct hs_log_tip tip = {.next_seq = HS_SEQ_END - 1, .hub_time = w->now};
    struct hs_id room;
    world_disconnect(s.alice);
    welcome_far_away(&s, HS_SEQ_END, 1000);
    (void)retained_far_away(&s, &view);
    assert_null(view);
    welcome_far_away(&s, HS_SEQ_END - 1, 1001);
    (void)retained_far_away(&s, &view);
    assert_non_null(view);
    assert_true(view->first_seq == HS_SEQ_END - 1);
    assert_true(HS_FIXED(hs_bytes(far_room, sizeof far_room), &room));
    assert_true(HS_FIXED(hs_bytes(far_prev, sizeof far_prev), &tip.hash));
    frame->records = WORLD_NEW(w, Hanse__Records, hanse__records);
    frame->records->room = hs_pb_data(HS_VIEW(room));
    frame->records->retention_ms = HOUR;
    frame->body_case = HANSE__FRAME__BODY_RECORDS;
    assert_ok(hs_head_build(&s.hub->signer, &room, &tip, 1, 1, w->now, &w->arena, &frame->records->head));
    world_inject(s.hub, s.home, frame);
    tick(&s, 3);
    assert_true(retained_far_away(&s, &view).erased ==
                0); /* of what isn't there nothing is said, and it may come */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_posts_lose_their_bodies),
        cmocka_unit_test(late_readers_go_on),
        cmocka_unit_test(erased_posts_are_known),
        cmocka_unit_test(rooms_may_keep_all),
        cmocka_unit_test(much_is_erased_in_steps),
        cmocka_unit_test(void_commits_erase_nothing),
        cmocka_unit_test(records_ahead_of_the_clock_age_nothing),
        cmocka_unit_test(a_log_that_begins_far_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

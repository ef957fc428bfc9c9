/* Streams, cursors and inboxes at one node: in order, each thing once, through reconnects and restarts. */
#include "world.h"

#include "core/records/table.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *node;
    struct world_device *owner, *alice;
    struct world_room *room, *alices;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w, .node = world_node_new(w, "rosa.example")};
    s.owner = world_staff(s.node, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.node, "alice");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 100);
    s.alices = world_join(s.alice, s.room, &s.invite);
    return s;
}

static void reconnect(struct world_device *d)
{
    if (d->session != 0)
        world_disconnect(d);
    assert_ok(world_connect(d, NULL));
    world_attach(d);
}

static void post_many(struct world_room *room, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_ok(world_post(room, text, NULL));
    }
}

static void has_exactly(struct world_room *room, size_t count)
{
    assert_int_equal(room->post_count, count);
    for (size_t i = 0; i < count; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_string_equal(room->posts[i], text);
    }
}

/* DELIVERY-7: in order and once, whatever happens in between. */
static void each_record_once_and_in_order(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    post_many(s.room, 0, 3);
    world_settle(w);
    has_exactly(s.alices, 3);
    world_disconnect(s.alice);
    post_many(s.room, 3, 10);
    world_settle(w);
    has_exactly(s.alices, 3);
    reconnect(s.alice);
    has_exactly(s.alices, 10);
    reconnect(s.alice); /* nothing again */
    has_exactly(s.alices, 10);
    post_many(s.room, 10, 12);
    world_node_restart(s.node); /* before anything was taken */
    reconnect(s.owner);
    reconnect(s.alice);
    has_exactly(s.alices, 12);
    has_exactly(s.room, 12);
    post_many(s.room, 12, 100);
    world_settle(w);
    has_exactly(s.alices, 100);
}

/* A process that dies behind its commit: what was stored is stored, what was asked is asked again. */
static void death_behind_the_commit(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes message = world_protect(s.room, "0");
    Hanse__Frame *frame = world_post_frame(s.room, message), *answer;
    strcpy(s.room->sent[s.room->sent_count++], "0");
    s.node->mute = true;
    assert_err(world_ask(s.owner, frame, NULL), HS_ERR_TIMEOUT);
    world_node_restart(s.node);
    reconnect(s.owner);
    reconnect(s.alice);
    has_exactly(s.alices, 1);
    assert_ok(world_ask(s.owner, world_post_frame(s.room, message), &answer));
    world_settle(w);
    has_exactly(s.alices, 1);
    has_exactly(s.room, 1);
}

/* DELIVERY-10: who doesn't read costs nothing but its place; it goes on where it stood. */
static void slow_reader_delays_nobody(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *bob = world_customer(s.node, "bob");
    struct world_room *bobs = world_join(bob, s.room, &s.invite);
    s.alice->stalled = true;
    post_many(s.room, 0, 40);
    world_settle(w);
    has_exactly(bobs, 40);
    assert_true(s.alices->post_count < 40);
    s.alice->stalled = false;
    world_pass(w, 1000);
    has_exactly(s.alices, 40);
}

/* A session gets no more than it can take, but for the end of the last frame. */
static void budget_is_kept(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint8_t *plain = hs_arena_alloc(&w->arena, 40000);
    s.alice->stalled = true;
    for (size_t i = 0; i < 5; i++) {
        struct hs_writer HS_WRITER out = hs_writer(1 << 20);
        assert_ok(hs_mls_group_protect(s.room->group, hs_bytes(plain, 40000), (struct hs_bytes){0}, 0, &out));
        assert_ok(world_ask(s.owner, world_post_frame(s.room, hs_writer_bytes(&out)), NULL));
    }
    static const size_t budgets[] = {0, 1, 40000, 50000, 400000}, frames[] = {0, 1, 1, 2, 1};
    for (size_t i = 0; i < 5; i++) {
        struct hs_core_input room = {
            .kind = HS_INPUT_ROOM, .session = s.alice->session, .budget = budgets[i]};
        struct hs_effects effects = hs_effects();
        bool more;
        size_t sent = 0;
        assert_ok(hs_core_step(s.node->core, s.node->kv, &room, w->now, false, &effects));
        assert_ok(hs_core_pump(s.node->core, s.node->kv, w->now, &effects, &more));
        for (size_t n = 0; n < effects.len; n++)
            sent += effects.list[n].session == s.alice->session ? 1 : 0;
        assert_int_equal(sent, frames[i]);
        hs_effects_free(&effects);
    }
}

/* DELIVERY-12: an inbox item stays until it is acknowledged, and goes then. */
static void inbox_until_acknowledged(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *bob = world_customer(s.node, "bob");
    bob->no_cursors = true;
    struct world_room *bobs = world_join(bob, s.room, &s.invite);
    assert_int_equal(bob->item_count, 1);
    /* a client that lost what it had before it could say so */
    reconnect(bob);
    assert_int_equal(bob->item_count, 1);
    bob->inbox_next = 0;
    world_disconnect(bob);
    assert_ok(world_connect(bob, NULL));
    hs_mls_group_free(bobs->group);
    *bobs = (struct world_room){.device = bob,
                                .persona = bobs->persona,
                                .hub = bobs->hub,
                                .id = bobs->id,
                                .key_package = bobs->key_package,
                                .priv = bobs->priv,
                                .anchor = UINT64_MAX};
    bob->no_cursors = false;
    world_attach(bob);
    assert_int_equal(bob->item_count, 2);
    assert_true(bobs->joined);
    /* acknowledged now */
    bob->inbox_next = 0;
    reconnect(bob);
    assert_int_equal(bob->item_count, 2);
}

/* A room that isn't the session's is passed over, and says nothing. */
static void attach_gives_what_was_subscribed(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *eve = world_customer(s.node, "eve");
    struct world_room *spy = world_room_join(eve, &s.invite);
    spy->joined = true;
    world_attach(eve);
    post_many(s.room, 0, 2);
    world_settle(w);
    assert_int_equal(spy->records, 0);
    spy->joined = false;
    /* from the commit that added her on, not from before */
    s.alices->tip = (struct hs_log_tip){0};
    size_t before = s.alice->rx_len;
    uint64_t anchor = s.alices->anchor;
    world_disconnect(s.alice);
    assert_ok(world_connect(s.alice, NULL));
    Hanse__Frame *frame = world_frame(w);
    frame->attach = WORLD_NEW(w, Hanse__Attach, hanse__attach);
    frame->body_case = HANSE__FRAME__BODY_ATTACH;
    Hanse__RoomCursor *cursor = WORLD_NEW(w, Hanse__RoomCursor, hanse__room_cursor);
    cursor->room = hs_pb_data(HS_VIEW(s.room->id));
    frame->attach->rooms = &cursor;
    frame->attach->n_rooms = 1;
    assert_ok(world_ask(s.alice, frame, NULL));
    assert_true(s.alice->rx_len > before);
    s.alices->tip.next_seq = anchor;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    bool seen = false;
    for (size_t i = before; i < s.alice->rx_len; i++) {
        Hanse__Frame *got;
        struct hs_record_header header;
        assert_ok(HS_UNPACK(hanse__frame, s.alice->rx[i], HS_LENIENT, &arena, &got));
        if (got->body_case != HANSE__FRAME__BODY_RECORDS)
            continue;
        assert_ok(hs_record_header_parse(hs_pb_bytes(got->records->records[0]->header), &header));
        assert_int_equal(header.seq, anchor);
        seen = true;
        break;
    }
    assert_true(seen);
    s.alice->rx_read = s.alice->rx_len;
}

/* Two joiners, one commit, one Welcome: each gets its own part of it. */
static void welcome_is_cut(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *in[] = {world_customer(s.node, "bob"), world_customer(s.node, "carol")};
    for (size_t i = 0; i < 2; i++) {
        struct world_room *room = world_room_join(in[i], &s.invite);
        assert_ok(world_ask(in[i], world_join_frame(room, world_join_body(room, &s.invite)), NULL));
    }
    world_settle(w);
    assert_ok(world_admit(s.room));
    for (size_t i = 0; i < 2; i++) {
        struct hs_bytes ref;
        assert_int_equal(in[i]->item_count, 1);
        struct hs_bytes welcome = hs_pb_bytes(in[i]->items[0]->welcome->welcome);
        assert_ok(hs_mls_welcome_ref(welcome, 0, &ref));
        assert_err(hs_mls_welcome_ref(welcome, 1, &ref), HS_ERR_NOT_FOUND);
    }
}

/* DELIVERY-13: items of any size that they can have, and no frame longer than FRAME_MAX (the world looks). */
static void large_inbox_items(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    w->forged = true;
    struct scene s = scene_new(w);
    struct hs_key subscriber = world_persona(s.alice, &s.node->root.pub)->keys.signature.pub;
    static const size_t sizes[] = {24000, 49000, 20000, 20000, 10000, 49100, 1, 1, 49100};
    size_t count = sizeof sizes / sizeof sizes[0], items = s.alice->item_count;
    for (size_t i = 0; i < count; i++) {
        Hanse__InboxItem *item = WORLD_NEW(w, Hanse__InboxItem, hanse__inbox_item);
        struct hs_kv_key key = {0};
        hs_kv_key_add(&key, HS_VIEW(subscriber));
        hs_kv_key_add_u64(&key, item->seq = s.alice->inbox_next + i);
        item->outcome = WORLD_NEW(w, Hanse__OutcomeItem, hanse__outcome_item);
        item->body_case = HANSE__INBOX_ITEM__BODY_OUTCOME;
        item->outcome->room = hs_pb_data(hs_bytes(hs_arena_alloc(&w->arena, sizes[i]), sizes[i]));
        hs_kv_put(s.node->kv, HS_T_INBOX, hs_kv_key_bytes(&key), world_pack(w, &item->base));
    }
    reconnect(s.alice);
    assert_int_equal(s.alice->item_count, items + count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_once_and_in_order),
        cmocka_unit_test(death_behind_the_commit),
        cmocka_unit_test(slow_reader_delays_nobody),
        cmocka_unit_test(inbox_until_acknowledged),
        cmocka_unit_test(attach_gives_what_was_subscribed),
        cmocka_unit_test(welcome_is_cut),
        cmocka_unit_test(budget_is_kept),
        cmocka_unit_test(large_inbox_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Frames that aren't what they should be; floods; a full store. */
#include "world.h"

#include "core/delivery/cursor.h"
#include "core/federation/peer.h"
#include "core/records/table.h"
#include "core/session.h"
#include "wire/limits.h"
#include "wire/unpack.h"

/* Cursors that came have been written by then. */
enum { CURSORS_MS = 2 * HS_CURSOR_MS };

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

static Hanse__Frame *ping(struct world *w)
{
    Hanse__Frame *frame = world_frame(w);
    frame->ping = WORLD_NEW(w, Hanse__Ping, hanse__ping);
    frame->body_case = HANSE__FRAME__BODY_PING;
    return frame;
}

static void reconnect(struct world_device *d)
{
    if (d->session != 0)
        world_disconnect(d);
    assert_ok(world_connect(d, NULL));
    world_attach(d);
}

/* FED-9: bytes that aren't a frame end the session; what comes behind them isn't looked at. */
static void nonsense_ends_the_session(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    static const uint8_t bad[][6] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, /* no tag */
        {0x08, 0x01, 0x08, 0x02},             /* the id twice */
        {0x2a, 0x00, 0x32, 0x00},             /* two bodies */
        {0x12, 0x7f},                         /* past the end */
        {0x08, 0x81, 0x00},                   /* overlong */
    };
    static const size_t lens[] = {6, 4, 4, 2, 3};
    for (size_t i = 0; i < 5; i++) {
        world_pass(w, CURSORS_MS);
        struct hs_id before = world_store_hash(s.node);
        uint64_t session = s.alice->session;
        size_t closed = s.node->closed;
        world_send(w, session, hs_bytes(bad[i], lens[i]));
        struct hs_bytes good = world_protect(s.alices, "behind it");
        world_send(w, session, world_pack(w, &world_post_frame(s.alices, good)->base));
        world_run(w);
        struct hs_id after = world_store_hash(s.node);
        assert_memory_equal(before.b, after.b, 32);
        assert_int_equal(s.node->closed, closed + 1);
        assert_int_equal(s.alice->session, 0);
        assert_int_equal(s.alice->ended, HS_ERR_MALFORMED);
        reconnect(s.alice);
    }
    /* an answer to nothing, as a request */
    Hanse__Frame *frame = world_frame(w);
    frame->ack = WORLD_NEW(w, Hanse__Ack, hanse__ack);
    frame->body_case = HANSE__FRAME__BODY_ACK;
    assert_err(world_ask(s.alice, frame, NULL), HS_ERR_UNSUPPORTED);
    /* what only hubs send */
    frame = world_frame(w);
    frame->records = WORLD_NEW(w, Hanse__Records, hanse__records);
    frame->records->room = hs_pb_data(HS_VIEW(s.room->id));
    frame->body_case = HANSE__FRAME__BODY_RECORDS;
    assert_err(world_ask(s.alice, frame, NULL), HS_ERR_UNEXPECTED);
    assert_int_equal(s.alice->session, 0);
    reconnect(s.alice);
}

/* FED-10: what a later version may ask is refused, and the session goes on. */
static void unknown_requests_are_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    static const uint8_t later[] = {0x08, 0x07, 0xf2, 0x3f, 0x01, 'x'}; /* id 7, field 1022 */
    size_t from = s.alice->rx_len;
    world_send(w, s.alice->session, hs_bytes(later, sizeof later));
    world_run(w);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    assert_int_equal(s.alice->rx_len, from + 1);
    assert_ok(HS_UNPACK(hanse__frame, s.alice->rx[from], HS_LENIENT, &arena, &frame));
    assert_int_equal(frame->id, 7);
    assert_int_equal(hs_err_from_wire(frame->error->code), HS_ERR_UNSUPPORTED);
    assert_ok(world_ask(s.alice, ping(w), NULL));
}

/* Ids and keys of another length. */
static void short_keys_are_malformed(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    for (size_t len = 0; len <= 33; len += len == 0 ? 31 : 1) {
        if (len == 32)
            continue;
        uint8_t key[33] = {0};
        Hanse__Frame *frame = world_post_frame(s.alices, hs_bytes_str("x"));
        frame->submit_message->room = hs_pb_data(hs_bytes(key, len));
        assert_err(world_ask(s.alice, frame, NULL), HS_ERR_MALFORMED);
        reconnect(s.alice);
        frame = world_frame(w);
        frame->get_invite = WORLD_NEW(w, Hanse__GetInvite, hanse__get_invite);
        frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
        frame->get_invite->invite_key = hs_pb_data(hs_bytes(key, len));
        assert_err(world_ask(s.alice, frame, NULL), HS_ERR_MALFORMED);
        reconnect(s.alice);
    }
    /* the first cursor is good, the second isn't: neither counts */
    Hanse__Frame *frame = world_frame(w);
    Hanse__RoomCursor *list[2];
    frame->cursors = WORLD_NEW(w, Hanse__Cursors, hanse__cursors);
    frame->body_case = HANSE__FRAME__BODY_CURSORS;
    for (size_t i = 0; i < 2; i++) {
        list[i] = WORLD_NEW(w, Hanse__RoomCursor, hanse__room_cursor);
        list[i]->room = hs_pb_data(hs_bytes(s.room->id.b, i == 0 ? 32 : 31));
        list[i]->next_seq = 1000;
    }
    frame->cursors->rooms = list;
    frame->cursors->n_rooms = 2;
    assert_err(world_ask(s.alice, frame, NULL), HS_ERR_MALFORMED);
}

/* FED-11: HS_REQUEST_BURST requests at once, one more is refused; a second later there are some again. */
static void requests_are_rationed(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    w->unchecked = true;
    reconnect(s.alice); /* Authenticate and Attach: 2 of them */
    for (size_t i = 2; i < HS_REQUEST_BURST; i++)
        assert_ok(world_ask(s.alice, ping(w), NULL));
    assert_err(world_ask(s.alice, ping(w), NULL), HS_ERR_RATE_LIMITED);
    /* requests that are refused count, too; so do unknown ones */
    Hanse__Frame *unknown = world_frame(w);
    assert_err(world_ask(s.alice, unknown, NULL), HS_ERR_RATE_LIMITED);
    assert_ok(world_ask(s.owner, ping(w), NULL)); /* nobody else is touched */
    w->now.ms += 1000;
    for (size_t i = 0; i < HS_REQUEST_RATE; i++)
        assert_ok(world_ask(s.alice, ping(w), NULL));
    assert_err(world_ask(s.alice, ping(w), NULL), HS_ERR_RATE_LIMITED);
    w->now.ms -= 3600000; /* a clock that was set back starves nobody */
    assert_err(world_ask(s.alice, ping(w), NULL), HS_ERR_RATE_LIMITED);
    w->now.ms += 1000;
    assert_ok(world_ask(s.alice, ping(w), NULL));
}

/* DELIVERY-14: a full store takes acknowledgements and gives what it has, and nothing more. */
static void full_store(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *bob = world_customer(s.node, "bob");
    bob->no_cursors = true;
    struct world_room *bobs = world_join(bob, s.room, &s.invite);
    s.node->full = true;
    struct world_commit c;
    struct world_invite invite = world_invite_new(s.room, 1, 1000);
    struct world_room *again;
    struct hs_policy_role role;
    struct hs_policy policy = world_policy(s.owner, "more", &role);
    world_commit_update(s.room, &c);
    assert_err(world_post(s.room, "x", NULL), HS_ERR_STORE_FULL);
    assert_err(world_put_invite(s.room, &invite), HS_ERR_STORE_FULL);
    assert_err(world_ask(s.owner, world_commit_frame(s.room, &c), NULL), HS_ERR_STORE_FULL);
    assert_err(world_ask(s.owner, world_create_frame(s.owner, &policy, &again), NULL), HS_ERR_STORE_FULL);
    assert_err(world_ask(bob, world_join_frame(bobs, world_join_body(bobs, &s.invite)), NULL),
               HS_ERR_STORE_FULL);
    assert_err(world_bind(bob, s.node), HS_ERR_STORE_FULL);
    struct hs_id before = world_store_hash(s.node);
    bob->no_cursors = false;
    reconnect(bob);
    Hanse__Frame *frame = world_frame(w);
    frame->cursors = WORLD_NEW(w, Hanse__Cursors, hanse__cursors);
    frame->cursors->inbox_next = 1;
    frame->body_case = HANSE__FRAME__BODY_CURSORS;
    assert_ok(world_ask(bob, frame, NULL));
    world_pass(w, CURSORS_MS);
    struct hs_id after = world_store_hash(s.node);
    assert_memory_not_equal(before.b, after.b, 32); /* the inbox item is gone */
    hs_mls_group_drop(s.room->group);
    s.node->full = false;
    assert_ok(world_post(s.room, "y", NULL));
    world_settle(w);
    assert_string_equal(bobs->posts[0], "y");
}

/* A long inbox is pruned without the turn's memory growing with it. */
static void long_inbox_is_pruned(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint8_t *big = hs_arena_alloc(&w->arena, 60000);
    w->forged = true;
    struct hs_key subscriber = world_persona(s.alice, &s.node->root.pub)->keys.signature.pub;
    for (uint64_t seq = 100; seq < 2100; seq++) { /* 120 MB: twice the memory of a turn */
        struct hs_kv_key key = {0};
        hs_kv_key_add(&key, HS_VIEW(subscriber));
        hs_kv_key_add_u64(&key, seq);
        hs_kv_put(s.node->kv, HS_T_INBOX, hs_kv_key_bytes(&key), hs_bytes(big, 60000));
    }
    Hanse__Frame *frame = world_frame(w);
    frame->cursors = WORLD_NEW(w, Hanse__Cursors, hanse__cursors);
    frame->cursors->inbox_next = 5000;
    frame->body_case = HANSE__FRAME__BODY_CURSORS;
    struct hs_kv_key next = hs_key_sub(HS_MISC_INBOX_NEXT, HS_VIEW(subscriber), (struct hs_bytes){0}),
                     n = {0};
    hs_kv_key_add_u64(&n, 2100);
    hs_kv_put(s.node->kv, HS_T_MISC, hs_kv_key_bytes(&next), hs_kv_key_bytes(&n));
    assert_ok(world_ask(s.alice, frame, NULL));
    world_pass(w, CURSORS_MS);
    struct hs_bytes key, value, prefix = HS_VIEW(subscriber);
    assert_false(hs_kv_next(s.node->kv, HS_T_INBOX, prefix, prefix, &w->arena, &key, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonsense_ends_the_session),
        cmocka_unit_test(unknown_requests_are_refused),
        cmocka_unit_test(short_keys_are_malformed),
        cmocka_unit_test(requests_are_rationed),
        cmocka_unit_test(full_store),
        cmocka_unit_test(long_inbox_is_pruned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Records and heads that a hub made in order to harm. */
#include "hostile.h"

#include "identity/descriptor.h"
#include "room/home_move.h"

static void assert_frozen(struct hostile *c, enum hs_err why)
{
    assert_int_equal(hostile_room(c->ben, &c->room).state, HS_ROOM_STATE_FROZEN);
    assert_int_equal(hostile_room(c->ben, &c->room).frozen, why);
}

/* ROOM-33: posts may be erased; without any other record nobody could go on. */
static void test_only_posts_are_erased(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct shown gone = {
        .kind = HS_RECORD_POST, .persona = c.alices, .body = hs_bytes_str("x"), .erased = true};
    hostile_show(&c, &gone, HS_OK);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
    gone.kind = HS_RECORD_INVITE;
    hostile_show(&c, &gone, HS_OK);
    assert_frozen(&c, HS_ERR_LOG_GAP);
    town_free(c.t);
}

/* ROOM-81: a member's move to another home is signed by the member. */
static void test_a_move_that_nobody_signed(void **state)
{
    (void)state;
    for (int forged = 0; forged < 3; forged++) {
        struct hostile c = hostile_new();
        struct hs_writer HS_WRITER w = hs_writer(HS_HOME_MOVE_MAX);
        struct hs_home_move move = {.room = c.room, .home_root = c.rosa->root.pub, .number = 1};
        if (forged == 2)
            move.room.b[0] ^= 1;
        assert_ok(hs_home_move_build(&c.rosa->root, &move, town_now(c.t), &w));
        struct shown record = {.kind = HS_RECORD_HOME_MOVE, .body = hs_writer_bytes(&w)};
        record.persona = forged == 1 ? c.alices : c.rosa->root.pub;
        hostile_show(&c, &record, HS_OK);
        if (forged == 0)
            assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
        else
            assert_frozen(&c, forged == 1 ? HS_ERR_WRONG_SENDER : HS_ERR_MLS_GROUP);
        town_free(c.t);
    }
}

/* CLIENT-8: a head covers at least what came with it. */
static void test_a_head_older_than_its_batch(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct shown head = {.head = hostile_room(c.ben, &c.room).tip};
    hostile_show(&c, &head, HS_OK);
    head.head.next_seq--;
    hostile_show(&c, &head, HS_ERR_MALFORMED);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
    town_free(c.t);
}

/* CLIENT-8: a head further on is a promise, and what comes must keep it. */
static void test_a_head_that_is_ahead_is_a_promise(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct shown head = {.head = hostile_room(c.ben, &c.room).tip};
    struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices, .body = hs_bytes_str("x")};
    head.head.next_seq += 2; /* the second record from here, with a hash that it won't have */
    hostile_show(&c, &head, HS_OK);
    head.head.next_seq++;
    hostile_show(&c, &head, HS_OK); /* a later one doesn't take its place */
    town_device_kill(c.ben);
    town_device_start(c.ben);
    TOWN_WANT(c.ben, (s.sync->session = HS_SESSION_ONLINE, HS_OK));
    hostile_show(&c, &post, HS_OK);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
    hostile_show(&c, &post, HS_OK);
    assert_frozen(&c, HS_ERR_LOG_FORK);
    town_free(c.t);
}

static void test_a_promise_that_is_kept(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_writer HS_WRITER header = hs_writer(HS_RECORD_HEADER_MAX);
    struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices, .body = hs_bytes_str("x")};
    struct shown head = {.head = hostile_room(c.ben, &c.room).tip};
    struct hs_record_spec spec = {.kind = HS_RECORD_POST,
                                  .sender_node = c.rosa->root.pub,
                                  .sender_persona = c.alices,
                                  .body = post.body,
                                  .hub_time = town_now(c.t)};
    assert_ok(hs_log_build_next(&head.head, &c.room, &spec, &header, NULL));
    hostile_show(&c, &head, HS_OK);
    hostile_show(&c, &post, HS_OK);
    hostile_show(&c, &post, HS_OK);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
    assert_false(hostile_room(c.ben, &c.room).has_promise);
    /* two heads of one number, and no record needed */
    head.head.next_seq += 5;
    hostile_show(&c, &head, HS_OK);
    head.head.hash.b[0] ^= 1;
    hostile_show(&c, &head, HS_OK);
    assert_frozen(&c, HS_ERR_LOG_FORK);
    town_free(c.t);
}

static enum hs_err to_anchor(struct hs_step *s, const struct hs_id *id, const struct hs_id *hash)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, id, &room));
    room->row.tip = (struct hs_log_tip){.next_seq = room->row.anchor, .hash = *hash};
    room->row_dirty = true;
    return HS_OK;
}

/* CLIENT-18: who let this device in is told by the Welcome's signature, not by the hub's header. */
static void test_who_let_one_in_is_proved(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    uint64_t anchor = hostile_room(c.ben, &c.room).anchor;
    struct hs_key nobody = {0};
    struct hs_message_row row = hostile_line(c.ben, &c.room, anchor);
    assert_int_equal(row.kind, HANSE_MESSAGE_JOINED);
    assert_memory_equal(row.sender.key.b, c.alices.b, sizeof c.alices.b);
    for (int alices = 0; alices < 2; alices++) { /* a name that Ben chose is quoted */
        struct town_device *d = alices ? c.alice : c.ben;
        assert_true(hs_message_next(town_look(d), &c.room, anchor, &arena, &row));
        assert_int_equal(row.text.len, 5);
        assert_memory_equal(row.text.data, "\"Ben\"", 5);
        town_looked(d);
    }
    struct hs_id before = {{1}};
    TOWN_WANT(c.ben, to_anchor(&s, &c.room, &before));
    struct shown false_name = {
        .kind = HS_RECORD_COMMIT, .persona = c.rosa->root.pub, .body = hs_bytes_str("x")};
    hostile_show(&c, &false_name, HS_OK);
    row = hostile_line(c.ben, &c.room, anchor);
    assert_int_equal(row.kind, HANSE_MESSAGE_JOINED);
    assert_memory_equal(row.sender.key.b, nobody.b, sizeof nobody.b);
    town_free(c.t);
}

/* The hub's descriptor with that sequence and first address. */
static Hanse__SignedObject *descriptor(struct hostile *c, uint64_t sequence, const char *domain,
                                       struct hs_arena *arena)
{
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    assert_ok(hs_object_unpack(c->rosa->descriptor, arena, &object));
    assert_ok(hs_descriptor_open(object, &c->rosa->root.pub, &d));
    d.sequence = sequence;
    memcpy(d.domain, domain, strlen(domain) + 1);
    assert_ok(hs_descriptor_build(&c->rosa->root, &d, town_now(c->t), arena, &object));
    return object;
}

static void test_an_older_descriptor_replaces_no_newer_one(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct shown head = {.head = hostile_room(c.ben, &c.room).tip};
    head.descriptor = descriptor(&c, 1, "same.example", &arena);
    hostile_show(&c, &head, HS_OK);
    assert_string_equal(hostile_room(c.ben, &c.room).domain, "rosa.example");
    head.descriptor = descriptor(&c, 3, "newer.example", &arena);
    hostile_show(&c, &head, HS_OK);
    assert_string_equal(hostile_room(c.ben, &c.room).domain, "newer.example");
    for (int i = 0; i < 100; i++) {
        head.descriptor = descriptor(&c, i % 2 == 0 ? 2 : 3, "older.example", &arena);
        hostile_show(&c, &head, HS_OK);
    }
    assert_string_equal(hostile_room(c.ben, &c.room).domain, "newer.example");
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_posts_are_erased),
        cmocka_unit_test(test_a_move_that_nobody_signed),
        cmocka_unit_test(test_a_head_older_than_its_batch),
        cmocka_unit_test(test_a_head_that_is_ahead_is_a_promise),
        cmocka_unit_test(test_a_promise_that_is_kept),
        cmocka_unit_test(test_who_let_one_in_is_proved),
        cmocka_unit_test(test_an_older_descriptor_replaces_no_newer_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Posts that a member made in order to harm. */
#include "hostile.h"

#include "schema/deal.pb-c.h"
#include "wire/unpack.h"

static void assert_refused(struct hostile *c, uint64_t seq, enum hs_err why)
{
    struct hs_message_row line = hostile_line(c->ben, &c->room, seq);
    assert_int_equal(hostile_room(c->ben, &c->room).state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(line.kind, HANSE_MESSAGE_REFUSED);
    assert_int_equal(line.err, why);
}

/* ROOM-35, CLIENT-8: a member's bare claim stops nobody. */
static void test_a_member_s_false_head_spoils_its_own_post_only(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_log_tip tip = hostile_room(c.ben, &c.room).tip;
    struct hs_message_context lie = {.has_head = true, .head_seq = tip.next_seq - 1};
    struct hs_message_context future = {.has_head = true, .head_seq = tip.next_seq + 9}, none = {0};
    struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices};
    post.body = hostile_text(&c, "a lie", &lie, &arena);
    hostile_show(&c, &post, HS_OK);
    assert_refused(&c, tip.next_seq, HS_ERR_LOG_FORK);
    post.body = hostile_text(&c, "from the future", &future, &arena);
    hostile_show(&c, &post, HS_OK);
    assert_refused(&c, tip.next_seq + 1, HS_ERR_LOG_FORK);
    post.body = hostile_text(&c, "and on", &none, &arena);
    hostile_show(&c, &post, HS_OK);
    assert_string_equal(town_history(c.ben, &c.room), "!\n!\nand on\n");
    assert_null(town_event(c.ben, HANSE_EVENT_FROZEN));
    town_free(c.t);
}

/* One bad post sent to the hub itself; the answer. */
static enum hs_err submit(struct hs_step *s, const struct hs_id *id, struct hs_bytes context)
{
    struct hs_live_room *room;
    struct hs_writer HS_WRITER message = hs_writer(HS_FRAME_MAX);
    struct hs_outbox_row row = {.kind = HS_OUTBOX_POST, .room = *id, .content = hs_bytes_str("none")};
    Hanse__SubmitMessage body = HANSE__SUBMIT_MESSAGE__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    HS_TRY(hs_live_member(s, id, &room));
    HS_TRY(hs_mls_group_protect(room->group, row.content, context, 256, &message));
    room->group_dirty = true;
    body.room = hs_pb_data(HS_VIEW(*id));
    body.persona = hs_pb_data(HS_VIEW(room->row.self));
    body.message = hs_pb_data(hs_writer_bytes(&message));
    frame.body_case = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    frame.submit_message = &body;
    row.body_hash = hs_record_body_hash(hs_writer_bytes(&message));
    HS_TRY(hs_frame_pack(s, &frame, &row.frame));
    return hs_outbox_row_add(s, &row);
}

/* ROOM-35: the hub takes no post whose context isn't one, or contradicts its log. */
static void test_the_hub_refuses_false_heads(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_id last = hostile_room(c.ben, &c.room).tip.hash, wrong = last;
    uint64_t next = hostile_room(c.ben, &c.room).tip.next_seq;
    wrong.b[5] ^= 1;
    const struct {
        uint64_t seq;
        const struct hs_id *hash;
        enum hs_err want;
    } cases[] = {{next - 1, &wrong, HS_ERR_LOG_FORK},
                 {next - 2, &last, HS_ERR_LOG_FORK},
                 {next, &last, HS_ERR_LOG_FORK},
                 {UINT64_MAX, &last, HS_ERR_LOG_FORK},
                 {next - 1, &last, HS_OK}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hs_message_context context = {true, cases[i].seq, *cases[i].hash, NULL, 0, NULL};
        struct hs_writer HS_WRITER w = hs_writer(HS_CONTEXT_MAX);
        assert_ok(hs_message_context_pack(&context, &w));
        c.ben->event_count = 0;
        TOWN_WANT(c.ben, submit(&s, &c.room, hs_writer_bytes(&w)));
        town_run(c.t);
        const struct hanse_event *failed = town_event(c.ben, HANSE_EVENT_POST_FAILED);
        assert_int_equal(failed != NULL ? failed->err : HANSE_OK, cases[i].want);
    }
    TOWN_WANT(c.ben, submit(&s, &c.room, hs_bytes_str("\x0a")));
    town_run(c.t);
    assert_int_equal(town_event(c.ben, HANSE_EVENT_POST_FAILED)->err, HANSE_ERR_MALFORMED);
    assert_int_equal(hostile_room(c.alice, &c.room).tip.next_seq, next + 1);
    town_free(c.t);
}

/* An event of an order that nobody placed: opened, but what it speaks of is not there. */
static enum hs_err stray_event(struct hs_step *s, const struct hs_id *id, struct hs_arena *arena,
                               struct hs_bytes *out)
{
    struct hs_live_room *room;
    struct hs_self HS_SELF self;
    Hanse__OrderEvent event = HANSE__ORDER_EVENT__INIT;
    Hanse__SignedObject *object;
    Hanse__Chain chain;
    struct hs_message_context none = {0};
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    HS_TRY(hs_live_member(s, id, &room));
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_self_chain(s, &self, &chain));
    struct hs_author author = hs_self_author(s, &self);
    struct hs_hdr_spec hdr = {0};
    event.order_id = hs_pb_data(HS_VIEW(room->row.hub_root));
    HS_TRY(hs_object_make(HS_KIND_ORDER_EVENT, &event.base, &author, &hdr, s->arena, &object));
    struct hs_content content =
        hs_content_deal(object, chain.objects, chain.n_objects, hs_bytes_str("stray"), s->now);
    HS_TRY(hs_content_build(&content, &w));
    return hostile_protect(s, id, hs_writer_bytes(&w), &none, arena, out);
}

/* Whatever a post makes of this program, it is refused, and those behind it are read. */
static void test_an_odd_post_never_stops_the_reading(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    uint64_t seq = hostile_room(c.ben, &c.room).tip.next_seq;
    struct hs_message_context none = {0};
    struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices};
    TOWN_WANT(c.alice, stray_event(&s, &c.room, &arena, &post.body));
    hostile_show(&c, &post, HS_OK);
    assert_refused(&c, seq, (enum hs_err)hostile_line(c.ben, &c.room, seq).err);
    assert_true(hs_sync_is_fault((enum hs_err)hostile_line(c.ben, &c.room, seq).err));
    post.body = hostile_text(&c, "next", &none, &arena);
    hostile_show(&c, &post, HS_OK);
    assert_string_equal(town_history(c.ben, &c.room), "!\nnext\n");
    town_free(c.t);
}

/* CLIENT-10: the bytes are Ben's, the name on them isn't. */
static void test_ones_own_post_under_another_name(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    uint64_t op, seq = hostile_room(c.ben, &c.room).tip.next_seq;
    struct hs_kv_key cursor = {0};
    struct hs_outbox_row sent;
    Hanse__Frame *frame;
    TOWN_WANT(c.ben, hs_want_text(&s, &c.room, "mine", &op));
    assert_true(hs_outbox_row_next(town_look(c.ben), &cursor, &arena, &sent));
    town_looked(c.ben);
    assert_ok(HS_UNPACK(hanse__frame, sent.frame, HS_LENIENT, &arena, &frame));
    struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices};
    post.body = hs_pb_bytes(frame->submit_message->message);
    hostile_show(&c, &post, HS_OK);
    assert_refused(&c, seq, HS_ERR_WRONG_SENDER);
    assert_non_null(town_done(c.ben, op));
    assert_int_equal(town_done(c.ben, op)->err, HANSE_ERR_WRONG_SENDER);
    town_free(c.t);
}

static enum hs_err renew(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    const struct hs_commit_wish none = {0};
    HS_TRY(hs_live_member(s, id, &room));
    return hs_commit_submit(s, room, &none);
}

/* A hub that lets posts of a past epoch in for too long is not believed: 30 seconds of hub time, to the
 * millisecond. DELIVERY-5, CLIENT-10 */
static void test_the_window_is_the_member_s_too(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_message_context none = {0};
    struct hs_bytes in_time = hostile_text(&c, "in time", &none, &arena);
    struct shown late = {
        .kind = HS_RECORD_POST, .persona = c.alices, .body = hostile_text(&c, "late", &none, &arena)};
    struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices, .body = in_time};
    TOWN_WANT(c.alice, renew(&s, &c.room));
    town_run(c.t);
    town_skip(c.t, 29999);
    hostile_show(&c, &post, HS_OK);
    town_skip(c.t, 1);
    uint64_t seq = hostile_room(c.ben, &c.room).tip.next_seq;
    hostile_show(&c, &late, HS_OK);
    assert_string_equal(town_history(c.ben, &c.room), "in time\n!\n");
    assert_refused(&c, seq, HS_ERR_EPOCH_TOO_OLD);
    town_free(c.t);
}

/* The application answers what it sees with a post of its own. */
static void answer_with_a_post(struct town_device *d, const struct hanse_event *event)
{
    uint64_t op;
    struct hs_id room;
    if (event->kind != HANSE_EVENT_MESSAGE || town_event_count(d, HANSE_EVENT_MESSAGE) != 1)
        return;
    memcpy(room.b, event->room.b, sizeof room.b);
    TOWN_WANT(d, hs_want_text(&s, &room, "three", &op));
}

/* CLIENT-9: a removal refuses what is under way. A post that is made before the refusals are there waits for
 * them: it would overtake what is encrypted anew. */
static void test_no_post_overtakes_one_that_is_encrypted_anew(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 5);
    struct town_device *ben = town_guest(t, "Ben", link), *cem = town_guest(t, "Cem", link);
    struct hs_room_row row;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    uint64_t op;
    town_wait(t, 2000);
    assert_true(hs_room_get(town_look(cem), &room, &arena, &row));
    town_looked(cem);
    memset(ben->events, 0, sizeof ben->events);
    ben->event_count = 0;
    ben->on_event = answer_with_a_post;
    TOWN_WANT(alice, hs_want_removal(&s, &room, &row.self, &op));
    TOWN_WANT(ben, hs_want_text(&s, &room, "one", &op));
    TOWN_WANT(ben, hs_want_text(&s, &room, "two", &op));
    town_wait(t, 3000);
    assert_string_equal(town_history(alice, &room), "one\ntwo\nthree\n");
    assert_string_equal(town_history(ben, &room), "one\ntwo\nthree\n");
    assert_false(hs_sync_has_pending(ben->sync));
    town_free(t);
}

static bool is_kind(struct hs_bytes bytes, Hanse__Frame__BodyCase kind)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    return frame->body_case == kind;
}

static size_t posts_let_through;

/* A session in which nothing is complete: pings get no answer, and only so many posts go out. */
static bool drop(struct town_device *d, struct hs_bytes frame)
{
    (void)d;
    if (!is_kind(frame, HANSE__FRAME__BODY_SUBMIT_MESSAGE))
        return !is_kind(frame, HANSE__FRAME__BODY_PING);
    return posts_let_through > 0 && posts_let_through-- > 0;
}

static void remove_first(struct town_device *alice, const struct hs_id *room, struct town_device *whom)
{
    struct hs_room_row row;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    uint64_t op;
    assert_true(hs_room_get(town_look(whom), room, &arena, &row));
    town_looked(whom);
    TOWN_WANT(alice, hs_want_removal(&s, room, &row.self, &op));
    town_wait(alice->town, 1000);
}

/* CLIENT-9, DELIVERY-60: one post is refused for its epoch again and again, in sessions that break before
 * everything has come; another one, made meanwhile, isn't encrypted before. It must not come first for that.
 */
static void test_a_post_that_is_refused_twice_isn_t_overtaken(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 9);
    struct town_device *ben = town_guest(t, "Ben", link);
    struct town_device *others[] = {town_guest(t, "Cem", link), town_guest(t, "Dora", link)};
    uint64_t op;
    town_wait(t, 2000);
    ben->outgoing = drop;
    TOWN_WANT(ben, hs_want_text(&s, &room, "one", &op));
    for (size_t i = 0; i < 2; i++) {
        town_device_kill(ben);
        remove_first(alice, &room, others[i]);
        posts_let_through = 1;
        town_device_start(ben);
        hs_sync_stay_online(ben->sync, true);
        if (i == 0)
            TOWN_WANT(ben, hs_want_text(&s, &room, "two", &op));
        town_wait(t, 5000);
    }
    town_device_kill(ben);
    ben->outgoing = NULL;
    town_device_start(ben);
    hs_sync_stay_online(ben->sync, true);
    town_wait(t, 5000);
    assert_string_equal(town_history(alice, &room), "one\ntwo\n");
    assert_string_equal(town_history(ben, &room), "one\ntwo\n");
    assert_false(hs_sync_has_pending(ben->sync));
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_member_s_false_head_spoils_its_own_post_only),
        cmocka_unit_test(test_the_hub_refuses_false_heads),
        cmocka_unit_test(test_an_odd_post_never_stops_the_reading),
        cmocka_unit_test(test_ones_own_post_under_another_name),
        cmocka_unit_test(test_the_window_is_the_member_s_too),
        cmocka_unit_test(test_no_post_overtakes_one_that_is_encrypted_anew),
        cmocka_unit_test(test_a_post_that_is_refused_twice_isn_t_overtaken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

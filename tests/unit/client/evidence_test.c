/* A hub that signs two stories, shown to a device that follows the log: what it keeps, and whom it convinces.
 */
#include "hostile.h"

#include "hanse/hanse.h"
#include "room/evidence.h"
#include "store/tail.h"
#include "sync/move/move.h"

/* The room is frozen for a fork, and what Ben holds convinces anybody: CLIENT-50. */
static void assert_proved(struct hostile *c, uint64_t seq)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_bytes evidence;
    struct hs_evidence e;
    assert_int_equal(hostile_room(c->ben, &c->room).state, HS_ROOM_STATE_FROZEN);
    assert_int_equal(hostile_room(c->ben, &c->room).frozen, HS_ERR_LOG_FORK);
    const struct hanse_event *event = town_event(c->ben, HANSE_EVENT_FROZEN);
    assert_non_null(event);
    assert_int_equal(event->err, HANSE_ERR_LOG_FORK);
    assert_true(hs_evidence_get(town_look(c->ben), &c->room, &arena, &evidence));
    town_looked(c->ben);
    assert_ok(hs_evidence_verify(evidence, &c->rosa->root.pub, &e));
    assert_int_equal(e.first.seq, seq);
    assert_string_equal(e.domain, "rosa.example");
}

/* The next record in two versions: the second one contradicts the head under the first. */
static void test_two_records(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_log_tip before = hostile_room(c.ben, &c.room).tip;
    struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices, .body = hs_bytes_str("x")};
    hostile_show(&c, &post, HS_OK);
    assert_int_equal(hostile_room(c.ben, &c.room).tip.next_seq, before.next_seq + 1);
    /* a head over as many records of another log */
    struct shown head = {.head = before};
    head.head.next_seq++;
    head.head.hash.b[3] ^= 1;
    hostile_show(&c, &head, HS_OK);
    assert_proved(&c, before.next_seq);
    town_free(c.t);
}

/* A promise that the hub itself breaks: the head that promised is one half of the evidence. */
static void test_a_broken_promise(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_log_tip tip = hostile_room(c.ben, &c.room).tip;
    struct shown head = {.head = tip};
    struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices, .body = hs_bytes_str("x")};
    head.head.next_seq += 2;
    hostile_show(&c, &head, HS_OK);
    hostile_show(&c, &post, HS_OK);
    hostile_show(&c, &post, HS_OK);
    assert_proved(&c, tip.next_seq + 1);
    town_free(c.t);
}

static Hanse__SignedObject *head_make(struct hostile *c, const struct hs_signer *signer,
                                      const struct hs_log_tip *tip, struct hs_arena *arena)
{
    Hanse__SignedObject *head;
    assert_ok(hs_head_build(signer, &c->room, tip, 1, 1, town_now(c->t), arena, &head));
    return head;
}

/* ROOM-36, CLIENT-51: a member's post shows a head that the hub signed for it, of another story: older than
 * what Ben has, as new, or newer. Alone it is a claim, with the hub's signature it is proof. */
static void test_a_member_shows_its_head(void **state)
{
    (void)state;
    for (int place = 0; place < 3; place++)
        for (int forged = 0; forged < 2; forged++) {
            struct hostile c = hostile_new();
            struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
            struct hs_log_tip tip = hostile_room(c.ben, &c.room).tip;
            struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices};
            post.body = hostile_text(&c, "first", &(struct hs_message_context){0}, &arena);
            hostile_show(&c, &post, HS_OK); /* now Ben's head covers one more */
            struct hs_log_tip other = tip;
            other.next_seq += place == 0 ? 0 : place == 1 ? 1 : 3;
            other.hash.b[0] ^= 1;
            struct hs_message_context context = {
                .signed_head = head_make(&c, forged ? &c.rosa->root : &c.rosa->signer, &other, &arena)};
            post.body = hostile_text(&c, "look", &context, &arena);
            hostile_show(&c, &post, HS_OK);
            if (forged || place == 2)
                assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
            if (!forged && place == 2) { /* what is to come contradicts what it promised */
                post.body = hostile_text(&c, "and then", &(struct hs_message_context){0}, &arena);
                hostile_show(&c, &post, HS_OK);
            }
            if (!forged)
                assert_proved(&c, other.next_seq - 1);
            town_free(c.t);
        }
}

/* CLIENT-51: once in an epoch a post shows the head; the ones behind it are shorter. */
static void test_posts_show_the_head_once(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    uint64_t op, from = hostile_room(c.ben, &c.room).tip.next_seq;
    struct hs_bytes header, body[3];
    for (int i = 0; i < 3; i++)
        TOWN_WANT(c.alice, hs_want_text(&s, &c.room, "hello", &op));
    town_wait(c.t, 2000);
    struct hs_kv *kv = town_look(c.ben);
    for (int i = 0; i < 3; i++)
        assert_true(hs_tail_next(kv, &c.room, &from, &arena, &header, &body[i]));
    town_looked(c.ben);
    assert_in_range(body[0].len, body[1].len + 300, body[1].len + 600);
    assert_int_equal(body[1].len, body[2].len);
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
    town_free(c.t);
}

/* CLIENT-52: the last records are kept as they came, so many and no more. */
static void test_the_tail(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_arena HS_ARENA arena = hs_arena(8 << 20);
    struct shown post = {.kind = HS_RECORD_POST, .persona = c.alices, .body = hs_bytes_str("x")};
    for (int i = 0; i < HS_TAIL_RECORDS + 3; i++)
        hostile_show(&c, &post, HS_OK);
    struct hs_log_tip tip = hostile_room(c.ben, &c.room).tip;
    struct hs_kv *kv = town_look(c.ben);
    struct hs_bytes header, body;
    struct hs_record_header facts;
    uint64_t from = 0, n = 0;
    while (hs_tail_next(kv, &c.room, &from, &arena, &header, &body)) {
        assert_ok(hs_record_header_parse(header, &facts));
        assert_int_equal(facts.seq, tip.next_seq - HS_TAIL_RECORDS + n++);
    }
    assert_int_equal(n, HS_TAIL_RECORDS);
    assert_memory_equal(facts.hash.b, tip.hash.b, sizeof tip.hash.b);
    town_looked(c.ben);
    town_free(c.t);
}

static enum hs_err take_item(struct hs_step *s, const struct hs_id *room, struct hs_bytes evidence)
{
    Hanse__EvidenceItem item = HANSE__EVIDENCE_ITEM__INIT;
    item.room = hs_pb_data(HS_VIEW(*room));
    item.evidence = hs_pb_data(evidence);
    return hs_evidence_received(s, &item);
}

/* CLIENT-50: what the home node brings counts where it proves something against the room's hub. */
static void test_the_home_node_brings_it(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_log_tip one = {.next_seq = 3, .hash = {{1}}}, two = {.next_seq = 3, .hash = {{2}}};
    Hanse__SignedObject *descriptor;
    assert_ok(hs_object_unpack(c.rosa->descriptor, &arena, &descriptor));
    struct hs_evidence_parts parts = {.one = head_make(&c, &c.rosa->signer, &one, &arena),
                                      .other = head_make(&c, &c.rosa->signer, &two, &arena),
                                      .one_descriptor = descriptor,
                                      .other_descriptor = descriptor};
    struct hs_bytes evidence;
    assert_ok(hs_evidence_build(&parts, &arena, &evidence));
    struct hs_id elsewhere = {{9}};
    TOWN_WANT(c.ben, take_item(&s, &elsewhere, evidence));
    TOWN_WANT(c.ben, take_item(&s, &c.room, hs_bytes_str("junk")));
    TOWN_WANT(c.ben, take_item(&s, &c.room, hs_bytes(evidence.data, evidence.len - 1)));
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
    TOWN_WANT(c.ben, take_item(&s, &c.room, evidence));
    assert_proved(&c, 2);
    TOWN_WANT(c.ben, take_item(&s, &c.room, evidence));
    assert_int_equal(town_event_count(c.ben, HANSE_EVENT_FROZEN), 1);
    uint64_t op;
    TOWN_WANT_ERR(c.ben, hs_want_text(&s, &c.room, "hello", &op), HS_ERR_LOG_FORK);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_records),
        cmocka_unit_test(test_a_broken_promise),
        cmocka_unit_test(test_a_member_shows_its_head),
        cmocka_unit_test(test_posts_show_the_head_once),
        cmocka_unit_test(test_the_tail),
        cmocka_unit_test(test_the_home_node_brings_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A copy that begins anew further back, because somebody comes who has read less: the hub can't tell another
 * story of what is held already. */
#include "world.h"

#include "core/records/table.h"
#include "room/head.h"
#include "room/home_move.h"
#include "wire/unpack.h"

/* Alice's home is one, Bob's two, and Bob came later. */
struct scene {
    struct world *w;
    struct world_node *hub, *one, *two;
    struct world_device *owner, *alice, *bob, *alice2;
    struct world_room *room, *alices, *bobs;
    uint64_t from; /* what Alice's new device has read */
    struct hs_id hash;
    bool mute; /* no records of the hub's reach two */
};

static enum world_verdict drop_records(void *ctx, struct world_node *from, struct world_node *to,
                                       struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    Hanse__Frame *frame;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &s->w->arena, &frame));
    bool drop = s->mute && from == s->hub && to == s->two && frame->body_case == HANSE__FRAME__BODY_RECORDS;
    return drop ? WORLD_DROP : WORLD_PASS;
}

static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w,
                      .hub = world_node_new(w, "hub.example"),
                      .one = world_node_new(w, "one.example"),
                      .two = world_node_new(w, "two.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.one, "alice");
    s.bob = world_customer(s.two, "bob");
    s.room = world_room_new(s.owner, "launch");
    struct world_invite invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &invite);
    s.from = s.alices->tip.next_seq;
    s.hash = s.alices->tip.hash;
    assert_ok(world_post(s.room, "before Bob", NULL));
    world_settle(w);
    s.bobs = world_join(s.bob, s.room, &invite);
    assert_ok(world_post(s.room, "with Bob", NULL));
    world_settle(w);
    return s;
}

static void alice_moves(struct scene *s)
{
    struct world *w = s->w;
    struct hs_writer HS_WRITER body = hs_writer(HS_HOME_MOVE_MAX);
    struct hs_home_move move = {
        .room = s->room->id, .home_root = s->two->root.pub, .number = 1, .next_seq = s->from};
    s->alice2 = world_customer(s->two, "alice");
    struct world_persona *p = world_persona(s->alice2, &s->hub->root.pub);
    *p = *world_persona(s->alice, &s->hub->root.pub);
    assert_ok(world_bind(s->alice2, s->hub));
    assert_ok(hs_home_move_build(&p->signer, &move, w->now, &body));
    Hanse__Frame *frame = world_frame(w);
    frame->move_home = WORLD_NEW(w, Hanse__MoveHome, hanse__move_home);
    frame->move_home->room = hs_pb_data(world_copy(w, HS_VIEW(s->room->id)));
    frame->move_home->move = hs_pb_data(world_take(w, &body));
    frame->body_case = HANSE__FRAME__BODY_MOVE_HOME;
    assert_ok(world_forward(s->alice2, s->hub, frame, NULL));
    world_settle(w);
}

static Hanse__State__RoomView copy_of(struct scene *s)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->two->core, .kv = s->two->kv, .now = s->w->now, .arena = &arena};
    const Hanse__State__RoomView *view = hs_room_view(&turn, &s->room->id);
    assert_non_null(view);
    return *view;
}

/* FED-42: the copy begins at what the one who came has read, and is what it was from there on. */
static void a_copy_begins_further_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint64_t first = copy_of(&s).first_seq;
    alice_moves(&s);
    assert_ok(world_post(s.room, "for both", NULL));
    for (int i = 0; i < 10; i++) /* a record that was on its way is behind a gap now: another session */
        world_pass(w, 1000);
    Hanse__State__RoomView copy = copy_of(&s);
    assert_true(copy.first_seq == s.from && s.from < first);
    assert_int_equal(copy.next_seq, s.room->tip.next_seq);
    assert_string_equal(s.bobs->posts[s.bobs->post_count - 1], "for both");
}

/* FED-58: records of another story, from where Alice reads to far behind where the copy had begun. */
static void another_story(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint64_t first = copy_of(&s).first_seq;
    struct hs_log_tip tip = {.next_seq = s.from, .hash = s.hash};
    Hanse__Frame *frame = world_frame(w);
    Hanse__Record *records[4] = {0};
    size_t closed = s.two->closed;
    s.mute = true;
    w->hook = drop_records;
    w->hook_ctx = &s;
    alice_moves(&s);
    assert_int_equal(copy_of(&s).next_seq, s.from);
    frame->records = WORLD_NEW(w, Hanse__Records, hanse__records);
    frame->records->room = hs_pb_data(HS_VIEW(s.room->id));
    frame->records->records = records;
    frame->body_case = HANSE__FRAME__BODY_RECORDS;
    for (size_t i = 0; tip.next_seq <= first; i++) {
        struct hs_writer HS_WRITER out = hs_writer(HS_RECORD_HEADER_MAX);
        struct hs_record_spec spec = {
            .kind = HS_RECORD_POST, .epoch = 1, .body = hs_bytes_str("junk"), .hub_time = w->now};
        assert_in_range(i, 0, 3);
        assert_ok(hs_log_build_next(&tip, &s.room->id, &spec, &out, NULL));
        records[i] = WORLD_NEW(w, Hanse__Record, hanse__record);
        records[i]->header = hs_pb_data(world_take(w, &out));
        records[i]->body = hs_pb_data(spec.body);
        frame->records->n_records = i + 1;
    }
    assert_ok(
        hs_head_build(&s.hub->signer, &s.room->id, &tip, 1, 1, w->now, &w->arena, &frame->records->head));
    world_inject(s.hub, s.two, frame);
    assert_int_equal(copy_of(&s).next_seq, s.from); /* nothing of it */
    assert_int_equal(s.two->closed, closed + 1);
    s.mute = false;
    for (int i = 0; i < 120; i++)
        world_pass(w, 1000);
    assert_int_equal(copy_of(&s).next_seq, s.room->tip.next_seq); /* what it was goes on */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_begins_further_back),
        cmocka_unit_test(another_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

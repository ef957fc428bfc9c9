/* Heads of a hub that has gone, and of whoever claims to be one: what they cover, and what not. */
#include "office_former_scene.h"

#include "room/head.h"
#include "wire/unpack.h"

#include <sodium.h>

/* A head under a log that ends with that hash. */
static Hanse__SignedObject *head_of(struct scene *s, struct world_node *node, uint64_t seq,
                                    const struct hs_id *hash, uint32_t term)
{
    struct hs_log_tip tip = {.next_seq = seq + 1, .hash = *hash, .hub_time = s->w->now};
    Hanse__SignedObject *head;
    assert_ok(hs_head_build(&node->signer, &s->room->id, &tip, term, 1, s->w->now, &s->w->arena, &head));
    return head;
}

static Hanse__Frame *records_frame(struct scene *s, Hanse__SignedObject *head, size_t count)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->records = WORLD_NEW(s->w, Hanse__Records, hanse__records);
    frame->records->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->records->records = hs_arena_alloc(&s->w->arena, (count + 1) * sizeof *frame->records->records);
    assert_non_null(frame->records->records);
    frame->records->n_records = count;
    for (size_t i = 0; i < count; i++)
        frame->records->records[i] = WORLD_NEW(s->w, Hanse__Record, hanse__record);
    frame->records->head = head;
    frame->body_case = HANSE__FRAME__BODY_RECORDS;
    return frame;
}

/* ROOM-82: what the former hub has signed of records behind the end of its term counts for nothing. */
static void former_hub_signed_more(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    uint64_t at = s.room->tip.next_seq;
    struct hs_id junk;
    for (uint64_t seq = at + 1; seq <= at + 2; seq++) { /* the nearest one and the newest */
        randombytes_buf(junk.b, sizeof junk.b);
        world_inject(s.old, s.third, records_frame(&s, head_of(&s, s.old, seq, &junk, 1), 0));
    }
    scene_room_moves(&s);
    still_follows(&s, "first");
    still_follows(&s, "second");
    still_follows(&s, "third");
}

/* FED-47: a head that says that it is of a former term is looked at no closer only up to that term's end. */
static void unsigned_behind_the_move(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_writer HS_WRITER header = hs_writer(HS_RECORD_HEADER_MAX);
    struct hs_record_header made;
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    still_follows(&s, "signed");
    struct hs_log_tip tip = s.alices->tip;
    struct hs_record_spec spec = {.kind = HS_RECORD_POST,
                                  .epoch = 1,
                                  .sender_node = s.new->root.pub,
                                  .sender_persona = s.carols->persona->signer.pub,
                                  .body = hs_bytes_str("a story"),
                                  .hub_time = w->now};
    assert_ok(hs_log_build_next(&tip, &s.room->id, &spec, &header, &made));
    Hanse__Frame *frame = records_frame(&s, head_of(&s, s.third, made.seq, &made.hash, 1), 1);
    frame->records->records[0]->header = hs_pb_data(world_take(w, &header));
    frame->records->records[0]->body = hs_pb_data(world_copy(w, spec.body));
    world_inject(s.new, s.third, frame);
    assert_int_equal(view_at(&s, s.third)->next_seq, made.seq);
    scene_pass(&s, 70); /* that ended the session */
    still_follows(&s, "signed again");
}

static enum world_verdict others_heads(void *ctx, struct world_node *from, struct world_node *to,
                                       struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    struct hs_record_header last;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (from != s->new || to != s->third || f->body_case != HANSE__FRAME__BODY_RECORDS ||
        f->records->n_records == 0)
        return WORLD_PASS;
    assert_ok(
        hs_record_header_parse(hs_pb_bytes(f->records->records[f->records->n_records - 1]->header), &last));
    f->records->head = head_of(s, s->new, last.seq, &last.hash, 1);
    *frame = world_pack(s->w, &f->base);
    return WORLD_PASS;
}

/* FED-47: a copy that begins in the present term takes no records of a former one that end nowhere. */
static void former_heads_without_a_move(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    struct hs_policy_role role;
    struct world_commit commit;
    struct hs_policy policy = world_policy(s.rosa, "launch", &role);
    policy.hub_root = s.old->root.pub;
    policy = hs_policy_set_office(&policy, &(struct hs_hub_office){s.new->root.pub, 2});
    world_commit_policy(s.room, &policy, &commit);
    assert_ok(world_ask_hub(s.rosa, s.room->hub, world_commit_frame(s.room, &commit), NULL));
    world_settle(w);
    scene_pass(&s, 1);
    struct world_invite invite = world_invite_new(s.room, 5, WORLD_DAY_MS);
    invite.hub = s.new;
    invite.brand = s.old;
    assert_ok(world_put_invite(s.room, &invite));
    world_settle(w);
    s.third = world_node_new(w, "fourth.example");
    struct world_device *dave = world_customer(s.third, "dave");
    assert_ok(world_bind(dave, s.old));
    struct world_room *daves = world_room_join(dave, &invite);
    assert_ok(world_forward(dave, s.new, world_join_frame(daves, world_join_body(daves, &invite)), NULL));
    world_settle(w);
    w->hook = others_heads;
    w->hook_ctx = &s;
    assert_ok(world_admit(s.room));
    world_settle(w);
    assert_ok(world_post(s.room, "unsigned", NULL));
    world_settle(w);
    w->hook = NULL;
    scene_pass(&s, 3);
    assert_ok(world_post(s.room, "signed", NULL));
    world_settle(w);
    scene_pass(&s, 70);
    struct hs_turn turn = reading(&s, s.third);
    assert_null(hs_room_kept_head(&turn, &s.room->id));
    assert_int_equal(daves->post_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(former_heads_without_a_move),
        cmocka_unit_test(former_hub_signed_more),
        cmocka_unit_test(unsigned_behind_the_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

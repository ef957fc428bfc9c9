#include "office_scene.h"

#include "room/home_move.h"
#include "room/hub_move.h"

struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w,
                      .old = world_node_new(w, "old.example"),
                      .new = world_node_new(w, "new.example"),
                      .third = world_node_new(w, "third.example")};
    s.rosa = world_staff(s.old, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.third, "alice");
    s.bob = world_customer(s.old, "bob");
    s.carol = world_customer(s.new, "carol");
    s.room = world_room_new(s.rosa, "launch");
    struct world_invite invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &invite);
    s.bobs = world_join(s.bob, s.room, &invite);
    struct world_room *gone = world_join(world_customer(s.third, "gone"), s.room, &invite);
    assert_ok(world_post(s.room, "one", NULL));
    assert_ok(world_remove(s.room, gone));
    world_settle(w);
    s.carols = world_join(s.carol, s.room, &invite);
    assert_ok(world_update(s.alices));
    world_settle(w);
    assert_ok(world_post(s.bobs, "two", NULL));
    world_settle(w);
    return s;
}

Hanse__Frame *scene_home_frame(struct scene *s, uint64_t next_seq)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_HOME_MOVE_MAX);
    Hanse__Frame *frame = world_frame(s->w);
    struct hs_home_move move = {
        .room = s->room->id, .home_root = s->new->root.pub, .number = s->homes + 1, .next_seq = next_seq};
    assert_ok(hs_home_move_build(&s->room->persona->signer, &move, s->w->now, &w));
    frame->move_home = WORLD_NEW(s->w, Hanse__MoveHome, hanse__move_home);
    frame->move_home->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->move_home->move = hs_pb_data(world_take(s->w, &w));
    frame->body_case = HANSE__FRAME__BODY_MOVE_HOME;
    return frame;
}

void scene_rosa_moves(struct scene *s)
{
    struct world_device *d = s->rosa;
    world_disconnect(d);
    d->node = s->new;
    d->inbox_next = 0;
    d->grant_count = 0;
    world_grant(d, HANSE__ROLE__ROLE_OWNER);
    assert_ok(world_connect(d, NULL));
    assert_ok(world_sign_up(d, world_ticket(s->new, &d->identity.pub, 1), &d->identity));
    world_attach(d);
    assert_ok(world_forward(d, s->old, scene_home_frame(s, s->room->tip.next_seq), NULL));
    s->homes++;
    world_settle(s->w);
}

Hanse__Frame *scene_move_frame(struct scene *s, struct world_room *by, struct world_node *to, uint32_t term)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_HUB_MOVE_MAX);
    struct hs_hub_move_spec spec = {.device = &by->persona->keys.signature,
                                    .certificate = by->persona->certificate,
                                    .descriptor = to->descriptor,
                                    .room = by->id,
                                    .office = {to->root.pub, term},
                                    .now = s->w->now};
    Hanse__Frame *frame = world_frame(s->w);
    assert_ok(hs_hub_move_build(&spec, &w));
    frame->move_hub = WORLD_NEW(s->w, Hanse__MoveHub, hanse__move_hub);
    frame->move_hub->room = hs_pb_data(world_copy(s->w, HS_VIEW(by->id)));
    frame->move_hub->move = hs_pb_data(world_take(s->w, &w));
    frame->body_case = HANSE__FRAME__BODY_MOVE_HUB;
    return frame;
}

void scene_pass(struct scene *s, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        world_pass(s->w, 1000);
        world_settle(s->w);
    }
}

void scene_room_moves(struct scene *s)
{
    assert_ok(world_forward(s->rosa, s->old, scene_move_frame(s, s->room, s->new, 2 + s->moves), NULL));
    world_settle(s->w);
    s->moves++;
    scene_pass(s, 3);
}

/* What shows others how the hubs went comes with the log, and is judged before it is kept: a hub with a proof
 * that doesn't hold would cut off everybody who has to be shown the way. */
#include "office_view.h"

#include "core/office/office.h"
#include "core/records/table.h"
#include "wire/unpack.h"

struct liar {
    struct scene *s;
    struct world_node *fourth;
    int how; /* 0: the head, 1: the descriptor, 2: both of another hub's */
    size_t spoiled;
};

static void flip(struct scene *s, ProtobufCBinaryData *bytes, size_t at)
{
    *bytes = hs_pb_data(world_copy(s->w, hs_pb_bytes(*bytes)));
    bytes->data[at] ^= 1;
}

static bool is_between(struct world_node *a, struct world_node *b, struct world_node *from,
                       struct world_node *to)
{
    return (from == a && to == b) || (from == b && to == a);
}

/* The third node hears nothing of the first two hubs any more. */
static enum world_verdict on_wire(void *ctx, struct world_node *from, struct world_node *to,
                                  struct hs_bytes *frame)
{
    struct liar *liar = ctx;
    struct scene *s = liar->s;
    Hanse__Frame *f;
    if (is_between(s->old, s->third, from, to) || is_between(s->new, s->third, from, to))
        return WORLD_CUT;
    if (from != s->new || to != liar->fourth || liar->how < 0)
        return WORLD_PASS;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (f->body_case != HANSE__FRAME__BODY_TAIL)
        return WORLD_PASS;
    for (size_t i = 0; i < f->tail->n_records; i++) {
        Hanse__Record *record = f->tail->records[i];
        if (record->head.len == 0)
            continue;
        if (liar->how == 0)
            flip(s, &record->head, record->head.len - 5);
        else if (liar->how == 1)
            flip(s, &record->descriptor, record->descriptor.len - 5);
        else
            record->descriptor = hs_pb_data(world_pack(s->w, &s->third->descriptor->base));
        liar->spoiled++;
    }
    *frame = world_pack(s->w, &f->base);
    return WORLD_PASS;
}

/* The way to the hub, as that hub shows it, from one of its users to one of the third node's. */
static void shows_way(struct scene *s, struct world_node *hub)
{
    struct hs_turn turn = {.core = hub->core, .kv = hub->kv, .now = s->w->now, .arena = &s->w->arena};
    Hanse__Frame *frame = world_frame(s->w);
    frame->way = WORLD_NEW(s->w, Hanse__Moved, hanse__moved);
    frame->way->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->body_case = HANSE__FRAME__BODY_WAY;
    assert_ok(
        hs_office_moves(&turn, &s->room->id, view_at(s, hub), &frame->way->moves, &frame->way->n_moves));
    world_send(s->w, s->alice->session, world_pack(s->w, &frame->base));
    world_settle(s->w);
}

/* FED-64: the hub that goes spoils an older term's proof: the office doesn't pass, as long as it does. */
static void a_spoiled_proof(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w), next;
        struct liar liar = {.s = &s, .how = how};
        scene_rosa_moves(&s);
        w->hook = on_wire;
        w->hook_ctx = &liar;
        liar.how = -1;
        scene_room_moves(&s);
        scene_pass(&s, 5);
        next = s;
        next.old = s.new;
        liar.fourth = next.new = world_node_new(w, "fourth.example");
        liar.how = how;
        scene_rosa_moves(&next);
        assert_ok(world_forward(s.rosa, s.new, scene_move_frame(&next, s.room, next.new, 3), NULL));
        scene_pass(&s, 10);
        assert_true(liar.spoiled > 0);
        assert_true(view_at(&s, s.new)->hub);
        assert_false(view_at(&s, next.new)->hub);
        liar.how = -1; /* refused for good; she asks once more */
        assert_ok(world_forward(s.rosa, s.new, scene_move_frame(&next, s.room, next.new, 3), NULL));
        scene_pass(&s, 10);
        assert_true(view_at(&s, next.new)->hub);
        assert_int_equal(view_at(&s, next.new)->hub_term, 3);
        assert_int_equal(view_at(&s, s.third)->hub_term, 0);
        shows_way(&s, next.new);
        scene_pass(&s, 140);
        assert_int_equal(view_at(&s, s.third)->hub_term, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spoiled_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

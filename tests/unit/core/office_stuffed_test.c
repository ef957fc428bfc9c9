/* What a former hub hangs on the records that the next one gets from it, beside what belongs there: it takes
 * no place in that one's store. */
#include "office_scene.h"

#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "peer_world.h"
#include "wire/unpack.h"

static struct {
    uint64_t first; /* where the new node's copy began before it had the log */
    size_t stuffed;
} on_wire;

/* The new node's copy begins where its first user came, as if it hadn't asked for the records before that. */
static void forget_prefix(struct scene *s)
{
    struct hs_turn *turn = raw_turn_begin(s->new);
    Hanse__State__RoomView *view = hs_room_view(turn, &s->room->id);
    assert_non_null(view);
    assert_int_equal(view->first_seq, 0);
    view->first_seq = on_wire.first;
    hs_room_store(turn, &s->room->id, view);
    raw_turn_end(turn);
}

static void stuff(Hanse__Tail *tail)
{
    static uint8_t much[1000];
    for (size_t i = 0; i < tail->n_records; i++) {
        Hanse__Record *record = tail->records[i];
        struct hs_record_header header;
        assert_ok(hs_record_header_parse(hs_pb_bytes(record->header), &header));
        if (header.kind == HS_RECORD_HUB_MOVE)
            continue;
        record->head = record->descriptor = (ProtobufCBinaryData){sizeof much, much};
        on_wire.stuffed++;
    }
}

static enum world_verdict stuffs(void *ctx, struct world_node *from, struct world_node *to,
                                 struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (from == s->new &&to == s->old && f->body_case == HANSE__FRAME__BODY_MOVE_HUB)
        forget_prefix(s);
    if (from != s->old || to != s->new || f->body_case != HANSE__FRAME__BODY_TAIL)
        return WORLD_PASS;
    stuff(f->tail);
    *frame = world_pack(s->w, &f->base);
    return WORLD_PASS;
}

static Hanse__State__RoomView *view_of(struct scene *s, struct hs_turn *turn)
{
    Hanse__State__RoomView *view = hs_room_view(turn, &s->room->id);
    assert_non_null(view);
    return view;
}

/* FED-46 */
static void nothing_beside_the_records(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_turn turn = {.kv = s.new->kv, .arena = &w->arena};
    assert_ok(world_post(s.bobs, "early", NULL));
    scene_rosa_moves(&s);
    on_wire.first = view_of(&s, &turn)->first_seq;
    assert_in_range(on_wire.first, 3, 1000);
    w->hook = stuffs;
    w->hook_ctx = &s;
    scene_room_moves(&s);
    scene_pass(&s, 10);
    w->forged = true; /* its copy was made shorter by hand */
    turn.core = s.new->core;
    Hanse__State__RoomView *view = view_of(&s, &turn);
    assert_true(view->hub && view->office_end == 0);
    assert_true(on_wire.stuffed > on_wire.first); /* with the log before the move, and behind it */
    for (uint64_t seq = 0; seq < view->next_seq; seq++) {
        struct hs_record_header header;
        const Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s.room->id, seq);
        assert_non_null(entry);
        assert_ok(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
        if (header.kind != HS_RECORD_HUB_MOVE && entry->head.len + entry->descriptor.len > 0)
            fail_msg("record %llu has what doesn't belong to it", (unsigned long long)seq);
    }
    assert_ok(world_post(s.alices, "goes on", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_beside_the_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

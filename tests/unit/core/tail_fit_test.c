/* The end of a log goes to a hub in frames: what lies beside the records takes place in them, too. */
#include "way_scene.h"

#include "core/records/layout.h"

enum { BESIDE = 20000, FAT = 6 };

/* As where a room has moved again and again, and the hubs' names for their keys are as long as may be. */
static void fatten(struct scene *s, uint64_t seq)
{
    struct hs_turn turn = reading(s, s->new);
    struct hs_kv_key key = hs_key_seq(HS_VIEW(s->room->id), seq);
    Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s->room->id, seq);
    static uint8_t beside[BESIDE];
    assert_non_null(entry);
    s->w->forged = true;
    entry->head = hs_pb_data(hs_bytes(beside, sizeof beside));
    hs_kv_put(s->new->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), world_pack(s->w, &entry->base));
}

struct answers {
    struct scene *s;
    size_t frames;
    uint64_t next; /* what comes after all that came */
};

static enum world_verdict count(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *frame)
{
    struct answers *answers = ctx;
    Hanse__Frame *f;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &answers->s->w->arena, &f));
    if (from != answers->s->new || to != answers->s->old || f->body_case != HANSE__FRAME__BODY_TAIL)
        return WORLD_PASS;
    answers->frames++;
    for (size_t i = 0; i < f->tail->n_records; i++) {
        struct hs_record_header header;
        assert_ok(hs_record_header_parse(hs_pb_bytes(f->tail->records[i]->header), &header));
        assert_int_equal(header.seq, answers->next);
        answers->next++;
    }
    return WORLD_DROP;
}

/* FED-63, WIRE-2: as many as fit into a frame, and the next ones in the next. */
static void as_many_as_fit(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct answers answers = {.s = &s, .next = 1};
    for (size_t i = 0; i < 2 * FAT; i++)
        assert_ok(world_post(s.bobs, "before", NULL));
    world_settle(w);
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    scene_pass(&s, 3);
    uint64_t end = view_at(&s, s.new)->next_seq;
    for (uint64_t i = 0; i < FAT; i++)
        fatten(&s, end - 4 - i);
    w->hook = count;
    w->hook_ctx = &answers;
    for (size_t i = 0; i < 2 * FAT && answers.next < end; i++) {
        Hanse__Frame *frame = world_frame(w);
        frame->want_tail = WORLD_NEW(w, Hanse__WantTail, hanse__want_tail);
        frame->want_tail->room = hs_pb_data(world_copy(w, HS_VIEW(s.room->id)));
        frame->want_tail->from = answers.next;
        frame->body_case = HANSE__FRAME__BODY_WANT_TAIL;
        world_inject(s.old, s.new, frame);
        world_settle(w);
        assert_int_equal(answers.frames, i + 1);
    }
    assert_int_equal(answers.next, end);
    assert_true(answers.frames > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_as_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* To whom the log before a copy is given, and what of it is taken. */
#include "office_prefix_scene.h"

static void flip_body(Hanse__Frame *frame)
{
    frame->tail->records[0]->body.data[0] ^= 1;
}

static void leave_out(Hanse__Frame *frame)
{
    size_t middle = frame->tail->n_records / 2;
    for (size_t i = middle; i + 1 < frame->tail->n_records; i++)
        frame->tail->records[i] = frame->tail->records[i + 1];
    frame->tail->n_records--;
}

static void leave_out_last(Hanse__Frame *frame)
{
    frame->tail->n_records--;
}

static void no_group(Hanse__Frame *frame)
{
    frame->tail->group_info.len = 0;
}

static void nothing(Hanse__Frame *frame)
{
    frame->tail->n_records = 0;
}

static void erase_a_commit(Hanse__Frame *frame)
{
    for (size_t i = 0; i < frame->tail->n_records; i++) {
        struct hs_record_header header;
        assert_ok(hs_record_header_parse(hs_pb_bytes(frame->tail->records[i]->header), &header));
        if (header.kind == HS_RECORD_COMMIT)
            frame->tail->records[i]->body.len = 0;
    }
}

/* FED-64: another log than the one that is held isn't taken; the owner is told, and may ask again. */
static void another_log(void **state)
{
    (void)state;
    static void (*const changes[])(Hanse__Frame *) = {flip_body, leave_out, leave_out_last,
                                                      no_group,  nothing,   erase_a_commit};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct wire wire = {.pass = SIZE_MAX, .change = changes[i]};
        scene_rosa_moves(&s);
        uint64_t first = view_at(&s, s.new)->first_seq;
        hook(&s, &wire);
        size_t items = s.rosa->item_count;
        asks(&s);
        assert_false(is_wanted(&s));
        assert_int_equal(view_at(&s, s.new)->first_seq, first);
        assert_int_equal(s.rosa->item_count, items + 1);
        const Hanse__InboxItem *item = s.rosa->items[items];
        assert_int_equal(item->body_case, HANSE__INBOX_ITEM__BODY_OUTCOME);
        assert_true(hs_err_from_wire(item->outcome->error->code) != HS_OK);
        assert_true(view_at(&s, s.old)->hub);
        wire.change = NULL;
        scene_pass(&s, 1);
        asks(&s);
        scene_pass(&s, 3);
        assert_true(is_in_office(&s));
    }
}

static Hanse__Frame *want_frame(struct scene *s, struct world_room *by, struct world_node *to)
{
    Hanse__Frame *frame = world_frame(s->w), *move = scene_move_frame(s, by, to, 2);
    frame->id = 91;
    frame->want_tail = WORLD_NEW(s->w, Hanse__WantTail, hanse__want_tail);
    frame->body_case = HANSE__FRAME__BODY_WANT_TAIL;
    frame->want_tail->room = move->move_hub->room;
    frame->want_tail->move = move->move_hub->move;
    frame->want_tail->below = 3;
    return frame;
}

static void refuses(struct scene *s, struct world_node *from, Hanse__Frame *frame)
{
    size_t refused = s->old->refused;
    world_inject(from, s->old, frame);
    assert_int_equal(s->old->refused, refused + 1);
}

/* FED-64: the log is given to the node that an owner has chosen, and to nobody else. */
static void who_may_have_the_log(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    refuses(&s, s.new, want_frame(&s, s.room, s.new)); /* she isn't at home there */
    scene_rosa_moves(&s);
    refuses(&s, s.third, want_frame(&s, s.room, s.new));     /* another node */
    refuses(&s, s.third, want_frame(&s, s.alices, s.third)); /* a member who may not */
    Hanse__Frame *frame = want_frame(&s, s.room, s.new);
    frame->want_tail->below = view_at(&s, s.old)->next_seq + 1;
    refuses(&s, s.new, frame);
    frame->want_tail->below = 0;
    refuses(&s, s.new, frame);
    size_t refused = s.old->refused;
    world_inject(s.new, s.old, want_frame(&s, s.room, s.new));
    assert_int_equal(s.old->refused, refused);
}

/* ---- a room that keeps posts for a time ---- */

static struct { /* the log as it was before its old posts went */
    struct hs_kv *kv;
    struct hs_id room;
    struct hs_arena *arena;
    size_t given;
} kept;

static struct hs_bytes kept_body(struct hs_bytes of, bool *post)
{
    struct hs_record_header header;
    Hanse__State__RoomEntry *entry;
    struct hs_bytes value;
    assert_ok(hs_record_header_parse(of, &header));
    struct hs_kv_key key = hs_key_seq(HS_VIEW(kept.room), header.seq);
    *post = header.kind == HS_RECORD_POST;
    if (!hs_kv_get(kept.kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), kept.arena, &value))
        return (struct hs_bytes){0};
    assert_ok(HS_UNPACK(hanse__state__room_entry, value, HS_LENIENT, kept.arena, &entry));
    return hs_pb_bytes(entry->body);
}

/* A hub that has erased nothing. */
static void give_bodies(Hanse__Frame *frame)
{
    for (size_t i = 0; i < frame->tail->n_records; i++) {
        Hanse__Record *record = frame->tail->records[i];
        bool post;
        struct hs_bytes body = kept_body(hs_pb_bytes(record->header), &post);
        if (!post || record->body.len > 0)
            continue;
        record->body = hs_pb_data(body);
        kept.given++;
    }
}

/* How many posts before end have a body in the node's copy, and how many there are. */
static size_t bodies(struct scene *s, struct world_node *node, uint64_t end, size_t *posts)
{
    struct hs_turn turn = reading(s, node);
    size_t count = 0;
    *posts = 0;
    for (uint64_t seq = 0; seq < end; seq++) {
        struct hs_record_header header;
        Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s->room->id, seq);
        assert_non_null(entry);
        assert_ok(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
        *posts += header.kind == HS_RECORD_POST;
        count += header.kind == HS_RECORD_POST && entry->body.len > 0;
    }
    return count;
}

static void keeps_posts_for(struct scene *s, int64_t ms)
{
    struct world_commit c;
    struct hs_policy_role role;
    struct hs_policy policy = world_policy(s->rosa, "launch", &role);
    policy.retention_ms = ms;
    world_commit_policy(s->room, &policy, &c);
    assert_ok(world_ask(s->rosa, world_commit_frame(s->room, &c), NULL));
    world_settle(s->w);
}

/* FED-64, DELIVERY-19: what is too old by the copy's own reckoning loses its body in the beginning, too,
 * whatever the old hub gives; and what gets too old there later goes like all else. */
static void old_posts_of_the_beginning(void **state)
{
    (void)state;
    enum { HOUR = 3600000 };
    for (int old = 0; old < 2; old++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct wire wire = {.pass = SIZE_MAX, .change = give_bodies};
        size_t posts;
        keeps_posts_for(&s, HOUR);
        scene_rosa_moves(&s);
        assert_ok(world_post(s.alices, "tells the retention", NULL));
        world_settle(w);
        scene_pass(&s, 2);
        uint64_t first = view_at(&s, s.new)->first_seq;
        memset(&kept, 0, sizeof kept);
        kept.kv = world_store_copy(s.old);
        kept.room = s.room->id;
        kept.arena = &w->arena;
        for (int i = 0; old > 0 && i < 8; i++) {
            w->now.ms += HOUR / 4;
            scene_pass(&s, 3);
        }
        hook(&s, &wire);
        assert_ok(world_forward(s.rosa, s.old, scene_move_frame(&s, s.room, s.new, 2), NULL));
        world_settle(w);
        scene_pass(&s, 10);
        unhook(&s);
        assert_true(is_in_office(&s));
        has_all(&s, s.new);
        size_t with = bodies(&s, s.new, first, &posts);
        assert_true(posts > 0);
        assert_true((kept.given > 0) == (old > 0));
        assert_int_equal(with, old > 0 ? 0 : posts);
        for (int i = 0; i < 8; i++) {
            w->now.ms += HOUR / 4;
            scene_pass(&s, 3);
        }
        assert_int_equal(bodies(&s, s.new, first, &posts), 0);
        kill_old(&s);
        hs_kv_memory_free(kept.kv);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_posts_of_the_beginning),
        cmocka_unit_test(another_log),
        cmocka_unit_test(who_may_have_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

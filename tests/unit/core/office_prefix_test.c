/* Before a room goes to another node, that node has all of its log: whatever dies on the way, the room stays
 * where it is or is whole where it comes to. */
#include "office_scene.h"

#include "core/accounts/account.h"
#include "core/admin.pb-c.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/takeover.h"
#include "core/records/table.h"
#include "wire/unpack.h"

#include <stdio.h>

static struct hs_turn reading(struct scene *s, struct world_node *node)
{
    return (struct hs_turn){.core = node->core, .kv = node->kv, .now = s->w->now, .arena = &s->w->arena};
}

static const Hanse__State__RoomView *view_at(struct scene *s, struct world_node *node)
{
    struct hs_turn turn = reading(s, node);
    const Hanse__State__RoomView *view = hs_room_view(&turn, &s->room->id);
    assert_non_null(view);
    return view;
}

static bool is_wanted(struct scene *s)
{
    struct hs_turn turn = reading(s, s->new);
    return hs_takeover_is_wanted(&turn, &s->room->id);
}

static bool is_in_office(struct scene *s)
{
    const Hanse__State__RoomView *view = view_at(s, s->new);
    return view->hub && view->office_end == 0;
}

/* Each record from the first one on, and each continues the one before it. */
static void has_all(struct scene *s, struct world_node *node)
{
    struct hs_turn turn = reading(s, node);
    const Hanse__State__RoomView *view = view_at(s, node);
    struct hs_log_tip tip = {0};
    assert_int_equal(view->first_seq, 0);
    for (uint64_t seq = 0; seq < view->next_seq; seq++) {
        struct hs_record_header header;
        Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s->room->id, seq);
        assert_non_null(entry);
        assert_ok(hs_log_check_next(&tip, &s->room->id, hs_pb_bytes(entry->header), hs_pb_bytes(entry->body),
                                    &header));
    }
    assert_bytes(HS_VIEW(tip.hash), hs_pb_bytes(view->hash));
}

/* What becomes of frames between the old hub and the new one. */
struct wire {
    struct scene *s;
    Hanse__Frame__BodyCase drop; /* of these all, from whomever */
    size_t pass;                 /* so many frames go through, then the old hub is dead */
    size_t seen, tails;
    void (*change)(Hanse__Frame *frame); /* a Tail on its way to the new hub */
};

static enum world_verdict on_wire(void *ctx, struct world_node *from, struct world_node *to,
                                  struct hs_bytes *frame)
{
    struct wire *wire = ctx;
    struct scene *s = wire->s;
    Hanse__Frame *f;
    if ((from != s->old || to != s->new) && (from != s->new || to != s->old))
        return WORLD_PASS;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (wire->seen++ >= wire->pass || f->body_case == wire->drop)
        return WORLD_DROP;
    wire->tails += f->body_case == HANSE__FRAME__BODY_TAIL;
    if (wire->change != NULL && f->body_case == HANSE__FRAME__BODY_TAIL) {
        wire->change(f);
        *frame = world_pack(s->w, &f->base);
    }
    return WORLD_PASS;
}

static void hook(struct scene *s, struct wire *wire)
{
    wire->s = s;
    s->w->hook = on_wire;
    s->w->hook_ctx = wire;
}

static void unhook(struct scene *s)
{
    s->w->hook = NULL;
}

static void kill_old(struct scene *s)
{
    s->old->down = true;
    for (size_t i = 0; i < s->w->link_count; i++)
        if (s->w->links[i].open && (s->w->links[i].node[0] == s->old || s->w->links[i].node[1] == s->old))
            world_close(s->w, s->w->links[i].id[0]);
    world_run(s->w);
}

static void say_much(struct scene *s, struct world_room *by, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "more %zu", i);
        assert_ok(world_post(by, text, NULL));
    }
    world_settle(s->w);
}

static void asks(struct scene *s)
{
    assert_ok(world_forward(s->rosa, s->old, scene_move_frame(s, s->room, s->new, 2), NULL));
    world_settle(s->w);
}

/* FED-64, FED-65: the old hub hears of it when all of its log is at the new one, and not before. */
static void the_log_comes_first(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.drop = HANSE__FRAME__BODY_TAIL, .pass = SIZE_MAX};
    scene_rosa_moves(&s);
    uint64_t first = view_at(&s, s.new)->first_seq;
    assert_in_range(first, 3, 1000);
    hook(&s, &wire);
    asks(&s);
    scene_pass(&s, 10);
    assert_true(view_at(&s, s.old)->hub);
    assert_int_equal(view_at(&s, s.new)->first_seq, first);
    assert_ok(world_post(s.alices, "goes on meanwhile", NULL));
    wire.drop = HANSE__FRAME__BODY_MOVE_HUB;
    scene_pass(&s, 10);
    assert_true(view_at(&s, s.old)->hub);
    has_all(&s, s.new);
    assert_true(is_wanted(&s));
    wire.drop = HANSE__FRAME__BODY__NOT_SET;
    scene_pass(&s, 10);
    assert_true(is_in_office(&s));
    assert_false(is_wanted(&s));
    assert_int_equal(wire.tails, 1);
    kill_old(&s);
    assert_ok(world_post(s.alices, "without it", NULL));
    world_settle(w);
    assert_string_equal(s.room->posts[s.room->post_count - 1], "without it");
}

/* FED-64: a log of more than one frame, while both nodes die and come back. */
static void long_logs_and_deaths(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.pass = SIZE_MAX};
    struct world_invite invite = world_invite(s.room, 10);
    struct world_node *fourth = world_node_new(w, "fourth.example");
    say_much(&s, s.bobs, 300);
    /* the scene's new node has been there early; what matters is one that comes late */
    struct scene late = s;
    late.new = fourth;
    late.carol = world_customer(fourth, "late");
    late.carols = world_join(late.carol, s.room, &invite);
    scene_rosa_moves(&late);
    hook(&late, &wire);
    wire.drop = HANSE__FRAME__BODY_MOVE_HUB;
    fourth->redo = WORLD_REDO_ALL;
    s.old->redo = WORLD_REDO(HS_INPUT_FRAME);
    asks(&late);
    fourth->redo = s.old->redo = 0;
    world_node_restart(fourth);
    world_node_restart(s.old);
    wire.drop = HANSE__FRAME__BODY__NOT_SET;
    scene_pass(&late, 140);
    assert_in_range(wire.tails, 3, 20);
    assert_true(is_in_office(&late));
    has_all(&late, fourth);
    assert_true(s.alices->hub == fourth);
    assert_ok(world_post(s.alices, "after all", NULL));
}

/* FED-65: the old hub dies for good behind any frame: the room is at the new one with its whole log, or the
 * new one follows it still; and where it was only away, the room comes in the end. */
static void the_old_hub_dies_at_each_step(void **state)
{
    (void)state;
    size_t taken = 0, stayed = 0;
    for (size_t pass = 0; pass < 16; pass++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct wire wire = {.pass = pass};
        scene_rosa_moves(&s);
        hook(&s, &wire);
        enum hs_err err = world_forward(s.rosa, s.old, scene_move_frame(&s, s.room, s.new, 2), NULL);
        assert_true(err == HS_OK || err == HS_ERR_TIMEOUT);
        world_settle(w);
        scene_pass(&s, 3);
        kill_old(&s);
        scene_pass(&s, 140);
        if (is_in_office(&s)) {
            taken++;
            has_all(&s, s.new);
            assert_ok(world_post(s.room, "at the new one", NULL));
        } else {
            stayed++;
            assert_false(view_at(&s, s.new)->hub);
            assert_bytes(hs_pb_bytes(view_at(&s, s.new)->hub_root), HS_VIEW(s.old->root.pub));
        }
        unhook(&s);
        s.old->down = false;
        scene_pass(&s, 140);
        assert_true(is_in_office(&s));
        has_all(&s, s.new);
        assert_ok(world_post(s.alices, "in the end", NULL));
    }
    assert_in_range(taken, 1, 15);
    assert_in_range(stayed, 1, 15);
}

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

/* FED-45: a node that is far behind isn't given the room. */
static void far_behind(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.drop = HANSE__FRAME__BODY_RECORDS, .pass = SIZE_MAX};
    scene_rosa_moves(&s);
    asks(&s);
    assert_true(is_in_office(&s)); /* as it is where nothing is amiss */
    struct world HS_WORLD *w2 = world_new();
    struct scene t = scene_new(w2);
    scene_rosa_moves(&t);
    hook(&t, &wire);
    say_much(&t, t.bobs, HS_TAKEOVER_LAG + 1);
    asks(&t);
    scene_pass(&t, 5);
    assert_true(view_at(&t, t.old)->hub);
    assert_true(is_wanted(&t));
    wire.drop = HANSE__FRAME__BODY__NOT_SET;
    for (size_t i = 0; i < w2->link_count; i++)
        if (w2->links[i].open && w2->links[i].device == NULL)
            world_close(w2, w2->links[i].id[0]);
    scene_pass(&t, 70);
    assert_true(is_in_office(&t));
}

/* FED-17, FED-45: what the new hub has acknowledged, an old one that was killed may have forgotten. */
static void acknowledgements_are_lost(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    say_much(&s, s.bobs, HS_TAKEOVER_LAG + 5);
    world_node_restart(s.old);
    scene_pass(&s, 70);
    asks(&s);
    scene_pass(&s, 3);
    assert_true(is_in_office(&s));
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

static enum hs_err gives_up(struct scene *s, size_t digits)
{
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    Hanse__State__AdminAskRoom ask = HANSE__STATE__ADMIN_ASK_ROOM__INIT;
    struct hs_core_input input = {.kind = HS_INPUT_ADMIN, .session = 77};
    struct hs_effects effects = hs_effects();
    ask.prefix = hs_pb_data(hs_bytes(s->room->id.b, digits / 2));
    ask.give_up = true;
    request.room = &ask;
    request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_ROOM;
    input.bytes = world_pack(s->w, &request.base);
    assert_ok(hs_core_step(s->new->core, s->new->kv, &input, s->w->now, false, &effects));
    assert_true(effects.len > 0);
    enum hs_err err = effects.list[effects.len - 1].err;
    hs_effects_free(&effects);
    world_settle(s->w);
    return err;
}

/* NODE-85, FED-66 */
static void the_operator_gives_up(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.drop = HANSE__FRAME__BODY_TAIL, .pass = SIZE_MAX};
    scene_rosa_moves(&s);
    assert_err(gives_up(&s, 64), HS_ERR_INVALID_STATE);
    hook(&s, &wire);
    asks(&s);
    assert_true(is_wanted(&s));
    size_t items = s.rosa->item_count;
    assert_ok(gives_up(&s, 8));
    assert_false(is_wanted(&s));
    world_disconnect(s.rosa); /* the answer to an operator wakes nobody: the next round does */
    assert_ok(world_connect(s.rosa, NULL));
    world_attach(s.rosa);
    world_settle(w);
    assert_int_equal(s.rosa->item_count, items + 1);
    assert_int_equal(s.rosa->items[items]->outcome->error->code, -HS_ERR_DENIED);
    unhook(&s);
    scene_pass(&s, 10);
    assert_true(view_at(&s, s.old)->hub);
    assert_ok(world_post(s.alices, "here we stay", NULL));
    world_settle(w);
    asks(&s); /* and she may ask again */
    scene_pass(&s, 3);
    assert_true(is_in_office(&s));
    assert_err(gives_up(&s, 64), HS_ERR_INVALID_STATE);
}

/* FED-66: as many as fit wait at once, and none of them keeps another one waiting. */
static void many_are_wanted(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    w->forged = w->unchecked = true;
    for (uint8_t i = 1; i < HS_TAKEOVERS_MAX; i++) {
        struct hs_id id = {{0, i}};
        struct hs_kv_key key = hs_key_sub(HS_MISC_TAKEOVER, HS_VIEW(id), (struct hs_bytes){0});
        struct hs_kv_key at = hs_key1(HS_VIEW(id));
        Hanse__State__RoomView view = *view_at(&s, s.new);
        view.hub_root = hs_pb_data(HS_VIEW(s.third->root.pub)); /* which doesn't answer for them */
        hs_kv_put(s.new->kv, HS_T_ROOM, hs_kv_key_bytes(&at), world_pack(w, &view.base));
        hs_kv_put(s.new->kv, HS_T_MISC, hs_kv_key_bytes(&key), (struct hs_bytes){0});
    }
    struct hs_id last = {{1}};
    struct hs_kv_key key = hs_key_sub(HS_MISC_TAKEOVER, HS_VIEW(last), (struct hs_bytes){0});
    hs_kv_put(s.new->kv, HS_T_MISC, hs_kv_key_bytes(&key), (struct hs_bytes){0});
    assert_err(world_forward(s.rosa, s.old, scene_move_frame(&s, s.room, s.new, 2), NULL), HS_ERR_BUSY);
    hs_kv_del(s.new->kv, HS_T_MISC, hs_kv_key_bytes(&key));
    scene_room_moves(&s);
    assert_true(is_in_office(&s));
}

/* FED-45: the old hub dies before it has written what the new one holds, which says so once more. */
static void held_is_said_again(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct wire wire = {.drop = HANSE__FRAME__BODY_CURSORS, .pass = SIZE_MAX};
    hook(&s, &wire);
    scene_rosa_moves(&s);
    unhook(&s);
    world_node_restart(s.old);
    scene_pass(&s, 70);
    scene_room_moves(&s);
    scene_pass(&s, 10);
    assert_true(is_in_office(&s));
    has_all(&s, s.new);
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
        cmocka_unit_test(held_is_said_again),
        cmocka_unit_test(the_log_comes_first),
        cmocka_unit_test(long_logs_and_deaths),
        cmocka_unit_test(the_old_hub_dies_at_each_step),
        cmocka_unit_test(another_log),
        cmocka_unit_test(far_behind),
        cmocka_unit_test(acknowledgements_are_lost),
        cmocka_unit_test(who_may_have_the_log),
        cmocka_unit_test(the_operator_gives_up),
        cmocka_unit_test(many_are_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Readers of a restored hub's room who show more than they bring. Alice's home and Bob's are two nodes. */
#include "world.h"

#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/recovery/recovery.h"
#include "wire/unpack.h"

struct scene {
    struct world *w;
    struct world_node *hub, *one, *two;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices, *bobs;
    struct hs_kv *backup;
    uint64_t two_ends;  /* records from this one on don't reach Bob's home; 0: all do */
    bool one_withholds; /* Alice's home shows its heads and nothing else */
    bool one_is_silent; /* or doesn't answer at all */
    size_t asked, asked_one;
};

static void withhold(struct scene *s, struct world_node *from, Hanse__Tail *tail)
{
    if (from == s->one && s->one_withholds)
        tail->n_records = 0;
}

/* The last records of a batch get lost, its head doesn't: so it is where the hub has more for the next one.
 */
static void leave_out(struct scene *s, Hanse__Records *records)
{
    struct hs_record_header header;
    size_t n = 0;
    for (; n < records->n_records; n++) {
        assert_ok(hs_record_header_parse(hs_pb_bytes(records->records[n]->header), &header));
        if (header.seq >= s->two_ends)
            break;
    }
    records->n_records = n;
}

static enum world_verdict meddle(void *ctx, struct world_node *from, struct world_node *to,
                                 struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    Hanse__Frame *frame;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &s->w->arena, &frame));
    if (frame->body_case == HANSE__FRAME__BODY_WANT_TAIL) {
        s->asked++;
        s->asked_one += to == s->one ? 1 : 0;
    }
    if (frame->body_case == HANSE__FRAME__BODY_TAIL && from == s->one && s->one_is_silent)
        return WORLD_DROP;
    if (frame->body_case == HANSE__FRAME__BODY_TAIL)
        withhold(s, from, frame->tail);
    else if (frame->body_case == HANSE__FRAME__BODY_RECORDS && to == s->two && s->two_ends > 0)
        leave_out(s, frame->records);
    else
        return WORLD_PASS;
    *bytes = world_pack(s->w, &frame->base);
    return WORLD_PASS;
}

static void pass(struct scene *s, int64_t ms)
{
    for (int64_t t = 0; t < ms; t += 1000)
        world_pass(s->w, 1000);
}

enum { LOST = 6, ENOUGH = HS_RETRY_MAX_MS + 3 * HS_RECOVER_MS };

/* A backup, and LOST posts after it; of those Bob's home has had as many as it may. */
static struct scene scene_new(struct world *w, size_t twos)
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
    s.bobs = world_join(s.bob, s.room, &invite);
    s.backup = world_store_copy(s.hub);
    s.two_ends = twos < LOST ? s.room->tip.next_seq + twos : 0;
    return s;
}

/* Each post is a batch of its own; with those that Bob's home doesn't get it gets their heads, too. */
static void go_on(struct scene *s)
{
    s->w->hook = meddle;
    s->w->hook_ctx = s;
    for (size_t i = 0; i < LOST; i++) {
        assert_ok(world_post(s->room, "lost", NULL));
        world_settle(s->w);
    }
}

static void restore(struct scene *s)
{
    s->two_ends = 0; /* from now on nothing is held back from it */
    world_node_restore(s->hub, s->backup);
    assert_ok(world_connect(s->owner, NULL));
    world_attach(s->owner);
}

static bool is_frozen(struct scene *s, uint64_t *next_seq)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->hub->core, .kv = s->hub->kv, .now = s->w->now, .arena = &arena};
    const Hanse__State__RoomView *view = hs_room_view(&turn, &s->room->id);
    assert_non_null(view);
    *next_seq = view->next_seq;
    return hs_recover_is_frozen(&turn, view);
}

static void operator_resumes(struct scene *s)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->hub->core, .kv = s->hub->kv, .now = s->w->now, .arena = &arena};
    assert_ok(hs_recover_resume(&turn, &s->room->id));
}

/* NODE-80: who withholds, or says nothing, keeps nobody from bringing the same. */
static void others_bring_it(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w, LOST);
        uint64_t end;
        go_on(&s);
        s.one_withholds = !silent;
        s.one_is_silent = silent;
        restore(&s);
        pass(&s, ENOUGH);
        assert_int_not_equal(s.asked_one, 0);
        assert_false(is_frozen(&s, &end));
        assert_int_equal(end, s.room->tip.next_seq);
        assert_ok(world_post(s.room, "after", NULL));
        world_settle(w);
        assert_string_equal(s.bobs->posts[s.bobs->post_count - 1], "after");
    }
}

/* NODE-80, NODE-81: what somebody shows and nobody brings holds up no record that somebody brings; but the
 * room goes on without it by the operator's word alone. */
static void a_head_that_nobody_proves(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w, 3);
        uint64_t end;
        go_on(&s);
        s.one_withholds = true;
        restore(&s);
        pass(&s, ENOUGH);
        assert_true(is_frozen(&s, &end));
        assert_int_equal(end, s.room->tip.next_seq - LOST + 3);
        if (silent) {
            operator_resumes(&s);
            assert_false(is_frozen(&s, &end));
            continue;
        }
        s.one_withholds = false;
        pass(&s, ENOUGH);
        assert_false(is_frozen(&s, &end));
        assert_int_equal(end, s.room->tip.next_seq);
    }
}

/* NODE-80, FED-44: a follower that was caught up to its middle holds a head of what it hasn't got; it shows
 * the one of what it has as well. */
static void caught_in_the_middle(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, 3);
    uint64_t end;
    go_on(&s);
    s.one_is_silent = true;
    restore(&s);
    pass(&s, ENOUGH);
    assert_true(is_frozen(&s, &end));
    assert_int_equal(end, s.room->tip.next_seq - LOST + 3);
}

/* Alice's home says once more from where it reads. */
static void attaches(struct scene *s, uint64_t next_seq)
{
    struct world *w = s->w;
    Hanse__Frame *frame = world_frame(w);
    Hanse__RoomCursor *cursor = WORLD_NEW(w, Hanse__RoomCursor, hanse__room_cursor);
    frame->attach = WORLD_NEW(w, Hanse__Attach, hanse__attach);
    frame->body_case = HANSE__FRAME__BODY_ATTACH;
    frame->attach->n_rooms = 1;
    frame->attach->rooms = &cursor;
    frame->id = 1;
    cursor->room = hs_pb_data(HS_VIEW(s->room->id));
    cursor->next_seq = next_seq;
    world_inject(s->one, s->hub, frame);
    world_run(w);
}

/* NODE-80: one question at a time, and not many of who brings nothing. */
static void it_asks_one_thing_at_a_time(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, 0); /* Bob's home has none of them */
    go_on(&s);
    s.one_is_silent = true;
    restore(&s);
    for (int t = 0; s.asked_one == 0; t++) {
        assert_in_range(t, 0, HS_RETRY_MAX_MS / 1000);
        pass(&s, 1000);
    }
    pass(&s, 2 * HS_RECOVER_MS);
    assert_in_range(s.asked_one, 1, 2 * HS_RECOVER_ANSWERS * 5);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s.hub->core, .kv = s.hub->kv, .now = w->now, .arena = &arena};
    assert_int_equal(hs_recover_count(&turn), 1);
    attaches(&s, s.room->tip.next_seq);
    size_t asked = s.asked;
    hs_core_undone(s.hub->core);
    struct hs_core_input tick = {.kind = HS_INPUT_TICK};
    for (int i = 0; i < 20; i++)
        world_input(s.hub, &tick);
    world_run(w);
    assert_in_range(s.asked, asked, asked + 1);
}

/* NODE-80: a number alone is nothing, whatever it is. */
static void it_says_that_it_holds_more(void **state)
{
    (void)state;
    static const uint64_t cursors[] = {1u << 20, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof cursors / sizeof cursors[0]; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w, LOST);
        uint64_t end;
        w->hook = meddle;
        w->hook_ctx = &s;
        restore(&s);
        for (int t = 0; t < HS_RETRY_MAX_MS / 1000 && !world_are_linked(s.one, s.hub); t++)
            pass(&s, 1000);
        pass(&s, 5000);
        attaches(&s, cursors[i]);
        assert_int_not_equal(s.asked_one, 0);
        pass(&s, ENOUGH);
        assert_false(is_frozen(&s, &end));
        assert_int_equal(end, s.room->tip.next_seq);
    }
}

/* NODE-82: who isn't known finds a place among a few, and takes it from nobody who is, or has shown more. */
static void the_unknown_crowd_out_nobody(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, LOST);
    struct hs_turn turn = {.core = s.hub->core, .kv = s.hub->kv, .now = w->now};
    struct hs_recovery *r = hs_recovery_get(&turn, &s.room->id);
    struct hs_key key = {{0}};
    assert_non_null(r);
    for (size_t i = 0; i < 3 * HS_RECOVER_UNKNOWN; i++) {
        key.b[0] = (uint8_t)(i + 1);
        hs_recovery_came(r, &key, 1000, false);
        assert_int_equal(hs_recovery_reader(r, &key) != NULL, i < HS_RECOVER_UNKNOWN);
    }
    key.b[1] = 1;
    hs_recovery_came(r, &key, 1000, true);
    assert_non_null(hs_recovery_reader(r, &key));
    struct hs_key first = {{1}}, second = {{2}}, late = {{255}};
    struct hs_recover_reader *shown = hs_recovery_reader(r, &first);
    hs_recovery_claim(r, shown, 0, 900, &s.room->id);
    for (int i = 0; i < HS_RECOVER_ANSWERS; i++) {
        hs_recovery_answered(r, shown, false, 10);
        hs_recovery_answered(r, hs_recovery_reader(r, &second), false, 10);
    }
    hs_recovery_came(r, &late, 1000, false); /* in the place of the one that had nothing to show */
    assert_non_null(hs_recovery_reader(r, &late));
    assert_non_null(hs_recovery_reader(r, &first));
    assert_null(hs_recovery_reader(r, &second));
    hs_recovery_free(s.hub->core, r);
    hs_kv_memory_free(s.backup);
}

/* What the next answer with records finds: see the tests. */
enum { AS_IT_IS, UNDONE, AHEAD };
static int fate;

static bool brings_records(struct world_node *node, const struct hs_core_input *input)
{
    struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
    Hanse__Frame *frame;
    return input->kind == HS_INPUT_FRAME && strcmp(node->domain, "hub.example") == 0 &&
           HS_UNPACK(hanse__frame, input->bytes, HS_LENIENT, &arena, &frame) == HS_OK &&
           frame->body_case == HANSE__FRAME__BODY_TAIL && frame->tail->n_records > 0 && !frame->tail->headers;
}

/* A round of two inputs, which the store didn't take: the log is as it was. */
static void a_round_is_undone(struct world_node *node, const struct hs_core_input *input)
{
    const struct hs_core_input tick = {.kind = HS_INPUT_TICK};
    struct hs_kv *before = world_store_copy(node);
    struct hs_effects effects = hs_effects();
    assert_ok(hs_core_step(node->core, node->kv, input, node->world->now, false, &effects));
    assert_ok(hs_core_step(node->core, node->kv, &tick, node->world->now, false, &effects));
    hs_core_undone(node->core);
    hs_effects_free(&effects);
    hs_kv_memory_free(node->kv);
    node->kv = before;
}

static void meet_fate(struct world_node *node, const struct hs_core_input *input)
{
    if (fate == AS_IT_IS || !brings_records(node, input))
        return;
    if (fate == UNDONE)
        a_round_is_undone(node, input);
    else
        node->core->recoveries->first++;
    fate = AS_IT_IS;
}

/* NODE-80, NODE-9: what a round that came to nothing has made of the heads is forgotten with it; and a head
 * that is tried from beyond the log's end is tried anew. */
static void what_was_undone_refutes_nothing(void **state)
{
    (void)state;
    for (int i = UNDONE; i <= AHEAD; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w, 3);
        uint64_t end;
        go_on(&s);
        s.one_withholds = true; /* so that its head is tried once more behind what Bob's home brings */
        fate = i;
        w->before_step = meet_fate;
        restore(&s);
        for (int t = 0; fate != AS_IT_IS; t++) {
            assert_in_range(t, 0, ENOUGH / 1000);
            pass(&s, 1000);
        }
        s.one_withholds = false;
        pass(&s, ENOUGH);
        assert_false(is_frozen(&s, &end));
        assert_int_equal(end, s.room->tip.next_seq);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_bring_it),
        cmocka_unit_test(a_head_that_nobody_proves),
        cmocka_unit_test(caught_in_the_middle),
        cmocka_unit_test(it_asks_one_thing_at_a_time),
        cmocka_unit_test(it_says_that_it_holds_more),
        cmocka_unit_test(the_unknown_crowd_out_nobody),
        cmocka_unit_test(what_was_undone_refutes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
